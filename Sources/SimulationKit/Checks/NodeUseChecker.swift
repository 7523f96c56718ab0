// What nodes may be used for, read from the durable events alone: work goes only where it can start, and a node whose drain is
// due keeps nothing that was not told to stop.

import ClusterModel
import SchedulingCore

struct NodeUseChecker {
    private struct Standing {
        var isConnected = false
        var isCordoned = false
        var isQuarantined = false

        var isOpen: Bool { isConnected && !isCordoned && !isQuarantined }
    }

    private struct Gang: Hashable {
        var job: JobID
        var ordinal: UInt32
    }

    private var nodes: [NodeID: Standing] = [:]
    /// The attempts of the gangs that have not ended, and where.
    private var gangs: [Gang: [AttemptID: NodeID]] = [:]
    private var gangOf: [AttemptID: Gang] = [:]
    private var stopped: Set<Gang> = []

    /// What the batch did that it must not.
    mutating func note(_ batch: Batch) -> [String] {
        var violations: [String] = []
        var owed: [AttemptID] = []
        for event in batch.events {
            switch event {
            case .unitsPlaced(let placed): note(placed, &violations)
            case .unitStopRequested(let unit): stopped.insert(Gang(job: unit.job, ordinal: unit.ordinal))
            case .gangsPreempted(let preemption):
                for gang in preemption.gangs { stopped.insert(Gang(job: gang.job, ordinal: gang.ordinal)) }
            case .attemptEnded(let ended): forget(ended.attempt)
            case .nodeDrainDue(let node, _): owed += attempts(on: node)
            default: noteStanding(event)
            }
        }
        for attempt in owed {
            guard let gang = gangOf[attempt], !stopped.contains(gang) else { continue }
            violations.append("the drain of its node is due, and attempt \(attempt) was not told to stop")
        }
        return violations
    }

    private func attempts(on node: NodeID) -> [AttemptID] {
        gangs.values.flatMap { $0.filter { $0.value == node }.map(\.key) }.sorted()
    }

    private mutating func note(_ placed: PlacedUnits, _ violations: inout [String]) {
        for unit in placed.units {
            let gang = Gang(job: placed.job, ordinal: unit.ordinal)
            stopped.remove(gang)
            for (rank, place) in unit.places.enumerated() {
                let index = unit.ordinal * UInt32(unit.places.count) + UInt32(rank)
                let attempt = AttemptID(job: placed.job, index: index, number: unit.attempt)
                if nodes[place.node]?.isOpen != true {
                    violations.append("attempt \(attempt) was placed on node \(place.node), which takes no work")
                }
                gangs[gang, default: [:]][attempt] = place.node
                gangOf[attempt] = gang
            }
        }
    }

    private mutating func forget(_ attempt: AttemptID) {
        guard let gang = gangOf.removeValue(forKey: attempt) else { return }
        gangs[gang]?[attempt] = nil
        if gangs[gang]?.isEmpty == true {
            gangs[gang] = nil
            stopped.remove(gang)
        }
    }

    private mutating func noteStanding(_ event: Event) {
        switch event {
        case .nodeRegistered(let registered): nodes[registered.id, default: Standing()].isConnected = true
        case .nodeSuspected(let node, _), .nodeSilenced(let node, _, _): nodes[node]?.isConnected = false
        case .nodeConfirmedDead(let node, _): nodes[node]?.isConnected = false
        case .nodeRemoved(let node, _): nodes[node] = nil
        case .nodeQuarantined(let node, _):
            nodes[node]?.isConnected = false
            nodes[node]?.isQuarantined = true
        case .nodeCordoned(let node, let isCordoned, _):
            nodes[node, default: Standing()].isCordoned = isCordoned
            if !isCordoned { nodes[node]?.isQuarantined = false }
        case .nodeDrainBegan(let node, _, _): nodes[node, default: Standing()].isCordoned = true
        // Whoever leads next takes no node for connected before it has registered.
        case .leadershipBegan: for node in nodes.keys { nodes[node]?.isConnected = false }
        default: break
        }
    }
}
