import ClusterModel

/// An attempt as its node knows it.
struct LocalAttempt: Hashable, Sendable {
    enum Phase: Hashable, Sendable {
        /// Its files are on their way; then the order goes to the driver. Leads to launching or ended. Indirect: the order is
        /// ten times the size of everything else here, and few attempts are in this phase.
        indirect case staging(LaunchOrder)
        /// Handed to the driver; a successor waits there. Leads to running or ended.
        case launching
        /// Since this boot instant.
        case running(since: Int64)
        /// The process ended so at this boot instant; its outputs are being kept. Leads to ended.
        case collecting(AttemptEnd, at: Int64)
        /// At this boot instant.
        case ended(AttemptEnd, at: Int64)
    }

    /// Why the agent itself is stopping it.
    struct Stop: Hashable, Sendable {
        var cause: AttemptEnd.Cause
        /// SIGKILL at this boot instant, and again each `killRepeat`.
        var killAt: Int64
        /// What it had said before it was asked to write a checkpoint is known.
        var isRead = false
        /// SIGTERM at this boot instant, unless it has written one before; nil once sent.
        var terminateAt: Int64?
        /// The next look whether it has.
        var lookAt: Int64?
    }

    var fence: Fence
    var phase: Phase
    var terms: AttemptTerms
    var stop: Stop?
    /// A successor that waits is given back at this instant, and asked for again until the driver has answered.
    var returnAt: Int64?
    /// A `running` report is due at this instant; nil when made or superseded.
    var startReportAt: Int64?
    /// The `ended` report is repeated at this instant until released.
    var endReportAt: Int64?
    /// When it wrote its last checkpoint, a boot instant.
    var checkpointAt: Int64?
    /// What it said of that, and when it was last looked for.
    var mailStamp: Int64 = 0
    var mailReadAt: Int64?
    /// It has written one since it was asked to.
    var hasAnswered = false
    /// How its process ended, until its last words have been looked for.
    var unreadEnd: ProcessEnd?
    var isMailRead = false
    /// The coordinator has the end on disk.
    var isReleased = false

    /// As far as the agent knows: the driver has been asked for one, and has not told its end.
    var hasProcess: Bool {
        switch phase {
        case .launching, .running: true
        case .staging, .collecting, .ended: false
        }
    }

    /// Nothing is to be told of it yet.
    var isStarting: Bool {
        switch phase {
        case .staging, .launching: true
        case .running, .collecting, .ended: false
        }
    }

    var isCollecting: Bool {
        if case .collecting = phase { return true }
        return false
    }

    var isLive: Bool {
        if case .ended = phase { return false }
        return true
    }

    /// It ends when the lease ends, also while it is being stopped for another reason.
    var dependsOnLease: Bool { isLive && stop?.cause != .leaseExpired && terms.onNodeLost != .wait }

    /// The earliest instant at which it needs a look, the lease aside; `.max` for never.
    var alarm: Int64 {
        var alarm = min(startReportAt ?? .max, endReportAt ?? .max, stop?.killAt ?? .max, returnAt ?? .max)
        if let stop { alarm = min(alarm, stop.terminateAt ?? .max, stop.lookAt ?? .max) }
        if stop == nil, case .running(let since) = phase, let limit = terms.timeLimit {
            alarm = min(alarm, since.addingSaturating(limit.nanoseconds))
        }
        return alarm
    }

    func status(of attempt: AttemptID, at now: Int64) -> AttemptStatus {
        let checkpointAge = checkpointAt.map { Span(nanoseconds: max(0, now - $0)) }
        switch phase {
        case .staging, .launching: return AttemptStatus(attempt: attempt, fence: fence, phase: .starting)
        case .collecting(let end, let at):
            let elapsed = end.elapsed.nanoseconds.addingSaturating(max(0, now - at))
            return AttemptStatus(
                attempt: attempt, fence: fence, phase: .running(elapsed: Span(nanoseconds: elapsed)), checkpointAge: checkpointAge,
                isAnswer: hasAnswered)
        case .running(let since):
            return AttemptStatus(
                attempt: attempt, fence: fence, phase: .running(elapsed: Span(nanoseconds: max(0, now - since))),
                checkpointAge: checkpointAge,
                isAnswer: hasAnswered)
        case .ended(let end, let at):
            return AttemptStatus(
                attempt: attempt, fence: fence, phase: .ended(end), age: Span(nanoseconds: max(0, now - at)), checkpointAge: checkpointAge,
                isAnswer: hasAnswered)
        }
    }
}

/// What must be known of an attempt again after the agent's own restart: it travels with the launch order.
struct AttemptTerms: Hashable, Sendable {
    var timeLimit: Span?
    var grace: Span
    var onNodeLost: NodeLossPolicy
    var files = FileDuty.none
    /// Processing units that it has for itself.
    var processors: [UInt32] = []
    /// Asked for until its files are there; not of those that run.
    var numaNode: UInt32?
    /// It has a place for words to it and from it. Not in the note, which agents of earlier releases read as well: what is there after a
    /// restart tells.
    var hasMail = false
}

extension AttemptTerms: CanonicalValue {
    func write(to writer: inout CanonicalWriter) {
        writer.write(timeLimit)
        writer.write(grace)
        writer.write(onNodeLost)
        writer.write(files)
        // For those that run, what is theirs is all that counts.
        if !processors.isEmpty { writer.write(bytes: ProcessorBits.bytes(of: processors)) }
    }

    init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(timeLimit: try reader.readOptional(), grace: try reader.read(), onNodeLost: try reader.read())
        // The agent before this one may have been of a release that knew no files.
        if reader.remaining > 0 { files = try reader.read() }
        if reader.remaining > 0 { processors = ProcessorBits.processors(in: try reader.readBytes()) }
    }
}
