// Lining up, handing over, taking back.

import ClusterModel
import Placement

extension SchedulerCore {
    // MARK: Decide

    /// Successors for slots of a job that have just changed hands.
    ///
    /// Only for the job that comes first in its account and that nothing of its tenant precedes, and only where the slot would be
    /// the account's again: whoever waits before it, even without room, would lose the slot unseen. A slot gets at most its share of what waits, so that the last tasks of an array spread over all slots
    /// (guided self-scheduling, Polychronopoulos and Kuck 1987). Not for jobs that fail with their node: of tasks that
    /// were only lined up there nobody could say whether they ran. Nor for jobs with files, whose nodes have more to do
    /// between two tasks than the launcher can.
    ///
    /// - Parameter holders: gangs of one task that hold the slots; those that have ended meanwhile are passed over.
    borrowing func decideSuccessors(of id: JobID, behind holders: [UInt32], avoiding aside: Set<NodeID>, at now: LogicalTime) -> Event? {
        guard let row = jobs[id], row.gangSize == 1, row.specification.onNodeLost != .fail, !row.specification.isStaged,
            queue.first(of: row.account) == id, mayKeepSlot(row, at: now),
            let ready = row.readySet(at: now), let group = shapes[row.shape]?.shape.groups.first
        else { return nil }
        let set = row.waiting[ready]
        let depth = min(RunAhead.depth(expecting: row.expectedLength), Int(clamping: set.units.count) / max(1, row.live.count))
        guard depth > 0 else { return nil }
        var granted = GrantedSuccessors(job: id, attempt: set.attempt, slots: [], at: now)
        var fence = lastFence
        var next: UInt64 = 0
        for holder in holders {
            guard let unit = row.live[holder], unit.stopReason == nil, let node = nodes[unit.tasks[0].node],
                node.outage == nil, !aside.contains(unit.tasks[0].node), node.liveAttempts.count < RunAhead.attemptsPerNodeMax
            else { continue }
            let known = row.successors[unit.tasks[0].slot].count
            // A node may have gone to another pool since the slot was placed.
            guard offers[unit.tasks[0].node]?.inventory.admits(group) ?? false else { continue }
            // Half at a time: one message for several tasks.
            guard known <= depth / 2 else { continue }
            var slot = GrantedSuccessors.Slot(holder: holder, node: unit.tasks[0].node, slot: unit.tasks[0].slot, tasks: [])
            while known + slot.tasks.count < depth, let ordinal = set.units.first(from: next) {
                next = ordinal + 1
                fence += 1
                slot.tasks.append(GrantedSuccessors.Task(ordinal: UInt32(ordinal), fence: Fence(fence)))
            }
            if !slot.tasks.isEmpty { granted.slots.append(slot) }
        }
        return granted.slots.isEmpty ? nil : .successorsGranted(granted)
    }

    private borrowing func mayKeepSlot(_ row: JobRow, at now: LogicalTime) -> Bool {
        guard !isOverItsLimits(row) else { return false }
        // Asked for every slot that changes hands: where only one lane waits, there is nothing to compare.
        if accounts.lanesWaiting == 1 { return true }
        let tenant = accounts.ancestor(of: row.account, at: .tenant)
        guard accounts.highestPriority(waitingIn: tenant) == row.specification.priority, let shape = shapes[row.shape]?.shape else {
            return false
        }
        return accounts.keepsSlot(row.account, of: shape.leastAmounts, at: now, capacity: roomTotal)
    }

    /// A task that is lined up, by attempt.
    func successor(_ attempt: AttemptID) -> Successor? {
        guard let row = jobs[attempt.task.job], row.gangSize == 1, let successor = row.successors.successor(attempt.task.index),
            successor.attempt == attempt.number
        else { return nil }
        return successor
    }

    func successors(on node: NodeID) -> [AttemptID] { attempts(on: node).filter { successor($0) != nil } }

    /// What an agent says of a task that, for all we know, still waits there. Only that it was given back matters: that
    /// it runs or has ended follows once the end of the task before it is known, and is said until it is released.
    func decideSuccessorStatus(_ status: AttemptStatus, from node: NodeID, at now: LogicalTime) -> Decided {
        guard case .ended(let end) = status.phase, end.cause == .returned else { return Decided() }
        return Decided(events: [.successorReturned(status.attempt, from: node, at: now)])
    }

    /// Sent again, like any start that was lost: this registration may be older than the start, so the node may have it.
    /// Where the node is to be empty, the stop follows, and the node gives it back; of a cancelled job, the stop alone is sent.
    func decideUnlistedSuccessor(_ attempt: AttemptID, on node: NodeID, rebooted: Bool, at now: LogicalTime) -> Decided {
        let id = attempt.task.job
        if !rebooted, jobs[id]?.isCancelling == true { return Decided() }
        guard let row = jobs[id], let session = nodes[node]?.session, !rebooted,
            let (slot, successor) = row.successors.place(of: attempt.task.index), successor.fence > restoredFence,
            let holder = row.successors.holder(of: slot),
            let allocation = row.live[holder]?.tasks[0].allocation
        else { return Decided(events: [.successorReturned(attempt, from: node, at: now)]) }
        let command = startCommand([successor], in: slot, holding: allocation, of: id, row, on: node, session)
        return Decided(effects: [command])
    }

    // MARK: Evolve

    mutating func evolveGranted(_ granted: GrantedSuccessors) {
        advance(to: granted.at)
        _ = jobs.update(granted.job) { row in
            for slot in granted.slots {
                for task in slot.tasks {
                    let reason = row.unwait(task.ordinal, attempt: granted.attempt)
                    row.successors.append(
                        Successor(
                            ordinal: task.ordinal, attempt: granted.attempt, restartReason: reason, node: slot.node, fence: task.fence),
                        to: slot.slot, heldBy: slot.holder)
                }
            }
        }
        for slot in granted.slots {
            for task in slot.tasks {
                lastFence = max(lastFence, task.fence.value)
                let attempt = AttemptID(job: granted.job, index: task.ordinal, number: granted.attempt)
                _ = nodes.update(slot.node) { $0.liveAttempts.insert(attempt) }
            }
        }
        requeue(granted.job)
    }

    /// It waits again, as if it had never been lined up; of a job that is being cancelled it never starts.
    mutating func evolveReturned(_ attempt: AttemptID, from node: NodeID, at: LogicalTime, _ changes: inout Changes) {
        advance(to: at)
        let id = attempt.task.job
        _ = nodes.update(node) { $0.liveAttempts.remove(attempt) }
        _ = jobs.update(id) { row in
            guard let successor = row.successors.remove(attempt.task.index) else { return }
            if row.isCancelling {
                row.counts.queued -= 1
                row.counts.cancelled += 1
            } else {
                row.wait(successor.ordinal, attempt: successor.attempt, notBefore: .zero, reason: successor.restartReason)
            }
        }
        requeue(id)
        changes.touch(id)
    }

    /// The slot that `ended` leaves goes to the next in it, with everything that it holds. False: there is none.
    mutating func handOver(_ ended: EndedAttempt, _ task: LiveTask, _ changes: inout Changes) -> Bool {
        let id = ended.attempt.task.job
        let isEvicting = nodes[task.node]?.isEvicting ?? false
        let placed = jobs.update(id) { row -> AttemptPlacement? in
            guard let next = row.successors.handOver(task.slot) else { return nil }
            let holder = LiveTask(
                node: task.node, fence: next.fence, slot: task.slot, allocation: task.allocation, phase: .starting,
                heldSince: ended.at, segmentStart: ended.at, segmentNumber: 0)
            let stopReason: Reason? = row.isCancelling ? row.history.expiry ?? .user : isEvicting ? .preempted : nil
            row.live[next.ordinal] = LiveUnit(
                attempt: next.attempt, restartReason: next.restartReason, tasks: [holder], stopReason: stopReason)
            row.counts.queued -= 1
            if stopReason != nil { row.counts.stopping += 1 } else { row.counts.starting += 1 }
            return AttemptPlacement(
                attempt: AttemptID(job: id, index: next.ordinal, number: next.attempt), node: task.node, fence: next.fence,
                allocation: task.allocation, at: ended.at)
        }
        guard let placement = placed ?? nil else { return false }
        changes.add(.attemptPlaced(placement))
        if let reason = jobs[id]?.live[placement.attempt.task.index]?.stopReason {
            changes.add(.attemptStopping(placement.attempt, reason))
        }
        changes.slotMoved(id, to: placement.attempt.task.index)
        return true
    }

    // MARK: Effects

    func startCommands(of granted: GrantedSuccessors) -> [Effect] {
        guard let row = jobs[granted.job] else { return [] }
        return granted.slots.compactMap { slot in
            guard let holder = row.live[slot.holder], let session = nodes[slot.node]?.session else { return nil }
            let successors = slot.tasks.compactMap { row.successors.successor($0.ordinal) }
            return startCommand(
                successors, in: slot.slot, holding: holder.tasks[0].allocation, of: granted.job, row, on: slot.node, session)
        }
    }

    private func startCommand(
        _ successors: [Successor], in slot: Fence, holding allocation: Allocation, of id: JobID, _ row: JobRow, on node: NodeID,
        _ session: SessionID
    ) -> Effect {
        let starts = successors.map {
            StartOrder(
                attempt: AttemptID(job: id, index: $0.ordinal, number: $0.attempt), fence: $0.fence, slot: slot, allocation: allocation,
                restartReason: $0.restartReason, gang: nil)
        }
        let template = template(of: row.specification, group: 0, user: row.user, deviceKind: deviceKind(of: allocation, on: node))
        return .command(node, session, .start(StartBatch(job: id, template: template, starts: starts)))
    }

    /// A job that is being cancelled: what is lined up for it shall not start.
    func stopCommandsForSuccessors(of id: JobID) -> [Effect] {
        guard let row = jobs[id] else { return [] }
        var orders: [NodeID: [StopOrder]] = [:]
        for slot in row.successors.slots {
            for successor in row.successors[slot] {
                let attempt = AttemptID(job: id, index: successor.ordinal, number: successor.attempt)
                let order = StopOrder(attempt: attempt, grace: row.specification.grace, fence: successor.fence)
                orders[successor.node, default: []].append(order)
            }
        }
        return stopCommands(orders)
    }
}
