// Jobs that may not wait, or go on, for ever.

import ClusterModel

extension SchedulerCore {
    /// Notes the instant at which the job may have to end. It is unwatched before what it follows from changes.
    mutating func watchExpiry(of id: JobID, _ row: JobRow) {
        if let end = row.expiryTime { expiries.insert(id, at: end) }
    }

    mutating func unwatchExpiry(of id: JobID, _ row: JobRow) {
        if let end = row.expiryTime { expiries.remove(id, at: end) }
    }

    /// Ends a job whose time is up: what waits never starts, what runs is stopped with its own grace.
    func decideExpiry(of id: JobID, at now: LogicalTime) -> Decided {
        guard let row = jobs[id], let end = row.expiryTime, end <= now else { return Decided() }
        let reason: Reason = row.specification.deadline.map { $0 <= now } ?? false ? .deadline : .maxPending
        var decided = Decided(events: [.jobExpired(id, reason, at: now)])
        appendStop(of: id, row, as: .failed, reason, exitCode: ExitCode.timeLimit, at: now, &decided.events)
        return decided
    }

    mutating func evolveExpired(_ id: JobID, _ reason: Reason, at: LogicalTime, _ changes: inout Changes) {
        advance(to: at)
        if let row = jobs[id] { unwatchExpiry(of: id, row) }
        _ = jobs.update(id) { row in
            row.isCancelling = true
            row.history.expiry = reason
        }
        requeue(id)
        changes.touch(id)
    }
}

extension JobRow {
    /// Until then something of it must have been placed; nil: it may wait, is held, or has begun.
    var pendingEnd: LogicalTime? {
        guard !hasBegun, !specification.isHeld, let span = specification.maxPending else { return nil }
        return waitingSince + span
    }

    /// When it has to end, on the next whole second: there are fewer of those than jobs. nil: never, or it is ending already.
    fileprivate var expiryTime: LogicalTime? {
        guard !isCancelling, let end = [specification.deadline, pendingEnd].compactMap(\.self).min(), end < .distantFuture else {
            return nil
        }
        let second: Int64 = 1_000_000_000
        let (rounded, overflow) = end.nanoseconds.addingReportingOverflow(second - 1)
        return overflow ? nil : LogicalTime(nanoseconds: rounded / second * second)
    }
}
