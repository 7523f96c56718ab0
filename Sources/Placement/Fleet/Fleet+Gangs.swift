// Where the tasks of a gang go: all of them, or none.

public import ClusterModel

/// Where one task goes.
public struct TaskPlace: Hashable, Sendable {
    public var node: NodeID
    public var allocation: Allocation

    public init(node: NodeID, allocation: Allocation) {
        self.node = node
        self.allocation = allocation
    }
}

/// A gang as a fleet sees it.
public struct GangShape: Hashable, Sendable {
    public struct Part: Hashable, Sendable {
        /// The shapes of its tasks, one for each way of having devices, the best liked first.
        public var choices: [Int]
        public var count: Int
    }

    public let parts: [Part]
    /// All that its tasks may be.
    let shapes: [Int]
    /// What all its groups together say of levels above devices.
    let topology: GangTopology
    /// Its tasks, or those of one job that wait alone, should not share nodes.
    public var isSpread: Bool { topology.sharing == .spread }

    init(parts: [Part], topology: GangTopology) {
        self.parts = parts
        self.topology = topology
        shapes = parts.flatMap(\.choices)
    }

    /// One way for each part, in the order in which they are liked.
    var combinations: [[(shape: Int, count: Int)]] {
        var ranked: [(rank: Int, shapes: [(shape: Int, count: Int)])] = [(0, [])]
        for part in parts {
            ranked = ranked.flatMap { head in
                part.choices.enumerated().map { (head.rank + $0.offset, head.shapes + [(shape: $0.element, count: part.count)]) }
            }
        }
        return ranked.enumerated().sorted { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }.map(\.element.shapes)
    }
}

extension Fleet {
    /// Places for a task that waits alone, as `place(_:limit:)` has it, in the way it likes best of those that can be had.
    public mutating func place(_ task: GangShape, limit: Int) -> [TaskPlace] {
        for shape in task.parts[0].choices {
            let places = place(shape, limit: limit)
            if !places.isEmpty { return places }
        }
        return []
    }

    /// Places for all tasks of a gang, group by group, or nil when they do not fit at once. At the tightest level that holds
    /// them, and there on as few nodes as a greedy search finds, or on as many: what a gang says crosses fewer wires.
    public mutating func placeGang(_ gang: GangShape) -> [TaskPlace]? {
        for parts in gang.combinations where parts.allSatisfy({ mayHold($0.shape, count: $0.count) }) {
            guard var places = place(parts, gang.topology) else { continue }
            let level = domains.level(of: places.map(\.node.value))
            for index in places.indices { places[index].allocation.locality.gang = level }
            return places
        }
        return nil
    }

    /// Whether the node holds a task of the gang now: what a gang that found no room waits for.
    public mutating func holdsAny(of gang: GangShape, on node: NodeID) -> Bool {
        guard let place = placeOf[node] else { return false }
        for shape in gang.shapes {
            if namesNodes[shape] {
                if isHeld(shape, by: node) { return true }
            } else if case .success(let suitability) = suitability(of: shape, on: groups[place].kind),
                suitability.misfit(in: groups[place].room) == nil
            {
                return true
            }
        }
        return false
    }

    /// The shapes of a gang's tasks and how many there are of each.
    public mutating func shape(of gang: RequestClass) -> GangShape {
        GangShape(
            parts: gang.groups.map { group in
                GangShape.Part(
                    choices: group.resources.choices.map { intern(TaskShape($0, group.constraints)) }, count: Int(group.count))
            },
            topology: GangTopology(gang.groups.map(\.resources.topology)))
    }

    /// False where so many tasks find no room on all nodes together. A gang that waits is looked at whenever a node that could
    /// hold one of its tasks has more room: only what changed since is judged again.
    private mutating func mayHold(_ shape: Int, count: Int) -> Bool {
        guard !namesNodes[shape] else { return true }
        var known = bounds.removeValue(forKey: shape) ?? []
        defer { bounds[shape] = known }
        if known.count < groups.count { known += Array(repeating: Bound(), count: groups.count - known.count) }
        var room: Int64 = 0
        for place in groups.indices where orders[place] < .infinity {
            if known[place].version != versions[place] {
                var bound = Bound(version: versions[place])
                if case .success(let suitability) = suitability(of: shape, on: groups[place].kind) {
                    candidatesExamined += 1
                    bound.tasks = min(suitability.mostTasks(in: groups[place].room), 1 << 20)
                }
                known[place] = bound
            }
            guard known[place].tasks > 0 else { continue }
            room += known[place].tasks * Int64(groups[place].members.count)
            if room >= Int64(count) { return true }
        }
        return false
    }

    private mutating func place(_ parts: [(shape: Int, count: Int)], _ topology: GangTopology) -> [TaskPlace]? {
        if topology.sharing == .spread, topology.wish(for: .node) != .require {
            if let places = placeAbove(parts, topology, perNode: 1) { return places }
        } else if topology.wish(for: .node) != .none {
            if let places = placeOnOneNode(parts) { return places }
        }
        return topology.wish(for: .node) == .require ? nil : placeAbove(parts, topology, perNode: .max)
    }

    /// At the tightest level above nodes.
    private mutating func placeAbove(
        _ parts: [(shape: Int, count: Int)], _ topology: GangTopology, perNode: Int
    ) -> [TaskPlace]? {
        for level in DomainTable.levels
        where topology.wish(for: level) != .none && (domains.count(at: level) > 0 || topology.isStated(level)) {
            for domain in roomiest(parts, level, perNode: perNode) {
                var within: [Int: [UInt64]] = [:]
                for number in domains.members(of: domain, at: level) {
                    if let place = placeOf[NodeID(number)] { within[place, default: []].append(number) }
                }
                if let places = spread(parts, within: within, perNode: perNode) { return places }
            }
            if topology.wish(for: level) == .require { return nil }
        }
        return spread(parts, within: nil, perNode: perNode)
    }

    /// Parts of the cluster at a level that may hold all tasks, the one with the least room first.
    private mutating func roomiest(_ parts: [(shape: Int, count: Int)], _ level: TopologyLevel, perNode: Int) -> [Int] {
        var least = Array(repeating: Int.max, count: domains.count(at: level))
        for part in parts {
            var held = Array(repeating: 0, count: least.count)
            for candidate in candidates(for: part.shape, most: min(part.count, perNode)) {
                for interval in groups[candidate.place].members.intervals {
                    for number in interval.first...interval.last {
                        if let domain = domains.domain(of: number, at: level) { held[domain] += candidate.held }
                    }
                }
            }
            for domain in held.indices { least[domain] = held[domain] < part.count ? -1 : min(least[domain], held[domain]) }
        }
        return least.indices.filter { least[$0] > 0 }.sorted { (least[$0], $0) < (least[$1], $1) }
    }

    private mutating func placeOnOneNode(_ parts: [(shape: Int, count: Int)]) -> [TaskPlace]? {
        guard !parts.contains(where: { namesNodes[$0.shape] }) else { return placeOnOneNamedNode(parts) }
        var best: (total: Double, node: NodeID, allocations: [Allocation])?
        for place in groups.indices where orders[place] < .infinity {
            candidatesExamined += 1
            guard let found = fill(place, parts) else { continue }
            let total = found.score + Double(orders[place] * orderWeight)
            if best.map({ total < $0.total }) ?? true { best = (total, NodeID(groups[place].members.first ?? 0), found.allocations) }
        }
        return best.map { best in best.allocations.map { TaskPlace(node: best.node, allocation: $0) } }
    }

    /// Each node that a gang might name is looked at by itself.
    private mutating func placeOnOneNamedNode(_ parts: [(shape: Int, count: Int)]) -> [TaskPlace]? {
        for id in nodes.ids {
            guard let place = placeOf[id], parts.allSatisfy({ isHeld($0.shape, by: id) }) else { continue }
            candidatesExamined += 1
            if let places = spread(parts, within: [place: [id.value]], perNode: .max) { return places }
        }
        return nil
    }

    /// All parts on a node of the group, and what the policy makes of it.
    private mutating func fill(_ place: Int, _ parts: [(shape: Int, count: Int)]) -> (score: Double, allocations: [Allocation])? {
        var situation = Situation(kind: groups[place].kind, room: groups[place].room)
        var (score, allocations) = (0.0, Array(repeating: [Allocation](), count: parts.count))
        for index in mostDemandingFirst(parts) {
            guard case .success(let suitability) = suitability(of: parts[index].shape, on: situation.kind) else { return nil }
            for _ in 0..<parts[index].count {
                guard suitability.misfit(in: situation.room) == nil else { return nil }
                let choice = bestChoice(suitability, situation)
                score += choice.score
                let allocation = suitability.allocation(in: situation.room, choosing: choice.choice)
                situation.room.take(allocation)
                allocations[index].append(allocation)
            }
        }
        return (score, allocations.flatMap { $0 })
    }

    // MARK: Over several nodes

    /// A node that the gang has begun to use.
    private struct Opened {
        var node: NodeID
        var offer: NodeOffer
    }

    private func mostDemandingFirst(_ parts: [(shape: Int, count: Int)]) -> [Int] {
        parts.indices.sorted { (-demand(of: parts[$0].shape), $0) < (-demand(of: parts[$1].shape), $1) }
    }

    /// The most demanding part first: what the others take, it may not find again.
    ///
    /// - Parameters:
    ///   - within: nodes that it may use, by their groups; nil: all.
    ///   - perNode: tasks that a node takes at most.
    private mutating func spread(_ parts: [(shape: Int, count: Int)], within: [Int: [UInt64]]?, perNode: Int) -> [TaskPlace]? {
        var opened: [Opened] = []
        var isOpened: Set<UInt64> = []
        var placed: [[TaskPlace]] = Array(repeating: [], count: parts.count)
        for index in mostDemandingFirst(parts) {
            let shape = shapes[parts[index].shape]
            var missing = parts[index].count
            for position in opened.indices where perNode > 1 { missing -= take(shape, missing, from: &opened[position], &placed[index]) }
            for candidate in missing > 0 ? candidates(for: parts[index].shape, most: min(missing, perNode), within) : []
            where missing > 0 {
                for number in within?[candidate.place] ?? members(candidate.place) where missing > 0 && !isOpened.contains(number) {
                    guard isHeld(parts[index].shape, by: NodeID(number)), let offer = nodes[NodeID(number)]?.offer else { continue }
                    var node = Opened(node: NodeID(number), offer: offer)
                    let count = take(shape, min(missing, perNode), from: &node, &placed[index])
                    guard count > 0 else { continue }
                    missing -= count
                    isOpened.insert(number)
                    opened.append(node)
                }
            }
            guard missing == 0 else { return nil }
        }
        return placed.flatMap { $0 }
    }

    private func take(_ shape: TaskShape, _ limit: Int, from node: inout Opened, _ places: inout [TaskPlace]) -> Int {
        var count = 0
        while count < limit, case .success(let allocation) = node.offer.fit(shape.resources, shape.constraints) {
            node.offer.take(allocation)
            places.append(TaskPlace(node: node.node, allocation: allocation))
            count += 1
        }
        return count
    }

    /// Groups that hold a task, those of which a node holds the most first, then by score and order.
    private mutating func candidates(
        for shape: Int, most: Int, _ within: [Int: [UInt64]]? = nil
    ) -> [(place: Int, held: Int)] {
        let places = within.map { $0.keys.sorted() } ?? groups.indices.filter { orders[$0] < .infinity }
        if namesNodes[shape] { return places.map { ($0, most) } }
        bringScores(of: shape)
        let weight = orderWeight
        return places.filter { scores[shape][$0].value < .infinity }.map {
            (place: $0, held: capacity(of: $0, for: shape, most: most), total: scores[shape][$0].value + orders[$0] * weight)
        }
        .sorted { (-$0.held, $0.total, $0.place) < (-$1.held, $1.total, $1.place) }
        .map { ($0.place, $0.held) }
    }

    /// How many tasks a node of the group holds, up to `most`.
    private mutating func capacity(of place: Int, for shape: Int, most: Int) -> Int {
        guard case .success(let suitability) = suitability(of: shape, on: groups[place].kind) else { return 0 }
        var room = groups[place].room
        var count = 0
        while count < most, suitability.misfit(in: room) == nil {
            room.take(suitability.allocation(in: room))
            count += 1
        }
        return count
    }

    private func members(_ place: Int) -> [UInt64] {
        groups[place].members.intervals.flatMap { Array($0.first...$0.last) }
    }
}
