import ClusterModel
@testable import Placement
import Testing

@Suite struct FleetTests {
    private static func inventory(_ name: String, cores: Int64 = 16, gpus: Int = 0, model: String = "A") -> NodeInventory {
        NodeInventory(
            name: name, address: "", cpuMilli: cores * 1000, memoryBytes: 64 << 30,
            devices: (0..<gpus).map {
                Device(
                    index: UInt32($0), kind: .gpu, vendor: "", model: model, uuid: "\(name)-\($0)", pciAddress: "", memoryBytes: 80 << 30,
                    numaNode: nil)
            })
    }

    private static func shape(cores: Int64 = 1, gpus: UInt32 = 0, share: Int64 = 1000, model: String = "") -> TaskShape {
        let devices = gpus > 0 ? DeviceRequest(kind: .gpu, count: gpus, shareMilli: share, modelPattern: model) : nil
        return TaskShape(ResourceRequest(cpuMilli: cores * 1000, memoryBytes: 1 << 30, devices: devices))
    }

    private static func fleet(_ inventories: [NodeInventory], _ policy: PlacementPolicy = .suanpan) -> Fleet {
        var fleet = Fleet(policy: policy)
        for (index, inventory) in inventories.enumerated() {
            fleet.set(NodeOffer(inventory: inventory), for: NodeID(UInt64(index + 1)))
        }
        return fleet
    }

    /// `#expect` takes no mutating call.
    private func at(_ shape: Int, _ fleet: inout Fleet) -> TaskPlace? { fleet.place(shape) }

    @Test func equalNodesAreJudgedOnce() {
        var fleet = Self.fleet((0..<1000).map { Self.inventory("n\($0)", gpus: 8) })
        let shape = fleet.intern(Self.shape(gpus: 1))
        #expect(at(shape, &fleet)?.node == NodeID(1))
        #expect(fleet.candidatesExamined == 1)
    }

    /// After a placement one node differs, so one group is new to the shape.
    @Test func aPlacementCostsOneJudgement() throws {
        var fleet = Self.fleet((0..<1000).map { Self.inventory("n\($0)", gpus: 8) })
        let shape = fleet.intern(Self.shape(gpus: 1))
        for _ in 0..<20 {
            let found = fleet.place(shape)
            let place = try #require(found)
            fleet.take(place.allocation, on: place.node)
        }
        #expect(fleet.candidatesExamined <= 20)
    }

    @Test func whatIsOutOfServiceGetsNothing() {
        var fleet = Self.fleet([Self.inventory("a")])
        var offer = fleet[NodeID(1)]!
        offer.outage = .cordoned
        fleet.set(offer, for: NodeID(1))
        let shape = fleet.intern(Self.shape())
        #expect(at(shape, &fleet) == nil)
        offer.outage = nil
        fleet.set(offer, for: NodeID(1))
        #expect(at(shape, &fleet) != nil)
        fleet.remove(NodeID(1))
        #expect(at(shape, &fleet) == nil)
    }

    @Test func aNodeIsFoundByItsNameAmongEquals() throws {
        var fleet = Self.fleet([Self.inventory("a"), Self.inventory("b"), Self.inventory("c")])
        let named = TaskShape(ResourceRequest(), [try Constraint(parsing: "node=b")])
        let namedShape = fleet.intern(named)
        #expect(at(namedShape, &fleet)?.node == NodeID(2))
        let others = TaskShape(ResourceRequest(), [try Constraint(parsing: "node!=a")])
        let otherShape = fleet.intern(others)
        #expect(at(otherShape, &fleet)?.node == NodeID(2))
    }

    /// 470 and 470 fill a device, 810 spoils what it begins: the second 470 joins the first, whatever else is free.
    @Test func aSliceCompletesWhatItFillsBest() throws {
        var fleet = Self.fleet([Self.inventory("a", gpus: 2)])
        let half = fleet.intern(Self.shape(gpus: 1, share: 470))
        let most = fleet.intern(Self.shape(gpus: 1, share: 810))
        let third = fleet.intern(Self.shape(gpus: 1, share: 320))
        for _ in 0..<10 { for shape in [half, half, most] { fleet.expect(shape) } }
        fleet.expect(third)
        fleet.review()
        let found = fleet.place(half)
        let first = try #require(found)
        fleet.take(first.allocation, on: first.node)
        #expect(at(third, &fleet)?.allocation.devices.map(\.index) == [1], "it would spoil the other half")
        #expect(at(half, &fleet)?.allocation.devices.map(\.index) == [0])
    }

    /// Before anything else is known, somebody will want whole devices: three slices of 0.3 leave a rest on one, not on two.
    @Test func slicesLeaveOtherDevicesWhole() {
        var fleet = Self.fleet([Self.inventory("a", gpus: 8)])
        let slice = fleet.intern(Self.shape(gpus: 1, share: 300))
        var devices: [UInt32] = []
        for _ in 0..<6 {
            fleet.arrive(slice)
            guard let place = fleet.place(slice) else {
                Issue.record("no place")
                return
            }
            fleet.take(place.allocation, on: place.node)
            devices.append(place.allocation.devices[0].index)
        }
        #expect(devices == [0, 0, 0, 1, 1, 1])
    }

    /// Over random fleets, tasks and ends: a task is refused only where no node holds it, and what it gets is there.
    @Test(arguments: PlacementPolicy.allCases) func nothingFeasibleIsRefusedAndNothingIsGivenTwice(policy: PlacementPolicy) throws {
        for seed in UInt64(1)...40 {
            var generator = Xorshift(state: seed)
            var fleet = Self.fleet(
                (0..<(2 + generator.below(12))).map {
                    Self.inventory(
                        "n\($0)", cores: [8, 16, 64][generator.below(3)], gpus: [0, 2, 8][generator.below(3)],
                        model: ["A", "B"][generator.below(2)])
                }, policy)
            let ids = (1...fleet.count).map { NodeID(UInt64($0)) }
            var running: [TaskPlace] = []
            for step in 0..<120 {
                if generator.below(4) == 0, !running.isEmpty {
                    let ended = running.remove(at: generator.below(running.count))
                    fleet.give(ended.allocation, on: ended.node)
                    continue
                }
                let wanted = Self.shape(
                    cores: Int64(1 + generator.below(8)), gpus: UInt32([0, 1, 1, 2, 8][generator.below(5)]),
                    share: [1000, 1000, 500, 330, 100][generator.below(5)], model: ["", "", "A", "A|B"][generator.below(4)])
                let shape = fleet.intern(wanted)
                fleet.arrive(shape)
                let isFeasible = ids.contains {
                    if case .success = fleet[$0]!.fit(wanted.resources, wanted.constraints) { true } else { false }
                }
                let place = fleet.place(shape)
                #expect((place != nil) == isFeasible, "seed \(seed), step \(step)")
                guard let place else { continue }
                fleet.take(place.allocation, on: place.node)
                let room = fleet[place.node]!.room
                let isWithin =
                    room.cpuMilliFree >= 0 && room.memoryBytesFree >= 0
                    && room.devices.allSatisfy { $0.shareMilliFree >= 0 && $0.memoryBytesFree >= 0 }
                #expect(isWithin, "seed \(seed), step \(step): \(place)")
                running.append(place)
            }
            for ended in running { fleet.give(ended.allocation, on: ended.node) }
            for id in ids { #expect(fleet[id] == fleet[id]?.emptied, "seed \(seed): all is given back") }
        }
    }

    // MARK: Gangs

    static func gang(_ parts: [(shape: TaskShape, count: Int)], _ fleet: inout Fleet) -> GangShape {
        fleet.shape(
            of: RequestClass(
                groups: parts.map {
                    RequestClass.Group(count: UInt32($0.count), resources: $0.shape.resources, constraints: $0.shape.constraints)
                }))
    }

    private func gang(_ count: Int, cores: Int64 = 1, _ fleet: inout Fleet) -> [NodeID]? {
        fleet.placeGang(Self.gang([(Self.shape(cores: cores), count)], &fleet))?.map(\.node)
    }

    @Test func aGangPrefersOneNode() {
        var fleet = Self.fleet([Self.inventory("a", cores: 2), Self.inventory("b", cores: 4)])
        let nodes = gang(3, &fleet)
        #expect(nodes == [NodeID(2), NodeID(2), NodeID(2)])
    }

    @Test func aGangIsPlacedWholeOrNotAtAll() {
        var fleet = Self.fleet([Self.inventory("a", cores: 2), Self.inventory("b", cores: 2)])
        let four = gang(4, &fleet)
        #expect(four?.count == 4)
        let five = gang(5, &fleet)
        #expect(five == nil)
    }

    /// Over random fleets and gangs: all tasks at once and within what is free, or none; and none only where first-fit finds none.
    @Test func gangsAreWholeAndWithinWhatIsFree() throws {
        for seed in UInt64(1)...300 {
            var generator = Xorshift(state: seed)
            var fleet = Self.fleet(
                (0..<(1 + generator.below(8))).map {
                    Self.inventory("n\($0)", cores: [4, 8, 32][generator.below(3)], gpus: [0, 2, 4][generator.below(3)])
                })
            for _ in 0..<6 {
                let wanted = Self.shape(
                    cores: Int64(1 + generator.below(4)), gpus: UInt32([0, 1, 2][generator.below(3)]),
                    share: [1000, 500][generator.below(2)])
                let count = 1 + generator.below(12)
                let places = fleet.placeGang(Self.gang([(wanted, count)], &fleet))
                var left = count
                for number in 1...fleet.count {
                    var offer = fleet[NodeID(UInt64(number))]!
                    while left > 0, case .success(let allocation) = offer.fit(wanted.resources, wanted.constraints) {
                        offer.take(allocation)
                        left -= 1
                    }
                }
                #expect((places == nil) == (left > 0), "seed \(seed): \(count) tasks, first-fit leaves \(left)")
                guard let places else { continue }
                #expect(places.count == count, "seed \(seed)")
                for place in places { fleet.take(place.allocation, on: place.node) }
                for number in 1...fleet.count {
                    let room = fleet[NodeID(UInt64(number))]!.room
                    #expect(
                        room.cpuMilliFree >= 0 && room.memoryBytesFree >= 0 && room.devices.allSatisfy { $0.shareMilliFree >= 0 },
                        "seed \(seed): node \(number)")
                }
            }
        }
    }

    @Test func aGangUsesFewNodes() {
        var fleet = Self.fleet((0..<6).map { Self.inventory("n\($0)", cores: $0 < 4 ? 2 : 8) })
        let nodes = gang(14, &fleet)
        #expect(nodes.map { Set($0) } == [NodeID(5), NodeID(6)])
    }

    /// Ranks keep their order, though the part that is harder to place was placed first.
    @Test func theMostDemandingPartIsPlacedFirst() {
        var fleet = Self.fleet([Self.inventory("a", cores: 8), Self.inventory("b", cores: 4)])
        let places = fleet.placeGang(Self.gang([(Self.shape(cores: 1), 4), (Self.shape(cores: 8), 1)], &fleet))
        #expect(places?.map(\.node) == [NodeID(2), NodeID(2), NodeID(2), NodeID(2), NodeID(1)])
    }

    /// Bulk: what one node gets before another is as good, in one search.
    @Test func aNodeIsFilledInOneSearch() {
        var fleet = Self.fleet([Self.inventory("a", cores: 4), Self.inventory("b", cores: 4)])
        let shape = fleet.intern(Self.shape(cores: 1))
        let places = fleet.place(shape, limit: 100)
        #expect(places.map(\.node) == Array(repeating: NodeID(1), count: 4))
        #expect(fleet.candidatesExamined == 1)
    }

    // MARK: Fragments

    /// The innermost loop has the predicate as plain numbers; it must say what `misfit` says.
    @Test func fragmentsAgreeWithTheOnePredicate() throws {
        for seed in UInt64(1)...200 {
            var generator = Xorshift(state: seed)
            let inventory = Self.inventory("a", cores: 32, gpus: generator.below(5))
            var room = NodeRoom(of: inventory)
            room.cpuMilliFree = Int64(generator.below(33)) * 1000
            for index in room.devices.indices { room.devices[index].shareMilliFree = Int64(generator.below(11)) * 100 }
            let wanted = Self.shape(
                cores: Int64(1 + generator.below(16)), gpus: UInt32(generator.below(4)), share: [1000, 500, 300][generator.below(3)],
                model: ["", "B"][generator.below(2)])
            let suitability = try? Suitability(of: wanted, on: inventory)
            let fits = suitability.map { $0.misfit(in: room) == nil } ?? false
            let idle = room.devices.reduce(0) { $0 + $1.shareMilliFree }
            let choice = suitability?.devices
            let useless = room.devices.indices.filter { index in choice.map { !$0.holds(index, room) } ?? false }
                .reduce(0) { $0 + room.devices[$1].shareMilliFree }
            let expected = !fits ? idle : wanted.resources.devices == nil ? 0 : useless
            let measure = FragmentationMeasure(of: [(weight: 1, shape: wanted, suitability: suitability)], on: inventory)
            #expect(measure.fragments(in: room) == Double(expected), "seed \(seed)")
        }
    }
}
