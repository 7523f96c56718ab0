// What gangs have written down of their work: Protocols/lifecycle.md, "Checkpoints".

import ClusterModel

extension SchedulerCore {
    /// Nodes tell how long ago it was; what is within a second of what is known is no news.
    func appendCheckpoint(
        _ status: AttemptStatus, row: JobRow, ordinal: UInt32, rank: Int, unit: LiveUnit, at now: LogicalTime, _ events: inout [Event]
    ) {
        guard let age = status.checkpointAge else { return }
        let written = min(now, max(unit.tasks[rank].heldSince, LogicalTime(nanoseconds: now.nanoseconds - max(0, age.nanoseconds))))
        let known = row.hasHistory ? row.history.checkpoints[ordinal] ?? .zero : .zero
        guard written > known + .seconds(1) else { return }
        events.append(.gangCheckpointed(status.attempt, written: written, at: now))
    }

    mutating func evolveCheckpointed(_ attempt: AttemptID, written: LogicalTime, at: LogicalTime) {
        advance(to: at)
        _ = jobs.update(attempt.task.job) { row in
            let ordinal = attempt.task.index / row.gangSize
            guard row.live[ordinal]?.attempt == attempt.number else { return }
            row.history.checkpoints[ordinal] = max(row.history.checkpoints[ordinal] ?? .zero, written)
        }
    }
}

extension JobRow {
    /// The last checkpoint that a living gang is known to have written, or may be taken to have: what was done before is not lost.
    ///
    /// - Parameter since: when its attempt began to hold its place.
    func lastCheckpoint(of ordinal: UInt32, since: LogicalTime, at now: LogicalTime) -> LogicalTime {
        if hasHistory, let said = history.checkpoints[ordinal] { return max(since, said) }
        guard let interval = specification.checkpointInterval, interval > .zero, now > since else { return since }
        return LogicalTime(nanoseconds: now.nanoseconds - (now - since).nanoseconds % interval.nanoseconds)
    }

    /// Whoever says nothing of checkpoints may begin anew, for all that is known.
    ///
    /// - Parameters:
    ///   - since: when the attempt began to hold its place; nodes are not believed that it ran for longer.
    ///   - asSaid: where the gang said when it wrote its last checkpoint, that counts.
    mutating func keepProgress(of ordinal: UInt32, _ ended: EndedAttempt, since: LogicalTime, asSaid: Bool) {
        guard case .requeued(_, _, .preempted) = ended.disposition else { return }
        let ran = max(0, min(ended.end.elapsed.nanoseconds, (ended.at - since).nanoseconds))
        var kept: Int64 = 0
        if asSaid, let written = history.checkpoints[ordinal] {
            kept = ran - max(0, (ended.at - written).nanoseconds)
        } else if let interval = specification.checkpointInterval?.nanoseconds, interval > 0 {
            kept = ran / interval * interval
        }
        if kept > 0 { history.progress[ordinal] = (history.progress[ordinal] ?? .zero) + Span(nanoseconds: kept) }
    }
}
