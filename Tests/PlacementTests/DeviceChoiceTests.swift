import ClusterModel
@testable import Placement
import Testing

/// Partitions, compute units, alternatives, and devices that are near to each other.
@Suite struct DeviceChoiceTests {
    private static let h100 = "NVIDIA H100 80GB HBM3"
    private static let a100 = "NVIDIA A100-SXM4-80GB"

    private static func node(
        _ models: [String], isPartitionable: Bool = false,
        near: (Int) -> (numa: UInt32?, pcie: UInt32?, link: UInt32?) = { _ in (nil, nil, nil) }
    ) -> NodeOffer {
        NodeOffer(
            inventory: NodeInventory(
                name: "n", address: "", cpuMilli: 16_000, memoryBytes: 1 << 40,
                devices: models.enumerated().map { index, model in
                    Device(
                        index: UInt32(index), kind: model.contains("910") ? .npu : .gpu,
                        vendor: model.contains("910") ? "huawei" : "nvidia", model: model, uuid: "", pciAddress: "", memoryBytes: 80 << 30,
                        numaNode: near(index).numa, pcieSwitch: near(index).pcie, linkGroup: near(index).link,
                        isPartitionable: isPartitionable)
                }, numaNodes: [NUMANode(osIndex: 0, processors: Array(0..<8)), NUMANode(osIndex: 1, processors: Array(8..<16))]))
    }

    private static func fit(
        _ devices: DeviceRequest, or alternatives: [DeviceRequest] = [], near topology: TopologyRequest = .indifferent, on offer: NodeOffer
    ) -> Result<Allocation, Misfit> {
        offer.fit(ResourceRequest(devices: devices, alternatives: alternatives, topology: topology), [])
    }

    private static func indices(_ result: Result<Allocation, Misfit>) -> [UInt32]? { try? result.get().devices.map(\.index) }

    // MARK: Partitions

    @Test func aPartitionHasItsPlaceMemoryAndShare() throws {
        let grant = try Self.fit(.partitions("3g.40gb", kind: .gpu), on: Self.node([Self.h100], isPartitionable: true)).get().devices[0]
        #expect(grant.shareMilli == 428 && grant.memoryBytes == 40 << 30)
        #expect(grant.partition == DeviceGrant.Partition(template: "3g.40gb", slots: 0xF0))
    }

    /// The seven small ones fill the slices; the eighth eighth of memory has none left.
    @Test(arguments: [("1g.10gb", 7), ("1g.20gb", 4), ("2g.20gb", 3), ("3g.40gb", 2), ("4g.40gb", 1), ("7g.80gb", 1)])
    func asManyPartitionsFitAsTheMakerSays(template: String, count: Int) throws {
        var offer = Self.node([Self.a100], isPartitionable: true)
        for _ in 0..<count { offer.take(try Self.fit(.partitions(template, kind: .gpu), on: offer).get()) }
        #expect(Self.fit(.partitions(template, kind: .gpu), on: offer) == .failure(.devices(kind: "gpu", requested: 1, free: 0)))
    }

    @Test func aDeviceIsDividedInOneWay() throws {
        var offer = Self.node([Self.h100], isPartitionable: true)
        let share = DeviceRequest(kind: .gpu, count: 1, shareMilli: 100)
        let partition = try Self.fit(.partitions("1g.10gb", kind: .gpu), on: offer).get()
        let slice = try Self.fit(share, on: offer).get()
        offer.take(partition)
        #expect(Self.fit(share, on: offer) == .failure(.devices(kind: "gpu", requested: 1, free: 0)))
        offer.give(partition)
        offer.take(slice)
        #expect(
            Self.fit(.partitions("1g.10gb", kind: .gpu), on: offer) == .failure(.devices(kind: "gpu", requested: 1, free: 0)))
        offer.give(slice)
        #expect(offer == offer.emptied)
    }

    @Test func onlyDevicesThatAreDividedOfferPartitions() {
        #expect(Self.fit(.partitions("1g.10gb", kind: .gpu), on: Self.node([Self.h100])) == .failure(.noSuchTemplate("1g.10gb")))
        #expect(
            Self.fit(.partitions("vir05_1c_8g", kind: .gpu), on: Self.node([Self.h100], isPartitionable: true))
                == .failure(.noSuchTemplate("vir05_1c_8g")))
    }

    @Test func virtualNPUsLieAnywhere() throws {
        var offer = Self.node(["Ascend 910B4"], isPartitionable: true)
        let large = DeviceRequest.partitions("vir10_3c_16g", kind: .npu)
        let small = DeviceRequest.partitions("vir05_1c_8g", kind: .npu)
        var held: [Allocation] = []
        for _ in 0..<4 {
            held.append(try Self.fit(small, on: offer).get())
            offer.take(held[held.count - 1])
        }
        offer.give(held[0])
        offer.give(held[3])
        #expect(try Self.fit(large, on: offer).get().devices[0].partition?.slots == 0b1001)
    }

    // MARK: Compute units

    @Test func computeUnitsAreASliceOfOneDeviceOrSeveralWhole() throws {
        let offer = Self.node([Self.h100, Self.h100, Self.h100])
        let slice = try Self.fit(.computeUnits(milli: 200_000), on: offer).get().devices
        // 200 of 989.5, rounded up.
        #expect(slice == [DeviceGrant(index: 0, shareMilli: 203, memoryBytes: (80 << 30) / 1000 * 203)])
        let many = try Self.fit(.computeUnits(milli: 1_500_000), on: offer).get().devices
        #expect(many.map(\.shareMilli) == [1000, 1000])
        #expect(
            Self.fit(.computeUnits(milli: 3_000_000), on: offer)
                == .failure(.computeUnits(requestedMilli: 3_000_000, mostMilli: 2_968_500)))
    }

    @Test func whatIsNotConfirmedHasNoComputeUnits() {
        #expect(
            Self.fit(.computeUnits(milli: 1000), on: Self.node(["Ascend 910B4"]))
                == .failure(.computeUnits(requestedMilli: 1000, mostMilli: 0)))
    }

    // MARK: Alternatives

    private static let wishes = (
        first: DeviceRequest(kind: .gpu, count: 1, modelPattern: "*H100*"),
        others: [DeviceRequest(kind: .gpu, count: 2, modelPattern: "*A100*"), DeviceRequest(kind: .npu, count: 4, modelPattern: "*910B*")]
    )

    @Test func theFirstWayThatCanBeHadIsTaken() throws {
        var offer = Self.node([Self.a100, Self.a100, Self.h100])
        let best = try Self.fit(Self.wishes.first, or: Self.wishes.others, on: offer).get()
        #expect(best.devices.map(\.index) == [2])
        offer.take(best)
        #expect(Self.indices(Self.fit(Self.wishes.first, or: Self.wishes.others, on: offer)) == [0, 1])
        #expect(
            Self.indices(Self.fit(Self.wishes.first, or: Self.wishes.others, on: Self.node(Array(repeating: "910B4", count: 4)))) == [
                0, 1, 2, 3,
            ])
    }

    /// Rank goes before everything: the best liked way is looked for on all nodes first.
    @Test func aFleetLooksForTheBestLikedEverywhere() throws {
        var fleet = Fleet()
        fleet.set(Self.node([Self.a100, Self.a100]), for: NodeID(1))
        fleet.set(Self.node([Self.h100]), for: NodeID(2))
        let gang = fleet.shape(
            of: RequestClass(groups: [
                RequestClass.Group(
                    count: 1, resources: ResourceRequest(devices: Self.wishes.first, alternatives: Self.wishes.others), constraints: [])
            ]))
        var nodes: [NodeID] = []
        while let place = fleet.place(gang, limit: 1).first {
            nodes.append(place.node)
            fleet.take(place.allocation, on: place.node)
        }
        #expect(nodes == [NodeID(2), NodeID(1)])
    }

    /// All tasks of a group have their devices in one way.
    @Test func aGangIsOfOneKind() throws {
        var fleet = Fleet()
        fleet.set(Self.node([Self.h100, Self.a100, Self.a100]), for: NodeID(1))
        fleet.set(Self.node([Self.a100, Self.a100]), for: NodeID(2))
        let gang = fleet.shape(
            of: RequestClass(groups: [
                RequestClass.Group(
                    count: 2, resources: ResourceRequest(devices: Self.wishes.first, alternatives: Self.wishes.others), constraints: [])
            ]))
        let places = fleet.placeGang(gang)
        #expect(places?.map { $0.allocation.devices.map(\.index) } == [[1, 2], [0, 1]])
    }

    // MARK: Near

    /// Two NUMA nodes of two switches of two devices.
    private static func tree(_ index: Int) -> (numa: UInt32?, pcie: UInt32?, link: UInt32?) { (UInt32(index / 4), UInt32(index / 2), nil) }

    private static func take(_ indices: [UInt32], of offer: inout NodeOffer) {
        offer.take(
            Allocation(
                cpuMilli: 0, memoryBytes: 0, devices: indices.map { DeviceGrant(index: $0, shareMilli: 1000, memoryBytes: 80 << 30) }))
    }

    @Test func devicesAreTakenNearEachOther() throws {
        var offer = Self.node(Array(repeating: Self.h100, count: 8), near: Self.tree)
        Self.take([0, 4, 5], of: &offer)
        let two = try Self.fit(DeviceRequest(kind: .gpu, count: 2), on: offer).get()
        #expect(two.devices.map(\.index) == [2, 3] && two.locality.devices == .pcie)
        let three = try Self.fit(DeviceRequest(kind: .gpu, count: 3), on: offer).get()
        #expect(three.devices.map(\.index) == [1, 2, 3] && three.locality.devices == .numa)
        let four = try Self.fit(DeviceRequest(kind: .gpu, count: 4), on: offer).get()
        #expect(four.devices.count == 4 && four.locality.devices == .node)
    }

    /// The island with the fewest left is broken, so that others stay whole.
    @Test func largeIslandsStayWhole() throws {
        var offer = Self.node(Array(repeating: Self.h100, count: 8), near: { (UInt32($0 / 4), nil, nil) })
        Self.take([0, 1], of: &offer)
        #expect(Self.indices(Self.fit(DeviceRequest(kind: .gpu, count: 2), on: offer)) == [2, 3])
    }

    @Test func whatIsRequiredIsWaitedForOrRefused() throws {
        var offer = Self.node(Array(repeating: Self.h100, count: 8), near: Self.tree)
        let near = TopologyRequest([.pcie: .require])
        Self.take([0, 2, 4, 6], of: &offer)
        #expect(Self.fit(DeviceRequest(kind: .gpu, count: 2), near: near, on: offer) == .failure(.topology(.pcie)))
        #expect(Self.fit(DeviceRequest(kind: .gpu, count: 4), near: near, on: offer.emptied) == .failure(.topology(.pcie)))
        #expect(
            Self.indices(Self.fit(DeviceRequest(kind: .gpu, count: 4), near: TopologyRequest([.numa: .require]), on: offer.emptied)) == [
                0, 1, 2, 3,
            ])
        // Links say more than switches do.
        let linked = Self.node(Array(repeating: Self.h100, count: 8), near: { (nil, nil, UInt32($0 % 2)) })
        let result = try Self.fit(DeviceRequest(kind: .gpu, count: 4), near: near, on: linked).get()
        #expect(result.devices.map(\.index) == [0, 2, 4, 6] && result.locality.devices == .link)
    }

    @Test func aLevelThatIsNotLookedAtIsNot() throws {
        var offer = Self.node(Array(repeating: Self.h100, count: 8), near: Self.tree)
        Self.take([0], of: &offer)
        let blind = TopologyRequest([.pcie: .none, .numa: .none])
        #expect(Self.indices(Self.fit(DeviceRequest(kind: .gpu, count: 2), near: blind, on: offer)) == [1, 2])
    }

    // MARK: Cores

    private static func cores(
        _ cores: Int64, whole: Bool = true, gpus: UInt32 = 0, near topology: TopologyRequest = .indifferent
    ) -> ResourceRequest {
        ResourceRequest(
            cpuMilli: cores * 1000, memoryBytes: 1 << 30, hasWholeCores: whole,
            devices: gpus > 0 ? DeviceRequest(kind: .gpu, count: gpus) : nil, topology: topology)
    }

    /// Eight devices, four near each of two NUMA nodes of eight cores.
    private static let box = node(Array(repeating: h100, count: 8), near: tree)

    @Test func wholeCoresAreOfOneNUMANodeAndNobodyElses() throws {
        var offer = Self.box
        let first = try offer.fit(Self.cores(6), []).get()
        #expect(first.processors == [0, 1, 2, 3, 4, 5] && first.numaNode == 0)
        offer.take(first)
        let second = try offer.fit(Self.cores(6), []).get()
        #expect(second.processors == [8, 9, 10, 11, 12, 13] && second.numaNode == 1)
        offer.take(second)
        let split = try offer.fit(Self.cores(4), []).get()
        #expect(split.processors == [6, 7, 14, 15] && split.numaNode == nil)
        #expect(offer.fit(Self.cores(4, near: TopologyRequest([.numa: .require])), []) == .failure(.topology(.numa)))
        #expect(offer.fit(Self.cores(5), []) == .failure(.cpu(requested: 5000, free: 4000)))
    }

    @Test func wholeCoresAreNearTheDevices() throws {
        var offer = Self.box
        Self.take([0, 1, 2, 3], of: &offer)
        let allocation = try offer.fit(Self.cores(4, gpus: 2), []).get()
        #expect(allocation.devices.map(\.index) == [4, 5] && allocation.processors == [8, 9, 10, 11])
    }

    /// Devices are free near one node, cores near the other: what must be together waits.
    @Test func coresAndDevicesOfOneNUMANodeOrNone() throws {
        var offer = Self.box
        offer.take(try offer.fit(Self.cores(8), []).get())
        Self.take([4, 5, 6, 7], of: &offer)
        let near = TopologyRequest([.numa: .require])
        #expect(offer.fit(Self.cores(1, whole: false, gpus: 1, near: near), []) == .failure(.topology(.numa)))
        #expect(try offer.fit(Self.cores(1, whole: false, gpus: 1), []).get().devices.map(\.index) == [0])
        #expect(Self.box.fit(Self.cores(9, whole: false, near: near), []) == .failure(.topology(.numa)))
    }

    /// Time bound to a NUMA node is not sold there twice, whole or in parts.
    @Test func boundTimeCounts() throws {
        var offer = Self.box
        let bound = Self.cores(5, whole: false, near: TopologyRequest([.numa: .require]))
        let first = try offer.fit(bound, []).get()
        offer.take(first)
        #expect(first.numaNode == 0 && first.processors.isEmpty)
        #expect(try offer.fit(bound, []).get().numaNode == 1)
        #expect(try offer.fit(Self.cores(3), []).get().processors == [0, 1, 2])
        #expect(try offer.fit(Self.cores(4), []).get().processors == [8, 9, 10, 11])
        offer.give(first)
        #expect(offer == offer.emptied)
    }

    /// A core of two threads is one task's: what is asked for is rounded up to it, and so is what is held.
    @Test func wholeCoresHaveAllTheirThreads() throws {
        let inventory = NodeInventory(
            name: "n", address: "", cpuMilli: 8000, memoryBytes: 1 << 40,
            numaNodes: [NUMANode(osIndex: 0, processors: [0, 4, 1, 5, 2, 6, 3, 7], threadsPerCore: 2)])
        var offer = NodeOffer(inventory: inventory)
        let first = try offer.fit(Self.cores(1), []).get()
        #expect(first.processors == [0, 4] && first.cpuMilli == 2000)
        offer.take(first)
        #expect(try offer.fit(Self.cores(3), []).get().processors == [1, 2, 5, 6])
        #expect(offer.fit(Self.cores(7), []) == .failure(.cpu(requested: 8000, free: 6000)))
        offer.give(first)
        #expect(offer == offer.emptied)
    }

    /// Bound to a NUMA node, compute units mean something on each of them, whatever they would mean on the whole node.
    @Test func computeUnitsOfOneNUMANode() throws {
        var offer = Self.node([Self.a100, Self.a100, Self.a100, Self.a100, Self.h100], near: { ($0 == 4 ? 1 : 0, nil, nil) })
        let request = ResourceRequest(
            memoryBytes: 1 << 30, devices: .computeUnits(milli: 600_000), topology: TopologyRequest([.numa: .require]))
        Self.take([4], of: &offer)
        let allocation = try offer.fit(request, []).get()
        #expect(allocation.devices.map(\.index) == [0, 1] && allocation.numaNode == 0)
    }
}
