import ClusterModel
import SchedulingCore

/// Whoever keeps the machines: empties nodes while faults last, now and then lets work in again, and leaves all of them open. What it
/// guarantees to a queue changes too, and is nothing in the end: fewer machines may be left than it was for.
struct SimulatedOperator {
    private var chance: SeededGenerator
    /// A node whose machine will never come back, until that has been said and the node removed.
    var lost: NodeID?

    init(plan: SimulationPlan) { chance = SeededGenerator(seed: plan.seed, stream: 5) }

    mutating func next(nodes: [NodeID], core: borrowing SchedulerCore, step: Int, faultsLast: Bool) -> [Command] {
        guard faultsLast else {
            if let lost, step % 512 == 0 { return forget(lost, core) }
            guard step % 16 == 0 else { return [] }
            let lab = Self.lab(guaranteed: 0)
            if core.shareObject(lab.id) != lab { return [.setShareObject(lab, if: .none)] }
            return nodes.filter { core.standing(of: $0)?.isCordoned == true || core.standing(of: $0)?.isQuarantined == true }.map {
                .setNodeCordon($0, isCordoned: false)
            }
        }
        let node = nodes[chance.below(nodes.count)]
        if chance.chance(milli: 25) { return [.drainNode(node, within: span())] }
        if chance.chance(milli: 30) { return [.setNodeCordon(node, isCordoned: false)] }
        if chance.chance(milli: 10) { return [.setShareObject(Self.lab(guaranteed: 1000 * Int64(chance.below(6))), if: .present)] }
        return []
    }

    static func lab(guaranteed cpuMilli: Int64) -> ShareObject {
        let guarantee = cpuMilli == 0 ? RoomBounds() : RoomBounds(cpuMilli: cpuMilli)
        return .queue(QueueRecord(name: "lab", guarantee: guarantee, borrow: RoomBounds(cpuMilli: 8000)))
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
