// A trace on the product's own scheduler: the same loop, state and rounds as in a coordinator, with agents that do nothing but say
// that a job has ended when its time has come.

public import ClusterModel
import Placement
import SchedulingCore

public struct QueueSimulation: ~Copyable {
    /// Jobs that end, in order of time.
    private struct End: Comparable {
        var at: LogicalTime
        var job: JobID

        static func < (left: End, right: End) -> Bool { (left.at, left.job) < (right.at, right.job) }
    }

    private struct Running {
        var segment: RunSegment
        var tasks: [(node: NodeID, attempt: AttemptID, fence: Fence)]
    }

    private static let beginning = LogicalTime(nanoseconds: 1_700_000_000_000_000_000)

    private let cluster: QueueCluster
    private let jobs: [QueuedJob]
    private let estimates: Estimates
    /// nil: nothing is preempted.
    private let preemption: PreemptionCharge?
    private var loop = SchedulerLoop(core: SchedulerCore(), index: 0)
    private var sessions: [NodeID: SessionID] = [:]
    private var nodeNumbers: [NodeID: Int] = [:]
    private var ends = BinaryHeap<End>()
    private var running: [JobID: Running] = [:]
    private var next = 0
    /// What of each job is still to be done.
    private var left: [Span]
    /// In the order in which the runs ended.
    public private(set) var segments: [RunSegment] = []

    /// - Parameter jobs: in order of submission.
    public init(of jobs: [QueuedJob], on cluster: QueueCluster, estimates: Estimates, preemption: PreemptionCharge? = nil) {
        (self.jobs, self.cluster, self.estimates, self.preemption) = (jobs, cluster, estimates, preemption)
        left = jobs.map(\.duration)
        _ = loop.lead(cluster: [UInt8](repeating: 1, count: 16), at: Self.beginning)
        addNodes()
        for tenant in Set(jobs.map(\.tenant)).sorted() where !tenant.isEmpty {
            _ = loop.offer(OfferedCommand(.setShareObject(.tenant(TenantRecord(name: tenant)), if: .none)))
        }
        while loop.step(at: Self.beginning) != nil {}
    }

    public private(set) var jobsEnded = 0
    public var isDone: Bool { next == jobs.count && ends.first == nil }

    private mutating func addNodes() {
        let token = [UInt8](repeating: 1, count: 16)
        let record = JoinTokenRecord(
            id: token, verifier: [UInt8](repeating: 2, count: 32), expiresAt: .distantFuture, usesLeft: UInt32(cluster.nodes),
            namePrefix: "")
        _ = loop.offer(OfferedCommand(.createJoinToken(record)))
        while loop.step(at: Self.beginning) != nil {}
        for number in 0..<cluster.nodes {
            let key = (0..<32).map { UInt8(truncatingIfNeeded: (number + 1) >> ($0 % 4 * 8)) }
            _ = loop.offer(OfferedCommand(.enroll(tokenID: token, publicKey: key, nodeName: "n\(number)")))
            while let batch = loop.step(at: Self.beginning) {
                for case .nodeEnrolled(let enrolled) in batch.events { nodeNumbers[enrolled.id] = number }
            }
        }
        precondition(nodeNumbers.count == cluster.nodes, "a node was refused")
        for id in nodeNumbers.keys.sorted() {
            let registration = Registration(
                instance: 1, bootID: [UInt8](repeating: 1, count: 16), inventory: inventory(of: id), attempts: [])
            _ = loop.offer(OfferedCommand(.register(id, registration)))
            while let batch = loop.step(at: Self.beginning) {
                for case .nodeRegistered(let registered) in batch.events { sessions[id] = registered.session }
            }
        }
    }

    private func inventory(of node: NodeID) -> NodeInventory {
        let devices = (0..<cluster.devicesPerNode).map { index in
            Device(
                index: UInt32(index), kind: .gpu, vendor: "", model: "gpu", uuid: "", pciAddress: "", memoryBytes: 1 << 34, numaNode: nil)
        }
        return NodeInventory(
            name: "n\(nodeNumbers[node] ?? 0)", address: "", cpuMilli: 1000 * Int64(cluster.devicesPerNode),
            memoryBytes: 1 << 40, devices: devices, labels: [])
    }

    /// Goes on to the next instant at which something happens.
    public mutating func step() throws(TraceFailure) {
        var instants: [LogicalTime] = []
        if next < jobs.count { instants.append(Self.beginning + jobs[next].submitted) }
        if let end = ends.first { instants.append(end.at) }
        if let wake = loop.nextWake { instants.append(wake) }
        guard let now = instants.min() else { return }
        while let end = ends.first, end.at <= now {
            ends.removeFirst()
            guard let run = running[end.job], Self.beginning + run.segment.end == end.at else { continue }
            jobsEnded += 1
            report(end.job, .exited, at: now)
        }
        while next < jobs.count, Self.beginning + jobs[next].submitted <= now {
            try submit(next, at: now)
            next += 1
        }
        settle(at: now)
    }

    private mutating func settle(at now: LogicalTime) {
        while let batch = loop.step(at: now) { follow(batch, at: now) }
    }

    private mutating func follow(_ batch: Batch, at now: LogicalTime) {
        for event in batch.events {
            switch event {
            case .unitsPlaced(let placed): begin(placed, at: now)
            case .gangsPreempted(let preemption): for gang in preemption.gangs { stop(gang.job, at: now) }
            default: break
            }
        }
    }

    /// It is gone at once; what it has done since its last checkpoint is lost, and it takes a while to begin again.
    private mutating func stop(_ job: JobID, at now: LogicalTime) {
        guard let preemption, var run = running[job] else { return }
        run.segment.end = now - Self.beginning
        running[job] = run
        let ran = run.segment.end.nanoseconds - run.segment.start.nanoseconds
        let kept = ran / preemption.interval.nanoseconds * preemption.interval.nanoseconds
        let index = run.segment.job
        left[index] = Span(nanoseconds: left[index].nanoseconds - kept + preemption.overhead.nanoseconds)
        report(job, .stopped, at: now)
    }

    private mutating func submit(_ index: Int, at now: LogicalTime) throws(TraceFailure) {
        let job = jobs[index]
        let parts = cluster.parts(of: job.devices)
        var groups: [TaskGroup] = []
        for devices in Set(parts).sorted(by: >) {
            let request = ResourceRequest(
                cpuMilli: Int64(devices), memoryBytes: 1 << 20, devices: DeviceRequest(kind: .gpu, count: UInt32(devices)))
            let count = UInt32(parts.lazy.filter { $0 == devices }.count)
            groups.append(TaskGroup(name: "g\(devices)", count: count, resources: request, command: ["work"]))
        }
        let specification = JobSpecification(
            name: job.name, tenant: job.tenant.isEmpty ? "default" : job.tenant, isPreemptible: preemption != nil, groups: groups,
            estimate: estimates.estimate(of: job), grace: preemption == nil ? .seconds(30) : .zero, checkpointInterval: preemption?.interval
        )
        _ = loop.offer(OfferedCommand(.submit(Submission(specification: specification, user: "user", key: nil)), token: RequestToken(1)))
        while let batch = loop.step(at: now) {
            for case .reply(let reply) in batch.effects {
                if case .failure(let rejection) = reply.result { throw TraceFailure("\(job.name) is refused: \(rejection)") }
            }
            follow(batch, at: now)
        }
    }

    private mutating func begin(_ placed: PlacedUnits, at now: LogicalTime) {
        let index = Int(placed.job.value) - 1
        for unit in placed.units {
            let tasks = unit.places.enumerated().map { rank, place in
                (
                    node: place.node, attempt: AttemptID(job: placed.job, index: UInt32(rank), number: unit.attempt), fence: place.fence
                )
            }
            let end = now + left[index]
            let places = unit.places.map { (node: nodeNumbers[$0.node] ?? 0, devices: $0.allocation.devices.count) }
            running[placed.job] = Running(
                segment: RunSegment(job: index, start: now - Self.beginning, end: end - Self.beginning, places: places), tasks: tasks)
            ends.insert(End(at: end, job: placed.job))
        }
    }

    private mutating func report(_ job: JobID, _ cause: AttemptEnd.Cause, at now: LogicalTime) {
        guard let run = running.removeValue(forKey: job) else { return }
        segments.append(run.segment)
        let elapsed = Span(nanoseconds: run.segment.end.nanoseconds - run.segment.start.nanoseconds)
        for task in run.tasks {
            let end = AttemptEnd(cause: cause, exitCode: cause == .exited ? 0 : 137, elapsed: elapsed)
            let status = AttemptStatus(attempt: task.attempt, fence: task.fence, phase: .ended(end), age: .zero)
            let report = AttemptReport(session: sessions[task.node] ?? SessionID(0), statuses: [status])
            _ = loop.offer(OfferedCommand(.report(task.node, report)))
        }
    }
}

/// What it costs a job to give way.
public struct PreemptionCharge: Hashable, Sendable {
    /// Between two checkpoints, from the start of each run.
    public var interval: Span
    /// Until it goes on where it was.
    public var overhead: Span

    /// A checkpoint every 30 minutes, and a minute to go on.
    public static let usual = PreemptionCharge(interval: .seconds(1800), overhead: .seconds(60))

    public init(interval: Span, overhead: Span) {
        self.interval = interval
        self.overhead = overhead
    }
}

/// A trace that cannot be simulated, and why.
public struct TraceFailure: Error, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}
