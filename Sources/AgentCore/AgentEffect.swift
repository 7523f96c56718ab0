public import ClusterModel

/// What happened to the agent.
public enum AgentInput: Hashable, Sendable {
    case driver([DriverEvent])
    case connected
    case disconnected
    case received(CoordinatorMessage)
    case logAcknowledged(LogAck)
    /// A deadline of `nextDeadline` may be due.
    case tick
}

/// What the agent's shell must do, in order. Idempotent.
public enum AgentEffect: Hashable, Sendable {
    case send(AgentMessage)
    case launch([LaunchOrder])
    case signal(AttemptID, Int32)
    /// Successors that still wait shall not start; they end `notStarted`. One that has started runs on.
    case withdraw([AttemptID])
    /// The attempts are reported and their output is kept centrally: the driver may forget them.
    case release([AttemptID])
    /// Read so many bytes of a stream from `offset` and send them as one log chunk.
    case shipOutput(AttemptID, OutputStream, offset: Int64, count: Int)
    /// Keep this boot instant where the agent's own restart finds it: the lease counts from there.
    case keepLease(Int64)
    /// Send the topology document.
    case sendTopology
    /// The coordinator refuses this agent for good; the text says why.
    case giveUp(String)
    case note(AgentNote)
}

/// Something worth a line in the log.
public enum AgentNote: Hashable, Sendable {
    case registered(NodeID, Epoch, SessionID)
    case refused(String)
    case missedCommands(applied: UInt64, sent: UInt64)
    case leaseEnded(AttemptID)
}
