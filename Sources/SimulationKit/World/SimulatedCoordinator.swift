import ClusterModel
import SchedulingCore

/// Batches that are durable.
struct SimulatedDisk {
    private(set) var batches: [Batch] = []
    private(set) var eventCount = 0

    mutating func append(_ batch: Batch) {
        guard !batch.events.isEmpty else { return }
        precondition(batch.index == UInt64(batches.count) + 1, "batch \(batch.index) after \(batches.count)")
        batches.append(batch)
        eventCount += batch.events.count
    }

    func replay() -> SchedulerCore {
        var core = SchedulerCore()
        var changes = Changes(recording: false)
        for batch in batches {
            for event in batch.events { core.evolve(event, &changes) }
        }
        return core
    }
}

/// One life of a coordinator (a class, since its core cannot be copied into an optional): the production loop and session table, without the engine's tasks.
final class SimulatedCoordinator {
    var loop: SchedulerLoop
    let firstBatch: Batch
    private var sessions = SessionTable(policy: HeartbeatPolicy(intervalMin: .seconds(1), lease: .seconds(10), slack: .seconds(5)))

    init(recovering disk: SimulatedDisk, at now: LogicalTime) {
        loop = SchedulerLoop(core: disk.replay(), index: UInt64(disk.batches.count))
        firstBatch = loop.lead(cluster: [UInt8](repeating: 7, count: 16), at: now)
    }

    func offer(_ command: Command, token: RequestToken? = nil) {
        _ = loop.offer(OfferedCommand(command, token: token))
    }

    func steps(at now: LogicalTime) -> [Batch] {
        var batches: [Batch] = []
        while let batch = loop.step(at: now) { batches.append(batch) }
        return batches
    }

    func expireLeases(at now: LogicalTime) {
        for expired in sessions.expired(at: now) {
            offer(.leaseExpired(expired.node, expired.session, lastHeard: expired.lastHeard))
        }
    }

    func receive(
        _ message: AgentMessage, from node: NodeID, at now: LogicalTime, _ outgoing: inout [(NodeID, SimulatedNetwork.Payload)]
    ) {
        switch message {
        case .register(let registration): offer(.register(node, registration))
        case .heartbeat(let heartbeat):
            if let ack = sessions.heard(heartbeat, from: node, at: now) { outgoing.append((node, .toAgent(.heartbeatAck(ack)))) }
        case .report(let report):
            sessions.heard(from: node, at: now)
            offer(.report(node, report))
        case .topology: break
        case .goodbye(let session): offer(.goodbye(node, session))
        }
    }

    /// Effects of a durable batch.
    func release(_ batch: Batch, at now: LogicalTime, _ outgoing: inout [(NodeID, SimulatedNetwork.Payload)]) {
        for effect in batch.effects {
            switch effect {
            case .command(let node, let session, let body):
                if let command = sessions.number(body, for: node, session) { outgoing.append((node, .toAgent(.command(command)))) }
            case .welcome(let node, let session, let epoch):
                let (interval, lease) = sessions.begin(node, session, epoch, at: now)
                let welcome = Welcome(
                    version: 1, node: node, epoch: epoch, session: session, heartbeatInterval: interval, lease: lease, wantsTopology: false)
                outgoing.append((node, .toAgent(.welcome(welcome))))
            case .refuse(let node, let refusal): outgoing.append((node, .toAgent(.refuse(refusal))))
            case .disconnect, .reply: break
            }
        }
    }
}
