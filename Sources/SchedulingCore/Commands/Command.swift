// Requests to the core. Each can be refused; each is stamped with cluster time by the shell.

public import ClusterModel

/// Names a waiting caller; the loop answers it when the decision is durable.
public struct RequestToken: Hashable, Sendable {
    public let value: UInt64
    public init(_ value: UInt64) { self.value = value }
}

public enum Command: Hashable, Sendable {
    // From people, through the REST interface.
    case submit(Submission)
    case cancel(JobID)
    case updateJob(JobID, JobUpdate)
    /// A new job like an ended one; the shell brings the specification from the tables.
    case retry(JobID, Submission)
    case setNodeCordon(NodeID, isCordoned: Bool)
    /// Cordons it; what runs may end by itself within the span, for ever without one. A later one replaces the span.
    case drainNode(NodeID, within: Span?)
    case removeNode(NodeID)
    /// To a pool; empty: to none.
    case moveNode(NodeID, pool: String)
    /// An administrator vouches for it: the node's machine is gone, and everything that ran there with it.
    case confirmDead(NodeID)
    case createJoinToken(JoinTokenRecord)
    case createKey(AccessKey)
    case revokeKey(String)
    case setSecret(SecretRecord)
    case removeSecret(tenant: String, name: String)
    case createDataset(DatasetVersion)
    case removeDataset(tenant: String, name: String, version: String)

    /// Makes or changes it.
    case setShareObject(ShareObject, if: ShareObjectCondition)
    case removeShareObject(ShareObjectID, if: ShareObjectCondition)

    // From agents, through the transport.
    case enroll(tokenID: [UInt8], publicKey: [UInt8], nodeName: String)
    /// `seen`: what its mark says, once the coordinator has found it to be its own words; otherwise nothing.
    case register(NodeID, Registration, seen: SeenState = SeenState())
    case report(NodeID, AttemptReport)
    case disconnected(NodeID)
    case goodbye(NodeID, SessionID)

    // From the shell's own clocks. Each carries what was seen, so a late one changes nothing.
    /// The node was last heard at `lastHeard`; its lease has ended by now.
    case leaseExpired(NodeID, SessionID, lastHeard: LogicalTime)
    /// Timers of the core are due.
    case tick
}

/// A job as a principal submits it; its secrets are sealed already.
public struct Submission: Hashable, Sendable {
    /// Makes a retry after a lost reply get the first answer.
    public struct Key: Hashable, Sendable {
        public var text: String
        /// First 16 bytes of SHA-256 over the request body: the same key with another body is refused.
        public var requestDigest: [UInt8]

        public init(text: String, requestDigest: [UInt8]) {
            self.text = text
            self.requestDigest = requestDigest
        }
    }

    public var specification: JobSpecification
    public var user: String
    public var key: Key?
    /// The state version that it was planned for; nil: it is meant for any. Of a repetition with a known key nothing is required.
    public var requiredRevision: UInt64?

    public init(specification: JobSpecification, user: String, key: Key?, requiredRevision: UInt64? = nil) {
        self.specification = specification
        self.user = user
        self.key = key
        self.requiredRevision = requiredRevision
    }
}

/// A command with the caller that waits for its outcome, if any.
public struct OfferedCommand: Sendable {
    public var command: Command
    public var token: RequestToken?
    /// When it arrived, by whatever clock the shell has; the core only hands it back with the batch.
    public var arrivedAt: Int64

    public init(_ command: Command, token: RequestToken? = nil, arrivedAt: Int64 = .max) {
        self.command = command
        self.token = token
        self.arrivedAt = arrivedAt
    }
}
