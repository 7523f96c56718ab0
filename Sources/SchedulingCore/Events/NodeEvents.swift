// What is told of nodes, as events hold it.

public import ClusterModel

public struct EnrolledNode: Hashable, Sendable {
    public var id: NodeID
    public var name: String
    public var publicKey: [UInt8]
    public var tokenID: [UInt8]
    /// As its token had it.
    public var membership: NodeMembership
    public var at: LogicalTime

    public init(
        id: NodeID, name: String, publicKey: [UInt8], tokenID: [UInt8], membership: NodeMembership = .none, at: LogicalTime
    ) {
        self.id = id
        self.name = name
        self.publicKey = publicKey
        self.tokenID = tokenID
        self.membership = membership
        self.at = at
    }
}

public struct RegisteredNode: Hashable, Sendable {
    public var id: NodeID
    public var session: SessionID
    public var instance: UInt64
    public var bootID: [UInt8]
    /// nil: as at the last registration.
    public var inventory: NodeInventory?
    public var at: LogicalTime
    /// As in `Registration`. 0 in version 1, which knew nothing of what follows.
    public var sentAt: Int64
    public var sessionSeen: SessionID
    public var condition: NodeCondition
    /// What each device prices at, in milli-CU, as the table of models had it then; nil: as at the last registration.
    public var strengths: [Int64]?

    public init(
        id: NodeID, session: SessionID, instance: UInt64, bootID: [UInt8], inventory: NodeInventory?, at: LogicalTime, sentAt: Int64 = 0,
        sessionSeen: SessionID = SessionID(0), condition: NodeCondition = .good, strengths: [Int64]? = nil
    ) {
        self.strengths = strengths
        self.id = id
        self.session = session
        self.instance = instance
        self.bootID = bootID
        self.inventory = inventory
        self.at = at
        self.sentAt = sentAt
        self.sessionSeen = sessionSeen
        self.condition = condition
    }
}

/// An attempt whose end nobody has seen.
public struct LeftAttempt: Hashable, Sendable {
    public enum Holding: Hashable, Sendable {
        /// What it holds passed to the next in its slot, which is left behind too.
        case nothing
        case allocation(Allocation)
        /// Of a time that the state does not know.
        case unknown
    }

    public var attempt: AttemptID
    public var node: NodeID
    public var fence: Fence
    public var slot: Fence
    public var holding: Holding
    public var at: LogicalTime

    public init(attempt: AttemptID, node: NodeID, fence: Fence, slot: Fence, holding: Holding, at: LogicalTime) {
        self.attempt = attempt
        self.node = node
        self.fence = fence
        self.slot = slot
        self.holding = holding
        self.at = at
    }
}

public struct ContestedNode: Hashable, Sendable {
    public var id: NodeID
    /// Of the machine that speaks out of turn.
    public var bootID: [UInt8]
    /// What it must repeat to show that it lives.
    public var challenge: UInt64
    public var at: LogicalTime

    public init(id: NodeID, bootID: [UInt8], challenge: UInt64, at: LogicalTime) {
        self.id = id
        self.bootID = bootID
        self.challenge = challenge
        self.at = at
    }
}
