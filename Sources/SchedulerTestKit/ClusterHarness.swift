// A loop under a test's hand: commands in, what was decided out, the state's invariants checked after each step.

public import ClusterModel
public import SchedulingCore

public struct ClusterHarness: ~Copyable {
    public var loop: SchedulerLoop
    public private(set) var now = LogicalTime(nanoseconds: 1_700_000_000_000_000_000)
    /// Every event so far.
    public private(set) var journal: [Event] = []
    public private(set) var violations: [InvariantViolation] = []
    private var lastToken: UInt64 = 0
    private let tokenID = [UInt8](repeating: 1, count: 16)
    private var nodeCount: UInt8 = 0

    public init() {
        loop = SchedulerLoop(core: SchedulerCore(), index: 0)
        journal = loop.lead(cluster: [UInt8](repeating: 7, count: 16), at: now).events
        _ = perform(
            .createJoinToken(
                JoinTokenRecord(
                    id: tokenID, verifier: [UInt8](repeating: 2, count: 32), expiresAt: .distantFuture, usesLeft: 1000, namePrefix: "")))
    }

    public mutating func pass(_ span: Span) { now = now + span }

    /// Steps until nothing is left to do.
    @discardableResult
    public mutating func settle() -> [Batch] {
        var batches: [Batch] = []
        while let batch = loop.step(at: now) {
            batches.append(batch)
            journal += batch.events
            violations += loop.core.check()
        }
        return batches
    }

    /// Ends the coordinator and starts another one from the snapshot of its state, read back.
    public mutating func restart() -> [Batch] {
        guard let core = try? SchedulerCore(snapshot: loop.core.snapshot()) else {
            preconditionFailure("a snapshot that cannot be read back")
        }
        loop = SchedulerLoop(core: core, index: 0)
        let batch = loop.lead(cluster: [UInt8](repeating: 7, count: 16), at: now)
        journal += batch.events
        return [batch] + settle()
    }

    /// Offers a command and returns everything it led to, its reply included.
    public mutating func perform(_ command: Command) -> (batches: [Batch], result: Result<Answer, Rejection>?) {
        lastToken += 1
        let token = RequestToken(lastToken)
        _ = loop.offer(OfferedCommand(command, token: token))
        let batches = settle()
        for batch in batches {
            for case .reply(let reply) in batch.effects where reply.token == token { return (batches, reply.result) }
        }
        return (batches, nil)
    }

    /// Enrols and registers a node; the batches are those of the registration.
    public mutating func addNode(_ inventory: NodeInventory) -> (id: NodeID, batches: [Batch]) {
        nodeCount += 1
        let key = [UInt8](repeating: nodeCount, count: 32)
        let (_, result) = perform(.enroll(tokenID: tokenID, publicKey: key, nodeName: inventory.name))
        guard case .success(.node(let id)) = result else {
            preconditionFailure("enrolment of \(inventory.name): \(String(describing: result))")
        }
        return (id, register(id, inventory))
    }

    public mutating func register(
        _ id: NodeID, _ inventory: NodeInventory, bootID: UInt8 = 9, attempts: [AttemptStatus] = []
    ) -> [Batch] {
        perform(
            .register(
                id,
                Registration(instance: 1, bootID: [UInt8](repeating: bootID, count: 16), inventory: inventory, attempts: attempts))
        ).batches
    }

    public mutating func submit(_ specification: JobSpecification, user: String = "ada", key: String? = nil) -> (
        batches: [Batch], result: Result<Answer, Rejection>?
    ) {
        perform(
            .submit(
                Submission(
                    specification: specification, user: user,
                    key: key.map { Submission.Key(text: $0, requestDigest: [UInt8](repeating: 3, count: 16)) })))
    }

    /// A report of the agent that holds the attempt, in its session.
    public mutating func report(
        _ attempt: AttemptID, on node: NodeID, fence: Fence, _ phase: AttemptStatus.Phase, age: Span = .zero
    ) -> [Batch] {
        report(on: node, [AttemptStatus(attempt: attempt, fence: fence, phase: phase, age: age)])
    }

    public mutating func report(on node: NodeID, _ statuses: [AttemptStatus]) -> [Batch] {
        let session = loop.core.session(of: node) ?? SessionID(0)
        return perform(.report(node, AttemptReport(session: session, statuses: statuses))).batches
    }

    /// Where an attempt was placed or lined up last, from the journal.
    public func place(of attempt: AttemptID) -> (node: NodeID, fence: Fence)? {
        for event in journal.reversed() {
            switch event {
            case .unitsPlaced(let placed) where placed.job == attempt.task.job:
                for unit in placed.units where unit.attempt == attempt.number {
                    for (rank, place) in unit.places.enumerated()
                    where unit.ordinal * UInt32(unit.places.count) + UInt32(rank) == attempt.task.index { return (place.node, place.fence) }
                }
            case .successorsGranted(let granted) where granted.job == attempt.task.job && granted.attempt == attempt.number:
                for slot in granted.slots {
                    for task in slot.tasks where task.ordinal == attempt.task.index { return (slot.node, task.fence) }
                }
            default: break
            }
        }
        return nil
    }
}

/// Nodes and jobs with defaults that a test overrides where it matters.
public enum Build {
    public static func node(_ name: String, cpus: Int64 = 4, memory: Int64 = 8 << 30, gpus: Int = 0, labels: [NamedText] = [])
        -> NodeInventory
    {
        NodeInventory(
            name: name, address: "10.0.0.1", cpuMilli: cpus * 1000, memoryBytes: memory,
            devices: (0..<gpus).map {
                Device(
                    index: UInt32($0), kind: .gpu, vendor: "nvidia", model: "A100", uuid: "gpu-\($0)", pciAddress: "",
                    memoryBytes: 80 << 30,
                    numaNode: nil)
            }, labels: labels)
    }

    public static func job(
        _ name: String = "job", cpuMilli: Int64 = 1000, memory: Int64 = 1 << 30, devices: DeviceRequest? = nil, tasks: UInt32 = 1,
        array: ArrayRange? = nil, priority: Int32 = 0, constraints: [Constraint] = [], onNodeLost: NodeLossPolicy = .wait
    ) -> JobSpecification {
        let resources = ResourceRequest(cpuMilli: cpuMilli, memoryBytes: memory, devices: devices)
        return JobSpecification(
            name: name, priority: priority,
            groups: [TaskGroup(name: "main", count: tasks, resources: resources, constraints: constraints, command: ["work"])],
            array: array,
            onNodeLost: onNodeLost)
    }
}
