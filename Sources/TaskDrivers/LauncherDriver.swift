internal import CLinuxShim
internal import Glibc

public import AgentCore
public import ClusterModel
public import ClusterPorts
public import Logging

/// The task driver of real nodes: everything is done by a `suanpan-launcher` process, which this driver starts when
/// none serves the run directory, and which outlives it. Protocols/launcher.md is the specification.
///
/// Between `.lost` and `.recovered` commands are dropped, not kept: `recovered` tells what there is, and whoever sees it
/// compares and commands anew. A command kept across the gap could start what the caller has given up by then.
///
/// Sendable without the compiler's check: every stored variable is touched on the loop's thread only. `TaskDriver`
/// demands that of all calls, and the loop calls its handlers there.
public final class LauncherDriver: TaskDriver, @unchecked Sendable {
    private enum Link {
        case down
        /// Connected; `hello` was sent, the listing has not ended.
        case listing(descriptor: Int32, [RecoveredAttempt])
        case up(descriptor: Int32)

        var descriptor: Int32? {
            switch self {
            case .down: nil
            case .listing(let descriptor, _), .up(let descriptor): descriptor
            }
        }
    }

    private static let retryDelayMin: Int64 = 2_000_000
    private static let retryDelayMax: Int64 = 1_000_000_000
    private static let sendBufferBytes: Int32 = 1 << 20
    /// Commands that wait for room in the socket. A launcher that leaves so many unread is given up.
    private static let waitingBytesMax = 64 << 20
    private static let receivedPacketsPerTurn = 16
    private static let readBytesMax = 1 << 20

    private let runDirectory: String
    private let launcherPath: String?
    private let launcherArguments: [String]
    private let loop: any PollLoop
    private let logger: Logger

    /// What the launcher can prove and enforce; nil until it has said so. To be read on the loop's thread.
    public private(set) var isolation: LauncherIsolation?

    private var onEvents: (@Sendable ([DriverEvent]) -> Void)?
    private var link = Link.down
    private var shutDownAsked = false
    /// The launcher has ended because we asked; no other is started.
    private var shutDown = false
    private var outputDirectory: Int32 = -1
    /// Retries of connecting, and events of our own that must not be told from within a call.
    private var timer: Int32 = -1
    private var retryDelay = LauncherDriver.retryDelayMin
    private var deferredEvents: [DriverEvent] = []
    /// Launchers started by us, to be reaped when they end.
    private var launcherProcesses: [Int32] = []
    private var launcherIsStarting = false
    /// It has been said that a launcher is waited for.
    private var isAwaited = false

    /// As last told; said again to each launcher that is connected to.
    private var leaseEnd: Int64?
    private var waiting: [[UInt8]] = []
    private var waitingBytes = 0
    /// Readable when the socket has room again; watched while `waiting` is not empty.
    private var writability: Int32 = -1
    /// Streams that the launcher has told of and not yet been acknowledged, as bits by attempt.
    private var noticed: [AttemptID: UInt8] = [:]
    private var packet = [UInt8](repeating: 0, count: Int(SUANPAN_PACKET_BYTES_MAX))

    /// - Parameters:
    ///   - runDirectory: absolute, exists; the launcher keeps socket, table and output there.
    ///   - launcherPath: the program; nil where the system keeps a launcher, which this driver then only waits for.
    ///   - launcherArguments: options for the launcher besides the run directory, `--cgroup-root` say.
    public init(runDirectory: String, launcherPath: String?, launcherArguments: [String] = [], loop: any PollLoop, logger: Logger) {
        self.runDirectory = runDirectory
        self.launcherPath = launcherPath
        self.launcherArguments = launcherArguments
        self.loop = loop
        self.logger = logger
    }

    deinit {
        // The loop holds handlers with weak references only; the descriptors end with us.
        for descriptor in [link.descriptor ?? -1, timer, outputDirectory, writability] where descriptor >= 0 { close(descriptor) }
    }

    // MARK: - TaskDriver

    public func start(onEvents: @escaping @Sendable ([DriverEvent]) -> Void) throws(TaskDriverError) {
        precondition(self.onEvents == nil, "started twice")
        if let launcherPath, access(launcherPath, X_OK) != 0 {
            throw TaskDriverError(.unavailable, "the launcher \(launcherPath) cannot be executed: \(errorText(errno))")
        }
        let timer = suanpan_timer_create()
        guard timer >= 0 else { throw TaskDriverError(.unavailable, "cannot make a timer: \(errorText(-timer))") }
        self.timer = timer
        self.onEvents = onEvents
        loop.watch(timer) { [weak self] in self?.timerExpired() }
        connect()
    }

    public func launch(_ orders: [LaunchOrder]) {
        var commands = CommandPackets()
        for order in orders {
            if let refusal = commands.appendStart(order) { tellLater(.ended(order.attempt, Self.unstarted(refusal))) }
        }
        send(commands)
    }

    public func signal(_ attempt: AttemptID, _ signal: Int32) {
        guard (1...64).contains(signal) else { return }
        var commands = CommandPackets()
        commands.appendSignal(attempt, signal)
        send(commands)
    }

    public func holdLease(until instant: Int64) {
        leaseEnd = instant
        guard case .up = link else { return }
        var commands = CommandPackets()
        commands.appendLease(until: instant)
        send(commands)
    }

    public func withdraw(_ attempts: [AttemptID]) {
        send(each: attempts) { $0.appendWithdraw($1) }
    }

    public func release(_ attempts: [AttemptID]) {
        for attempt in attempts { noticed[attempt] = nil }
        send(each: attempts) { $0.appendRelease($1) }
    }

    private func send(each attempts: [AttemptID], _ append: (inout CommandPackets, ArraySlice<AttemptID>) -> Void) {
        var commands = CommandPackets()
        var rest = attempts[...]
        while !rest.isEmpty {
            append(&commands, rest.prefix(CommandPackets.listCountMax))
            rest = rest.dropFirst(CommandPackets.listCountMax)
        }
        send(commands)
    }

    public func readOutput(
        _ attempt: AttemptID, _ stream: OutputStream, offset: Int64, limit: Int
    ) throws(TaskDriverError) -> [UInt8] {
        guard offset >= 0, limit > 0 else { throw TaskDriverError(.refused, "offset \(offset) and limit \(limit) of \(attempt)") }
        acknowledge(attempt, stream)
        guard let directory = openOutputDirectory() else { return [] }
        let name = "\(attempt).\(stream == .stdout ? "out" : "err")"
        let file = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { return [] }
            throw TaskDriverError(.io, "cannot open output \(name): \(errorText(errno))")
        }
        defer { close(file) }
        let capacity = min(limit, Self.readBytesMax)
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            let length = pread(file, buffer.baseAddress, capacity, off_t(offset))
            if length < 0 { failure = errno }
            count = max(length, 0)
        }
        guard failure == 0 else { throw TaskDriverError(.io, "cannot read output \(name): \(errorText(failure))") }
        return bytes
    }

    /// When the launcher was idle and has ended, this driver is at its end too: it starts no other one. A launcher that the
    /// system keeps stays.
    public func shutDownIfIdle() {
        guard launcherPath != nil else { return }
        shutDownAsked = true
        var commands = CommandPackets()
        commands.appendShutdownIfIdle()
        send(commands)
    }

    // MARK: - Telling

    static func unstarted(_ reason: String) -> ProcessEnd {
        let now = suanpan_boottime_ns()
        return ProcessEnd(manner: .cannotExecute(reason), startedAt: now, endedAt: now)
    }

    /// For events that arise within a call of the caller's: it may be in the middle of its own state.
    private func tellLater(_ event: DriverEvent) {
        deferredEvents.append(event)
        _ = suanpan_timer_arm(timer, 1)
    }

    private func tell(_ events: [DriverEvent]) {
        guard !events.isEmpty else { return }
        onEvents?(events)
    }

    private func timerExpired() {
        _ = suanpan_timer_drain(timer)
        let events = deferredEvents
        deferredEvents = []
        if case .down = link, !shutDown { connect() }
        tell(events)
    }

    // MARK: - Connecting

    /// Connects, or starts a launcher and comes back: nothing waits here.
    private func connect() {
        reapLaunchers()
        let descriptor = suanpan_seqpacket_connect(runDirectory, SUANPAN_LAUNCHER_SOCKET, Self.sendBufferBytes)
        if descriptor >= 0 {
            link = .listing(descriptor: descriptor, [])
            loop.watch(descriptor) { [weak self] in self?.readable(descriptor) }
            var commands = CommandPackets()
            commands.appendHello()
            if let leaseEnd { commands.appendLease(until: leaseEnd) }
            // Not `send`: before the listing only these may pass.
            for packet in commands.finished() { enqueue(packet) }
            return
        }
        if descriptor != -ENOENT && descriptor != -ECONNREFUSED && descriptor != -EAGAIN {
            logger.error("cannot connect to the launcher", metadata: ["reason": "\(errorText(-descriptor))"])
        } else if let launcherPath, !launcherIsStarting {
            startLauncher(launcherPath)
        } else if launcherPath == nil, !isAwaited {
            isAwaited = true
            logger.warning("no launcher serves \(runDirectory) yet; it is a unit of its own here (systemctl status suanpan-launcher)")
        }
        _ = suanpan_timer_arm(timer, retryDelay)
        retryDelay = min(retryDelay * 2, Self.retryDelayMax)
    }

    private func startLauncher(_ launcherPath: String) {
        let words = [launcherPath, "--run-dir", runDirectory] + launcherArguments
        let copies = words.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        let arguments: [UnsafePointer<CChar>?] = copies.map { $0.map { UnsafePointer($0) } } + [nil]
        let process = suanpan_spawn_session(launcherPath, arguments, runDirectory + "/launcher.log")
        if process > 0 {
            launcherProcesses.append(process)
            launcherIsStarting = true
            logger.info("launcher started", metadata: ["pid": "\(process)"])
        } else {
            logger.error("cannot start the launcher", metadata: ["reason": "\(errorText(-process))"])
        }
    }

    private func reapLaunchers() {
        launcherProcesses.removeAll { process in
            var status: Int32 = 0
            guard waitpid(process, &status, WNOHANG) != 0 else { return false }
            launcherIsStarting = false
            let code = status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + status & 0x7f
            if code != 0 && code != SUANPAN_LAUNCHER_EXIT_TAKEN {
                logger.error("the launcher ended", metadata: ["status": "\(code)", "log": "\(runDirectory)/launcher.log"])
            }
            return true
        }
    }

    private func disconnect() {
        guard let descriptor = link.descriptor else { return }
        loop.unwatch(descriptor)
        close(descriptor)
        stopWaiting()
        link = .down
        noticed = [:]
        launcherIsStarting = false
    }

    /// The launcher is gone, or does not speak our protocol.
    private func lost(_ reason: String) {
        if shutDown {
            disconnect()
            return
        }
        logger.warning("connection to the launcher lost", metadata: ["reason": "\(reason)"])
        disconnect()
        // The first try waits a moment too: a launcher that ends at once must not keep the loop busy.
        _ = suanpan_timer_arm(timer, retryDelay)
        retryDelay = min(retryDelay * 2, Self.retryDelayMax)
        tell([.lost])
    }

    // MARK: - Sending

    private func send(_ commands: consuming CommandPackets) {
        guard case .up = link else { return }
        for packet in commands.finished() { enqueue(packet) }
    }

    private func acknowledge(_ attempt: AttemptID, _ stream: OutputStream) {
        guard let bits = noticed[attempt], bits & stream.rawValue != 0 else { return }
        noticed[attempt] = bits & ~stream.rawValue == 0 ? nil : bits & ~stream.rawValue
        var commands = CommandPackets()
        commands.appendAcknowledgement(attempt, stream)
        send(commands)
    }

    private func enqueue(_ packet: [UInt8]) {
        guard let descriptor = link.descriptor else { return }
        if waiting.isEmpty {
            let sent = packet.withUnsafeBytes { suanpan_seqpacket_send(descriptor, $0.baseAddress, $0.count) }
            // A connection that has ended is noticed where it is read: not from within a call.
            guard sent == Int(-EAGAIN) else { return }
        }
        waiting.append(packet)
        waitingBytes += packet.count
        if waitingBytes > Self.waitingBytesMax {
            // Nobody reads there. The hang-up that this makes is handled like any other.
            shutdown(descriptor, Int32(SHUT_RDWR))
        } else if writability < 0 {
            writability = suanpan_writability_create(descriptor)
            guard writability >= 0 else {
                shutdown(descriptor, Int32(SHUT_RDWR))
                return
            }
            loop.watch(writability) { [weak self] in self?.sendWaiting() }
        }
    }

    private func sendWaiting() {
        guard let descriptor = link.descriptor else { return }
        var count = 0
        for packet in waiting {
            let sent = packet.withUnsafeBytes { suanpan_seqpacket_send(descriptor, $0.baseAddress, $0.count) }
            if sent < 0 { break }
            count += 1
            waitingBytes -= packet.count
        }
        waiting.removeFirst(count)
        if waiting.isEmpty { stopWaiting() }
    }

    private func stopWaiting() {
        waiting = []
        waitingBytes = 0
        guard writability >= 0 else { return }
        loop.unwatch(writability)
        close(writability)
        writability = -1
    }

    // MARK: - Receiving

    private func readable(_ descriptor: Int32) {
        guard link.descriptor == descriptor else { return }
        var events: [DriverEvent] = []
        var end: String?
        for _ in 0..<Self.receivedPacketsPerTurn {
            let length = packet.withUnsafeMutableBytes { suanpan_seqpacket_receive(descriptor, $0.baseAddress, $0.count) }
            if length == Int(-EAGAIN) { break }
            guard length > 0 else {
                end = length == 0 ? "end of stream" : errorText(Int32(-length))
                break
            }
            let received = packet.withUnsafeBytes { bytes in
                length > bytes.count ? nil : EventPackets.events(of: UnsafeRawBufferPointer(rebasing: bytes[..<length]))
            }
            guard let received else {
                end = "a packet that is not of this protocol version"
                break
            }
            for event in received { take(event, into: &events) }
        }
        tell(events)
        if let end { lost(end) }
    }

    private func take(_ event: LauncherEvent, into events: inout [DriverEvent]) {
        switch event {
        case .welcome(let isolation, let process):
            self.isolation = isolation
            logger.info(
                "connected to the launcher",
                metadata: [
                    "pid": "\(process)", "isolation": "\(isolation.mode)", "memoryBinds": "\(isolation.memoryBinds)",
                    "cpuBinds": "\(isolation.cpuBinds)",
                ])
        case .known(let attempt):
            guard case .listing(let descriptor, var known) = link else { return }
            link = .down  // one owner of the list, or each append copies it
            known.append(attempt)
            link = .listing(descriptor: descriptor, known)
        case .listed:
            guard case .listing(let descriptor, let known) = link else { return }
            link = .up(descriptor: descriptor)
            retryDelay = Self.retryDelayMin
            launcherIsStarting = false
            isAwaited = false
            events.append(.recovered(known))
        case .started(let attempt, let process, let at):
            events.append(.started(attempt, processID: process, at: at))
        case .ended(let attempt, let end, let outputLost):
            noticed[attempt] = nil
            if outputLost { logger.error("output could not be kept", metadata: ["attempt": "\(attempt)"]) }
            events.append(.ended(attempt, end))
        case .outputGrew(let attempt, let stream, let total):
            noticed[attempt, default: 0] |= stream.rawValue
            events.append(.outputGrew(attempt, stream, total: total))
        case .refused(let attempt, let fence, let reason, let error):
            logger.warning("start refused", metadata: ["attempt": "\(attempt)", "fence": "\(fence)", "reason": "\(errorText(error))"])
            // An old fence is the order's fault; the attempt itself goes on.
            guard reason == SUANPAN_REFUSED_TABLE.rawValue else { return }
            events.append(.ended(attempt, Self.unstarted("the launcher's table of attempts is full: \(errorText(error))")))
        case .goodbye(let reason):
            let replaced = reason == SUANPAN_GOODBYE_REPLACED.rawValue
            // Two agents on one run directory would take the launcher from each other in turns; slow turns, at least.
            if replaced { retryDelay = Self.retryDelayMax }
            shutDown = shutDownAsked && !replaced
            logger.notice("the launcher says goodbye", metadata: ["reason": replaced ? "another agent has connected" : "idle"])
        }
    }

    private func openOutputDirectory() -> Int32? {
        if outputDirectory < 0 { outputDirectory = open(runDirectory + "/" + SUANPAN_LAUNCHER_OUTPUT, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        return outputDirectory >= 0 ? outputDirectory : nil
    }
}
