public import ClusterModel
public import ClusterPorts
internal import Dispatch
public import Logging
internal import Synchronization
internal import WireProtocol

/// The coordinator's sockets over ZeroMQ: three CURVE routers on a poll loop of their own.
///
/// It starts once: after `stop`, make another.
public final class ZMQAgentServer: AgentServer {
    public struct Configuration: Sendable {
        /// `tcp://address:port`; port 0 picks a free one, address `*` is all of them.
        public var agents: String
        public var enrollment: String
        public var logs: String
        /// CURVE secret key of the coordinator, 32 bytes; its public half is in every join token.
        public var secretKey: [UInt8]
        /// Threads of libzmq. One does for 10,000 nodes in calm; a reconnection of all takes their handshakes' time.
        public var ioThreads = 1
        /// Bytes that may wait for one node before it is disconnected, beside what is in libzmq's pipe to it.
        public var queueBytesMax = 4 << 20
        /// Frames in libzmq's pipe to one node.
        public var sendQueueFrames: Int32 = 128

        public init(agents: String, enrollment: String, logs: String, secretKey: [UInt8]) {
            self.agents = agents
            self.enrollment = enrollment
            self.logs = logs
            self.secretKey = secretKey
        }
    }

    private enum State {
        case idle
        case starting
        case serving(AgentServerCore)
        case stopped
    }

    private let configuration: Configuration
    private let keyPair: CurveKeyPair
    private let logger: Logger
    private let outbox: Outbox
    private let state = Mutex(State.idle)

    /// Throws when the secret key is none; binds nothing yet.
    public init(configuration: Configuration, logger: Logger) throws(TransportError) {
        self.configuration = configuration
        self.logger = logger
        keyPair = try CurveKeyPair(secretKey: configuration.secretKey)
        outbox = Outbox(bytesMax: configuration.queueBytesMax)
    }

    public func start(handler: any AgentServerHandler) async throws(TransportError) -> AgentEndpoints {
        let isFirst = state.withLock { state in
            guard case .idle = state else { return false }
            state = .starting
            return true
        }
        precondition(isFirst, "an agent server starts once")
        let loop = try ZMQPollLoop(name: "suanpan-agents", ioThreads: configuration.ioThreads)
        let core = AgentServerCore(loop: loop, outbox: outbox, configuration: configuration, keyPair: keyPair, logger: logger)
        do {
            let endpoints = try await core.open(handler: handler)
            state.withLock { $0 = .serving(core) }
            return endpoints
        } catch {
            state.withLock { $0 = .stopped }
            await core.close()
            await loop.stop()
            throw error
        }
    }

    public func send(_ messages: [AddressedMessage]) {
        guard let core = serving else { return }
        let frames = messages.map { addressed in (node: addressed.node, frame: encoded(addressed), role: Self.role(of: addressed.message)) }
        let canWait = messages.allSatisfy { if case .heartbeatAck = $0.message { true } else { false } }
        switch outbox.append(frames, flush: canWait ? .soon : .now) {
        case .told: break
        case .now: core.loop.post { core.assumeIsolated { $0.flush() } }
        case .soon:
            DispatchQueue.global().asyncAfter(deadline: .now() + Self.acknowledgementDelay) {
                core.loop.post { core.assumeIsolated { $0.flush() } }
            }
        }
    }

    /// Nobody waits for the answer to a heartbeat, and its lease counts from the sending of the question.
    private static let acknowledgementDelay = DispatchTimeInterval.milliseconds(20)

    private static func role(of message: CoordinatorMessage) -> Outbox.Role {
        switch message {
        case .welcome: .welcome
        case .refuse: .refusal
        case .heartbeatAck, .command, .fileService: .plain
        }
    }

    public func disconnect(_ node: NodeID) {
        guard let core = serving else { return }
        core.loop.post { core.assumeIsolated { $0.disconnect(node) } }
    }

    public func stop() async {
        let core = state.withLock { state -> AgentServerCore? in
            defer { state = .stopped }
            if case .serving(let core) = state { return core }
            return nil
        }
        guard let core else { return }
        await core.close()
        await core.loop.stop()
    }

    private var serving: AgentServerCore? {
        state.withLock { state in
            if case .serving(let core) = state { return core }
            return nil
        }
    }

    /// nil costs the node its connection: its commands would have a gap.
    private func encoded(_ addressed: AddressedMessage) -> [UInt8]? {
        do { return try WireFrame.encode(addressed.message) } catch {
            logger.critical(
                "a message cannot be sent; its node is disconnected", metadata: ["node": "\(addressed.node)", "cause": "\(error)"])
            return nil
        }
    }
}
