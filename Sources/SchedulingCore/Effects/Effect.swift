// What the shells must do once a batch is durable. Idempotent: repeated after replay and reconnection.

public import ClusterModel

public enum Effect: Hashable, Sendable {
    /// For one session of one node; the shell numbers it. A session that is over drops it.
    case command(NodeID, SessionID, AgentCommand.Body)
    /// A registration was accepted: the session begins. The shell adds interval and lease.
    case welcome(NodeID, SessionID, Epoch, registrationSentAt: Int64)
    case refuse(NodeID, Refusal)
    /// The node was removed: close its connections.
    case disconnect(NodeID)
    case reply(Reply)
}
