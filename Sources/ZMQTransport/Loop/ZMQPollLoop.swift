internal import CZMQ
public import ClusterPorts
internal import Synchronization

/// One thread that sleeps in epoll until a watched descriptor, a libzmq socket or a job for its actors needs it.
///
/// A turn: the jobs that waited, the descriptors and sockets that are ready, then what asked to run at the turn's end
/// (sends are gathered until then). Nothing in a turn blocks and everything in it is bounded: sockets hand over at most a
/// few hundred messages, then jobs are looked at again.
///
/// `@unchecked Sendable`: `queue` is behind its lock; `watches`, `listed`, `endings`, `context` and the counters belong to
/// the loop's thread, which every function that touches them checks.
public final class ZMQPollLoop: PollLoop, @unchecked Sendable {
    private enum Work {
        case job(UnownedJob)
        case call(@Sendable () -> Void)
    }

    private enum Phase { case running, stopping, ended }

    /// What other threads put in.
    private struct Queue {
        var work: [Work] = []
        /// The thread will look at `work` before it sleeps, so nobody need wake it.
        var isAwake = true
        var phase = Phase.running
        /// A thread runs late jobs (see `enqueue`).
        var isDrainedLate = false
        var stops: [CheckedContinuation<Void, Never>] = []

        /// True when the thread sleeps: the caller wakes it once it has given up the lock.
        mutating func rouse() -> Bool {
            defer { isAwake = true }
            return !isAwake
        }
    }

    private struct Watch {
        enum Target {
            case descriptor(@Sendable () -> Void)
            case socket(LoopSocket)
        }
        let target: Target
        /// Tells an event of this watch from one of an earlier watch of the same number.
        let generation: UInt32
    }

    private let queue = Mutex(Queue())
    private let owner = Atomic<UInt>(0)
    private let wake: Int32
    private let poll: Int32

    private var context: ZMQContext?
    private var watches: [Int32: Watch] = [:]
    private var generation: UInt32 = 0
    private var monitors: UInt64 = 0
    /// Sockets to look at before the thread sleeps.
    private var listed: [LoopSocket] = []
    private var endings: [() -> Void] = []
    private var work: [Work] = []

    /// Starts the thread. It runs until `stop`.
    ///
    /// - Parameters:
    ///   - name: of the thread, at most 15 bytes.
    ///   - ioThreads: of libzmq; one carries some 300,000 small encrypted messages a second.
    ///   - socketCountMax: about four for each link with a monitor, two for one without.
    public init(name: String = "suanpan-loop", ioThreads: Int = 1, socketCountMax: Int = 1024) throws(TransportError) {
        context = try ZMQContext(ioThreads: Int32(clamping: ioThreads), socketCountMax: Int32(clamping: socketCountMax))
        poll = czmq_epoll_create()
        wake = czmq_eventfd()
        guard poll >= 0, wake >= 0, czmq_epoll_add(poll, wake, UInt64(UInt32(bitPattern: wake))) == 0 else {
            throw TransportError(.io, "cannot create the poll loop: \(ErrorNumber.last); raise the limit of open files (nofile)")
        }
        guard LoopThread.start(name: name, { self.run() }) else {
            throw TransportError(.io, "cannot start a thread; raise the limit of processes (nproc)")
        }
    }

    deinit {
        close(poll)
        close(wake)
    }

    /// Ends the thread after the work queued so far; closes the sockets that are still open. Returns when all is closed.
    /// Safe to call more than once.
    public func stop() async {
        await withCheckedContinuation { continuation in
            let (isAsleep, hasEnded) = queue.withLock { queue in
                if queue.phase == .ended { return (false, true) }
                queue.phase = .stopping
                queue.stops.append(continuation)
                return (queue.rouse(), false)
            }
            if isAsleep { czmq_eventfd_signal(wake) }
            if hasEnded { continuation.resume() }
        }
    }

    /// Runs `call` on the loop's thread, after what was queued before.
    public func post(_ call: @escaping @Sendable () -> Void) { put(.call(call)) }

    // MARK: - Serial executor

    /// After the loop has ended, jobs still run, one at a time on a thread of their own: an actor pinned to a stopped loop
    /// must not hang whoever awaits it.
    public func enqueue(_ job: consuming ExecutorJob) { put(.job(UnownedJob(job))) }

    public func checkIsolated() { precondition(isCurrent, "not on the thread of the poll loop") }

    public func isIsolatingCurrentContext() -> Bool? { isCurrent }

    public func isSameExclusiveExecutionContext(other: ZMQPollLoop) -> Bool { self === other }

    /// The caller runs on the loop's thread.
    public var isCurrent: Bool { owner.load(ordering: .relaxed) == LoopThread.currentID }

    private func put(_ item: Work) {
        let (isAsleep, isLate) = queue.withLock { queue in
            queue.work.append(item)
            guard queue.phase == .ended else { return (queue.rouse(), false) }
            defer { queue.isDrainedLate = true }
            return (false, !queue.isDrainedLate)
        }
        // Not under the lock: the thread would wake only to wait for it.
        if isAsleep { czmq_eventfd_signal(wake) }
        if isLate, !LoopThread.start(name: "suanpan-late", { self.drainLate() }) {
            preconditionFailure("no thread for the jobs of a stopped poll loop")
        }
    }

    private func perform(_ item: Work) {
        switch item {
        case .job(let job): job.runSynchronously(on: asUnownedSerialExecutor())
        case .call(let call): call()
        }
    }

    private func drainLate() {
        owner.store(LoopThread.currentID, ordering: .relaxed)
        while true {
            let late = queue.withLock { queue in
                defer { queue.work = [] }
                queue.isDrainedLate = !queue.work.isEmpty
                // Given up under the lock: the next late thread may begin at once.
                if queue.work.isEmpty { owner.store(0, ordering: .relaxed) }
                return queue.work
            }
            if late.isEmpty { return }
            for item in late { perform(item) }
        }
    }

    // MARK: - The loop

    private func run() {
        owner.store(LoopThread.currentID, ordering: .relaxed)
        var tags = [UInt64](repeating: 0, count: 256)
        var isRunning = true
        while isRunning {
            // 1. Jobs of actors and posted calls; what they add waits for the next turn.
            queue.withLock { swap(&$0.work, &work) }
            for item in work { perform(item) }
            work.removeAll(keepingCapacity: true)

            // 2. Sockets with something left from before, or touched since they were last found empty.
            attendListed()

            // 3. What was gathered during the turn; sending lists the sockets again.
            let ending = endings
            endings = []
            for action in ending { action() }

            // 4. Sleep only when nothing is left; decided under the lock, so that no wake-up is lost.
            let isIdle = listed.isEmpty && endings.isEmpty
            var timeout: Int32 = 0
            (isRunning, timeout) = queue.withLock { queue in
                guard isIdle, queue.work.isEmpty else { return (true, 0) }
                if queue.phase == .stopping { return (false, 0) }
                queue.isAwake = false
                return (true, -1)
            }
            guard isRunning else { break }
            let count = czmq_epoll_wait(poll, &tags, Int32(tags.count), timeout)
            if timeout != 0 { queue.withLock { $0.isAwake = true } }

            // 5. Ready descriptors; ready sockets are listed for step 2.
            for tag in tags.prefix(Int(count)) { dispatch(tag) }
        }
        end()
    }

    private func attendListed() {
        let sockets = listed
        listed.removeAll(keepingCapacity: true)
        for socket in sockets { socket.isListed = false }
        for socket in sockets where socket.isOpen {
            if socket.onReady() { list(socket) }
        }
    }

    private func dispatch(_ tag: UInt64) {
        let descriptor = Int32(bitPattern: UInt32(truncatingIfNeeded: tag))
        if descriptor == wake { return czmq_eventfd_clear(wake) }
        guard let watch = watches[descriptor], watch.generation == UInt32(tag >> 32) else { return }
        switch watch.target {
        case .descriptor(let onReadable): onReadable()
        case .socket(let socket): list(socket)
        }
    }

    private func end() {
        for watch in watches.values {
            if case .socket(let socket) = watch.target { socket.close() }
        }
        watches = [:]
        // Waits for the linger of the sockets, which is bounded.
        context = nil
        let (stops, late) = queue.withLock { queue in
            queue.phase = .ended
            defer { queue.stops = [] }
            queue.isDrainedLate = !queue.work.isEmpty
            if queue.work.isEmpty { owner.store(0, ordering: .relaxed) }
            return (queue.stops, queue.isDrainedLate)
        }
        if late { drainLate() }
        for stop in stops { stop.resume() }
    }

    // MARK: - Descriptors

    public func watch(_ descriptor: Int32, onReadable: @escaping @Sendable () -> Void) {
        add(descriptor, .descriptor(onReadable))
    }

    public func unwatch(_ descriptor: Int32) {
        checkIsolated()
        if watches.removeValue(forKey: descriptor) != nil { czmq_epoll_remove(poll, descriptor) }
    }

    private func add(_ descriptor: Int32, _ target: Watch.Target) {
        unwatch(descriptor)
        generation &+= 1
        let tag = UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor))
        let error = czmq_epoll_add(poll, descriptor, tag)
        // What epoll cannot watch (a regular file, a closed descriptor) is our own mistake.
        precondition(error == 0, "cannot watch descriptor \(descriptor): \(ErrorNumber(value: error))")
        watches[descriptor] = Watch(target: target, generation: generation)
    }

    // MARK: - Sockets

    func makeSocket(_ kind: ZMQSocket.Kind) throws(TransportError) -> LoopSocket {
        checkIsolated()
        guard context != nil else { throw TransportError(.io, "the poll loop has ended") }
        return LoopSocket(loop: self, socket: try context!.makeSocket(kind))
    }

    /// A socket that receives the `SocketEvent`s of another; the caller attends to it.
    func makeMonitor(of socket: LoopSocket) throws(TransportError) -> LoopSocket {
        monitors += 1
        let endpoint = "inproc://monitor-\(monitors)"
        let monitor = try makeSocket(.pair)
        // Without a bound: libzmq's I/O thread would wait for room, and with it all connections.
        try monitor.apply(.unbounded)
        if let error = socket.monitor(endpoint) ?? monitor.connect(endpoint) {
            monitor.close()
            throw TransportError(.io, "cannot monitor a socket: \(error)")
        }
        return monitor
    }

    func attend(_ socket: LoopSocket) {
        checkIsolated()
        add(socket.descriptor, .socket(socket))
        list(socket)
    }

    /// Before the socket closes: libzmq closes its descriptor some time later, on another thread.
    func dismiss(_ socket: LoopSocket) {
        checkIsolated()
        unwatch(socket.descriptor)
    }

    /// Has the socket looked at before the thread sleeps.
    func list(_ socket: LoopSocket) {
        guard !socket.isListed else { return }
        socket.isListed = true
        listed.append(socket)
    }

    /// Runs `action` once at the end of the current turn.
    func atEndOfTurn(_ action: @escaping () -> Void) {
        checkIsolated()
        endings.append(action)
    }
}
