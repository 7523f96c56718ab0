import ClusterModel
import ClusterPorts
import Metering
import SchedulingCore
import Synchronization

/// Things that tests put into the fake coordinator.
enum Fixture {
    /// 2026-01-31T08:30:00.25Z
    static let now = LogicalTime(nanoseconds: 1_769_848_200_250_000_000)
    static let secret = String(repeating: "5e", count: 32)
    /// SHA-256 of the secret's text.
    static let secretDigest = bytes("8414cd6b08e92be7f34132d9f8fabaa0cf0f072bab807b434e7ff02efc918a1e")

    static let keys: [AccessKey] = [
        key("000000ad", "default", "root", .admin), key("0000000a", "vision", "li", .user), key("000000aa", "vision", "eye", .viewer),
        key("000000b1", "default", "books", .billing), key("0000000b", "speech", "ana", .user),
    ]

    private static func key(_ id: String, _ tenant: String, _ user: String, _ role: Role) -> AccessKey {
        AccessKey(
            id: id, secretDigest: secretDigest, tenant: tenant, user: user, role: role, createdAt: now)
    }

    static func bytes(_ hexadecimal: String) -> [UInt8] {
        var digits = hexadecimal.utf8.makeIterator()
        var bytes: [UInt8] = []
        while let high = digits.next(), let low = digits.next() {
            bytes.append(UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)!)
        }
        return bytes
    }

    static let node: NodeView = {
        let gpu = Device(
            index: 0, kind: .gpu, vendor: "nvidia", model: "NVIDIA H200", uuid: "GPU-1", pciAddress: "0000:01:00.0",
            memoryBytes: 141 << 30, numaNode: 0)
        let inventory = NodeInventory(
            name: "worker-1", address: "10.0.0.1", cpuMilli: 8000, memoryBytes: 16 << 30, devices: [gpu],
            topology: TopologySummary(
                architecture: "x86_64", cpuModel: "Test \"CPU\"", packages: 1, numaNodes: 1, cores: 4,
                processingUnits: 8),
            topologyDigest: Array(repeating: 9, count: 32), labels: [NamedText("zone", "a")])
        return NodeView(
            id: NodeID(1), name: "worker-1", state: .ready, inventory: inventory, cpuMilliAllocated: 500, memoryBytesAllocated: 1 << 30,
            devices: [NodeView.DeviceView(device: gpu, shareMilliAllocated: 250, memoryBytesAllocated: 7 << 30)],
            liveAttempts: [AttemptID(job: JobID(1), index: 0, number: 1)], enrolledAt: now, registeredAt: now)
    }()

    static func specification(
        tenant: String = "vision", name: String = "digits", count: UInt32 = 1, array: ArrayRange? = nil, labels: [NamedText] = []
    ) -> JobSpecification {
        JobSpecification(
            name: name, tenant: tenant,
            groups: [
                TaskGroup(
                    name: "main", count: count, command: ["python3", "train.py"],
                    environment: [SealedVariable(name: "TOKEN", sealedValue: [1, 2, 3])])
            ], array: array, labels: labels)
    }

    static func attempt(
        _ job: UInt64, _ index: UInt32, _ number: UInt32, _ state: JobState = .running, _ reason: Reason = .none, end: AttemptEnd? = nil
    ) -> AttemptRecord {
        AttemptRecord(
            placement: AttemptPlacement(
                attempt: AttemptID(job: JobID(job), index: index, number: number), node: NodeID(1), fence: Fence(17),
                allocation: Allocation(
                    cpuMilli: 1000, memoryBytes: 1 << 30, devices: [DeviceGrant(index: 0, shareMilli: 250, memoryBytes: 7)]),
                at: now),
            state: state, reason: reason, startedAt: now, endedAt: end == nil ? nil : now, end: end)
    }

    static func usage(_ sequence: UInt64, tenant: String = "vision", job: UInt64 = 1) -> UsageRecord {
        UsageRecord(
            sequence: sequence, recordID: Array(repeating: UInt8(sequence), count: 16),
            segment: UsageSegment(
                attempt: AttemptID(job: JobID(job), index: 0, number: 1), number: 0, tenant: tenant, project: "demo", user: "li",
                node: NodeID(1), nodeName: "worker-1", isSimulated: false, fence: Fence(17), requested: ResourceRequest(),
                allocated: Allocation(cpuMilli: 1000, memoryBytes: 1 << 30), deviceModels: [], start: now, end: now + .seconds(5),
                endReason: .completed, isBillable: true, billingRule: 1,
                measured: .init(elapsed: .seconds(5), cpuTime: .seconds(4), memoryPeakBytes: 4096)),
            previousHash: Array(repeating: 0, count: 32))
    }
}

extension FakeControlPlane {
    /// Accepts a job; live unless it is given an end.
    @discardableResult
    func add(_ specification: JobSpecification, user: String = "li", state: JobState = .running, reason: Reason = .none) -> JobID {
        self.state.withLock { fake in
            let id = JobID(UInt64(fake.records.count) + 1)
            let standing = JobStanding(
                id: id, state: state, reason: reason, counts: TaskCounts(running: specification.taskCount), startedAt: Fixture.now,
                finishedAt: state.isTerminal ? Fixture.now : nil, exitCode: state.isTerminal ? 0 : nil)
            fake.records[id] = JobRecord(
                accepted: AcceptedJob(id: id, specification: specification, user: user, key: nil, retryOf: nil, at: Fixture.now),
                standing: standing)
            if !state.isTerminal { fake.live[id] = LiveJobView(standing: standing, waitingExplanation: "") }
            return id
        }
    }

    func add(_ attempts: AttemptRecord...) {
        state.withLock { state in
            state.attempts.removeAll { old in attempts.contains { $0.placement.attempt == old.placement.attempt } }
            state.attempts += attempts
            state.revision += 1
        }
    }

    func end(_ id: JobID, _ state: JobState = .succeeded, _ reason: Reason = .none) {
        self.state.withLock { $0.end(id, state, reason, exitCode: 0) }
    }

    var commands: [Command] { state.withLock { $0.commands } }
}
