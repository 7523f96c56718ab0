// Room that is set aside, in a round.

import ClusterModel
import Placement

extension RoundCursor {
    /// When it wants to be asked again, though nothing changed.
    var nextWake: LogicalTime? {
        guard let look = preemption.nextLook else { return reservations.nextWake }
        return reservations.nextWake.map { min($0, look) } ?? look
    }

    /// What is stopped so that others can start. Asked when nothing more can be placed.
    ///
    /// - Parameter isStirred: something has happened since the last time.
    mutating func preemptions(of core: borrowing SchedulerCore, isStirred: Bool, at now: LogicalTime) -> [Event] {
        guard core.holdsPreemptible, !core.queue.isEmpty else {
            preemption.nextLook = nil
            return []
        }
        if isStirred, preemption.stirredAt == nil { preemption.stirredAt = now }
        // What comes together is looked at together: of a node only one look at a time takes anything.
        let stirred = preemption.stirredAt.map { $0 + PreemptionContract.interval(nodes: core.offers.ids.count) } ?? .distantFuture
        let next = min(stirred, (preemption.lastLook ?? now) + PreemptionContract.patience)
        guard now >= next else {
            preemption.nextLook = next
            return []
        }
        let events = core.decidePreemptions(on: fleet, wide: { reservations.widened(fleet) }, at: now)
        preemption = PreemptionLook(lastLook: now, nextLook: now + PreemptionContract.patience)
        return events
    }

    /// The start of a job that room was set aside for, if it fits there now. Plans first, where that is due.
    mutating func reservedStart(of core: borrowing SchedulerCore, at now: LogicalTime) -> (job: JobID, places: [TaskPlace])? {
        if !reservations.isEmpty { noteGrowth(reservations.release(&fleet, of: core, at: now)) }
        if reservations.isDue(of: core, at: now) { noteGrowth(reservations.plan(&fleet, of: core, at: now)) }
        while let start = reservations.nextStart() {
            guard let row = core.jobs[start.job], row.readySet(at: now) != nil, row.startAllowance > 0 else { continue }
            return start
        }
        return nil
    }
}
