// Room that is set aside, in a round.

import ClusterModel
import Placement

extension RoundCursor {
    /// When it wants to be asked again, though nothing changed.
    var nextWake: LogicalTime? { reservations.nextWake }

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
