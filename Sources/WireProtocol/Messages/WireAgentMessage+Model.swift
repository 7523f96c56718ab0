internal import ClusterModel
internal import FoundationEssentials

extension WireAgentMessage {
    init(_ message: AgentMessage) {
        self.init()
        switch message {
        case .register(let registration): body = .registration(WireRegistration(registration))
        case .heartbeat(let heartbeat): body = .heartbeat(WireHeartbeat(heartbeat))
        case .report(let report): body = .report(WireAttemptReport(report))
        case .topology(let document): body = .topology(WireTopologyDocument(document))
        case .goodbye(let session):
            var goodbye = WireGoodbye()
            goodbye.session = session.value
            body = .goodbye(goodbye)
        }
    }

    func checked() throws(WireError) -> AgentMessage {
        switch body {
        case .registration(let registration): .register(try registration.checked())
        case .heartbeat(let heartbeat): .heartbeat(try heartbeat.checked())
        case .report(let report): .report(try report.checked())
        case .topology(let document): .topology(try document.checked())
        case .goodbye(let goodbye): .goodbye(SessionID(goodbye.session))
        case nil: throw .missing("body")
        }
    }
}

extension WireRegistration {
    init(_ registration: Registration) {
        self.init()
        oldestVersion = registration.oldestVersion
        newestVersion = registration.newestVersion
        instance = registration.instance
        bootID = Data(registration.bootID)
        inventory = WireNodeInventory(registration.inventory)
        attempts = registration.attempts.map(WireAttemptStatus.init)
        sentAt = UInt64(amount: registration.sentAt)
        stateMark = Data(registration.stateMark)
        condition = WireNodeCondition(rawValue: Int(registration.condition.rawValue)) ?? .good
        challenge = registration.challenge
    }

    func checked() throws(WireError) -> Registration {
        guard hasInventory else { throw .missing("inventory") }
        try WireProtocol.checked(count: attempts.count, max: WireLimits.attemptsMax, "attempts")
        return Registration(
            oldestVersion: oldestVersion, newestVersion: newestVersion, instance: instance,
            bootID: try WireProtocol.checked(bootID, count: WireLimits.bootIDBytes, "boot_id"), inventory: try inventory.checked(),
            attempts: try attempts.mapped { (status) throws(WireError) in try status.checked() },
            sentAt: try WireProtocol.checked(sentAt, "sent_at"),
            stateMark: try WireProtocol.checked(stateMark, max: WireLimits.stateMarkBytesMax, "state_mark"),
            condition: try WireProtocol.checked(condition.rawValue, "condition"), challenge: challenge)
    }
}

extension WireHeartbeat {
    init(_ heartbeat: Heartbeat) {
        self.init()
        session = heartbeat.session.value
        number = heartbeat.number
        commandsApplied = heartbeat.commandsApplied
        liveAttempts = heartbeat.liveAttempts
        bootTime = UInt64(amount: heartbeat.bootTime)
        if let load = heartbeat.load { self.load = WireNodeLoad(load) }
    }

    func checked() throws(WireError) -> Heartbeat {
        Heartbeat(
            session: SessionID(session), number: number, commandsApplied: commandsApplied, liveAttempts: liveAttempts,
            bootTime: try WireProtocol.checked(bootTime, "boot_time"), load: hasLoad ? try load.checked() : nil)
    }
}

extension WireNodeLoad {
    init(_ load: NodeLoad) {
        self.init()
        cpuMilliUsed = UInt64(amount: load.cpuMilliUsed)
        memoryBytesUsed = UInt64(amount: load.memoryBytesUsed)
        workBytesFree = UInt64(amount: load.workBytesFree)
    }

    func checked() throws(WireError) -> NodeLoad {
        NodeLoad(
            cpuMilliUsed: try WireProtocol.checked(cpuMilliUsed, "load.cpu_milli_used"),
            memoryBytesUsed: try WireProtocol.checked(memoryBytesUsed, "load.memory_bytes_used"),
            workBytesFree: try WireProtocol.checked(workBytesFree, "load.work_bytes_free"))
    }
}

extension WireAttemptReport {
    init(_ report: AttemptReport) {
        self.init()
        session = report.session.value
        statuses = report.statuses.map(WireAttemptStatus.init)
        for (position, status) in report.statuses.enumerated() where status.isAnswer { answers.append(UInt32(position)) }
    }

    func checked() throws(WireError) -> AttemptReport {
        try WireProtocol.checked(count: statuses.count, max: WireLimits.attemptsMax, "statuses")
        try WireProtocol.checked(count: answers.count, max: statuses.count, "answers")
        var checked = try statuses.mapped { (status) throws(WireError) in try status.checked() }
        for position in answers {
            guard Int(position) < checked.count else { throw .outOfRange("answers") }
            checked[Int(position)].isAnswer = true
        }
        return AttemptReport(session: SessionID(session), statuses: checked)
    }
}

extension WireAttemptStatus {
    init(_ status: AttemptStatus) {
        self.init()
        job = status.attempt.task.job.value
        index = status.attempt.task.index
        number = status.attempt.number
        fence = status.fence.value
        switch status.phase {
        case .starting: phase = .starting(true)
        case .running(let elapsed): phase = .running(UInt64(elapsed))
        case .ended(let end): phase = .ended(WireAttemptEnd(end))
        }
        age = UInt64(status.age)
        if let known = status.checkpointAge { checkpointAge = UInt64(known) }
    }

    func checked() throws(WireError) -> AttemptStatus {
        let modelPhase: AttemptStatus.Phase
        switch phase {
        case .starting: modelPhase = .starting
        case .running(let elapsed): modelPhase = .running(elapsed: try WireProtocol.checked(elapsed, "running"))
        case .ended(let end): modelPhase = .ended(try end.checked())
        case nil: throw .missing("phase")
        }
        return AttemptStatus(
            attempt: try attempt(job: job, index: index, number: number), fence: Fence(fence), phase: modelPhase,
            age: try WireProtocol.checked(age, "age"),
            checkpointAge: hasCheckpointAge ? try WireProtocol.checked(checkpointAge, "checkpoint_age") : nil)
    }
}

extension WireAttemptEnd {
    init(_ end: AttemptEnd) {
        self.init()
        cause = Cause(rawValue: Int(end.cause.rawValue)) ?? .unspecified
        exitCode = min(UInt32(clamping: end.exitCode), WireLimits.exitCodeMax)
        signal = min(UInt32(clamping: end.signal), WireLimits.signalMax)
        elapsed = UInt64(end.elapsed)
        cpuTime = UInt64(end.cpuTime)
        memoryPeakBytes = UInt64(amount: end.memoryPeakBytes)
        stdoutBytes = UInt64(amount: end.stdoutBytes)
        stderrBytes = UInt64(amount: end.stderrBytes)
        droppedBytes = UInt64(amount: end.droppedBytes)
        // A report is repeated until it is taken: one with too long a sentence would be refused for ever.
        detail = end.detail.fitting(bytes: WireLimits.detailBytesMax)
    }

    func checked() throws(WireError) -> AttemptEnd {
        AttemptEnd(
            cause: try WireProtocol.checked(cause.rawValue, "cause"),
            exitCode: Int32(try WireProtocol.checked(exitCode, max: WireLimits.exitCodeMax, "exit_code")),
            signal: Int32(try WireProtocol.checked(signal, max: WireLimits.signalMax, "signal")),
            elapsed: try WireProtocol.checked(elapsed, "elapsed"),
            cpuTime: try WireProtocol.checked(cpuTime, "cpu_time"),
            memoryPeakBytes: try WireProtocol.checked(memoryPeakBytes, "memory_peak_bytes"),
            stdoutBytes: try WireProtocol.checked(stdoutBytes, "stdout_bytes"),
            stderrBytes: try WireProtocol.checked(stderrBytes, "stderr_bytes"),
            droppedBytes: try WireProtocol.checked(droppedBytes, "dropped_bytes"),
            detail: try WireProtocol.checked(detail, max: WireLimits.detailBytesMax, "detail"))
    }
}

extension WireTopologyDocument {
    init(_ document: TopologyDocument) {
        self.init()
        digest = Data(document.digest)
        compressedXml = Data(document.compressedXML)
    }

    func checked() throws(WireError) -> TopologyDocument {
        try WireProtocol.checked(count: compressedXml.count, max: WireLimits.topologyBytesMax, "compressed_xml")
        return TopologyDocument(
            digest: try WireProtocol.checked(digest, count: WireLimits.digestBytes, "digest"), compressedXML: [UInt8](compressedXml))
    }
}
