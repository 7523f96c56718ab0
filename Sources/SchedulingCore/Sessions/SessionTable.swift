// Sessions of agents: numbering of commands, heartbeats, leases. A value that the transport's shell asks; nothing of it
// is journalled, since every agent registers again with a new leader.

public import ClusterModel

/// How often agents speak and how long their silence is borne.
public struct HeartbeatPolicy: Hashable, Sendable {
    /// For a small cluster; a large one stretches it so that about a thousand heartbeats a second arrive.
    public var intervalMin: Span
    /// The agent's side of the lease: tasks that may be replaced stop after so long without an answer. The same for every
    /// session, whatever the size of the cluster was when it began.
    public var lease: Span
    /// The coordinator waits this much longer before it acts: an agent that stopped its tasks at the last instant has
    /// had time to.
    public var slack: Span

    public init(intervalMin: Span = .seconds(5), lease: Span = .seconds(30), slack: Span = .seconds(15)) {
        self.intervalMin = intervalMin
        self.lease = lease
        self.slack = slack
    }

    /// At most a third of the lease, so that one lost heartbeat ends nothing.
    public func interval(nodes: Int) -> Span {
        let spread = Span.milliseconds(Int64(nodes))
        return min(max(intervalMin, spread), Span(nanoseconds: max(intervalMin.nanoseconds, lease.nanoseconds / 3)))
    }

    /// From the last word of an agent to the end of what depends on its lease.
    var patience: Int64 { lease.nanoseconds + slack.nanoseconds }
}

public struct SessionTable: Sendable {
    private struct Session {
        var id: SessionID
        var epoch: Epoch
        var commandsSent: UInt64 = 0
        var lastHeard: LogicalTime
        /// The expiry was told to the core; silence until the agent is heard again.
        var isExpired = false
        /// As the last heartbeat told.
        var load: NodeLoad?
        /// The node has not registered in this epoch; commands wait for that, its lease runs.
        var isAwaited = false
    }

    public let policy: HeartbeatPolicy
    private var sessions: [NodeID: Session] = [:]
    public private(set) var breaker = ExpiryBreaker()

    public init(policy: HeartbeatPolicy) { self.policy = policy }

    /// A coordinator begins to lead: what an earlier one heard last of a node is not known, so its lease counts from now. Until
    /// the node registers or the lease has ended, nothing is held against it.
    public mutating func expect(_ node: NodeID, _ session: SessionID, at now: LogicalTime) {
        sessions[node] = Session(id: session, epoch: Epoch(0), lastHeard: now, isAwaited: true)
    }

    /// The agent was welcomed.
    public mutating func begin(_ node: NodeID, _ session: SessionID, _ epoch: Epoch, at now: LogicalTime) -> (interval: Span, lease: Span) {
        sessions[node] = Session(id: session, epoch: epoch, lastHeard: now)
        return (policy.interval(nodes: sessions.count), policy.lease)
    }

    /// Any message proves life; a heartbeat of the current session is answered. Not of one whose lease has ended: what was
    /// decided since, only a registration makes good, and without answers the agent registers.
    public mutating func heard(_ heartbeat: Heartbeat, from node: NodeID, at now: LogicalTime) -> HeartbeatAck? {
        guard let session = sessions[node], session.id == heartbeat.session, !session.isExpired, !session.isAwaited else { return nil }
        heard(from: node, at: now)
        sessions[node]!.load = heartbeat.load
        return HeartbeatAck(
            session: session.id, number: heartbeat.number, commandsSent: session.commandsSent,
            interval: policy.interval(nodes: sessions.count))
    }

    /// What the node last told of its load; nil when it told nothing in this session or its lease has ended.
    public func load(of node: NodeID) -> NodeLoad? {
        guard let session = sessions[node], !session.isExpired else { return nil }
        return session.load
    }

    /// What was left of the agent's side of the lease when it is heard now.
    public func margin(of node: NodeID, at now: LogicalTime) -> Span? {
        guard let session = sessions[node], !session.isExpired else { return nil }
        return Span(nanoseconds: policy.lease.nanoseconds - (now - session.lastHeard).nanoseconds)
    }

    /// A report of the current session.
    public mutating func heard(_ session: SessionID, from node: NodeID, at now: LogicalTime) {
        if sessions[node]?.id == session { heard(from: node, at: now) }
    }

    private mutating func heard(from node: NodeID, at now: LogicalTime) {
        guard var session = sessions[node], !session.isExpired, !session.isAwaited else { return }
        session.lastHeard = max(session.lastHeard, now)
        sessions[node] = session
    }

    /// Numbers a command; nil when the session it was decided for is over.
    public mutating func number(_ body: AgentCommand.Body, for node: NodeID, _ session: SessionID) -> AgentCommand? {
        guard var current = sessions[node], current.id == session, !current.isAwaited else { return nil }
        current.commandsSent += 1
        sessions[node] = current
        return AgentCommand(epoch: current.epoch, session: session, sequence: current.commandsSent, body: body)
    }

    /// Nodes whose lease has ended since the last call, ascending; as many of them as the breaker lets pass.
    public mutating func expired(at now: LogicalTime) -> [(node: NodeID, session: SessionID, lastHeard: LogicalTime)] {
        var overdue: [NodeID] = []
        var living = 0
        for (node, session) in sessions where !session.isExpired {
            living += 1
            if now.nanoseconds - session.lastHeard.nanoseconds > policy.patience { overdue.append(node) }
        }
        let allowed = breaker.allowance(overdue: overdue.count, of: living, at: now)
        return overdue.sorted().prefix(allowed).map { node in
            sessions[node]!.isExpired = true
            return (node, sessions[node]!.id, sessions[node]!.lastHeard)
        }
    }

    /// The coordinator itself stood still for so long: every lease is extended by it.
    public mutating func extend(by stall: Span) {
        for node in sessions.keys { sessions[node]!.lastHeard = sessions[node]!.lastHeard + stall }
    }

    public mutating func remove(_ node: NodeID) { sessions[node] = nil }
}
