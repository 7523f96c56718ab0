internal import CZMQ
public import ClusterModel
public import ClusterPorts
public import Logging
internal import WireProtocol

/// An agent's connection to its coordinator: a control socket, and a log socket from the first chunk on.
///
/// Whether it is connected is what the control socket says of itself: with ZMQ_IMMEDIATE it takes messages exactly while
/// a connection with a finished handshake stands. A monitor adds what that cannot tell: why a handshake failed, and an
/// end and a new beginning between two looks. It costs two sockets within the process; simulated agents go without.
///
/// Of its loop's thread only: `open`, `send` and `close` trap elsewhere.
public actor ZMQCoordinatorLink: CoordinatorLink {
    private nonisolated let loop: ZMQPollLoop
    private let endpoints: AgentEndpoints
    private let keyPair: CurveKeyPair
    private let isMonitored: Bool
    private let logger: Logger

    private var handler: (any CoordinatorLinkHandler)?
    private var control: LoopSocket?
    private var monitor: LoopSocket?
    private var logs: LoopSocket?
    private var isConnected = false
    /// Messages of this turn, joined.
    private var outgoing: [JoinedFrame] = []
    private var lastComplaint: [String: ContinuousClock.Instant] = [:]

    /// Frames of one turn, so that a flood delays no job of the loop for long.
    private static let turnBudget = 256

    public nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// Connects to nothing yet.
    ///
    /// - Parameters:
    ///   - endpoints: where the coordinator is, and its key: those of the join token.
    ///   - keyPair: the agent's own, enrolled.
    ///   - isMonitored: false for simulated agents.
    public init(endpoints: AgentEndpoints, keyPair: CurveKeyPair, loop: ZMQPollLoop, isMonitored: Bool = true, logger: Logger) {
        self.endpoints = endpoints
        self.keyPair = keyPair
        self.loop = loop
        self.isMonitored = isMonitored
        self.logger = logger
    }

    // MARK: - CoordinatorLink

    public nonisolated func open(handler: any CoordinatorLinkHandler) throws(TransportError) {
        let result = assumeIsolated { link in
            Result { () throws(TransportError) in try link.connect(handler: handler) }
        }
        try result.get()
    }

    public nonisolated func send(_ message: AgentMessage) { assumeIsolated { $0.queue(message) } }

    public nonisolated func send(_ chunk: LogChunk) -> Bool { assumeIsolated { $0.queue(chunk) } }

    public nonisolated func close() { assumeIsolated { $0.disconnect() } }

    // MARK: - Connecting

    private func connect(handler: any CoordinatorLinkHandler) throws(TransportError) {
        precondition(control == nil, "a link opens once at a time")
        let socket = try loop.makeSocket(.dealer)
        var options = SocketOptions(frameBytesMax: SocketOptions.agentBytesMax, lingerMilliseconds: 500)
        options.connect(keyPair: keyPair, serverKey: endpoints.publicKey)
        options.queue(send: 256, receive: 256)
        options.queueOnlyWhileConnected()
        try socket.apply(options)
        if isMonitored {
            let monitor = try loop.makeMonitor(of: socket)
            monitor.attend { self.assumeIsolated { $0.readMonitor() } }
            self.monitor = monitor
        }
        control = socket
        self.handler = handler
        do { try connect(socket, to: endpoints.agents) } catch {
            disconnect()
            throw error
        }
        socket.attend { self.assumeIsolated { $0.readControl() } }
    }

    private func connect(_ socket: LoopSocket, to endpoint: String) throws(TransportError) {
        guard let error = socket.connect(endpoint) else { return }
        throw TransportError(.address, "cannot connect to \(endpoint): \(error); expected tcp://HOST:PORT")
    }

    private func disconnect() {
        flush()
        for socket in [control, monitor, logs] { socket?.close() }
        control = nil
        monitor = nil
        logs = nil
        handler = nil
        isConnected = false
    }

    // MARK: - State of the connection

    /// Compares what the socket can do with what the handler was told.
    private func refresh() {
        guard let control else { return }
        let isWritable = control.events & ZMQ_POLLOUT != 0
        if isWritable, !isConnected {
            isConnected = true
            handler?.connected()
        } else if !isWritable {
            lose()
        }
    }

    private func lose() {
        outgoing = []
        guard isConnected else { return }
        isConnected = false
        handler?.disconnected()
    }

    private func readMonitor() -> Bool {
        guard let monitor else { return false }
        while monitor.receive() {
            let event = monitor.message.withBytes(SocketEvent.init(frame:))
            monitor.skipRest()
            switch event {
            case .disconnected:
                lose()
            case .handshakeFailed:
                complain(
                    "the handshake with the coordinator failed: the server key differs from the token's, or something else listens there")
            case .handshakeRefused:
                complain("the coordinator refuses this node's key: it was removed, or never enrolled there")
            case .accepted, .acceptFailed, nil:
                break
            }
        }
        refresh()
        return false
    }

    /// Once a minute each.
    private func complain(_ message: String) {
        let now = ContinuousClock.now
        if let last = lastComplaint[message], now - last < DropRegister.interval { return }
        lastComplaint[message] = now
        logger.error("\(message)", metadata: ["coordinator": "\(endpoints.agents)"])
    }

    // MARK: - Control

    private func readControl() -> Bool {
        guard let control else { return false }
        var messages: [CoordinatorMessage] = []
        var isLeft = true
        for _ in 0..<Self.turnBudget {
            guard control.receive() else {
                isLeft = false
                break
            }
            if control.message.hasMore {
                control.skipRest()
                continue
            }
            do { messages += try control.message.withBytes(WireFrame.coordinatorMessages(in:)) } catch {
                // The gap that this leaves makes the agent register again.
                complain("the coordinator sent what this agent does not understand: \(error)")
            }
        }
        if !messages.isEmpty { handler?.received(messages) }
        if !isLeft { refresh() }
        return isLeft && self.control != nil
    }

    private func queue(_ message: AgentMessage) {
        guard isConnected else { return }
        let frame: [UInt8]
        do { frame = try WireFrame.encode(message) } catch {
            return logger.critical("a message cannot be sent", metadata: ["cause": "\(error)"])
        }
        if outgoing.isEmpty { loop.atEndOfTurn { self.assumeIsolated { $0.flush() } } }
        if outgoing.isEmpty || !outgoing[outgoing.count - 1].join(frame) { outgoing.append(JoinedFrame(frame)) }
    }

    private func flush() {
        let frames = outgoing
        outgoing = []
        guard let control else { return }
        for frame in frames {
            // No room: the connection has gone, or the coordinator has not read for hundreds of frames, which is no better.
            if control.send(frame.bytes) != nil { return lose() }
        }
    }

    // MARK: - Logs

    private func queue(_ chunk: LogChunk) -> Bool {
        guard handler != nil else { return false }
        do {
            let frame = try WireFrame.encode(chunk)
            let socket = try logSocket()
            return socket.send(frame) == nil
        } catch {
            complain("output cannot be sent: \(error)")
            return false
        }
    }

    /// Most simulated agents write nothing, so the socket is made for the first chunk. It queues while it connects: were
    /// the first chunk refused, no acknowledgement would ever come to say "try again".
    private func logSocket() throws(TransportError) -> LoopSocket {
        if let logs { return logs }
        let socket = try loop.makeSocket(.dealer)
        var options = SocketOptions(frameBytesMax: SocketOptions.agentBytesMax, lingerMilliseconds: 500)
        options.connect(keyPair: keyPair, serverKey: endpoints.publicKey)
        options.queue(send: 32, receive: 64)
        try socket.apply(options)
        try connect(socket, to: endpoints.logs)
        socket.attend { self.assumeIsolated { $0.readLogs() } }
        logs = socket
        return socket
    }

    private func readLogs() -> Bool {
        guard let logs else { return false }
        var acks: [LogAck] = []
        var isLeft = true
        for _ in 0..<Self.turnBudget {
            guard logs.receive() else {
                isLeft = false
                break
            }
            if logs.message.hasMore {
                logs.skipRest()
            } else if let more = try? logs.message.withBytes(WireFrame.logAcks(in:)) {
                acks += more
            }
        }
        if !acks.isEmpty { handler?.received(acks) }
        return isLeft && self.logs != nil
    }
}
