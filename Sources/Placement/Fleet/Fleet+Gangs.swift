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

extension Fleet {
    /// Places for so many tasks of each shape, in that order, or nil when they do not fit at once. On one node where one holds
    /// them all, and else on as few as a greedy search finds: what a gang says crosses fewer wires.
    public mutating func placeGang(_ parts: [(shape: Int, count: Int)]) -> [TaskPlace]? {
        placeOnOneNode(parts) ?? spread(parts)
    }

    /// Whether a whole gang fits when nothing else runs.
    public static func fitsIdle(_ shape: RequestClass, on offers: OfferTable) -> Bool {
        var idle = Fleet(policy: .firstfit)
        offers.forEach { id, offer in idle.set(offer.emptied, for: id) }
        return idle.placeGang(idle.parts(of: shape)) != nil
    }

    /// Whether the node holds a task of the gang now: what a gang that found no room waits for.
    public mutating func holdsAny(of parts: [(shape: Int, count: Int)], on node: NodeID) -> Bool {
        guard let place = placeOf[node] else { return false }
        return parts.contains { part in
            // Which node it is, the search looks at.
            if namesNodes[part.shape] { return true }
            guard case .success(let suitability) = suitability(of: part.shape, on: groups[place].kind) else { return false }
            return suitability.misfit(in: groups[place].room) == nil
        }
    }

    /// The shapes of a gang's tasks and how many there are of each.
    public mutating func parts(of gang: RequestClass) -> [(shape: Int, count: Int)] {
        gang.groups.map { (intern(TaskShape($0.resources, $0.constraints)), Int($0.count)) }
    }

    private mutating func placeOnOneNode(_ parts: [(shape: Int, count: Int)]) -> [TaskPlace]? {
        guard !parts.contains(where: { namesNodes[$0.shape] }) else { return nil }
        var best: (total: Double, node: NodeID, allocations: [Allocation])?
        for place in groups.indices where orders[place] < .infinity {
            candidatesExamined += 1
            guard let found = fill(place, parts) else { continue }
            let total = found.score + Double(orders[place] * orderWeight)
            if best.map({ total < $0.total }) ?? true { best = (total, NodeID(groups[place].members.first ?? 0), found.allocations) }
        }
        return best.map { best in best.allocations.map { TaskPlace(node: best.node, allocation: $0) } }
    }

    /// All parts on a node of the group, and what the policy makes of it.
    private mutating func fill(_ place: Int, _ parts: [(shape: Int, count: Int)]) -> (score: Double, allocations: [Allocation])? {
        var situation = Situation(kind: groups[place].kind, room: groups[place].room)
        var (score, allocations) = (0.0, [Allocation]())
        for part in parts {
            guard case .success(let suitability) = suitability(of: part.shape, on: situation.kind) else { return nil }
            for _ in 0..<part.count {
                guard suitability.misfit(in: situation.room) == nil else { return nil }
                let choice = bestChoice(suitability, situation)
                score += choice.score
                allocations.append(suitability.allocation(in: situation.room, choosing: choice.choice))
                situation.room.take(allocations[allocations.count - 1])
            }
        }
        return (score, allocations)
    }

    // MARK: Over several nodes

    /// A node that the gang has begun to use.
    private struct Opened {
        var node: NodeID
        var offer: NodeOffer
    }

    /// The most demanding part first: what the others take, it may not find again.
    private mutating func spread(_ parts: [(shape: Int, count: Int)]) -> [TaskPlace]? {
        var opened: [Opened] = []
        var isOpened: Set<UInt64> = []
        var placed: [[TaskPlace]] = Array(repeating: [], count: parts.count)
        let order = parts.indices.sorted { (-demand(of: parts[$0].shape), $0) < (-demand(of: parts[$1].shape), $1) }
        for index in order {
            let shape = shapes[parts[index].shape]
            var missing = parts[index].count
            for position in opened.indices { missing -= take(shape, missing, from: &opened[position], &placed[index]) }
            for candidate in missing > 0 ? candidates(for: parts[index].shape, most: missing) : [] where missing > 0 {
                for number in members(candidate.place) where missing > 0 && !isOpened.contains(number) {
                    guard let offer = nodes[NodeID(number)]?.offer else { continue }
                    var node = Opened(node: NodeID(number), offer: offer)
                    let count = take(shape, missing, from: &node, &placed[index])
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
    private mutating func candidates(for shape: Int, most: Int) -> [(place: Int, total: Float)] {
        if namesNodes[shape] { return groups.indices.filter { orders[$0] < .infinity }.map { ($0, 0) } }
        bringScores(of: shape)
        let weight = orderWeight
        let fitting = groups.indices.filter { orders[$0] < .infinity && scores[shape][$0].value < .infinity }
        return fitting.map {
            (place: $0, held: capacity(of: $0, for: shape, most: most), total: scores[shape][$0].value + orders[$0] * weight)
        }
        .sorted { (-$0.held, $0.total, $0.place) < (-$1.held, $1.total, $1.place) }
        .map { ($0.place, $0.total) }
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
