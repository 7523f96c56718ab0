import ClusterModel
import SchedulingCore

/// Whoever keeps the machines: empties nodes while faults last, now and then lets work in again, and leaves all of them open.
struct SimulatedOperator {
    private var chance: SeededGenerator
    /// A node whose machine will never come back, until that has been said and the node removed.
    var lost: NodeID?

    init(plan: SimulationPlan) { chance = SeededGenerator(seed: plan.seed, stream: 5) }

    mutating func next(nodes: [NodeID], core: borrowing SchedulerCore, step: Int, faultsLast: Bool) -> [Command] {
        guard faultsLast else {
            if let lost, step % 512 == 0 { return forget(lost, core) }
            guard step % 16 == 0 else { return [] }
            return nodes.filter { core.standing(of: $0)?.isCordoned == true || core.standing(of: $0)?.isQuarantined == true }.map {
                .setNodeCordon($0, isCordoned: false)
            }
        }
        let node = nodes[chance.below(nodes.count)]
        if chance.chance(milli: 25) { return [.drainNode(node, within: span())] }
        if chance.chance(milli: 30) { return [.setNodeCordon(node, isCordoned: false)] }
        return []
    }

    /// Whoever sees that a node stays silent looks, and vouches for what he found.
    private func forget(_ node: NodeID, _ core: borrowing SchedulerCore) -> [Command] {
        guard let standing = core.standing(of: node) else { return [] }
        if standing.liveAttempts.isEmpty, !standing.isRegistered || standing.isSilent { return [.removeNode(node)] }
        // Nobody looks before the cluster says that the node cannot be reached.
        return standing.isSilent ? [.confirmDead(node)] : []
    }

    private mutating func span() -> Span? {
        switch chance.below(3) {
        case 0: nil
        case 1: .zero
        default: .seconds(Int64(1 + chance.below(10)))
        }
    }
}
