// The agent's machine: what the node does on each input. No I/O, clock or chance; Protocols/wire.md is the specification.

public import ClusterModel

/// One node's agent. Instants are CLOCK_BOOTTIME nanoseconds of the node.
public struct AgentCore: ~Copyable, Sendable {
    enum Link: Hashable, Sendable {
        case disconnected
        /// A registration was sent at this instant.
        case registering(since: Int64)
        case registered
    }

    var configuration: AgentConfiguration
    var link = Link.disconnected
    /// The driver has said what it knows: only then can a registration be whole.
    var isRecovered = false
    var epoch = Epoch(0)
    public internal(set) var session = SessionID(0)
    var commandsApplied: UInt64 = 0
    var heartbeatNumber: UInt64 = 0
    var heartbeatInterval: Int64 = 5_000_000_000
    var heartbeatDue: Int64 = .max
    var lease = AgentTiming.leaseDefault
    /// When the last acknowledged heartbeat was sent; the lease counts from there.
    var leaseStart: Int64
    /// The newest that was told, to this process or one before it.
    var stateMark: [UInt8]
    var disk: DiskMark
    var condition: NodeCondition { disk.isLow ? .diskFull : .good }
    /// Of the last one; only its answer begins a session.
    var registrationSentAt: Int64 = 0
    /// What the last refusal asked to be repeated.
    var challenge: UInt64 = 0
    /// Heartbeats on their way: number and instant of sending.
    var heartbeatsSent: [(number: UInt64, at: Int64)] = []
    var attempts = AttemptTable()
    var shipper = OutputShipper()

    /// - Parameter kept: what `keepLease` last kept. Without a start in this boot of the node no lease is held, and attempts
    ///   that may be replaced elsewhere are stopped rather than believed in.
    public init(configuration: AgentConfiguration, kept: KeptLease, at now: Int64) {
        self.configuration = configuration
        leaseStart = kept.start ?? now - AgentTiming.leaseDefault
        disk = DiskMark(reserve: configuration.diskReserveBytes)
        stateMark = kept.stateMark
    }

    public var liveAttemptCount: Int { attempts.liveCount }
    public var attemptIDs: [AttemptID] { attempts.ids }
    public var isRegistered: Bool { link == .registered }

    /// Takes one input and says what to do about it.
    public mutating func handle(_ input: AgentInput, at now: Int64) -> [AgentEffect] {
        var effects: [AgentEffect] = []
        switch input {
        case .driver(let events):
            var reports: [AttemptStatus] = []
            for event in events { take(event, at: now, &reports, &effects) }
            report(reports, &effects)
        case .staging(let events):
            var reports: [AttemptStatus] = []
            for event in events { take(event, at: now, &reports, &effects) }
            report(reports, &effects)
        case .connected: register(at: now, &effects)
        case .disconnected:
            link = .disconnected
            heartbeatDue = .max
            heartbeatsSent.removeAll()
            shipper.disconnected()
        case .received(let message): receive(message, at: now, &effects)
        case .logAcknowledged(let ack):
            effects += shipper.acknowledged(ack, at: now)
            releaseIfDone(ack.attempt, &effects)
        case .mail(let looked, let reads):
            var reports: [AttemptStatus] = []
            for read in reads { take(read, at: now, &reports, &effects) }
            finishRead(of: looked, at: now, &reports, &effects)
            report(reports, &effects)
        case .diskFree(let bytes): judgeDisk(bytes, at: now, &effects)
        case .tick: tick(at: now, &effects)
        }
        return effects
    }

    /// The earliest instant at which `tick` has something to do.
    public var nextDeadline: Int64 {
        var deadline = min(heartbeatDue, attempts.earliestAlarm)
        if case .registering(let since) = link { deadline = min(deadline, since + AgentTiming.registrationRepeat) }
        if !attempts.dependsOnLease.isEmpty { deadline = min(deadline, leaseStart.addingSaturating(lease)) }
        return deadline
    }

    /// The shell could not send a chunk of output.
    public mutating func outputNotSent(_ attempt: AttemptID, _ stream: OutputStream, offset: Int64) {
        shipper.failed(attempt, stream, offset: offset)
    }

    private mutating func judgeDisk(_ free: Int64, at now: Int64, _ effects: inout [AgentEffect]) {
        let before = condition
        disk.judge(free: free)
        guard condition != before else { return }
        effects.append(.note(.condition(condition)))
        // A registration is whole: the one way to say what has changed about the node.
        if link != .disconnected { register(at: now, &effects) }
    }

    // MARK: Sending

    mutating func register(at now: Int64, _ effects: inout [AgentEffect]) {
        link = .registering(since: now)
        heartbeatDue = .max
        guard isRecovered else { return }
        registrationSentAt = max(now, registrationSentAt + 1)
        let statuses = attempts.ids.compactMap { attempts[$0]?.status(of: $0, at: now) }
        effects.append(
            .send(
                .register(
                    Registration(
                        instance: configuration.instance, bootID: configuration.bootID, inventory: configuration.inventory,
                        attempts: statuses, sentAt: registrationSentAt, stateMark: stateMark, condition: condition,
                        challenge: challenge))))
    }

    func report(_ statuses: [AttemptStatus], _ effects: inout [AgentEffect]) {
        guard !statuses.isEmpty, link == .registered else { return }
        effects.append(.send(.report(AttemptReport(session: session, statuses: statuses))))
    }

    // MARK: Time

    private mutating func tick(at now: Int64, _ effects: inout [AgentEffect]) {
        if case .registering(let since) = link, now >= since + AgentTiming.registrationRepeat { register(at: now, &effects) }
        if now >= heartbeatDue { beat(at: now, &effects) }
        var reports: [AttemptStatus] = []
        var overdue: [AttemptID] = []
        var due = Set(attempts.takeDue(at: now))
        if now >= leaseStart.addingSaturating(lease) { due.formUnion(attempts.dependsOnLease) }
        for id in due.sorted() { tick(id, at: now, &reports, &overdue, &effects) }
        if !overdue.isEmpty { effects.append(.withdraw(overdue)) }
        report(reports, &effects)
        effects += shipper.resume(at: now)
    }

    private mutating func beat(at now: Int64, _ effects: inout [AgentEffect]) {
        if heartbeatsSent.count >= AgentTiming.heartbeatsUnansweredMax {
            // The coordinator no longer knows this session: perhaps a copy of our registration began another.
            register(at: now, &effects)
            return
        }
        heartbeatNumber += 1
        heartbeatsSent.append((heartbeatNumber, now))
        heartbeatDue = now + heartbeatInterval
        effects.append(
            .send(
                .heartbeat(
                    Heartbeat(
                        session: session, number: heartbeatNumber, commandsApplied: commandsApplied,
                        liveAttempts: UInt32(liveAttemptCount), bootTime: now))))
        if !attempts.withMail.isEmpty { effects.append(.readMail(attempts.withMail.sorted())) }
    }

    private mutating func tick(
        _ id: AttemptID, at now: Int64, _ reports: inout [AttemptStatus], _ overdue: inout [AttemptID], _ effects: inout [AgentEffect]
    ) {
        guard var attempt = attempts[id] else { return }
        if let due = attempt.returnAt, now >= due {
            attempt.returnAt = now + AgentTiming.successorPatience
            overdue.append(id)
        }
        if let due = attempt.startReportAt, now >= due {
            attempt.startReportAt = nil
            reports.append(attempt.status(of: id, at: now))
        }
        if let due = attempt.endReportAt, now >= due {
            attempt.endReportAt = now + AgentTiming.reportRepeat
            reports.append(attempt.status(of: id, at: now))
        }
        if attempt.isLive {
            if attempt.dependsOnLease, now >= leaseStart.addingSaturating(lease) {
                endWithLease(id, &attempt, at: now, &effects)
            } else if let stop = attempt.stop, now < stop.killAt {
                askAgain(id, &attempt, stop, at: now, &effects)
            } else if let stop = attempt.stop, now >= stop.killAt {
                attempts[id] = attempt
                if endWithoutProcess(id, cause: stop.cause, at: now, &reports, &effects) { return }
                attempt.stop?.killAt = now + AgentTiming.killRepeat
                effects.append(.signal(id, Signal.kill))
            } else if attempt.stop == nil {
                enforceTimeLimit(id, &attempt, at: now, &effects)
            }
        }
        attempts[id] = attempt
    }

    /// While it has time to write a checkpoint.
    private func askAgain(
        _ id: AttemptID, _ attempt: inout LocalAttempt, _ stop: LocalAttempt.Stop, at now: Int64, _ effects: inout [AgentEffect]
    ) {
        if let due = stop.terminateAt, now >= due {
            attempt.stop?.terminateAt = nil
            effects.append(.signal(id, Signal.terminate))
        }
        if let due = stop.lookAt, now >= due {
            let isAwaited = attempt.stop?.terminateAt != nil
            attempt.stop?.lookAt = isAwaited ? now + AgentTiming.checkpointLook : nil
            read(id, &effects)
        }
    }

    private func enforceTimeLimit(_ id: AttemptID, _ attempt: inout LocalAttempt, at now: Int64, _ effects: inout [AgentEffect]) {
        guard case .running(let since) = attempt.phase, let limit = attempt.terms.timeLimit,
            now >= since.addingSaturating(limit.nanoseconds)
        else { return }
        let killAt = now.addingSaturating(attempt.terms.grace.nanoseconds)
        attempt.stop = LocalAttempt.Stop(cause: .timeLimit, killAt: killAt)
        if attempt.terms.hasMail { effects.append(.giveNotice(id, TaskMail.Notice(reason: .timeout, killAt: killAt))) }
        effects.append(.signal(id, Signal.terminate))
    }

    /// No grace: the coordinator may start another attempt soon. The driver does the same by itself, for the case that the agent
    /// does not live to see the instant. One without a process ends at the next look.
    private func endWithLease(_ id: AttemptID, _ attempt: inout LocalAttempt, at now: Int64, _ effects: inout [AgentEffect]) {
        attempt.stop = LocalAttempt.Stop(cause: .leaseExpired, killAt: attempt.hasProcess ? now + AgentTiming.killRepeat : now)
        effects.append(.note(.leaseEnded(id)))
        effects.append(.signal(id, Signal.kill))
    }

    // MARK: Forgetting

    /// Both must be safe elsewhere: the end on the coordinator's disk, the output in its store.
    mutating func releaseIfDone(_ id: AttemptID, _ effects: inout [AgentEffect]) {
        guard let attempt = attempts[id], attempt.isReleased, shipper.isDelivered(id) else { return }
        attempts[id] = nil
        shipper.forget(id)
        if attempt.terms.files == .staged { effects.append(.discardFiles(id)) }
        if attempt.terms.hasMail { effects.append(.removeMail(id)) }
        if case .release(let others) = effects.last {
            effects[effects.count - 1] = .release(others + [id])
        } else {
            effects.append(.release([id]))
        }
    }
}

/// Signals by number, as every Linux has them.
enum Signal {
    static let kill: Int32 = 9
    static let terminate: Int32 = 15
}

extension Int64 {
    func addingSaturating(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
