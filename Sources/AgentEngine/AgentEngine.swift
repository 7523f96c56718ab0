// The asynchronous shell around `AgentCore`: an actor pinned to the poll loop that serves the sockets and the launcher,
// so a command from the coordinator reaches the launcher without a hop. It decides nothing.

public import AgentCore
public import ClusterModel
public import ClusterPorts
public import Logging

#if canImport(Glibc)
    import Glibc
#endif

public actor AgentEngine {
    private let loop: any PollLoop
    private let driver: any TaskDriver
    /// nil on simulated nodes.
    private let stager: (any FileStager)?
    private let link: any CoordinatorLink
    private let clocks: any TimeSource
    private let logger: Logger
    private let workRoot: String
    private let topology: TopologyDocument?
    private let leaseFile: LeaseFile?
    /// nil where no task has one.
    private let mailboxes: TaskMailboxes?
    private let measureLoad: @Sendable () -> NodeLoad?
    private var core: AgentCore
    private var timer: Task<Void, Never>?
    private var timerDue: Int64 = .max
    private var stopped: AsyncStream<String>.Continuation?
    /// `run` is over.
    public private(set) var hasStopped = false
    private var registered: [CheckedContinuation<Void, Never>] = []

    public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// - Parameters:
    ///   - stager: moves the files of attempts; nil for simulated nodes, whose tasks have none.
    ///   - topology: what `sendTopology` sends; nil for simulated nodes.
    ///   - leaseFile: where `keepLease` keeps the lease for the agent's next process; nil for simulated nodes.
    ///   - measureLoad: asked on the loop's thread for each heartbeat, so it must be quick; nil where nothing is known.
    public init(
        configuration: AgentConfiguration, driver: any TaskDriver, stager: (any FileStager)? = nil, link: any CoordinatorLink,
        loop: any PollLoop, clocks: any TimeSource, topology: TopologyDocument?, leaseFile: String?, logger: Logger,
        measureLoad: @escaping @Sendable () -> NodeLoad? = { nil }
    ) {
        self.loop = loop
        self.driver = driver
        self.stager = stager
        self.link = link
        self.clocks = clocks
        self.topology = topology
        self.logger = logger
        self.measureLoad = measureLoad
        mailboxes = configuration.mailRoot.isEmpty ? nil : TaskMailboxes(root: configuration.mailRoot, logger: logger)
        workRoot = configuration.workRoot
        self.leaseFile = leaseFile.flatMap { LeaseFile(path: $0, bootID: configuration.bootID) }
        core = AgentCore(configuration: configuration, kept: self.leaseFile?.kept ?? KeptLease(), at: clocks.boot())
    }

    /// Runs until cancelled, or until the coordinator refuses this agent for good (then it throws). Jobs run on.
    public func run() async throws {
        let (refusals, stopped) = AsyncStream.makeStream(of: String.self)
        self.stopped = stopped
        sweepWorkRoot()
        let sink = EngineSink(engine: self)
        stager?.start(onEvent: { event in Task { await self.take(.staging([event])) } })
        try driver.start(onEvents: { sink.driver($0) })
        try link.open(handler: sink)
        for await refusal in refusals { throw AgentRefused(message: refusal) }
        hasStopped = true
        timer?.cancel()
        await stager?.stop()
        if core.isRegistered { link.send(.goodbye(core.session)) }
        driver.shutDownIfIdle()
        link.close()
    }

    /// Ends `run` in order; jobs run on with the launcher.
    public func stop() { stopped?.finish() }

    /// Returns once the coordinator has accepted the registration.
    public func awaitRegistration() async {
        if core.isRegistered { return }
        await withCheckedContinuation { registered.append($0) }
    }

    /// Kills every attempt and returns when the node runs nothing more.
    public func killAll() async {
        perform(core.killAll(at: clocks.boot()))
        while core.liveAttemptCount > 0, !Task.isCancelled { try? await Task.sleep(for: .milliseconds(20)) }
    }

    // MARK: Inputs and effects

    fileprivate func take(_ input: AgentInput) {
        perform(core.handle(input, at: clocks.boot()))
        rearm()
    }

    private func perform(_ effects: [AgentEffect]) {
        for effect in effects {
            switch effect {
            case .send(.heartbeat(var heartbeat)):
                heartbeat.load = measureLoad()
                link.send(.heartbeat(heartbeat))
                if let load = heartbeat.load { perform(core.handle(.diskFree(load.workBytesFree), at: clocks.boot())) }
            case .send(let message): link.send(message)
            case .launch(let orders): driver.launch(orders)
            case .signal(let attempt, let signal): driver.signal(attempt, signal)
            case .openMail(let attempt, let account): mailboxes?.open(attempt, for: account)
            case .giveNotice(let attempt, let notice): mailboxes?.give(notice, to: attempt, now: clocks.boot())
            case .readMail(let attempts): perform(core.handle(.mail(of: attempts, mailboxes?.read(attempts) ?? []), at: clocks.boot()))
            case .removeMail(let attempt): mailboxes?.remove(attempt)
            case .sweepMail(let attempts): mailboxes?.sweep(keeping: attempts)
            case .withdraw(let attempts): driver.withdraw(attempts)
            case .release(let attempts): driver.release(attempts)
            case .stage(let orders): for order in orders { stager?.stage(order) }
            case .collect(let attempt, let fence): stager?.collect(attempt, fence)
            case .abandonFiles(let attempt, let fence): stager?.abandon(attempt, fence)
            case .discardFiles(let attempt): stager?.discard(attempt)
            case .sweepFiles(let attempts): stager?.sweep(keeping: attempts)
            case .useFiles(let service): stager?.use(service)
            case .shipOutput(let attempt, let stream, let offset, let count): ship(attempt, stream, offset: offset, count: count)
            case .keepLease(let lease, let durably): leaseFile?.keep(lease, durably: durably)
            case .holdLease(let instant): driver.holdLease(until: instant)
            case .sendTopology: if let topology { link.send(.topology(topology)) }
            case .giveUp(let reason):
                stopped?.yield(reason)
            case .note(let note): log(note)
            }
        }
    }

    private func ship(_ attempt: AttemptID, _ stream: OutputStream, offset: Int64, count: Int) {
        do {
            let bytes = try driver.readOutput(attempt, stream, offset: offset, limit: count)
            let chunk = LogChunk(attempt: attempt, stream: stream.rawValue, offset: offset, bytes: bytes, isLast: false)
            if bytes.isEmpty || !link.send(chunk) { core.outputNotSent(attempt, stream, offset: offset) }
        } catch {
            logger.warning("output cannot be read", metadata: ["attempt": "\(attempt)", "error": "\(error)"])
            core.outputNotSent(attempt, stream, offset: offset)
        }
    }

    private func log(_ note: AgentNote) {
        switch note {
        case .registered(let node, let epoch, let session):
            logger.info("registered", metadata: ["node": "\(node)", "epoch": "\(epoch)", "session": "\(session)"])
            for continuation in registered { continuation.resume() }
            registered.removeAll()
        case .refused(let message): logger.warning("registration refused", metadata: ["reason": "\(message)"])
        case .missedCommands(let applied, let sent):
            logger.notice("commands were missed: registering again", metadata: ["applied": "\(applied)", "sent": "\(sent)"])
        case .condition(.good): logger.notice("there is room on the disk again: new work is taken")
        case .condition(.diskFull): logger.error("the disk is full: no new work until there is room; what runs goes on")
        case .leaseEnded(let attempt):
            logger.warning("the lease ended without word from the coordinator: stopped", metadata: ["attempt": "\(attempt)"])
        }
    }

    // MARK: Time

    /// One timer, for the earliest deadline; a later one waits for it to ring first.
    private func rearm() {
        let due = core.nextDeadline
        guard due < timerDue else { return }
        timer?.cancel()
        timerDue = due
        let delay = max(0, due - clocks.boot())
        timer = Task {
            try? await Task.sleep(for: .nanoseconds(delay))
            if !Task.isCancelled { self.ring() }
        }
    }

    private func ring() {
        timerDue = .max
        take(.tick)
    }

    /// Directories of jobs that left nothing in them go; `rmdir` spares the others.
    private func sweepWorkRoot() {
        guard let directory = opendir(workRoot) else { return }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if JobID(parsing: name) != nil { _ = rmdir("\(workRoot)/\(name)") }
        }
    }
}

/// The coordinator will not have this agent: the message says what to do.
public struct AgentRefused: Error, CustomStringConvertible {
    public let message: String
    public var description: String { message }
}

/// Hands what happens on the loop's thread to the actor that lives there, without a hop.
private struct EngineSink: CoordinatorLinkHandler {
    let engine: AgentEngine

    func driver(_ events: [DriverEvent]) { engine.assumeIsolated { $0.take(.driver(events)) } }
    func connected() { engine.assumeIsolated { $0.take(.connected) } }
    func disconnected() { engine.assumeIsolated { $0.take(.disconnected) } }

    func received(_ messages: [CoordinatorMessage]) {
        engine.assumeIsolated { engine in
            for message in messages { engine.take(.received(message)) }
        }
    }

    func received(_ acks: [LogAck]) {
        engine.assumeIsolated { engine in
            for ack in acks { engine.take(.logAcknowledged(ack)) }
        }
    }
}
