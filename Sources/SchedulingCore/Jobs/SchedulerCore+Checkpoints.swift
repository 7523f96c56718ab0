// What gangs have written down of their work: Protocols/lifecycle.md, "Checkpoints".

public import ClusterModel

/// A task said that it had written a checkpoint, up to which nothing of its gang is lost.
public struct GangCheckpoint: Hashable, Sendable {
    public var attempt: AttemptID
    public var written: LogicalTime
    /// How long the attempt had run by then, by its node's clock.
    public var ran: Span
    public var at: LogicalTime

    public init(attempt: AttemptID, written: LogicalTime, ran: Span, at: LogicalTime) {
        self.attempt = attempt
        self.written = written
        self.ran = ran
        self.at = at
    }
}

/// The last one of a living gang.
struct KnownCheckpoint: Hashable, Sendable {
    var written: LogicalTime
    var ran: Span
}

extension SchedulerCore {
    /// Nodes tell how long ago it was. Little that is new is no news, but of those that have ended or are to stop: each one is an event.
    func appendCheckpoint(
        _ status: AttemptStatus, row: JobRow, ordinal: UInt32, rank: Int, unit: LiveUnit, at now: LogicalTime, _ events: inout [Event]
    ) {
        guard let age = status.checkpointAge else { return }
        let written = min(now, max(unit.tasks[rank].heldSince, LogicalTime(nanoseconds: now.nanoseconds - max(0, age.nanoseconds))))
        let known = row.hasHistory ? row.history.checkpoints[ordinal]?.written ?? .zero : .zero
        let isLast = !status.isLive || unit.stopReason != nil
        let interval = Span(nanoseconds: (row.specification.checkpointInterval ?? Self.checkpointNews).nanoseconds / 10)
        guard written > known + (isLast ? .seconds(1) : min(Self.checkpointNews, max(.seconds(1), interval))) else { return }
        let ran: Span =
            switch status.phase {
            case .starting: .zero
            case .running(let elapsed): Span(nanoseconds: elapsed.nanoseconds - age.nanoseconds)
            case .ended(let end): Span(nanoseconds: end.elapsed.nanoseconds - age.nanoseconds + status.age.nanoseconds)
            }
        let most = written - unit.tasks[rank].heldSince
        events.append(
            .gangCheckpointed(GangCheckpoint(attempt: status.attempt, written: written, ran: max(.zero, min(ran, most)), at: now)))
    }

    /// Checkpoints of one gang that follow each other sooner are not all told.
    private static let checkpointNews = Span.seconds(30)

    /// Any task speaks for its gang: once one has answered, the others need not wait for what they will never write. Nothing of it is
    /// kept: were it lost, they would be told to end some time before their grace is over.
    func releaseOthers(
        _ status: AttemptStatus, row: JobRow, ordinal: UInt32, rank: Int, unit: LiveUnit
    ) -> [Effect] {
        guard status.isAnswer, unit.stopReason == .preempted, row.gangSize > 1 else { return [] }
        var others = unit
        others.tasks[rank].phase = .ended(.cancelled, .preempted)
        return stopCommands(
            status.attempt.task.job, row: row, ordinal: ordinal, unit: others, grace: row.specification.grace, asksForCheckpoint: false)
    }

    mutating func evolveCheckpointed(_ checkpoint: GangCheckpoint) {
        advance(to: checkpoint.at)
        _ = jobs.update(checkpoint.attempt.task.job) { row in
            let ordinal = checkpoint.attempt.task.index / row.gangSize
            guard row.live[ordinal]?.attempt == checkpoint.attempt.number else { return }
            row.history.checkpoints[ordinal] = KnownCheckpoint(written: checkpoint.written, ran: checkpoint.ran)
        }
    }
}

extension JobRow {
    /// The last checkpoint that a living gang is known to have written, or may be taken to have: what was done before is not lost.
    ///
    /// - Parameter since: when its attempt began to hold its place.
    func lastCheckpoint(of ordinal: UInt32, since: LogicalTime, at now: LogicalTime) -> LogicalTime {
        if hasHistory, let said = history.checkpoints[ordinal] { return max(since, said.written) }
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
        if asSaid, let said = history.checkpoints[ordinal] {
            kept = said.ran.nanoseconds
        } else if let interval = specification.checkpointInterval?.nanoseconds, interval > 0 {
            kept = ran / interval * interval
        }
        if kept > 0 { history.progress[ordinal] = (history.progress[ordinal] ?? .zero) + Span(nanoseconds: kept) }
    }
}

extension GangCheckpoint: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(attempt)
        writer.write(written)
        writer.write(ran)
        writer.write(at)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(attempt: try reader.read(), written: try reader.read(), ran: try reader.read(), at: try reader.read())
    }
}

extension KnownCheckpoint: CanonicalValue {
    func write(to writer: inout CanonicalWriter) {
        writer.write(written)
        writer.write(ran)
    }

    init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(written: try reader.read(), ran: try reader.read())
    }
}
