import ClusterModel
import SchedulingCore

/// One life of a coordinator (a class, since its core cannot be copied into an optional): the production loop, session table and
/// clock, without the engine's tasks.
final class SimulatedCoordinator {
    struct Outgoing {
        var wire: Int
        var message: CoordinatorMessage
    }

    var loop: SchedulerLoop
    let firstBatches: [Batch]
    /// A batch that the full disk did not take; it is tried again before anything else is decided.
    var waiting: Batch?
    private var sessions = SessionTable(policy: HeartbeatPolicy(intervalMin: .seconds(1), lease: .seconds(10), slack: .seconds(5)))
    private var clock: ClusterClock
    /// The connection whose registration began a node's session, and the one that asks for one.
    private var routes: [NodeID: Int] = [:]
    private var claims: [NodeID: Int] = [:]
    private var lastLook: Int64
    /// Of the last durable batch: the newest that a node may be told.
    private var durableRevision: UInt64

    init(recovering disk: SimulatedDisk, wall: Int64, boot: Int64, acceptingLoss: Bool = false) {
        loop = SchedulerLoop(core: disk.recover(), index: UInt64(disk.batches.count))
        clock = ClusterClock(wall: wall, boot: boot, floor: disk.lastInstant)
        lastLook = boot
        let now = clock.now(wall: wall, boot: boot)
        let restored = acceptingLoss ? [loop.restore(cluster: [UInt8](repeating: 8, count: 16), at: now)] : []
        firstBatches = restored + [loop.lead(cluster: [UInt8](repeating: 7, count: 16), at: now)]
        durableRevision = loop.core.revision
        for awaited in loop.core.awaitedNodes { sessions.expect(awaited.node, awaited.session, at: now) }
    }

    func time(wall: Int64, boot: Int64) -> LogicalTime { clock.now(wall: wall, boot: boot) }

    func offer(_ command: Command, token: RequestToken? = nil) {
        _ = loop.offer(OfferedCommand(command, token: token))
    }

    func steps(at now: LogicalTime) -> [Batch] {
        var batches: [Batch] = []
        while let batch = loop.step(at: now) { batches.append(batch) }
        return batches
    }

    /// As the engine looks: what stood still was the coordinator, not the agents.
    func expireLeases(at now: LogicalTime, boot: Int64) {
        let stall = boot - lastLook - 1_000_000_000
        lastLook = boot
        if stall > 1_000_000_000 { sessions.extend(by: Span(nanoseconds: stall)) }
        for expired in sessions.expired(at: now) {
            offer(.leaseExpired(expired.node, expired.session, lastHeard: expired.lastHeard))
        }
    }

    func disconnected(_ node: NodeID, wire: Int) {
        if routes[node] == wire { offer(.disconnected(node)) }
    }

    func receive(_ message: AgentMessage, from node: NodeID, wire: Int, at now: LogicalTime) -> [Outgoing] {
        switch message {
        case .register(let registration):
            claims[node] = wire
            // Without the proof: no simulated node makes up a mark.
            let seen = (try? SeenState(canonicalBytes: registration.stateMark)) ?? SeenState()
            offer(.register(node, registration, seen: seen))
        case .heartbeat(let heartbeat):
            guard var ack = sessions.heard(heartbeat, from: node, at: now) else { return [] }
            ack.stateMark = mark(ack.session)
            return [Outgoing(wire: wire, message: .heartbeatAck(ack))]
        case .report(let report):
            sessions.heard(report.session, from: node, at: now)
            offer(.report(node, report))
        case .topology: break
        case .goodbye(let session): offer(.goodbye(node, session))
        }
        return []
    }

    private func mark(_ session: SessionID) -> [UInt8] {
        SeenState(epoch: loop.core.epoch, revision: durableRevision, session: session).canonicalBytes
    }

    /// Effects of a durable batch, the last that was decided.
    func release(_ batch: Batch, at now: LogicalTime) -> [Outgoing] {
        var outgoing: [Outgoing] = []
        durableRevision = loop.core.revision
        for event in batch.events {
            switch event {
            case .nodeRemoved(let node, _), .nodeConfirmedDead(let node, _): sessions.remove(node)
            default: break
            }
        }
        for effect in batch.effects {
            switch effect {
            case .command(let node, let session, let body):
                guard let wire = routes[node], var command = sessions.number(body, for: node, session) else { continue }
                if case .start = body { command.stateMark = mark(session) }
                outgoing.append(Outgoing(wire: wire, message: .command(command)))
            case .welcome(let node, let session, let epoch, let sentAt):
                let (interval, lease) = sessions.begin(node, session, epoch, at: now)
                guard let wire = claims[node] else { continue }
                routes[node] = wire
                let welcome = Welcome(
                    version: 1, node: node, epoch: epoch, session: session, heartbeatInterval: interval, lease: lease, wantsTopology: false,
                    registrationSentAt: sentAt, stateMark: mark(session))
                outgoing.append(Outgoing(wire: wire, message: .welcome(welcome)))
            case .refuse(let node, let refusal):
                if let wire = claims[node] { outgoing.append(Outgoing(wire: wire, message: .refuse(refusal))) }
            case .disconnect, .reply: break
            }
        }
        return outgoing
    }
}
