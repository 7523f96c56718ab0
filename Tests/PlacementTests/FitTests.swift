import ClusterModel
import Placement
import Testing

@Suite struct FitTests {
    private func node(cpus: Int64 = 4, gpus: Int = 0, labels: [NamedText] = [], isSimulated: Bool = false) -> NodeOffer {
        NodeOffer(
            inventory: NodeInventory(
                name: "n1", address: "10.0.0.1", cpuMilli: cpus * 1000, memoryBytes: 8 << 30,
                devices: (0..<gpus).map {
                    Device(
                        index: UInt32($0), kind: .gpu, vendor: "nvidia", model: "NVIDIA A100", uuid: "", pciAddress: "",
                        memoryBytes: 80_000,
                        numaNode: nil)
                }, labels: labels, isSimulated: isSimulated))
    }

    private func request(cpuMilli: Int64 = 1000, _ devices: DeviceRequest? = nil) -> ResourceRequest {
        ResourceRequest(cpuMilli: cpuMilli, memoryBytes: 1 << 30, devices: devices)
    }

    @Test func wholeDevicesAreGrantedInIndexOrder() throws {
        let allocation = try node(gpus: 4).fit(request(DeviceRequest(kind: .gpu, count: 2)), []).get()
        #expect(allocation.devices.map(\.index) == [0, 1])
        #expect(allocation.devices.allSatisfy { $0.shareMilli == 1000 && $0.memoryBytes == 80_000 })
    }

    @Test func aSliceGoesToTheFullestDeviceThatHoldsIt() throws {
        var offer = node(gpus: 2)
        let slice = request(DeviceRequest(kind: .gpu, count: 1, shareMilli: 250))
        let first = try offer.fit(slice, []).get()
        offer.take(first)
        #expect(try offer.fit(slice, []).get().devices.map(\.index) == [0])
        #expect(try offer.fit(request(DeviceRequest(kind: .gpu, count: 1)), []).get().devices.map(\.index) == [1])
    }

    @Test func memoryAloneIsChargedAsAShareRoundedUp() throws {
        let allocation = try node(gpus: 1).fit(request(DeviceRequest(kind: .gpu, count: 1, shareMilli: 0, memoryBytes: 7_001)), []).get()
        #expect(allocation.devices == [DeviceGrant(index: 0, shareMilli: 88, memoryBytes: 7_001)])
    }

    @Test func misfitsCarryTheNumbers() {
        #expect(node().fit(request(cpuMilli: 5000), []) == .failure(.cpu(requested: 5000, free: 4000)))
        #expect(
            node(gpus: 1).fit(request(DeviceRequest(kind: .gpu, count: 2)), []) == .failure(.devices(kind: "gpu", requested: 2, free: 1)))
        #expect(
            node(gpus: 1).fit(request(DeviceRequest(kind: .npu, count: 1)), []) == .failure(.noSuchDevice(kind: "npu", model: "")))
        #expect(
            node(gpus: 1).fit(request(DeviceRequest(kind: .gpu, count: 1, modelPattern: "H100*")), [])
                == .failure(.noSuchDevice(kind: "gpu", model: "H100*")))
    }

    @Test func constraintsAndTaints() throws {
        let zone = try Constraint(parsing: "zone=a")
        #expect(node().fit(request(), [zone]) == .failure(.constraint("zone=a")))
        #expect((try? node(labels: [NamedText("zone", "a")]).fit(request(), [zone]).get()) != nil)
        #expect(node(isSimulated: true).fit(request(), []) == .failure(.simulated))
        #expect((try? node(isSimulated: true).fit(request(), [Constraint(parsing: "simulated")]).get()) != nil)
    }

    /// The law that placement rests on, over random offers and requests.
    @Test(arguments: UInt64(1)...20) func fitIsMonotoneInFreeRoom(seed: UInt64) throws {
        var generator = Xorshift(state: seed)
        for _ in 0..<200 {
            var offer = node(cpus: 8, gpus: 3)
            for _ in 0..<generator.below(6) {
                if case .success(let taken) = offer.fit(random(&generator), []) { offer.take(taken) }
            }
            let wanted = random(&generator)
            if case .success = offer.fit(wanted, []) {
                #expect((try? offer.emptied.fit(wanted, []).get()) != nil, "seed \(seed)")
            }
        }
    }

    private func random(_ generator: inout Xorshift) -> ResourceRequest {
        let devices =
            generator.below(2) == 0
            ? nil : DeviceRequest(kind: .gpu, count: UInt32(1 + generator.below(3)), shareMilli: [1000, 500, 250][generator.below(3)])
        return ResourceRequest(cpuMilli: 500 * Int64(1 + generator.below(8)), memoryBytes: 1 << 30, devices: devices)
    }
}

struct Xorshift {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(bound))
    }
}
