// The asynchronous shell around `SchedulerLoop`: one task that decides and makes durable, a follower. It decides nothing.

public import ClusterModel
public import ClusterPorts
import LedgerHashing
public import Logging
import Metering
public import SchedulingCore
import Synchronization
import Telemetry

/// How an engine is set up.
public struct EngineConfiguration: Sendable {
    public var heartbeats: HeartbeatPolicy
    /// A start whose wall clock and journal differ by more than this needs `acceptsClock`.
    public var clockGapMax: Span
    public var acceptsClock: Bool
    /// Submissions are refused while fewer bytes are free on the journal's disk.
    public var diskReserve: Int64
    /// Hexadecimal, of a cluster whose state is older than what its nodes have seen: go on from there all the same.
    public var acceptsDataLossOf: String?
    /// How nodes reach what the transport is bound to.
    public var advertise: @Sendable (AgentEndpoints) -> AgentEndpoints

    public init(
        heartbeats: HeartbeatPolicy = HeartbeatPolicy(), clockGapMax: Span = .seconds(86_400), acceptsClock: Bool = false,
        diskReserve: Int64? = nil, acceptsDataLossOf: String? = nil,
        advertise: @escaping @Sendable (AgentEndpoints) -> AgentEndpoints = { $0 }
    ) {
        self.heartbeats = heartbeats
        self.clockGapMax = clockGapMax
        self.acceptsClock = acceptsClock
        self.diskReserve = diskReserve ?? DiskMark.reserveDefault
        self.acceptsDataLossOf = acceptsDataLossOf
        self.advertise = advertise
    }
}

/// Why an engine does not start or stops: the text says what to do.
public struct EngineError: Error, CustomStringConvertible {
    public let message: String
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}

public final class SchedulerEngine: Sendable {
    let journal: any Journal
    let server: any AgentServer
    let clocks: any TimeSource
    let sealer: any SecretSealer
    let logStore: any LogStore
    public let files: any FileStore
    /// Where agents find the files; nil before they are served.
    let fileService = Mutex<FileService?>(nil)
    private let advertise: @Sendable (AgentEndpoints) -> AgentEndpoints
    public let reads: any ReadModel
    public let backups: any BackupSource
    /// Whether an agent's proof of its join token holds, given the token's verifier.
    let proves: @Sendable (EnrollmentRequest, _ verifier: [UInt8]) -> Bool
    /// Bound addresses, once the transport serves.
    let bound = Mutex<AgentEndpoints?>(nil)
    let leads = Mutex(false)
    let logger: Logger
    let instruments: EngineInstruments
    let desk: CommandDesk
    /// How long this start took to read the journal.
    let recoveryNanoseconds: Int64
    /// Of the deciding thread's CPU time, while it lives; 0 is none.
    let decidingClock = Atomic<Int32>(0)
    /// The version of the plans that the follower has.
    private let plansKnown = Atomic<UInt64>(0)
    let follower: Follower
    let sessions: Mutex<SessionTable>
    /// Public keys of nodes, for the transport's look-ups at each message.
    let nodeKeys: Mutex<[[UInt8]: NodeID]>
    /// API keys, for the look-up of each request, which must not wait while the follower takes a batch in.
    let keys: Mutex<[String: AccessKey]>
    private let clock: Mutex<ClusterClock>
    private let wakeAt = Mutex(LogicalTime.distantFuture)
    private let ledger: Mutex<UsageLedger>
    private let decider: Decider
    /// Of this leadership; before it, where a loss was accepted, what makes an outdated state a new time.
    private let firstBatches: [Batch]
    private let hasRun = Atomic(false)
    let space: any JournalSpace
    /// While it is low, submissions are refused; completions are not.
    let disk: Mutex<DiskMark>
    let droppedFrames = Mutex<[TransportDrop: UInt64]>([:])
    /// Called with the topology documents that agents send.
    let keepTopology: @Sendable (TopologyDocument) -> Void

    /// Replays the journal and takes the lead; nothing is visible before the first batch is durable.
    public init(
        journal: any Journal, server: any AgentServer, clocks: any TimeSource, sealer: any SecretSealer, logStore: any LogStore,
        files: any FileStore, reads: any ReadModel, backups: any BackupSource, space: any JournalSpace = UnboundedSpace(),
        configuration: EngineConfiguration, newClusterID: [UInt8],
        logger: Logger,
        keepTopology: @escaping @Sendable (TopologyDocument) -> Void,
        proves: @escaping @Sendable (EnrollmentRequest, _ verifier: [UInt8]) -> Bool
    ) async throws {
        self.journal = journal
        self.server = server
        self.clocks = clocks
        instruments = EngineInstruments()
        desk = CommandDesk(clocks: clocks, instruments: instruments)
        self.sealer = sealer
        self.logStore = logStore
        self.files = files
        self.logger = logger
        self.keepTopology = keepTopology
        self.reads = reads
        self.space = space
        disk = Mutex(DiskMark(reserve: configuration.diskReserve))
        self.backups = backups
        self.proves = proves
        let began = clocks.boot()
        let head = try await journal.head()
        try Self.checkClock(wall: clocks.wall(), head: head, configuration)
        let (folder, twin) = try await Recovery.runTwice(journal)
        let recovered = folder.finish()
        let (index, epoch, time) = (recovered.index, recovered.core.epoch, recovered.core.time)
        recoveryNanoseconds = clocks.boot() - began
        instruments.lastIndex.set(Int64(clamping: index))
        var clusterClock = ClusterClock(wall: clocks.wall(), boot: clocks.boot(), floor: max(head.time, time))
        let now = clusterClock.now(wall: clocks.wall(), boot: clocks.boot())
        clock = Mutex(clusterClock)
        sessions = Mutex(SessionTable(policy: configuration.heartbeats))
        let read = twin.finish()
        follower = Follower(core: read.core, index: index)
        decider = Decider(core: recovered.core, index: index)
        let acceptedLoss = try Self.acceptLoss(decider.loop, configuration)
        let restored = acceptedLoss ? [decider.loop.restore(cluster: newClusterID, at: now)] : []
        firstBatches = restored + [decider.loop.lead(cluster: newClusterID, at: now)]
        advertise = configuration.advertise
        let awaited = decider.loop.core.awaitedNodes
        sessions.withLock { sessions in for (node, session) in awaited { sessions.expect(node, session, at: now) } }
        let clusterID = decider.loop.core.clusterID
        ledger = Mutex(
            UsageLedger(cluster: clusterID, head: LedgerHead(sequence: head.ledgerSequence, hash: head.ledgerHash)))
        nodeKeys = Mutex(Dictionary(uniqueKeysWithValues: decider.loop.core.nodeKeys.map { ($0.key, $0.node) }))
        keys = Mutex(Dictionary(uniqueKeysWithValues: decider.loop.core.accessKeys.map { ($0.id, $0) }))
        logger.info("journal replayed", metadata: ["batches": "\(index)", "epoch": "\(epoch.value + 1)"])
    }

    private static func acceptLoss(_ loop: borrowing SchedulerLoop, _ configuration: EngineConfiguration) throws(EngineError) -> Bool {
        let cluster = loop.core.clusterID.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        guard let accepted = configuration.acceptsDataLossOf else { return false }
        guard loop.core.isOutdated else {
            throw EngineError(
                "nothing would be lost: the state of cluster \(cluster) is as new as its nodes know; start without --accept-data-loss")
        }
        guard accepted == cluster else {
            throw EngineError("--accept-data-loss names cluster \(accepted); the state in this directory is that of cluster \(cluster)")
        }
        return true
    }

    private static func checkClock(wall: Int64, head: JournalHead, _ configuration: EngineConfiguration) throws(EngineError) {
        guard head.index > 0, !configuration.acceptsClock else { return }
        let gap = Span(nanoseconds: wall - head.time.nanoseconds)
        guard gap.nanoseconds < -configuration.clockGapMax.nanoseconds else { return }
        throw EngineError(
            "this machine's clock is \(-gap.wholeSeconds) seconds behind the journal; set the clock, or start with --accept-clock")
    }

    public func now() -> LogicalTime {
        clock.withLock { $0.now(wall: clocks.wall(), boot: clocks.boot()) }
    }

    // MARK: Running

    /// Runs until cancelled or the journal fails. On return everything decided is durable or its callers know nothing.
    ///
    /// - Parameter onLeading: called once agents are served and commands are taken.
    public func run(onLeading: @escaping @Sendable (AgentEndpoints) -> Void) async throws {
        guard hasRun.exchange(true, ordering: .relaxed) == false else { throw EngineError("the engine runs once") }
        let thread = DecidingThread()
        decidingClock.store(thread.cpuClock, ordering: .relaxed)
        defer {
            decidingClock.store(0, ordering: .relaxed)
            thread.stop()
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask(executorPreference: thread) { try await self.lead(onLeading) }
            group.addTask { await self.watchLeases() }
            group.addTask { await self.ring() }
            defer {
                leads.withLock { $0 = false }
                desk.close()
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Decides, makes durable, lets out; what arrives while the disk works is decided together with the next batch.
    private func lead(_ onLeading: @Sendable (AgentEndpoints) -> Void) async throws {
        for batch in firstBatches { try await append(batch) }
        let endpoints = try await server.start(handler: self)
        bound.withLock { $0 = advertise(endpoints) }
        leads.withLock { $0 = true }
        onLeading(endpoints)
        desk.nudge()
        for await _ in desk.signals {
            repeat {
                let began = clocks.boot()
                for offered in desk.take() where !decider.loop.offer(offered) {
                    instruments.refused(.inboxFull)
                    if let token = offered.token { desk.settle(token, .failure(.overloaded(retryAfter: .seconds(1)))) }
                }
                let batch = decider.loop.step(at: now(), commands: Self.commandsPerBatch)
                instruments.inbox.set(Int64(decider.loop.waitingCommandCount))
                if let batch {
                    note(batch, began: began, decided: clocks.boot())
                    try await append(batch)
                }
                followPlans()
                instruments.busyNanoseconds.add(UInt64(max(0, clocks.boot() - began)))
            } while !decider.loop.isIdle && !Task.isCancelled
            wakeAt.withLock { $0 = decider.loop.nextWake ?? .distantFuture }
            if Task.isCancelled { return }
        }
    }

    /// What explains has to know what room is set aside.
    private func followPlans() {
        guard decider.loop.reservationVersion != plansKnown.load(ordering: .relaxed) else { return }
        plansKnown.store(decider.loop.reservationVersion, ordering: .relaxed)
        follower.follow(decider.loop.reservedRooms)
    }

    private func note(_ batch: Batch, began: Int64, decided: Int64) {
        instruments.step.observe(decided - began)
        instruments.batchEvents.observe(Int64(batch.events.count))
        if let arrival = batch.firstArrival { instruments.lag.observe(decided - arrival) }
    }

    /// Most commands decided between two syncs: bounds how long the first of them waits for the last.
    private static let commandsPerBatch = 1024

    /// Nudges the decider when a timer of the core is due; at most a tenth of a second late, which no timer minds.
    private func ring() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(100))
            if wakeAt.withLock({ $0 }) <= now() { desk.nudge() }
        }
    }

    // MARK: Committing

    private func append(_ batch: Batch) async throws {
        if !batch.events.isEmpty {
            let record = ledger.withLock { ledger in
                var usage: [(record: UsageRecord, bytes: [UInt8])] = []
                for case .usage(let segment) in batch.rows { usage.append(ledger.append(segment)) }
                return JournalBatch(index: batch.index, events: batch.events, rows: batch.rows, usage: usage, at: batch.at)
            }
            try await appendWhenThereIsRoom(record)
            follower.apply(batch, instruments)
            instruments.lastIndex.set(Int64(clamping: batch.index))
            instruments.count(batch.events)
            learn(from: batch)
        }
        release(batch)
    }

    /// A full disk is waited out with the same batch, after the ballast has been given up; anything else ends the leadership.
    private func appendWhenThereIsRoom(_ record: JournalBatch) async throws {
        while true {
            let began = clocks.boot()
            do {
                try await journal.append([record])
                instruments.append.observe(clocks.boot() - began)
                disk.withLock { $0.appended(knowingFree: space.bytesFree != nil) }
                return
            } catch {
                instruments.appendErrors.add()
                guard error.code == .full else { throw error }
                let isNews = disk.withLock { disk in
                    defer { disk.appendFailed() }
                    return !disk.isLow
                }
                if isNews { logger.error("the disk is full: submissions are refused until there is room", metadata: ["error": "\(error)"]) }
                if space.releaseBallast() {
                    logger.error("the ballast was given up, so that what has been accepted goes on")
                    continue
                }
                try await Task.sleep(for: .seconds(1))
            }
        }
    }

    /// Tables beside the core that follow from durable events.
    private func learn(from batch: Batch) {
        for event in batch.events {
            switch event {
            case .nodeEnrolled(let node): nodeKeys.withLock { $0[node.publicKey] = node.id }
            case .nodeRemoved(let node, _):
                nodeKeys.withLock { keys in keys = keys.filter { $0.value != node } }
                sessions.withLock { $0.remove(node) }
            case .nodeConfirmedDead(let node, _): sessions.withLock { $0.remove(node) }
            case .stateOutdated:
                logger.critical("\(SchedulerLimits.outdatedText)")
            case .nodeContested(let contested):
                logger.error(
                    "two machines may share the identity of a node", metadata: ["node": "\(contested.id)"])
            case .nodeQuarantined(let node, _):
                logger.critical("two machines share the identity of a node: nothing is placed on it", metadata: ["node": "\(node)"])
            case .keyCreated(let key): keys.withLock { $0[key.id] = key }
            case .keyRevoked(let id, _): keys.withLock { $0[id] = nil }
            case .attemptEnded(let ended):
                logStore.expect(ended.attempt, stdoutBytes: ended.end.stdoutBytes, stderrBytes: ended.end.stderrBytes)
            default: break
            }
        }
    }

    /// Everything that waited for the batch to be durable, in order.
    private func release(_ batch: Batch) {
        var messages: [AddressedMessage] = []
        var replies: [Reply] = []
        let instant = now()
        let revision = follower.read { $0.revision }
        sessions.withLock { sessions in
            for effect in batch.effects {
                switch effect {
                case .command(let node, let session, let body):
                    guard var command = sessions.number(opened(body), for: node, session) else { continue }
                    if case .start = body {
                        let seen = SeenState(epoch: command.epoch, revision: revision, session: session)
                        command.stateMark = sealer.mark(seen, for: node)
                    }
                    messages.append(AddressedMessage(node: node, message: .command(command)))
                case .welcome(let node, let session, let epoch, let sentAt):
                    messages.append(
                        AddressedMessage(
                            node: node, message: welcome(node, session, epoch, revision, answering: sentAt, at: instant, &sessions)))
                    if let service = fileService.withLock({ $0 }) {
                        messages.append(AddressedMessage(node: node, message: .fileService(service)))
                    }
                case .refuse(let node, let refusal):
                    messages.append(AddressedMessage(node: node, message: .refuse(refusal)))
                case .disconnect(let node): server.disconnect(node)
                case .reply(let reply):
                    if case .failure(let rejection) = reply.result { instruments.rejected(rejection) }
                    replies.append(reply)
                }
            }
        }
        if !messages.isEmpty { server.send(messages) }
        for reply in replies {
            desk.settle(
                reply.token,
                reply.result.map { Decision(answer: $0, revision: reply.revision, at: batch.at) }.mapError { ControlError.rejected($0) })
        }
    }

    private func opened(_ body: AgentCommand.Body) -> AgentCommand.Body {
        guard case .start(let batch) = body else { return body }
        return .start(sealer.opened(batch))
    }

    private func welcome(
        _ node: NodeID, _ session: SessionID, _ epoch: Epoch, _ revision: UInt64, answering sentAt: Int64, at now: LogicalTime,
        _ sessions: inout SessionTable
    ) -> CoordinatorMessage {
        let (interval, lease) = sessions.begin(node, session, epoch, at: now)
        let seen = SeenState(epoch: epoch, revision: revision, session: session)
        return .welcome(
            Welcome(
                version: AgentProtocolVersion.newest, node: node, epoch: epoch, session: session, heartbeatInterval: interval,
                lease: lease, wantsTopology: true, registrationSentAt: sentAt, stateMark: sealer.mark(seen, for: node)))
    }

    // MARK: The disk

    private func watchDisk() {
        let free = space.bytesFree
        let (was, isLow) = disk.withLock { disk in
            let was = disk.isLow
            disk.judge(free: free)
            return (was, disk.isLow)
        }
        if isLow, !was {
            logger.error(
                "the disk is almost full: submissions are refused until there is room",
                metadata: ["free": "\(free ?? 0)", "reserve": "\(disk.withLock { $0.reserve })"])
        }
        guard !isLow else { return }
        if was { logger.notice("there is room on the disk again") }
        space.takeBallast()
    }

    // MARK: Leases

    /// Looks for silent agents once a second. A look that comes late extends every lease by the delay: what stood still
    /// was the coordinator, not the agents.
    private func watchLeases() async {
        var last = clocks.boot()
        var wasOpen = false
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(1))
            watchDisk()
            let boot = clocks.boot()
            let stall = boot - last - 1_000_000_000
            last = boot
            let instant = now()
            let (expired, breaker) = sessions.withLock { sessions in
                if stall > 1_000_000_000 { sessions.extend(by: Span(nanoseconds: stall)) }
                return (sessions.expired(at: instant), sessions.breaker)
            }
            instruments.leasesHeldBack.set(Int64(breaker.heldBack))
            if breaker.openSince != nil, !wasOpen {
                logger.critical(
                    "many nodes fell silent at once: their leases are held back, a few end each minute; 'suanpan node confirm-dead' ends one",
                    metadata: ["overdue": "\(breaker.heldBack + expired.count)"])
            } else if breaker.openSince == nil, wasOpen {
                logger.notice("no lease is held back any longer")
            }
            wasOpen = breaker.openSince != nil
            desk.stage(expired.map { .leaseExpired($0.node, $0.session, lastHeard: $0.lastHeard) })
        }
    }
}

/// The deciding core's home. `@unchecked Sendable`: only the deciding task touches it, and before that the initialiser.
private final class Decider: @unchecked Sendable {
    var loop: SchedulerLoop

    init(core: consuming SchedulerCore, index: UInt64) { loop = SchedulerLoop(core: core, index: index) }
}
