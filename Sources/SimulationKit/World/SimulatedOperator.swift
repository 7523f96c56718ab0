import ClusterModel
import SchedulingCore

/// Whoever keeps the machines: empties nodes while faults last, now and then lets work in again, and leaves all of them open.
struct SimulatedOperator {
    private var chance: SeededGenerator

    init(plan: SimulationPlan) { chance = SeededGenerator(seed: plan.seed, stream: 5) }

    mutating func next(nodes: [NodeID], core: borrowing SchedulerCore, faultsLast: Bool) -> [Command] {
        guard faultsLast else {
            return nodes.filter { core.standing(of: $0)?.isCordoned == true }.map { .setNodeCordon($0, isCordoned: false) }
        }
        let node = nodes[chance.below(nodes.count)]
        if chance.chance(milli: 25) { return [.drainNode(node, within: span())] }
        if chance.chance(milli: 30) { return [.setNodeCordon(node, isCordoned: false)] }
        return []
    }

    private mutating func span() -> Span? {
        switch chance.below(3) {
        case 0: nil
        case 1: .zero
        default: .seconds(Int64(1 + chance.below(10)))
        }
    }
}
