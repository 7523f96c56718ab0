internal import CZMQ
internal import ClusterModel
internal import ClusterPorts
internal import Logging
internal import WireProtocol

/// The server's state, on the loop's thread: sockets, connections, routes. It forwards and decides nothing.
///
/// Reading stands here; `+Sending`, `+Authentication` and `+Enrollment` hold the rest.
actor AgentServerCore {
    /// A router with its monitor and its connections.
    struct Lane {
        let socket: LoopSocket
        let monitor: LoopSocket
        var table = PeerTable()
        /// Our ZAP handler refused the connection that is about to be reported gone.
        var hasRefused = false
    }

    enum LaneKind: Int, CaseIterable {
        case control = 0
        case enrollment = 1
        case logs = 2

        /// Messages of one turn: control must never wait long behind logs.
        var turnBudget: Int {
            switch self {
            case .control: 256
            case .enrollment: 16
            case .logs: 32
            }
        }

        var frameBytesMax: Int { self == .enrollment ? WireLimits.enrollmentBytesMax : WireLimits.frameBytesMax }

        var socketBytesMax: Int { self == .enrollment ? SocketOptions.enrollmentBytesMax : SocketOptions.agentBytesMax }
    }

    static let agentsDomain = "agents"
    static let enrollmentDomain = "enroll"

    nonisolated let loop: ZMQPollLoop
    nonisolated let outbox: Outbox
    let configuration: ZMQAgentServer.Configuration
    let keyPair: CurveKeyPair
    let logger: Logger

    var handler: (any AgentServerHandler)?
    var authenticator: LoopSocket?
    /// Indexed by `LaneKind`; empty before `open` and after `close`.
    var lanes: [Lane] = []
    /// The connection of each node's latest registration.
    var routes: [NodeID: RoutingID] = [:]
    /// Connections that asked for a session while another one has it: two machines may show one key, and whoever is refused
    /// must not take the other's commands.
    var claims: [NodeID: RoutingID] = [:]
    /// Nodes whose pipe was full at the last try.
    var blocked: Set<NodeID> = []
    /// Messages of the turn, in order of arrival, not yet handed over.
    var received: [(node: NodeID, message: AgentMessage)] = []
    var acks: [RoutingID: [JoinedFrame]] = [:]
    var enrolling: Set<RoutingID> = []
    var limiter = EnrollmentLimiter(now: .now)
    var drops = DropRegister()

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(loop: ZMQPollLoop, outbox: Outbox, configuration: ZMQAgentServer.Configuration, keyPair: CurveKeyPair, logger: Logger) {
        self.loop = loop
        self.outbox = outbox
        self.configuration = configuration
        self.keyPair = keyPair
        self.logger = logger
    }

    func open(handler: any AgentServerHandler) throws(TransportError) -> AgentEndpoints {
        self.handler = handler
        // First: a CURVE server without a ZAP handler lets everybody in.
        try openAuthenticator()
        for kind in LaneKind.allCases { lanes.append(try makeLane(kind)) }
        for kind in LaneKind.allCases {
            try bind(kind)
            lanes[kind.rawValue].monitor.attend { self.assumeIsolated { $0.drainMonitor(kind) } }
            lanes[kind.rawValue].socket.attend { self.assumeIsolated { $0.read(kind) } }
        }
        return AgentEndpoints(
            agents: lanes[LaneKind.control.rawValue].socket.lastEndpoint,
            enrollment: lanes[LaneKind.enrollment.rawValue].socket.lastEndpoint,
            logs: lanes[LaneKind.logs.rawValue].socket.lastEndpoint, publicKey: keyPair.publicKey)
    }

    func close() {
        for lane in lanes {
            lane.socket.close()
            lane.monitor.close()
        }
        lanes = []
        authenticator?.close()
        authenticator = nil
        routes = [:]
        claims = [:]
        handler = nil
    }

    /// Closes every connection of a node, on all sockets.
    func disconnect(_ node: NodeID) {
        outbox.discard(node)
        for kind in LaneKind.allCases where !lanes.isEmpty {
            for routing in lanes[kind.rawValue].table.routings(of: node) { cut(kind, routing) }
        }
    }

    // MARK: - Opening

    private func makeLane(_ kind: LaneKind) throws(TransportError) -> Lane {
        let socket = try loop.makeSocket(.router)
        var options = SocketOptions(frameBytesMax: kind.socketBytesMax, lingerMilliseconds: 1000)
        options.serve(secretKey: keyPair.secretKey, domain: kind == .enrollment ? Self.enrollmentDomain : Self.agentsDomain)
        switch kind {
        case .control: options.queue(send: configuration.sendQueueFrames, receive: 256)
        case .enrollment: options.queue(send: 4, receive: 4)
        case .logs: options.queue(send: 64, receive: 16)
        }
        try socket.apply(options)
        return Lane(socket: socket, monitor: try loop.makeMonitor(of: socket))
    }

    private func bind(_ kind: LaneKind) throws(TransportError) {
        let endpoint =
            switch kind {
            case .control: configuration.agents
            case .enrollment: configuration.enrollment
            case .logs: configuration.logs
            }
        guard let error = lanes[kind.rawValue].socket.bind(endpoint) else { return }
        switch error.value {
        case EADDRINUSE:
            throw TransportError(
                .addressInUse, "cannot listen on \(endpoint): another program does; stop it, or choose another port (port 0: a free one)")
        case EACCES:
            throw TransportError(.address, "cannot listen on \(endpoint): ports below 1024 need privileges; choose a higher one")
        default:
            throw TransportError(
                .address,
                "cannot listen on \(endpoint): \(error); expected tcp://ADDRESS:PORT with an address of this machine, or tcp://*:PORT")
        }
    }

    // MARK: - Reading

    /// Reads one lane; true when its budget ended before its messages.
    func read(_ kind: LaneKind) -> Bool {
        guard !lanes.isEmpty else { return false }
        let socket = lanes[kind.rawValue].socket
        var isLeft = true
        for _ in 0..<kind.turnBudget {
            guard socket.receive() else {
                isLeft = false
                break
            }
            readMessage(kind, from: socket)
        }
        deliver()
        switch kind {
        case .control: retryBlocked()
        case .logs: sendAcks()
        case .enrollment: break
        }
        return isLeft && !lanes.isEmpty
    }

    /// A message of two parts, the routing id and the frame; the first is in the socket's buffer.
    private func readMessage(_ kind: LaneKind, from socket: LoopSocket) {
        let routing = socket.message.withBytes(RoutingID.init(frame:))
        guard socket.message.hasMore, socket.receive() else { return }
        guard let routing, !socket.message.hasMore else {
            drop(.malformedFrame, peer: socket.message.peerAddress)
            return socket.skipRest()
        }
        guard let peer = peer(kind, routing, socket.message) else { return }
        guard socket.message.count <= kind.frameBytesMax else {
            drop(.oversizedFrame, peer: peer.address.host)
            return cut(kind, routing)
        }
        switch kind {
        case .control: readControl(routing, peer, socket.message)
        case .logs: readLog(routing, peer, socket.message)
        case .enrollment: readEnrollment(routing, peer, socket.message)
        }
    }

    /// Whose message it is; nil when nobody's whom we admit.
    private func peer(_ kind: LaneKind, _ routing: RoutingID, _ message: borrowing ZMQMessage) -> Peer? {
        if let known = lanes[kind.rawValue].table[routing] { return known }
        guard let key = message.userID.flatMap(Z85.decode) else {
            drop(.unknownKey, peer: message.peerAddress)
            return nil
        }
        _ = drainMonitor(kind)
        guard !lanes.isEmpty else { return nil }
        let node = kind == .enrollment ? nil : handler?.node(ofKey: key)
        switch lanes[kind.rawValue].table.bind(routing, descriptor: message.sourceDescriptor, key: key, node: node) {
        case .bound: break
        case .boundInstead(let former, let peer): ended(kind, former, peer)
        case .gone: return nil
        }
        return lanes[kind.rawValue].table[routing]
    }

    /// The key is asked for at every message: a connection outlives the admission of its key.
    private func admittedNode(_ kind: LaneKind, _ routing: RoutingID, _ peer: Peer) -> NodeID? {
        if let node = handler?.node(ofKey: peer.key), node == peer.node { return node }
        drop(.unknownKey, peer: peer.address.host)
        cut(kind, routing)
        return nil
    }

    private func readControl(_ routing: RoutingID, _ peer: Peer, _ message: borrowing ZMQMessage) {
        guard let node = admittedNode(.control, routing, peer) else { return }
        let messages: [AgentMessage]
        do { messages = try message.withBytes(WireFrame.agentMessages(in:)) } catch {
            return drop(.malformedFrame, peer: "node \(node)", detail: error)
        }
        for message in messages {
            if case .register = message {
                claim(node, routing)
            }
            received.append((node, message))
        }
    }

    private func claim(_ node: NodeID, _ routing: RoutingID) {
        if let holder = routes[node], holder != routing {
            claims[node] = routing
            return
        }
        claims[node] = nil
        routes[node] = routing
        blocked.remove(node)
        // What waits belongs to the session that this registration ends.
        outbox.discard(node)
    }

    private func readLog(_ routing: RoutingID, _ peer: Peer, _ message: borrowing ZMQMessage) {
        guard let node = admittedNode(.logs, routing, peer), let handler else { return }
        do {
            let chunk = try message.withBytes(WireFrame.logChunk(in:))
            guard let ack = handler.received(chunk, from: node) else { return }
            let frame = try WireFrame.encode(ack)
            var frames = acks.removeValue(forKey: routing) ?? []
            if frames.isEmpty || !frames[frames.count - 1].join(frame) { frames.append(JoinedFrame(frame)) }
            acks[routing] = frames
        } catch {
            drop(.malformedFrame, peer: "node \(node)", detail: error)
        }
    }

    /// Hands over what was read. Before every other call of the handler, so that it hears all in the order of arrival.
    func deliver() {
        guard !received.isEmpty else { return }
        let messages = received
        received.removeAll(keepingCapacity: true)
        handler?.received(messages)
    }

    // MARK: - Connections

    /// Takes in all events of a lane's monitor. Always false: nothing is left.
    @discardableResult
    func drainMonitor(_ kind: LaneKind) -> Bool {
        guard !lanes.isEmpty else { return false }
        let monitor = lanes[kind.rawValue].monitor
        while monitor.receive() {
            let event = monitor.message.withBytes(SocketEvent.init(frame:))
            monitor.skipRest()
            if let event { apply(event, kind) }
        }
        return false
    }

    private func apply(_ event: SocketEvent, _ kind: LaneKind) {
        switch event {
        case .accepted(let descriptor):
            let address = PeerAddress(of: descriptor) ?? PeerAddress(host: "unknown", port: "0")
            if let (routing, peer) = lanes[kind.rawValue].table.accepted(descriptor, address: address) { ended(kind, routing, peer) }
        case .acceptFailed(let error):
            logger.error("cannot accept a connection", metadata: ["socket": "\(kind)", "cause": "\(error)"])
        case .handshakeRefused:
            lanes[kind.rawValue].hasRefused = true
        case .handshakeFailed:
            break
        case .disconnected(let descriptor):
            countSilent(descriptor, kind)
            if let (routing, peer) = lanes[kind.rawValue].table.disconnected(descriptor) { ended(kind, routing, peer) }
        }
    }

    /// Counts a connection that ends without a word: a failed handshake. libzmq reports only some of those as such (not a
    /// greeting from before CURVE, for one), and none with its descriptor.
    private func countSilent(_ descriptor: Int32, _ kind: LaneKind) {
        guard let address = lanes[kind.rawValue].table.silentAddress(of: descriptor) else { return }
        // A refusal has been counted by the ZAP handler.
        if !lanes[kind.rawValue].hasRefused { drop(.handshakeFailed, peer: address.host) }
        lanes[kind.rawValue].hasRefused = false
    }

    /// A connection that spoke is gone.
    private func ended(_ kind: LaneKind, _ routing: RoutingID, _ peer: Peer) {
        switch kind {
        case .control: if let node = peer.node { lost(node, routing) }
        case .enrollment: enrolling.remove(routing)
        case .logs: acks[routing] = nil
        }
    }

    /// The route of a node is gone; not news when a later registration has taken its place.
    func lost(_ node: NodeID, _ routing: RoutingID) {
        if claims[node] == routing { claims[node] = nil }
        guard routes[node] == routing else { return }
        routes[node] = nil
        blocked.remove(node)
        outbox.discard(node)
        deliver()
        handler?.disconnected(node)
    }

    /// Ends a connection. libzmq offers a router no way to, so the TCP connection is shut down under it, which it notices
    /// at once. The descriptor is checked first: by now it could be another connection's.
    func cut(_ kind: LaneKind, _ routing: RoutingID) {
        drainMonitor(kind)
        guard !lanes.isEmpty, let peer = lanes[kind.rawValue].table[routing], PeerAddress(of: peer.descriptor) == peer.address else {
            return
        }
        shutDown(peer.descriptor)
    }

    // MARK: - Drops

    func drop(_ cause: TransportDrop, peer: String?, detail: WireError? = nil) {
        let peer = peer ?? "unknown"
        handler?.dropped(cause, peer: peer)
        guard let line = drops.record(cause, peer: peer, now: .now) else { return }
        var metadata: Logger.Metadata = ["cause": "\(cause.rawValue)", "peer": "\(line.peer)", "suppressed": "\(line.suppressed)"]
        if let detail { metadata["detail"] = "\(detail)" }
        logger.warning("dropped what a peer sent", metadata: metadata)
    }
}
