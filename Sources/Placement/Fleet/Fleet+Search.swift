// Which node gets a task.

public import ClusterModel

extension Fleet {
    /// Where a task of this shape goes, or nil when no node holds it now. Nothing is taken.
    public mutating func place(_ shape: Int) -> TaskPlace? { place(shape, limit: 1).first }

    /// Where up to `limit` tasks of this shape go first: those that the best node gets before another is as good. Empty when
    /// no node holds one. Nothing is taken.
    public mutating func place(_ shape: Int, limit: Int) -> [TaskPlace] {
        if namesNodes[shape] { return placeByName(shape, limit: limit) }
        bringScores(of: shape)
        guard let best = policy == .random ? anyPlace(for: shape) : bestPlace(for: shape),
            case .success(let suitability) = suitability(of: shape, on: groups[best.place].kind),
            let number = policy == .random ? randomMember(of: best.place) : groups[best.place].members.first
        else { return [] }
        let id = NodeID(number)
        var room = groups[best.place].room
        var places: [TaskPlace] = []
        repeat {
            let (choice, score) = bestChoice(suitability, Situation(kind: groups[best.place].kind, room: room))
            if !places.isEmpty, Float(score) + Float(number) * orderWeight > best.next { break }
            let allocation = suitability.allocation(in: room, choosing: choice)
            places.append(TaskPlace(node: id, allocation: allocation))
            room.take(allocation)
        } while places.count < limit && suitability.misfit(in: room) == nil
        return places
    }

    /// Where a task goes that should not share a node with those on `others`; nil where every node that holds it is one of them.
    public mutating func place(_ task: GangShape, apartFrom others: Set<NodeID>) -> TaskPlace? {
        for shape in task.parts[0].choices where !namesNodes[shape] {
            bringScores(of: shape)
            var best: (total: Float, place: Int, node: NodeID)?
            for place in groups.indices where scores[shape][place].value < .infinity && orders[place] < .infinity {
                guard let number = firstMember(of: place, notIn: others) else { continue }
                let total = scores[shape][place].value + Float(number) * orderWeight
                if best.map({ total < $0.total }) ?? true { best = (total, place, NodeID(number)) }
            }
            guard let best, case .success(let suitability) = suitability(of: shape, on: groups[best.place].kind) else { continue }
            let situation = Situation(kind: groups[best.place].kind, room: groups[best.place].room, place: best.place)
            let choice = bestChoice(suitability, situation).choice
            return TaskPlace(node: best.node, allocation: suitability.allocation(in: situation.room, choosing: choice))
        }
        return nil
    }

    private func firstMember(of place: Int, notIn others: Set<NodeID>) -> UInt64? {
        for interval in groups[place].members.intervals {
            if let number = (interval.first...interval.last).first(where: { !others.contains(NodeID($0)) }) { return number }
        }
        return nil
    }

    /// The group with the least sum of score and order, and the least sum elsewhere.
    private func bestPlace(for shape: Int) -> (place: Int, next: Float)? {
        let weight = orderWeight
        var best = -1
        var (least, next) = (Float.infinity, Float.infinity)
        scores[shape].withUnsafeBufferPointer { scores in
            orders.withUnsafeBufferPointer { orders in
                for place in 0..<orders.count {
                    let total = scores[place].value + orders[place] * weight
                    if total < least {
                        (best, next, least) = (place, least, total)
                    } else if total < next {
                        next = total
                    }
                }
            }
        }
        guard best >= 0 else { return nil }
        if let second = groups[best].members.first(from: (groups[best].members.first ?? 0) + 1) {
            next = min(next, scores[shape][best].value + Float(second) * weight)
        }
        return (best, next)
    }

    /// Small enough to decide only between equals, but for ours, where it is one of the terms.
    var orderWeight: Float {
        let whole: Float = policy == .suanpan ? Float(SuanpanWeights.order) : policy == .firstfit ? Float(lastNumber) : 1e-3
        return whole / Float(lastNumber)
    }

    /// Judges the groups that are new to the shape.
    mutating func bringScores(of shape: Int) {
        let known = scores[shape].count
        if known < groups.count { scores[shape] += Array(repeating: Score(), count: groups.count - known) }
        for place in groups.indices where scores[shape][place].version != versions[place] {
            scores[shape][place] = Score(version: versions[place], value: orders[place] < .infinity ? score(shape, place) : .infinity)
        }
    }

    /// The less the better; infinite where the task does not fit.
    private mutating func score(_ shape: Int, _ place: Int) -> Float {
        candidatesExamined += 1
        guard case .success(let suitability) = suitability(of: shape, on: groups[place].kind),
            suitability.misfit(in: groups[place].room) == nil
        else { return .infinity }
        return Float(bestChoice(suitability, Situation(kind: groups[place].kind, room: groups[place].room, place: place)).score)
    }

    /// What is free on a node of a kind.
    struct Situation {
        var kind: Int
        var room: NodeRoom
        /// The group that is in it, where there is one: it keeps its fragments.
        var place: Int?
    }

    /// The device to take a slice of, where there is a choice, and what a policy makes of it.
    mutating func bestChoice(_ suitability: Suitability, _ situation: Situation) -> (choice: Int?, score: Double) {
        let choices = policy == .suanpan || policy == .fgd || policy == .bestfit ? suitability.choices(in: situation.room) : []
        guard let first = choices.first else { return (nil, score(of: suitability, choosing: nil, situation)) }
        var best: (choice: Int?, score: Double) = (first, score(of: suitability, choosing: first, situation))
        for choice in choices.dropFirst() {
            let score = score(of: suitability, choosing: choice, situation)
            if score < best.score { best = (choice, score) }
        }
        return best
    }

    private mutating func score(of suitability: Suitability, choosing choice: Int?, _ situation: Situation) -> Double {
        guard policy != .firstfit, policy != .random else { return 0 }
        let allocation = suitability.allocation(in: situation.room, choosing: choice)
        var rest = situation.room
        rest.take(allocation)
        switch policy {
        case .firstfit, .random: return 0
        case .bestfit: return Self.leftover(rest)
        case .fgd:
            // The paper's scheduler rounds to a hundredth of a sigmoid of the growth in devices.
            return -Double(Int(100 / (1 + Exponential.of(growthOfFragments(to: rest, situation) / 1000)) + 0.5))
        case .suanpan:
            let growth = growthOfFragments(to: rest, situation)
            return loss(allocation, suitability, situation) + SuanpanWeights.fragments(churn: mix.churn) * growth
        }
    }

    /// Devices and cores that are left, each as a part of what a large node has.
    private static func leftover(_ room: NodeRoom) -> Double {
        let share = room.devices.reduce(0) { $0 + $1.shareMilliFree }
        return Double(room.cpuMilliFree) / 128_000 + Double(room.memoryBytesFree) / Double(1 << 40) + Double(share) / 8000
    }

    private mutating func growthOfFragments(to rest: NodeRoom, _ situation: Situation) -> Double {
        let measure = measure(of: situation.kind)
        if let place = situation.place, let known = groups[place].fragments { return measure.fragments(in: rest) - known }
        let before = measure.fragments(in: situation.room)
        if let place = situation.place { groups[place].fragments = before }
        return measure.fragments(in: rest) - before
    }

    /// What the devices taken could have brought beyond this task.
    private mutating func loss(_ allocation: Allocation, _ suitability: Suitability, _ situation: Situation) -> Double {
        guard let devices = suitability.devices, devices.isSliced else { return 0 }
        return allocation.devices.reduce(0) { sum, grant in
            let values = shareValues(kinds.inventories[situation.kind].devices[Int(grant.index)])
            let rest = situation.room.devices[Int(grant.index)].shareMilliFree
            return sum + values.loss(placing: grant.shareMilli, intoRest: rest)
        }
    }

    // MARK: Any node

    private mutating func anyPlace(for shape: Int) -> (place: Int, next: Float)? {
        let fitting = groups.indices.filter { scores[shape][$0].value < .infinity && orders[$0] < .infinity }
        var rest = Int(draw() % UInt64(max(1, fitting.reduce(0) { $0 + Int(groups[$1].members.count) })))
        for place in fitting {
            rest -= Int(groups[place].members.count)
            if rest < 0 { return (place, 0) }
        }
        return nil
    }

    private mutating func randomMember(of place: Int) -> UInt64? {
        var rest = draw() % groups[place].members.count
        for interval in groups[place].members.intervals {
            let length = interval.last - interval.first + 1
            if rest < length { return interval.first + rest }
            rest -= length
        }
        preconditionFailure("a group of \(groups[place].members.count) nodes")
    }

    /// SplitMix64 (Steele, Lea, Flood 2014).
    private mutating func draw() -> UInt64 {
        generator &+= 0x9E37_79B9_7F4A_7C15
        var mixed = generator
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    // MARK: Named nodes

    /// Equal nodes are not equal to a shape that names some: each is looked at.
    private mutating func placeByName(_ shape: Int, limit: Int) -> [TaskPlace] {
        let wanted = shapes[shape]
        var places: [TaskPlace] = []
        for id in nodes.ids where isHeld(shape, by: id) {
            candidatesExamined += 1
            guard var offer = nodes[id]?.offer else { continue }
            while places.count < limit, case .success(let allocation) = offer.fit(wanted.resources, wanted.constraints) {
                places.append(TaskPlace(node: id, allocation: allocation))
                offer.take(allocation)
            }
            return places
        }
        return places
    }
}

/// e to a power, the same on every machine: the core has no mathematics library.
enum Exponential {
    static func of(_ power: Double) -> Double {
        // Halved until the series is short, then squared back (scaling and squaring).
        let bounded = min(max(power, -40), 40)
        let part = bounded / 1024
        var (sum, term) = (1.0, 1.0)
        for index in 1...8 {
            term *= part / Double(index)
            sum += term
        }
        for _ in 0..<10 { sum *= sum }
        return sum
    }
}
