public import ClusterModel

/// What happened to the agent.
public enum AgentInput: Hashable, Sendable {
    case driver([DriverEvent])
    case connected
    case disconnected
    case received(CoordinatorMessage)
    case logAcknowledged(LogAck)
    case staging([StagingEvent])
    /// When the tasks that were looked at said that they had written checkpoints; of those without a mailbox, nothing.
    case mail(of: [AttemptID], [TaskMail.Read])
    /// Bytes free on the jobs' disk, told now and then.
    case diskFree(Int64)
    /// A deadline of `nextDeadline` may be due.
    case tick
}

/// What the agent's shell must do, in order. Idempotent.
public enum AgentEffect: Hashable, Sendable {
    case send(AgentMessage)
    case launch([LaunchOrder])
    /// Bring the attempts' files into place; `staged` or `failed` follows for each.
    case stage([StageOrder])
    /// Remove the attempt's secrets and keep its outputs; `collected` or `failed` follows.
    case collect(AttemptID, Fence)
    /// Stop moving files for the attempt: nobody waits for them any more.
    case abandonFiles(AttemptID, Fence)
    /// Remove what was staged for an attempt that is forgotten.
    case discardFiles(AttemptID)
    /// Only these attempts are known after a restart: what was staged for others is removed.
    case sweepFiles(keeping: [AttemptID])
    /// Where the coordinator serves files from now on.
    case useFiles(FileService)
    case signal(AttemptID, Int32)
    /// Make the place for words to and from a task, before it starts, with nothing of an earlier one in it.
    case openMail(AttemptID, UserAccount)
    /// Put the notice there.
    case giveNotice(AttemptID, TaskMail.Notice)
    /// Look what the tasks have said; `mail` follows at once.
    case readMail([AttemptID])
    case removeMail(AttemptID)
    /// Only these attempts are known after a restart.
    case sweepMail(keeping: [AttemptID])
    /// Successors that still wait shall not start; they end `notStarted`. One that has started runs on.
    case withdraw([AttemptID])
    /// The attempts are reported and their output is kept centrally: the driver may forget them.
    case release([AttemptID])
    /// Read so many bytes of a stream from `offset` and send them as one log chunk.
    case shipOutput(AttemptID, OutputStream, offset: Int64, count: Int)
    /// Keep this where the agent's own restart finds it; a newer session durably, before anything is done in it.
    /// `durably`: so that it survives the machine; otherwise it need only survive the agent.
    case keepLease(KeptLease, durably: Bool)
    /// Whatever becomes of the agent: attempts that depend on the lease must not run beyond this boot instant.
    case holdLease(until: Int64)
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
    case condition(NodeCondition)
}

/// What an agent leaves to its node's next one.
public struct KeptLease: Hashable, Sendable {
    /// The boot instant from which the lease counts; nil when none was confirmed in this boot.
    public var start: Int64?
    /// Of the newest session that the node was welcomed to, in this boot or before.
    public var stateMark: [UInt8]

    public init(start: Int64? = nil, stateMark: [UInt8] = []) {
        self.start = start
        self.stateMark = stateMark
    }
}
