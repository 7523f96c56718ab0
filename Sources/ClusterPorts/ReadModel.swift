// Reads over the tables: SQL on read-only connections, through one layer that filters by tenant.

public import ClusterModel
public import Metering
public import SchedulingCore

/// Whose rows a reader may see; every query takes one.
public enum Visibility: Hashable, Sendable {
    case all
    case tenant(String)
}

public struct JobQuery: Hashable, Sendable {
    public var states: [JobState]
    public var name: String?
    public var user: String?
    public var project: String?
    public var labels: [NamedText]
    /// Jobs before this one (newest first); nil starts at the newest.
    public var before: JobID?
    public var limit: Int

    public init(
        states: [JobState] = [], name: String? = nil, user: String? = nil, project: String? = nil, labels: [NamedText] = [],
        before: JobID? = nil, limit: Int = 100
    ) {
        self.states = states
        self.name = name
        self.user = user
        self.project = project
        self.labels = labels
        self.before = before
        self.limit = limit
    }
}

/// A job as its rows tell.
public struct JobRecord: Hashable, Sendable {
    public var accepted: AcceptedJob
    public var standing: JobStanding

    public init(accepted: AcceptedJob, standing: JobStanding) {
        self.accepted = accepted
        self.standing = standing
    }
}

/// An attempt as its rows tell; `end` once it has ended.
public struct AttemptRecord: Hashable, Sendable {
    public var placement: AttemptPlacement
    public var state: JobState
    public var reason: Reason
    public var startedAt: LogicalTime?
    public var endedAt: LogicalTime?
    public var end: AttemptEnd?

    public init(
        placement: AttemptPlacement, state: JobState, reason: Reason, startedAt: LogicalTime?, endedAt: LogicalTime?, end: AttemptEnd?
    ) {
        self.placement = placement
        self.state = state
        self.reason = reason
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.end = end
    }
}

extension AttemptRecord {
    /// When it began to run. Of one that started and ended between two reports, only the end and the time it took are
    /// known; of one that never executed, there is no such instant.
    public var beganAt: LogicalTime? {
        if let startedAt { return startedAt }
        guard let endedAt else { return nil }
        return end?.beginning(endingAt: endedAt)
    }
}

public struct UsageSummaryRow: Hashable, Sendable {
    /// The group: a tenant, project, user or job, as asked.
    public var group: String
    /// Simulated nodes use nothing, so what they "used" stands in rows of its own.
    public var isSimulated: Bool
    public var records: UInt64
    /// Sums over the segments; seconds are exact to the nanosecond and rounded down at the end.
    public var cpuMilliSeconds: Int64
    public var memoryMiBSeconds: Int64
    public var deviceMilliSeconds: Int64
    public var measuredCPUSeconds: Int64

    public init(
        group: String, isSimulated: Bool, records: UInt64, cpuMilliSeconds: Int64, memoryMiBSeconds: Int64, deviceMilliSeconds: Int64,
        measuredCPUSeconds: Int64
    ) {
        self.group = group
        self.isSimulated = isSimulated
        self.records = records
        self.cpuMilliSeconds = cpuMilliSeconds
        self.memoryMiBSeconds = memoryMiBSeconds
        self.deviceMilliSeconds = deviceMilliSeconds
        self.measuredCPUSeconds = measuredCPUSeconds
    }
}

public enum UsageGrouping: String, Hashable, Sendable, CaseIterable {
    case tenant, project, user, job, node
}

public protocol ReadModel: Sendable {
    func job(_ id: JobID, _ visibility: Visibility) async throws(JournalError) -> JobRecord?
    func jobs(_ query: JobQuery, _ visibility: Visibility) async throws(JournalError) -> [JobRecord]
    /// Attempts of a job ordered by task and number, after the given one; of one task when `task` is given.
    func attempts(
        of job: JobID, task: UInt32?, after: AttemptID?, limit: Int, _ visibility: Visibility
    ) async throws(JournalError) -> [AttemptRecord]
    /// The last attempt of each task with an index in the range, ordered by index.
    func lastAttempts(of job: JobID, indices: Range<UInt32>, _ visibility: Visibility) async throws(JournalError) -> [AttemptRecord]
    /// Immutable records in sequence order after `sequence`; `job` narrows them.
    func usage(after sequence: UInt64, limit: Int, job: JobID?, _ visibility: Visibility) async throws(JournalError) -> [UsageRecord]
    func usageSummary(
        by grouping: UsageGrouping, from: LogicalTime?, to: LogicalTime?, _ visibility: Visibility
    ) async throws(JournalError) -> [UsageSummaryRow]
    /// A topology document by digest, as an agent sent it.
    func topology(digest: [UInt8]) async throws(JournalError) -> [UInt8]?
}
