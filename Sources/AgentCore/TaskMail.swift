// Words between the platform and a task, as files: Protocols/lifecycle.md, "Checkpoints".

public import ClusterModel

public enum TaskMail {
    /// Names in the attempt's directory.
    public static let notice = "notice.json"
    public static let checkpoint = "checkpoint"

    /// Why a task is told to stop, and by when it will be gone.
    public struct Notice: Hashable, Sendable {
        public var reason: Reason
        /// CLOCK_BOOTTIME nanoseconds: SIGKILL.
        public var killAt: Int64

        public init(reason: Reason, killAt: Int64) {
            self.reason = reason
            self.killAt = killAt
        }
    }

    /// The last time that a task touched its checkpoint file, where it has one.
    public struct Read: Hashable, Sendable {
        public var attempt: AttemptID
        /// An instant of the wall clock, nanoseconds: only whether it is another one than before counts. 0: it never did.
        public var stamp: Int64
        /// Nanoseconds before it was looked at.
        public var age: Int64

        public init(attempt: AttemptID, stamp: Int64, age: Int64) {
            self.attempt = attempt
            self.stamp = stamp
            self.age = age
        }
    }
}

extension AgentCore {
    /// A stamp that was not seen before is a checkpoint. It was written after the last look, whatever the wall clock did meanwhile, and after
    /// the task began.
    mutating func take(
        _ read: TaskMail.Read, at now: Int64, _ reports: inout [AttemptStatus], _ effects: inout [AgentEffect]
    ) {
        guard var attempt = attempts[read.attempt], attempt.isLive else { return }
        // An agent before this one opened it.
        if !attempt.terms.hasMail {
            attempt.terms.hasMail = true
            attempts[read.attempt] = attempt
        }
        guard read.stamp != attempt.mailStamp else { return }
        attempt.mailStamp = read.stamp
        var earliest = attempt.mailReadAt ?? 0
        if case .running(let since) = attempt.phase { earliest = max(earliest, since) }
        attempt.checkpointAt = min(now, max(earliest, now - max(0, read.age)))
        // What it was asked for is done: it may go at once. By looks, not by times: those of files are coarse.
        if let stop = attempt.stop, stop.terminateAt != nil, stop.isRead {
            attempt.stop?.terminateAt = nil
            attempt.hasAnswered = true
            effects.append(.signal(read.attempt, Signal.terminate))
        }
        attempts[read.attempt] = attempt
        if attempt.unreadEnd == nil, link == .registered { reports.append(attempt.status(of: read.attempt, at: now)) }
    }

    /// What ended while its last words were looked for.
    mutating func finishRead(of looked: [AttemptID], at now: Int64, _ reports: inout [AttemptStatus], _ effects: inout [AgentEffect]) {
        for id in looked where attempts[id] != nil {
            attempts[id]?.mailReadAt = now
            attempts[id]?.stop?.isRead = true
            guard let end = attempts[id]?.unreadEnd else { continue }
            attempts[id]?.unreadEnd = nil
            attempts[id]?.isMailRead = true
            processEnded(id, end, at: now, &reports, &effects)
        }
    }

    /// Looks at those of one input together.
    func read(_ attempt: AttemptID, _ effects: inout [AgentEffect]) {
        if case .readMail(let others) = effects.last {
            effects[effects.count - 1] = .readMail(others + [attempt])
        } else {
            effects.append(.readMail([attempt]))
        }
    }

    /// Tells a task that it has to go.
    mutating func giveNotice(_ order: StopOrder, _ attempt: inout LocalAttempt, at now: Int64, _ effects: inout [AgentEffect]) {
        guard let stop = attempt.stop else { return }
        if attempt.terms.hasMail {
            effects.append(.giveNotice(order.attempt, TaskMail.Notice(reason: order.reason, killAt: stop.killAt)))
        }
        guard order.grace > .zero else { return }
        guard let signal = order.checkpointSignal, case .running = attempt.phase else {
            effects.append(.signal(order.attempt, Signal.terminate))
            return
        }
        // What it said before is no answer.
        if attempt.terms.hasMail { read(order.attempt, &effects) }
        effects.append(.signal(order.attempt, Int32(signal.rawValue)))
        let last = min(order.grace.nanoseconds / 4, AgentTiming.terminateBefore)
        attempt.stop?.terminateAt = stop.killAt - last
        if attempt.terms.hasMail { attempt.stop?.lookAt = now + AgentTiming.checkpointLook }
    }
}
