// Rows of the tables that go into the same transaction as the events they come from. Reads are SQL over these.

public import ClusterModel
public import Metering

public enum RowChange: Hashable, Sendable {
    case jobAccepted(AcceptedJob)
    /// It is now this.
    case jobUpdated(JobID, JobSpecification)
    /// Latest standing of a job that is not new; one for each job and batch.
    case job(JobStanding)
    case attemptPlaced(AttemptPlacement)
    case attemptStarted(AttemptID, at: LogicalTime)
    case attemptStopping(AttemptID, Reason)
    case attemptEnded(EndedAttempt)
    case usage(UsageSegment)
}

/// How a job stands, in counts.
public struct JobStanding: Hashable, Sendable {
    public var id: JobID
    public var state: JobState
    public var reason: Reason
    public var counts: TaskCounts
    public var startedAt: LogicalTime?
    public var finishedAt: LogicalTime?
    /// Of a terminal job.
    public var exitCode: Int32?

    public init(
        id: JobID, state: JobState, reason: Reason, counts: TaskCounts, startedAt: LogicalTime?, finishedAt: LogicalTime?, exitCode: Int32?
    ) {
        self.id = id
        self.state = state
        self.reason = reason
        self.counts = counts
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.exitCode = exitCode
    }
}

/// Tasks of a job by state; the sum is the job's task count.
public struct TaskCounts: Hashable, Sendable {
    public var queued: UInt32
    public var starting: UInt32
    public var running: UInt32
    public var stopping: UInt32
    public var succeeded: UInt32
    public var failed: UInt32
    public var cancelled: UInt32

    public init(
        queued: UInt32 = 0, starting: UInt32 = 0, running: UInt32 = 0, stopping: UInt32 = 0, succeeded: UInt32 = 0, failed: UInt32 = 0,
        cancelled: UInt32 = 0
    ) {
        self.queued = queued
        self.starting = starting
        self.running = running
        self.stopping = stopping
        self.succeeded = succeeded
        self.failed = failed
        self.cancelled = cancelled
    }

    public var total: UInt32 { queued + starting + running + stopping + succeeded + failed + cancelled }
}

/// An attempt as it was placed.
public struct AttemptPlacement: Hashable, Sendable {
    public var attempt: AttemptID
    public var node: NodeID
    public var fence: Fence
    public var allocation: Allocation
    public var at: LogicalTime

    public init(attempt: AttemptID, node: NodeID, fence: Fence, allocation: Allocation, at: LogicalTime) {
        self.attempt = attempt
        self.node = node
        self.fence = fence
        self.allocation = allocation
        self.at = at
    }
}
