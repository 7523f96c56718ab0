// Sessions of agents: numbering of commands, heartbeats, leases. A value that the transport's shell asks; nothing of it
// is journalled, since every agent registers again with a new leader.

public import ClusterModel

/// How often agents speak and how long their silence is borne.
public struct HeartbeatPolicy: Hashable, Sendable {
    /// For a small cluster; a large one stretches it so that about a thousand heartbeats a second arrive.
    public var intervalMin: Span
    public var intervalMax: Span
    /// The agent's side of the lease: tasks that may be replaced stop after so long without an answer.
    public var lease: Span
    /// The coordinator waits this much longer before it acts: an agent that stopped its tasks at the last instant has
    /// had time to.
    public var slack: Span

    public init(
        intervalMin: Span = .seconds(5), intervalMax: Span = .seconds(30), lease: Span = .seconds(30), slack: Span = .seconds(15)
    ) {
        self.intervalMin = intervalMin
        self.intervalMax = intervalMax
        self.lease = lease
        self.slack = slack
    }

    public func interval(nodes: Int) -> Span {
        let spread = Span.milliseconds(Int64(nodes))
        return min(max(intervalMin, spread), intervalMax)
    }

    /// At least three heartbeats and a margin, whatever the interval has grown to.
    public func lease(nodes: Int) -> Span {
        let beats = Span(nanoseconds: interval(nodes: nodes).nanoseconds * 3)
        return max(lease, beats)
    }
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
    }

    public let policy: HeartbeatPolicy
    private var sessions: [NodeID: Session] = [:]

    public init(policy: HeartbeatPolicy) { self.policy = policy }

    /// The agent was welcomed.
    public mutating func begin(_ node: NodeID, _ session: SessionID, _ epoch: Epoch, at now: LogicalTime) -> (interval: Span, lease: Span) {
        sessions[node] = Session(id: session, epoch: epoch, lastHeard: now)
        return (policy.interval(nodes: sessions.count), policy.lease(nodes: sessions.count))
    }

    /// Any message proves life; a heartbeat of the current session is answered. Not of one whose lease has ended: what was
    /// decided since, only a registration makes good, and without answers the agent registers.
    public mutating func heard(_ heartbeat: Heartbeat, from node: NodeID, at now: LogicalTime) -> HeartbeatAck? {
        guard let session = sessions[node], session.id == heartbeat.session, !session.isExpired else { return nil }
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
        return Span(nanoseconds: policy.lease(nodes: sessions.count).nanoseconds - (now - session.lastHeard).nanoseconds)
    }

    public mutating func heard(from node: NodeID, at now: LogicalTime) {
        guard var session = sessions[node], !session.isExpired else { return }
        session.lastHeard = max(session.lastHeard, now)
        sessions[node] = session
    }

    /// Numbers a command; nil when the session it was decided for is over.
    public mutating func number(_ body: AgentCommand.Body, for node: NodeID, _ session: SessionID) -> AgentCommand? {
        guard var current = sessions[node], current.id == session else { return nil }
        current.commandsSent += 1
        sessions[node] = current
        return AgentCommand(epoch: current.epoch, session: session, sequence: current.commandsSent, body: body)
    }

    /// Nodes whose lease has ended since the last call, ascending.
    public mutating func expired(at now: LogicalTime) -> [(node: NodeID, session: SessionID, lastHeard: LogicalTime)] {
        let patience = policy.lease(nodes: sessions.count).nanoseconds + policy.slack.nanoseconds
        var found: [(node: NodeID, session: SessionID, lastHeard: LogicalTime)] = []
        for node in sessions.keys.sorted() {
            guard let session = sessions[node], !session.isExpired, now.nanoseconds - session.lastHeard.nanoseconds > patience else {
                continue
            }
            sessions[node]!.isExpired = true
            found.append((node, session.id, session.lastHeard))
        }
        return found
    }

    /// The coordinator itself stood still for so long: every lease is extended by it.
    public mutating func extend(by stall: Span) {
        for node in sessions.keys { sessions[node]!.lastHeard = sessions[node]!.lastHeard + stall }
    }

    public mutating func remove(_ node: NodeID) { sessions[node] = nil }
}
