// Batches as a small cluster would write them: jobs of several tenants, their attempts and the usage that follows.

import ClusterModel
import ClusterPorts
import LedgerHashing
import Metering
import SchedulingCore

struct BatchBuilder {
    private(set) var index: UInt64 = 0
    private(set) var ledger = UsageLedger(cluster: Array(0..<16), head: LedgerHead())
    private var events: [Event] = []
    private var rows: [RowChange] = []
    private var usage: [(record: UsageRecord, bytes: [UInt8])] = []
    private var tenants: [JobID: AcceptedJob] = [:]

    static let allocation = Allocation(
        cpuMilli: 1500, memoryBytes: 3 << 30, devices: [DeviceGrant(index: 2, shareMilli: 250, memoryBytes: 1 << 33)])

    /// The instant of the batch that is being built: one second after the last one's.
    var now: LogicalTime { Sample.time + .seconds(Int64(index)) }

    /// What was added since the last batch.
    mutating func batch() -> JournalBatch {
        index += 1
        defer {
            events = []
            rows = []
            usage = []
        }
        return JournalBatch(index: index, events: events, rows: rows, usage: usage, at: now)
    }

    @discardableResult
    mutating func accept(
        _ id: UInt64, tenant: String = "lab", user: String = "alice", project: String = "default", name: String = "sweep",
        tasks: UInt32 = 1, labels: [NamedText] = [], key: Submission.Key? = nil, retryOf: JobID? = nil
    ) -> AcceptedJob {
        let specification = JobSpecification(
            name: name, tenant: tenant, project: project, groups: [TaskGroup(name: "main", command: ["/bin/true"])],
            array: ArrayRange(first: 0, last: tasks - 1), labels: labels)
        let job = AcceptedJob(id: JobID(id), specification: specification, user: user, key: key, retryOf: retryOf, at: now)
        tenants[job.id] = job
        events.append(.jobAccepted(job))
        rows.append(.jobAccepted(job))
        return job
    }

    mutating func change(_ id: UInt64, _ update: JobUpdate, to specification: JobSpecification) {
        events.append(.jobUpdated(JobID(id), update, at: now))
        rows.append(.jobUpdated(JobID(id), specification))
    }

    mutating func place(_ job: UInt64, _ task: UInt32, attempt number: UInt32 = 1, node: UInt64 = 1) {
        let fence = Fence(index + 1)
        let place = PlacedUnits.Place(node: NodeID(node), fence: fence, allocation: Self.allocation)
        events.append(
            .unitsPlaced(
                PlacedUnits(job: JobID(job), units: [.init(ordinal: task, attempt: number, places: [place])], at: now)))
        rows.append(
            .attemptPlaced(
                AttemptPlacement(
                    attempt: AttemptID(job: JobID(job), index: task, number: number), node: NodeID(node), fence: fence,
                    allocation: Self.allocation, at: now)))
    }

    mutating func start(_ job: UInt64, _ task: UInt32, attempt number: UInt32 = 1) {
        let attempt = AttemptID(job: JobID(job), index: task, number: number)
        events.append(.attemptStarted(attempt, elapsed: .milliseconds(2), at: now))
        rows.append(.attemptStarted(attempt, at: now))
    }

    mutating func stop(_ job: UInt64, _ task: UInt32, attempt number: UInt32 = 1) {
        events.append(.unitStopRequested(StoppedUnit(job: JobID(job), ordinal: task, grace: .seconds(1), reason: .user, at: now)))
        rows.append(.attemptStopping(AttemptID(job: JobID(job), index: task, number: number), .user))
    }

    /// Ends an attempt after `seconds` of use on `worker-<node>`.
    mutating func end(
        _ job: UInt64, _ task: UInt32, attempt number: UInt32 = 1, node: UInt64 = 1, state: JobState = .succeeded,
        reason: Reason = .none, seconds: Int64 = 10, allocated: Allocation = Self.allocation, isSimulated: Bool = false
    ) {
        let attempt = AttemptID(job: JobID(job), index: task, number: number)
        let end = AttemptEnd(
            cause: .exited, exitCode: state == .succeeded ? 0 : 1, elapsed: .seconds(seconds), cpuTime: .milliseconds(1500),
            memoryPeakBytes: 1 << 20, stdoutBytes: 7, detail: state == .succeeded ? "" : "exit 1")
        let ended = EndedAttempt(
            attempt: attempt, node: NodeID(node), end: end, state: state, reason: reason, disposition: .finished(state, reason), at: now)
        events.append(.attemptEnded(ended))
        rows.append(.attemptEnded(ended))
        let accepted = tenants[attempt.task.job]!
        let segment = UsageSegment(
            attempt: attempt, number: 0, tenant: accepted.specification.tenant, project: accepted.specification.project,
            user: accepted.user, node: NodeID(node), nodeName: "worker-\(node)", isSimulated: isSimulated, fence: Fence(index + 1),
            requested: ResourceRequest(), allocated: allocated, deviceModels: ["NVIDIA H200"],
            start: LogicalTime(nanoseconds: now.nanoseconds - Span.seconds(seconds).nanoseconds), end: now, endReason: .completed,
            isBillable: true, billingRule: UsageSegment.currentBillingRule,
            measured: .init(elapsed: end.elapsed, cpuTime: end.cpuTime, memoryPeakBytes: end.memoryPeakBytes))
        rows.append(.usage(segment))
        usage.append(ledger.append(segment))
    }

    mutating func standing(
        _ job: UInt64, _ state: JobState, _ counts: TaskCounts, reason: Reason = .none, exitCode: Int32? = nil
    ) {
        rows.append(
            .job(
                JobStanding(
                    id: JobID(job), state: state, reason: reason, counts: counts, startedAt: now,
                    finishedAt: state.isTerminal ? now : nil, exitCode: exitCode)))
    }

    mutating func note(_ event: Event) { events.append(event) }
}
