import ClusterModel
@testable import Placement
import Testing

/// Racks, blocks and centers.
@Suite struct GangTopologyTests {
    private struct Site {
        var center: String?
        var block: String?
        var rack: String?
        var cores: Int64 = 2
    }

    private static func fleet(_ sites: [Site]) -> Fleet {
        var fleet = Fleet()
        for (index, site) in sites.enumerated() {
            let labels = [("center", site.center), ("block", site.block), ("rack", site.rack)].compactMap { name, text in
                text.map { NamedText(name, $0) }
            }
            let inventory = NodeInventory(
                name: "n\(index + 1)", address: "", cpuMilli: site.cores * 1000, memoryBytes: 64 << 30, labels: labels)
            fleet.set(NodeOffer(inventory: inventory), for: NodeID(UInt64(index + 1)))
        }
        return fleet
    }

    private static func gang(
        _ count: UInt32, _ wishes: [TopologyLevel: TopologyWish] = [:], sharing: NodeSharing = .pack, constraints: [Constraint] = []
    ) -> RequestClass {
        let resources = ResourceRequest(memoryBytes: 1 << 30, topology: TopologyRequest(wishes, sharing: sharing))
        return RequestClass(groups: [RequestClass.Group(count: count, resources: resources, constraints: constraints)])
    }

    private static func place(_ gang: RequestClass, _ fleet: inout Fleet) -> (nodes: [UInt64], level: TopologyLevel?)? {
        fleet.placeGang(fleet.shape(of: gang)).map { places in
            (places.map(\.node.value), places.first?.allocation.locality.gang)
        }
    }

    /// Two racks of two nodes in one block, two racks of two in another.
    private static let hall = (0..<8).map { Site(block: "b\($0 / 4)", rack: "r\($0 / 2 % 2)") }

    @Test(arguments: [(2, TopologyLevel.node, 1), (4, .rack, 2), (8, .block, 4), (10, .center, 5)])
    func aGangTakesTheTightestLevelThatHoldsIt(count: UInt32, level: TopologyLevel, nodes: Int) {
        var fleet = Self.fleet(Self.hall)
        let found = Self.place(Self.gang(count), &fleet)
        #expect(found?.level == level)
        #expect(found.map { Set($0.nodes).count } == nodes)
    }

    /// Of the racks that hold it, the one with the least room.
    @Test func roomyRacksAreLeftAlone() {
        var sites = Self.hall
        sites[2].cores = 1
        var fleet = Self.fleet(sites)
        let found = Self.place(Self.gang(3), &fleet)
        #expect(found.map { Set($0.nodes) } == [3, 4])
    }

    @Test func whatIsRequiredIsWaitedFor() {
        var fleet = Self.fleet(Self.hall)
        #expect(Self.place(Self.gang(6, [.rack: .require]), &fleet) == nil)
        let block = Self.place(Self.gang(6, [.block: .require]), &fleet)
        #expect(block?.level == .block)
        #expect(Self.place(Self.gang(3, [.node: .require]), &fleet) == nil)
        // Where no node says which rack it is in, none is one.
        var bare = Self.fleet([Site(), Site()])
        #expect(Self.place(Self.gang(4, [.rack: .require]), &bare) == nil)
        #expect(Self.place(Self.gang(2, [.rack: .require]), &bare)?.level == .node)
    }

    @Test func aLevelThatIsNotLookedAtIsNot() {
        var fleet = Self.fleet((0..<4).map { Site(rack: "r\($0 % 2)", cores: $0 == 1 ? 1 : 2) })
        let near = Self.place(Self.gang(3), &fleet)
        #expect(near?.nodes == [4, 4, 2])
        let blind = Self.place(Self.gang(3, [.rack: .none]), &fleet)
        #expect(blind?.nodes == [1, 1, 3] && blind?.level == .rack)
    }

    @Test func gangsStayInOneCenterUnlessTheyAskForMore() {
        var fleet = Self.fleet([Site(center: "bj"), Site(center: "bj"), Site(center: "sh"), Site(center: "sh")])
        #expect(Self.place(Self.gang(6), &fleet) == nil)
        let wide = Self.place(Self.gang(6, [.center: .prefer]), &fleet)
        #expect(wide?.level == .cluster)
        let four = Self.place(Self.gang(4), &fleet)
        #expect(four?.level == .center)
    }

    /// Blocks of one name in two centers are two blocks.
    @Test func namesHoldWithinWhatIsAround() {
        var fleet = Self.fleet([Site(center: "bj", block: "b1", rack: "r1"), Site(center: "sh", block: "b1", rack: "r1")])
        let found = Self.place(Self.gang(4, [.center: .none]), &fleet)
        #expect(found?.level == .cluster)
    }

    @Test func spreadTakesAsManyNodesAsThereAreTasks() {
        var fleet = Self.fleet(Self.hall)
        let four = Self.place(Self.gang(4, sharing: .spread), &fleet)
        #expect(four.map { Set($0.nodes).count } == 4)
        #expect(four?.level == .block)
        // More tasks than nodes share them after all.
        let many = Self.place(Self.gang(12, sharing: .spread), &fleet)
        #expect(many?.nodes.count == 12)
    }

    /// Whoever asks for much is placed first, in whatever order the groups are given.
    @Test(arguments: [false, true]) func oneNodeHoldsAGangWhateverTheOrderOfItsGroups(isReversed: Bool) {
        var fleet = Fleet()
        let devices = (0..<8).map {
            Device(
                index: UInt32($0), kind: .gpu, vendor: "", model: "A", uuid: "", pciAddress: "", memoryBytes: 1 << 30,
                numaNode: UInt32($0 / 4))
        }
        let inventory = NodeInventory(
            name: "n", address: "", cpuMilli: 16_000, memoryBytes: 64 << 30, devices: devices,
            numaNodes: [NUMANode(osIndex: 0, processors: Array(0..<8)), NUMANode(osIndex: 1, processors: Array(8..<16))])
        fleet.set(NodeOffer(inventory: inventory), for: NodeID(1))
        func group(_ gpus: UInt32, _ wishes: [TopologyLevel: TopologyWish]) -> RequestClass.Group {
            RequestClass.Group(
                count: 2,
                resources: ResourceRequest(
                    memoryBytes: 1 << 20, devices: DeviceRequest(kind: .gpu, count: gpus), topology: TopologyRequest(wishes)),
                constraints: [])
        }
        let groups = [group(1, [.node: .require]), group(3, [.numa: .require, .node: .require])]
        let places = fleet.placeGang(fleet.shape(of: RequestClass(groups: isReversed ? groups.reversed() : groups)))
        #expect(places?.map { $0.allocation.devices.count } == (isReversed ? [3, 3, 1, 1] : [1, 1, 3, 3]))
    }

    @Test func constraintsOnRacksAreMet() {
        var fleet = Self.fleet(Self.hall)
        let rack = Constraint(key: "rack", comparison: .equals, value: "r1")
        let found = Self.place(Self.gang(8, constraints: [rack]), &fleet)
        #expect(found.map { Set($0.nodes) } == [3, 4, 7, 8])
        let one = Self.place(Self.gang(2, [.node: .require], constraints: [rack]), &fleet)
        #expect(one.map { Set($0.nodes).count } == 1)
    }

    /// Nodes that differ only in where they stand are of one kind: a request is judged once for all of them.
    @Test func racksDoNotMultiplyWhatIsJudged() {
        var fleet = Self.fleet((0..<400).map { Site(center: "bj", block: "b\($0 / 40)", rack: "r\($0 / 8)") })
        _ = Self.place(Self.gang(16), &fleet)
        #expect(fleet.candidatesExamined <= 4)
    }

    /// Over random halls: what is placed is at the level that it says and within what is free; what is required holds; and a gang
    /// of equal tasks is refused only where no place of the level has room.
    @Test func everyLevelHoldsWhatItSays() {
        let levels: [TopologyLevel] = [.node, .rack, .block, .center]
        for seed in UInt64(1)...500 {
            var generator = Xorshift(state: seed)
            let sites = (0..<(1 + generator.below(12))).map { _ in
                Site(
                    center: "c\(generator.below(2))", block: generator.below(4) == 0 ? nil : "b\(generator.below(2))",
                    rack: generator.below(4) == 0 ? nil : "r\(generator.below(3))", cores: Int64(1 + generator.below(4)))
            }
            var fleet = Self.fleet(sites)
            let level = levels[generator.below(4)]
            let count = 1 + generator.below(10)
            let found = Self.place(Self.gang(UInt32(count), [level: .require]), &fleet)
            let room = Self.most(at: level, sites)
            #expect((found != nil) == (room >= count), "seed \(seed): \(count) tasks at \(level), most \(room)")
            guard let found, let got = found.level else { continue }
            #expect(got <= level, "seed \(seed): \(got) for \(level)")
            for (index, site) in sites.enumerated() {
                let used = found.nodes.count { $0 == UInt64(index + 1) }
                #expect(used <= site.cores, "seed \(seed): node \(index + 1)")
            }
        }
    }

    /// The most tasks of one core that any one place of the level holds, or any tighter place.
    private static func most(at level: TopologyLevel, _ sites: [Site]) -> Int {
        var sums: [String: Int64] = [:]
        for (index, site) in sites.enumerated() {
            let center = site.center ?? ""
            sums["node \(index)", default: 0] += site.cores
            if level >= .rack, let rack = site.rack { sums["rack \(center) \(site.block ?? "") \(rack)", default: 0] += site.cores }
            if level >= .block, let block = site.block { sums["block \(center) \(block)", default: 0] += site.cores }
            if level >= .center { sums["center \(center)", default: 0] += site.cores }
        }
        return Int(sums.values.max() ?? 0)
    }
}
