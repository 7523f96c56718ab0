// Which node gets a task.

import ClusterModel

extension Fleet {
    /// Where a task of this shape goes, or nil when no node holds it now. Nothing is taken.
    public mutating func place(_ shape: Int) -> TaskPlace? {
        if shapes[shape].namesNodes { return placeByName(shape) }
        guard let place = policy == .random ? anyPlace(for: shape) : bestPlace(for: shape),
            let first = groups[place].members.first(from: policy == .random ? randomMember(of: place) : 0),
            let offer = nodes[NodeID(first)]?.offer, case .success(let suitability) = suitability(of: shape, on: groups[place].kind)
        else { return nil }
        let choice = bestChoice(suitability, place).choice
        return TaskPlace(node: NodeID(first), allocation: suitability.allocation(in: offer.room, choosing: choice))
    }

    /// The group with the least score; of equals the one with the first node.
    private mutating func bestPlace(for shape: Int) -> Int? {
        bringScores(of: shape)
        let weight = orderWeight
        var best = -1
        var bestTotal = Float.infinity
        scores[shape].withUnsafeBufferPointer { scores in
            orders.withUnsafeBufferPointer { orders in
                for place in 0..<orders.count {
                    let total = scores[place].value + orders[place] * weight
                    if total < bestTotal { (best, bestTotal) = (place, total) }
                }
            }
        }
        return best >= 0 ? best : nil
    }

    /// Small enough to decide only between equals, but for ours, where it is one of the terms.
    private var orderWeight: Float {
        let whole: Float = policy == .suanpan ? Float(SuanpanWeights.order) : policy == .firstfit ? Float(lastNumber) : 1e-3
        return whole / Float(lastNumber)
    }

    /// Judges the groups that are new to the shape.
    private mutating func bringScores(of shape: Int) {
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
        return Float(bestChoice(suitability, place).score)
    }

    /// The device to take a slice of, where there is a choice, and what a policy makes of it.
    private mutating func bestChoice(_ suitability: Suitability, _ place: Int) -> (choice: Int?, score: Double) {
        let choices = policy == .suanpan || policy == .fgd || policy == .bestfit ? suitability.choices(in: groups[place].room) : []
        guard let first = choices.first else { return (nil, score(of: suitability, choosing: nil, place)) }
        var best: (choice: Int?, score: Double) = (first, score(of: suitability, choosing: first, place))
        for choice in choices.dropFirst() {
            let score = score(of: suitability, choosing: choice, place)
            if score < best.score { best = (choice, score) }
        }
        return best
    }

    private mutating func score(of suitability: Suitability, choosing choice: Int?, _ place: Int) -> Double {
        switch policy {
        case .firstfit, .random: return 0
        case .bestfit:
            var room = groups[place].room
            room.take(suitability.allocation(in: room, choosing: choice))
            return Self.leftover(room)
        case .fgd:
            // The paper's scheduler rounds to a hundredth of a sigmoid of the growth in devices.
            let growth = growthOfFragments(suitability, choice, place)
            return -(100 / (1 + Exponential.of(growth / 1000))).rounded()
        case .suanpan:
            let growth = growthOfFragments(suitability, choice, place)
            return loss(suitability, choice, place) + SuanpanWeights.fragments(churn: mix.churn) * growth
        }
    }

    /// Devices and cores that are left, each as a part of what a large node has.
    private static func leftover(_ room: NodeRoom) -> Double {
        let share = room.devices.reduce(0) { $0 + $1.shareMilliFree }
        return Double(room.cpuMilliFree) / 128_000 + Double(room.memoryBytesFree) / Double(1 << 40) + Double(share) / 8000
    }

    private mutating func growthOfFragments(_ suitability: Suitability, _ choice: Int?, _ place: Int) -> Double {
        let measure = measure(of: groups[place].kind)
        let before: Double
        if let known = groups[place].fragments {
            before = known
        } else {
            before = measure.fragments(in: groups[place].room)
            groups[place].fragments = before
        }
        var room = groups[place].room
        room.take(suitability.allocation(in: room, choosing: choice))
        return measure.fragments(in: room) - before
    }

    /// What the devices taken could have brought beyond this task.
    private mutating func loss(_ suitability: Suitability, _ choice: Int?, _ place: Int) -> Double {
        guard let devices = suitability.devices, !devices.isWhole else { return 0 }
        let room = groups[place].room
        let kind = groups[place].kind
        return suitability.allocation(in: room, choosing: choice).devices.reduce(0) { sum, grant in
            let values = shareValues(kinds.inventories[kind].devices[Int(grant.index)])
            return sum + values.loss(placing: grant.shareMilli, intoRest: room.devices[Int(grant.index)].shareMilliFree)
        }
    }

    // MARK: Any node

    private mutating func anyPlace(for shape: Int) -> Int? {
        bringScores(of: shape)
        let fitting = groups.indices.filter { scores[shape][$0].value < .infinity && orders[$0] < .infinity }
        var rest = Int(draw() % UInt64(max(1, fitting.reduce(0) { $0 + Int(groups[$1].members.count) })))
        for place in fitting {
            rest -= Int(groups[place].members.count)
            if rest < 0 { return place }
        }
        return nil
    }

    private mutating func randomMember(of place: Int) -> UInt64 {
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
    private mutating func placeByName(_ shape: Int) -> TaskPlace? {
        var found: TaskPlace?
        let wanted = shapes[shape]
        nodes.forEach { id, entry in
            guard found == nil else { return }
            candidatesExamined += 1
            if case .success(let allocation) = entry.offer.fit(wanted.resources, wanted.constraints) {
                found = TaskPlace(node: id, allocation: allocation)
            }
        }
        return found
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
