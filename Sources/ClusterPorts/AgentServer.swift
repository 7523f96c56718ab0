public import ClusterModel

/// The coordinator's side of the agent protocol: authenticated sockets, frames and nothing that decides.
public protocol AgentServer: Sendable {
    /// Binds the sockets and begins to serve; returns the endpoints really bound (port 0 picks a free one).
    func start(handler: any AgentServerHandler) async throws(TransportError) -> AgentEndpoints
    /// Queues messages in order for each node, from any thread; never blocks. A node that is not connected, or whose
    /// queue is full, is disconnected instead: it registers again and reconciliation repeats what mattered.
    func send(_ messages: [AddressedMessage])
    /// Closes a node's connections; its key is refused from then on when the handler no longer admits it.
    func disconnect(_ node: NodeID)
    func stop() async
}

public struct AddressedMessage: Sendable {
    public var node: NodeID
    public var message: CoordinatorMessage

    public init(node: NodeID, message: CoordinatorMessage) {
        self.node = node
        self.message = message
    }
}

public struct AgentEndpoints: Hashable, Sendable {
    /// `tcp://host:port` of the control, enrolment and log sockets.
    public var agents: String
    public var enrollment: String
    public var logs: String
    /// CURVE public key of the server, 32 bytes.
    public var publicKey: [UInt8]

    public init(agents: String, enrollment: String, logs: String, publicKey: [UInt8]) {
        self.agents = agents
        self.enrollment = enrollment
        self.logs = logs
        self.publicKey = publicKey
    }
}

/// What the transport tells and asks. Called on the transport's own thread: implementations return at once.
public protocol AgentServerHandler: Sendable {
    /// The node that owns a CURVE public key (32 bytes), asked at each handshake and again for each message, so a
    /// revoked key loses its open connection too; nil refuses.
    func node(ofKey publicKey: [UInt8]) -> NodeID?
    func received(_ messages: [(node: NodeID, message: AgentMessage)])
    /// The node's last connection is gone (socket monitor).
    func disconnected(_ node: NodeID)
    /// Keeps a chunk of output; the answer goes back to the agent, nil sends none.
    func received(_ chunk: LogChunk, from node: NodeID) -> LogAck?
    /// Decides about an enrolment and answers when the decision is durable.
    func enroll(_ request: EnrollmentRequest, answer: @escaping @Sendable (EnrollmentAnswer) -> Void)
    /// The node did not take its messages: its queue was thrown away and its connection closed.
    func overflowed(_ node: NodeID)
    /// Something was dropped; counted each time, logged by the transport once per peer and minute.
    func dropped(_ cause: TransportDrop, peer: String)
}

public enum TransportDrop: String, Hashable, Sendable, CaseIterable {
    case unknownKey = "unknown_key"
    case malformedFrame = "malformed_frame"
    case oversizedFrame = "oversized_frame"
    case rateLimited = "rate_limited"
    case handshakeFailed = "handshake_failed"
}

/// An agent asks to join. It proves that it holds the token's secret and never sends it.
public struct EnrollmentRequest: Hashable, Sendable {
    /// 16 bytes; names the token.
    public var tokenID: [UInt8]
    /// The agent's CURVE public key, 32 bytes: the key it will use from now on.
    public var publicKey: [UInt8]
    public var nodeName: String
    /// HMAC-SHA256 under SHA-256(secret) over the transcript that Protocols/wire.md gives, 32 bytes.
    public var proof: [UInt8]

    public init(tokenID: [UInt8], publicKey: [UInt8], nodeName: String, proof: [UInt8]) {
        self.tokenID = tokenID
        self.publicKey = publicKey
        self.nodeName = nodeName
        self.proof = proof
    }
}

public enum EnrollmentAnswer: Hashable, Sendable {
    case accepted(NodeID)
    /// A stable code (`token_unknown`, `token_expired`, `token_used`, `proof`, `name_taken`, `name`, `busy`) and a sentence.
    case refused(code: String, message: String)
}

/// A failure of the transport: what was tried, on which endpoint, what the system said.
public struct TransportError: Error, CustomStringConvertible {
    public struct Code: Hashable, Sendable {
        private enum Value { case addressInUse, address, key, refused, io }
        private let value: Value
        public static let addressInUse = Code(value: .addressInUse)
        public static let address = Code(value: .address)
        public static let key = Code(value: .key)
        public static let refused = Code(value: .refused)
        public static let io = Code(value: .io)
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
