// Jobs that may not wait, or go on, for ever.

import ClusterModel

extension SchedulerCore {
    /// Notes the instants at which the job is looked at again.
    mutating func watchExpiry(of id: JobID, _ row: JobRow) {
        if let deadline = row.specification.deadline { expiries.insert(id, at: deadline) }
        if let end = row.pendingEnd { expiries.insert(id, at: end) }
    }

    /// Why a job has to end by now; nil: it need not, whatever it was watched for.
    private func expiry(of row: JobRow, at now: LogicalTime) -> Reason? {
        guard !row.isCancelling else { return nil }
        if let deadline = row.specification.deadline, deadline <= now { return .deadline }
        if let end = row.pendingEnd, end <= now { return .maxPending }
        return nil
    }

    /// Ends a job whose time is up: what waits never starts, what runs is stopped with its own grace.
    func decideExpiry(of id: JobID, at now: LogicalTime) -> Decided {
        guard let row = jobs[id], let reason = expiry(of: row, at: now) else { return Decided() }
        var decided = Decided(events: [.jobExpired(id, reason, at: now)])
        appendStop(of: id, row, as: .failed, reason, exitCode: ExitCode.timeLimit, at: now, &decided.events)
        return decided
    }

    mutating func evolveExpired(_ id: JobID, _ reason: Reason, at: LogicalTime, _ changes: inout Changes) {
        advance(to: at)
        _ = jobs.update(id) { row in
            row.isCancelling = true
            row.history.expiry = reason
        }
        requeue(id)
        changes.touch(id)
    }
}

extension JobRow {
    /// Until then something of it must have been placed; nil: it may wait, or has begun.
    var pendingEnd: LogicalTime? {
        guard !hasBegun, let span = specification.maxPending else { return nil }
        return max(submittedAt, specification.beginAt ?? .zero) + span
    }
}
