import ClusterModel
@testable import Placement
import Testing

/// Over random nodes and requests of every kind, begun and ended in any order: what is granted is counted here once more, by
/// device, thousandth, byte and slot, and nothing feasible is refused.
@Suite struct DevicePropertyTests {
    private static let models = [
        ("NVIDIA H100 80GB HBM3", DeviceKind.gpu, "nvidia"), ("NVIDIA A100-SXM4-80GB", .gpu, "nvidia"), ("Ascend 910B4", .npu, "huawei"),
    ]

    private static func inventory(_ index: Int, _ generator: inout Xorshift) -> NodeInventory {
        let (model, kind, vendor) = models[generator.below(3)]
        let isPartitionable = generator.below(2) == 0
        return NodeInventory(
            name: "n\(index)", address: "", cpuMilli: 8_000, memoryBytes: 1 << 40,
            devices: (0..<[1, 4, 8][generator.below(3)]).map { (device: Int) -> Device in
                Device(
                    index: UInt32(device), kind: kind, vendor: vendor, model: model, uuid: "", pciAddress: "", memoryBytes: 64 << 30,
                    numaNode: UInt32(device / 4), pcieSwitch: UInt32(device / 2), linkGroup: kind == .npu ? UInt32(device / 4) : nil,
                    isPartitionable: isPartitionable)
            }, numaNodes: [NUMANode(osIndex: 0, processors: Array(0..<4)), NUMANode(osIndex: 1, processors: Array(4..<8))])
    }

    private static func request(_ generator: inout Xorshift) -> ResourceRequest {
        var devices: [DeviceRequest] = []
        for _ in 0...generator.below(3) { devices.append(Self.devices(&generator)) }
        let wishes: [TopologyLevel: TopologyWish] =
            generator.below(3) == 0 ? [[TopologyLevel.link, .pcie, .numa][generator.below(3)]: .require] : [:]
        return ResourceRequest(
            cpuMilli: Int64(1 + generator.below(3)) * 1000, memoryBytes: 1 << 30, hasWholeCores: generator.below(3) == 0,
            devices: devices.removeFirst(), alternatives: devices, topology: TopologyRequest(wishes))
    }

    private static func devices(_ generator: inout Xorshift) -> DeviceRequest {
        let kind: DeviceKind = generator.below(3) == 0 ? .npu : .gpu
        switch generator.below(5) {
        case 0: return .partitions(["1g.10gb", "2g.20gb", "3g.40gb", "4g.40gb"][generator.below(4)], kind: .gpu)
        case 1:
            return .partitions(["vir05_1c_8g", "vir10_3c_16g"][generator.below(2)], kind: .npu, count: 1 + UInt32(generator.below(2)))
        case 2: return .computeUnits(milli: Int64(1 + generator.below(2500)) * 1000)
        case 3: return DeviceRequest(kind: kind, count: 1, shareMilli: Int64(1 + generator.below(1000)))
        default: return DeviceRequest(kind: kind, count: 1 + UInt32(generator.below(5)))
        }
    }

    /// What is held of one device, counted apart from the product.
    private struct Held {
        var share: Int64 = 0
        var memory: Int64 = 0
        var slots: Set<UInt64> = []
        var partitions = 0
        var others = 0

        /// False: something is there twice.
        mutating func add(_ grant: DeviceGrant, sign: Int64) -> Bool {
            share += sign * grant.shareMilli
            memory += sign * grant.memoryBytes
            guard let partition = grant.partition else {
                others += Int(sign)
                return true
            }
            partitions += Int(sign)
            let taken = Set((0..<64).map(UInt64.init).filter { partition.slots >> $0 & 1 == 1 })
            let isNew = sign < 0 || slots.isDisjoint(with: taken)
            if sign > 0 { slots.formUnion(taken) } else { slots.subtract(taken) }
            return isNew && !taken.isEmpty
        }

        var isWithin: Bool { share <= 1000 && memory <= 64 << 30 && (partitions == 0 || others == 0) }
    }

    /// What is held of a node's cores.
    private struct Cores {
        var milli: Int64 = 0
        var whole: Set<UInt32> = []
        var bound: [UInt32: Int64] = [:]

        /// False: a core is held twice, or what is bound to a NUMA node is more than it has.
        mutating func add(_ allocation: Allocation, sign: Int64) -> Bool {
            milli += sign * allocation.cpuMilli
            let isNew = sign < 0 || whole.isDisjoint(with: allocation.processors)
            if sign > 0 { whole.formUnion(allocation.processors) } else { whole.subtract(allocation.processors) }
            if allocation.processors.isEmpty, let node = allocation.numaNode { bound[node, default: 0] += sign * allocation.cpuMilli }
            let isWithin = (0..<2).allSatisfy { node in
                bound[UInt32(node), default: 0] + Int64(whole.count { Int($0) / 4 == node }) * 1000 <= 4000
            }
            return isNew && isWithin && milli <= 8000
        }
    }

    @Test func nothingIsGivenTwiceAndNothingFeasibleIsRefused() throws {
        for seed in UInt64(1)...200 {
            var generator = Xorshift(state: seed)
            var fleet = Fleet()
            let count = 1 + generator.below(6)
            for index in 0..<count { fleet.set(NodeOffer(inventory: Self.inventory(index, &generator)), for: NodeID(UInt64(index + 1))) }
            let ids = (1...count).map { NodeID(UInt64($0)) }
            var held: [NodeID: [UInt32: Held]] = [:]
            var cores: [NodeID: Cores] = [:]
            var running: [TaskPlace] = []
            func note(_ place: TaskPlace, sign: Int64) -> Bool {
                cores[place.node, default: Cores()].add(place.allocation, sign: sign)
                    && place.allocation.devices.allSatisfy { grant in
                        held[place.node, default: [:]][grant.index, default: Held()].add(grant, sign: sign)
                            && held[place.node]![grant.index]!.isWithin
                    }
            }
            for step in 0..<100 {
                if generator.below(3) == 0, !running.isEmpty {
                    let ended = running.remove(at: generator.below(running.count))
                    fleet.give(ended.allocation, on: ended.node)
                    _ = note(ended, sign: -1)
                    continue
                }
                let wanted = Self.request(&generator)
                let gang = fleet.shape(of: RequestClass(groups: [RequestClass.Group(count: 1, resources: wanted, constraints: [])]))
                fleet.arrive(gang.parts[0].choices[0])
                let feasible = ids.compactMap { try? fleet[$0]!.fit(wanted, []).get() }
                let place = fleet.place(gang, limit: 1).first
                #expect((place == nil) == feasible.isEmpty, "seed \(seed), step \(step): \(wanted)")
                guard let place else { continue }
                #expect(note(place, sign: 1), "seed \(seed), step \(step): \(place)")
                let inventory = fleet[place.node]!.inventory
                #expect(
                    Self.isAsAsked(place.allocation, wanted, inventory), "seed \(seed), step \(step): \(wanted) got \(place.allocation)")
                fleet.take(place.allocation, on: place.node)
                running.append(place)
            }
            for ended in running { fleet.give(ended.allocation, on: ended.node) }
            for id in ids { #expect(fleet[id] == fleet[id]?.emptied, "seed \(seed): all is given back") }
        }
    }

    /// One of the ways in which it may have its devices, as near to each other as it says.
    private static func isAsAsked(_ allocation: Allocation, _ wanted: ResourceRequest, _ inventory: NodeInventory) -> Bool {
        guard allocation.processors.count == (wanted.hasWholeCores ? Int(wanted.cpuMilli / 1000) : 0) else { return false }
        let devices = allocation.devices.map { inventory.devices[Int($0.index)] }
        if wanted.topology.wish(for: .numa) == .require {
            guard let node = allocation.numaNode, devices.allSatisfy({ $0.numaNode == node }) else { return false }
            guard allocation.processors.allSatisfy({ $0 / 4 == node }) else { return false }
        }
        if let level = wanted.topology.requiredInsideNode, devices.count > 1 {
            let isNear = TopologyLevel.allCases.contains { tighter in
                tighter <= level && devices[0].domain(at: tighter) != nil
                    && devices.allSatisfy { $0.domain(at: tighter) == devices[0].domain(at: tighter) }
            }
            guard isNear, allocation.locality.devices.map({ $0 <= level }) ?? false else { return false }
        }
        return ([wanted.devices!] + wanted.alternatives).contains { choice in
            guard choice.kind == nil || devices.allSatisfy({ $0.kind == choice.kind }) else { return false }
            if choice.computeUnitsMilli > 0 {
                let sum = zip(devices, allocation.devices).reduce(Int64(0)) {
                    $0 + (DeviceModelTable.nominal.pricedComputeUnitsMilli(of: $1.0) ?? 0) * $1.1.shareMilli / 1000
                }
                return sum >= choice.computeUnitsMilli
            }
            guard devices.count == Int(choice.count) else { return false }
            return allocation.devices.allSatisfy {
                choice.template.isEmpty ? $0.shareMilli == choice.shareMilli : $0.partition?.template == choice.template
            }
        }
    }

    /// More free room never turns a fit into a misfit.
    @Test func fitIsMonotone() {
        for seed in UInt64(1)...500 {
            var generator = Xorshift(state: seed)
            var offer = NodeOffer(inventory: Self.inventory(0, &generator))
            var held: [Allocation] = []
            for _ in 0..<8 {
                guard let allocation = try? offer.fit(Self.request(&generator), []).get() else { continue }
                offer.take(allocation)
                held.append(allocation)
            }
            let wanted = Self.request(&generator)
            var fits = false
            for allocation in held {
                let now = (try? offer.fit(wanted, []).get()) != nil
                #expect(now || !fits, "seed \(seed): \(wanted)")
                fits = now
                offer.give(allocation)
            }
        }
    }

    /// Judging many nodes at once says what judging one says, and what nodes could hold is what they hold when emptied.
    @Test func manyNodesAreJudgedAsOneIs() {
        for seed in UInt64(1)...200 {
            var generator = Xorshift(state: seed)
            var offers = OfferTable()
            for index in 0..<(1 + generator.below(6)) {
                var offer = NodeOffer(inventory: Self.inventory(index, &generator))
                for _ in 0..<generator.below(5) {
                    if let taken = try? offer.fit(Self.request(&generator), []).get() { offer.take(taken) }
                }
                offers.set(offer, for: NodeID(UInt64(index + 1)))
            }
            for _ in 0..<10 {
                let wanted = Self.request(&generator)
                var judge = TaskJudge(wanted, [])
                for id in offers.ids {
                    let single: Misfit? = if case .failure(let misfit) = offers[id]!.fit(wanted, []) { misfit } else { nil }
                    let many = judge.misfit(of: offers[id]!, kind: offers.idle.kind(of: id)!)
                    #expect(many == single, "seed \(seed): \(wanted)")
                }
                let group = RequestClass.Group(count: 3, resources: wanted, constraints: [])
                let isHeld = offers.ids.contains { (try? offers[$0]!.emptied.fit(wanted, []).get()) != nil }
                let held = offers.holdsWhenIdle(group)
                #expect(held == isHeld, "seed \(seed): \(wanted)")
                #expect(
                    offers.misfitsWhenIdle(group).isEmpty
                        == (offers.ids.allSatisfy { (try? offers[$0]!.emptied.fit(wanted, []).get()) != nil }))
            }
        }
    }
}
