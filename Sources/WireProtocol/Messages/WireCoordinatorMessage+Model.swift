internal import ClusterModel
internal import FoundationEssentials

extension WireCoordinatorMessage {
    init(_ message: CoordinatorMessage) throws(WireError) {
        self.init()
        switch message {
        case .welcome(let welcome): body = .welcome(WireWelcome(welcome))
        case .refuse(let refusal): body = .refusal(WireRefusal(refusal))
        case .heartbeatAck(let ack): body = .heartbeatAck(WireHeartbeatAck(ack))
        case .command(let command): body = .command(try WireAgentCommand(command))
        case .fileService(let service): body = .fileService(WireFileService(service))
        }
    }

    func checked() throws(WireError) -> CoordinatorMessage {
        switch body {
        case .welcome(let welcome): .welcome(try welcome.checked())
        case .refusal(let refusal): .refuse(try refusal.checked())
        case .heartbeatAck(let ack): .heartbeatAck(try ack.checked())
        case .command(let command): .command(try command.checked())
        case .fileService(let service): .fileService(try service.checked())
        case nil: throw .missing("body")
        }
    }
}

extension WireWelcome {
    init(_ welcome: Welcome) {
        self.init()
        version = welcome.version
        node = welcome.node.value
        epoch = welcome.epoch.value
        session = welcome.session.value
        heartbeatInterval = UInt64(welcome.heartbeatInterval)
        lease = UInt64(welcome.lease)
        wantsTopology = welcome.wantsTopology
        registrationSentAt = UInt64(amount: welcome.registrationSentAt)
        stateMark = Data(welcome.stateMark)
    }

    func checked() throws(WireError) -> Welcome {
        Welcome(
            version: version, node: NodeID(node), epoch: Epoch(epoch), session: SessionID(session),
            heartbeatInterval: try WireProtocol.checked(heartbeatInterval, "heartbeat_interval"),
            lease: try WireProtocol.checked(lease, "lease"), wantsTopology: wantsTopology,
            registrationSentAt: try WireProtocol.checked(registrationSentAt, "registration_sent_at"),
            stateMark: try WireProtocol.checked(stateMark, max: WireLimits.stateMarkBytesMax, "state_mark"))
    }
}

extension WireFileService {
    init(_ service: FileService) {
        self.init()
        port = UInt32(service.port)
        certificate = Data(service.certificate)
        tls = service.isTLS
        host = service.host
    }

    func checked() throws(WireError) -> FileService {
        FileService(
            host: try WireProtocol.checked(host, max: WireLimits.nameBytesMax, "files.host"),
            port: UInt16(try WireProtocol.checked(port, max: WireLimits.portMax, "files.port")), isTLS: tls,
            certificate: try WireProtocol.checked(certificate, max: WireLimits.certificateBytesMax, "files.certificate"))
    }
}

extension WireRefusal {
    init(_ refusal: Refusal) {
        self.init()
        code = Code(rawValue: Int(refusal.code.rawValue)) ?? .unspecified
        message = refusal.message.fitting(bytes: WireLimits.textBytesMax)
        retryAfter = UInt64(refusal.retryAfter)
        challenge = refusal.challenge
    }

    func checked() throws(WireError) -> Refusal {
        Refusal(
            code: try WireProtocol.checked(code.rawValue, "code"),
            message: try WireProtocol.checked(message, max: WireLimits.textBytesMax, "message"),
            retryAfter: try WireProtocol.checked(retryAfter, "retry_after"), challenge: challenge)
    }
}

extension WireHeartbeatAck {
    init(_ ack: HeartbeatAck) {
        self.init()
        session = ack.session.value
        number = ack.number
        commandsSent = ack.commandsSent
        interval = UInt64(ack.interval)
        stateMark = Data(ack.stateMark)
    }

    func checked() throws(WireError) -> HeartbeatAck {
        HeartbeatAck(
            session: SessionID(session), number: number, commandsSent: commandsSent,
            interval: try WireProtocol.checked(interval, "interval"),
            stateMark: try WireProtocol.checked(stateMark, max: WireLimits.stateMarkBytesMax, "state_mark"))
    }
}

extension WireAgentCommand {
    init(_ command: AgentCommand) throws(WireError) {
        self.init()
        epoch = command.epoch.value
        session = command.session.value
        sequence = command.sequence
        stateMark = Data(command.stateMark)
        switch command.body {
        case .start(let batch): body = .start(try WireStartBatch(batch))
        case .stop(let orders):
            var batch = WireStopBatch()
            batch.stops = orders.map(WireStopOrder.init)
            body = .stop(batch)
        case .release(let orders):
            var batch = WireReleaseBatch()
            batch.attempts = orders.map { order in
                var reference = WireAttemptReference(order.attempt)
                reference.fence = order.fence.value
                return reference
            }
            body = .release(batch)
        }
    }

    func checked() throws(WireError) -> AgentCommand {
        let modelBody: AgentCommand.Body
        switch body {
        case .start(let batch): modelBody = .start(try batch.checked())
        case .stop(let batch):
            try WireProtocol.checked(count: batch.stops.count, max: WireLimits.attemptsMax, "stops")
            modelBody = .stop(try batch.stops.mapped { (order) throws(WireError) in try order.checked() })
        case .release(let batch):
            try WireProtocol.checked(count: batch.attempts.count, max: WireLimits.attemptsMax, "attempts")
            modelBody = .release(
                try batch.attempts.mapped { (reference) throws(WireError) in
                    ReleaseOrder(attempt: try reference.checked(), fence: Fence(reference.fence))
                })
        case nil: throw .missing("body")
        }
        return AgentCommand(
            epoch: Epoch(epoch), session: SessionID(session), sequence: sequence, body: modelBody,
            stateMark: try WireProtocol.checked(stateMark, max: WireLimits.stateMarkBytesMax, "state_mark"))
    }
}

extension WireStopOrder {
    init(_ order: StopOrder) {
        self.init()
        job = order.attempt.task.job.value
        index = order.attempt.task.index
        number = order.attempt.number
        grace = UInt64(order.grace)
        fence = order.fence.value
        reason = WireReason(rawValue: Int(order.reason.rawValue)) ?? .none
        checkpointSignal = UInt32(order.checkpointSignal?.rawValue ?? 0)
    }

    func checked() throws(WireError) -> StopOrder {
        StopOrder(
            attempt: try attempt(job: job, index: index, number: number), grace: try WireProtocol.checked(grace, "grace"),
            fence: Fence(fence),
            // What a later coordinator may say in either is no cause not to stop.
            reason: UInt8(exactly: reason.rawValue).flatMap(Reason.init(rawValue:)) ?? .none,
            checkpointSignal: UInt8(exactly: checkpointSignal).flatMap(CheckpointSignal.init(rawValue:)))
    }
}

extension WireAttemptReference {
    init(_ attempt: AttemptID) {
        self.init()
        job = attempt.task.job.value
        index = attempt.task.index
        number = attempt.number
    }

    func checked() throws(WireError) -> AttemptID { try attempt(job: job, index: index, number: number) }
}
