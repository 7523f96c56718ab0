// The cross-reference of the state, called after each step of a test and sampled in production.

import ClusterModel
import Placement

/// A broken promise of the state, with what was found.
public struct InvariantViolation: Error, Hashable, Sendable, CustomStringConvertible {
    public let invariant: String
    public let found: String
    public var description: String { "\(invariant): \(found)" }
}

extension SchedulerCore {
    private func isHopeless(_ row: JobRow) -> Bool {
        !row.isCancelling && row.unmetDependencies.contains { outcome(of: $0) == .violated }
    }

    public func check() -> [InvariantViolation] {
        var violations: [InvariantViolation] = []
        func require(_ condition: Bool, _ invariant: String, _ found: @autoclosure () -> String) {
            if !condition { violations.append(InvariantViolation(invariant: invariant, found: found())) }
        }
        var held = Table<NodeID, NodeOffer>()
        for id in offers.ids {
            guard let offer = offers[id] else { continue }
            var free = NodeOffer(inventory: offer.inventory, outage: nodes[id]?.outage)
            for slot in nodes[id]?.dirtySlots ?? [] { if let allocation = slot.allocation { free.take(allocation) } }
            held.set(free, for: id)
        }
        var liveByNode: [NodeID: Set<AttemptID>] = [:]
        var fences: Set<Fence> = []
        for id in jobs.ids {
            guard let row = jobs[id] else { continue }
            require(row.counts.total == row.specification.taskCount, "every task is counted once", "job \(id): \(row.counts)")
            let waiting = row.waiting.reduce(0) { $0 + $1.units.count } * UInt64(row.gangSize)
            require(
                UInt64(row.counts.queued) == waiting + UInt64(row.successors.count), "queued tasks are those that wait",
                "job \(id): \(row.counts.queued), \(waiting) and \(row.successors.count)")
            for slot in row.successors.slots {
                let holder = row.successors.holder(of: slot).flatMap { row.live[$0]?.tasks.first }
                require(holder?.slot == slot && holder?.isLive == true, "a slot with successors is held", "job \(id) slot \(slot)")
                for successor in row.successors[slot] {
                    require(fences.insert(successor.fence).inserted, "fences are never shared", "\(successor.fence)")
                    let isElsewhere = row.live[successor.ordinal] != nil || row.isWaiting(successor.ordinal)
                    require(!isElsewhere, "S3b one live attempt of a task", "job \(id) gang \(successor.ordinal) is lined up and more")
                    let attempt = AttemptID(job: id, index: successor.ordinal, number: successor.attempt)
                    liveByNode[successor.node, default: []].insert(attempt)
                }
            }
            require(row.waiting.allSatisfy { !$0.units.isEmpty }, "no empty waiting set", "job \(id)")
            require(!isHopeless(row), "L1 nothing waits for what cannot happen", "job \(id)")
            for ordinal in row.liveOrdinals {
                guard let unit = row.live[ordinal] else { continue }
                require(!row.isWaiting(ordinal), "S3b one live attempt of a task", "job \(id) gang \(ordinal) waits and lives")
                require(unit.tasks.count == Int(row.gangSize), "a gang is whole", "job \(id) gang \(ordinal)")
                for (rank, task) in unit.tasks.enumerated() {
                    if case .ended = task.phase { continue }
                    require(fences.insert(task.fence).inserted, "fences are never shared", "\(task.fence)")
                    _ = held.update(task.node) { $0.take(task.allocation) }
                    let attempt = AttemptID(job: id, index: ordinal * row.gangSize + UInt32(rank), number: unit.attempt)
                    liveByNode[task.node, default: []].insert(attempt)
                }
            }
        }
        for id in offers.ids {
            guard let offer = offers[id], let expected = held[id] else { continue }
            require(offer == expected, "S5 free amounts are the total less what tasks hold", "node \(id)")
            let free = offer.room
            let isWithin = free.cpuMilliFree >= 0 && free.memoryBytesFree >= 0
            require(isWithin, "S5 no node is overcommitted", "node \(id): \(free.cpuMilliFree)m, \(free.memoryBytesFree) bytes free")
            let taken = free.processorsTaken
            require(zip(taken, taken.dropFirst()).allSatisfy { $0 < $1 }, "S3a one owner of a whole core", "node \(id): \(taken)")
            for (index, room) in free.devices.enumerated() {
                require(
                    room.shareMilliFree >= 0 && room.memoryBytesFree >= 0, "S3a one owner of a device share",
                    "node \(id) device \(index): \(room.shareMilliFree)m free")
            }
        }
        for id in nodes.ids {
            let isOpen = nodes[id]?.drain != nil && nodes[id]?.isCordoned == false
            require(!isOpen, "a node that is emptied takes nothing new", "node \(id)")
            require(nodes[id]?.liveAttempts ?? [] == liveByNode[id] ?? [], "nodes and jobs name the same attempts", "node \(id)")
        }
        for id in jobs.ids { require(!isEnded(id), "S6 an ended job does not live", "job \(id)") }
        return violations + checkShares()
    }
}
