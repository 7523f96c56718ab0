// What a user asks for. The job file and `POST /v1/jobs` are views of this value.

/// A set of equal tasks within a gang.
public struct TaskGroup: Hashable, Sendable {
    public var name: String
    /// Tasks of this group in each gang, at least 1.
    public var count: UInt32
    public var resources: ResourceRequest
    public var constraints: [Constraint]
    public var command: [String]
    /// Names in clear, values sealed: the state, the journal and every copy hold only sealed text.
    public var environment: [SealedVariable]
    /// Absolute, or empty for a directory of the job's own on its node.
    public var workDirectory: String

    public init(
        name: String, count: UInt32 = 1, resources: ResourceRequest = ResourceRequest(), constraints: [Constraint] = [],
        command: [String], environment: [SealedVariable] = [], workDirectory: String = ""
    ) {
        self.name = name
        self.count = count
        self.resources = resources
        self.constraints = constraints
        self.command = command
        self.environment = environment
        self.workDirectory = workDirectory
    }
}

/// An environment variable whose value only the sealing shell can read.
public struct SealedVariable: Hashable, Sendable {
    public var name: String
    public var sealedValue: [UInt8]

    public init(name: String, sealedValue: [UInt8]) {
        self.name = name
        self.sealedValue = sealedValue
    }
}

/// Indices of an array, and how many elements may run at once.
public struct ArrayRange: Hashable, Sendable {
    public static let forms = "FIRST-LAST such as 0-999, optionally %LIMIT for how many may run at once"

    public var first: UInt32
    public var last: UInt32
    /// 0: no limit.
    public var concurrencyLimit: UInt32

    public init(first: UInt32, last: UInt32, concurrencyLimit: UInt32 = 0) {
        self.first = first
        self.last = last
        self.concurrencyLimit = concurrencyLimit
    }

    public init(parsing text: String) throws(QuantityError) {
        let halves = text.split(separator: "%", omittingEmptySubsequences: false)
        let bounds = halves[0].split(separator: "-", omittingEmptySubsequences: false)
        guard halves.count <= 2, bounds.count == 2, let first = UInt32(strictDecimal: bounds[0]),
            let last = UInt32(strictDecimal: bounds[1]), first <= last
        else { throw QuantityError(text: text, expected: Self.forms) }
        var limit: UInt32 = 0
        if halves.count == 2 {
            guard let parsed = UInt32(strictDecimal: halves[1]), parsed > 0 else {
                throw QuantityError(text: text, expected: Self.forms)
            }
            limit = parsed
        }
        self.init(first: first, last: last, concurrencyLimit: limit)
    }

    public var text: String { "\(first)-\(last)" + (concurrencyLimit > 0 ? "%\(concurrencyLimit)" : "") }
}

/// A job that must end first.
public struct Dependency: Hashable, Sendable {
    public enum Condition: UInt8, NamedTag {
        /// It succeeded.
        case ok = 1
        /// It ended, however.
        case any = 2
        /// It failed or was cancelled.
        case fail = 3

        public static let names = TagNames<Self>()

        /// What is waited for, as in "waits for job 7 to succeed".
        public var wish: String {
            switch self {
            case .ok: "to succeed"
            case .any: "to end"
            case .fail: "to fail"
            }
        }

    }

    public var job: JobID
    public var condition: Condition

    public init(job: JobID, condition: Condition) {
        self.job = job
        self.condition = condition
    }
}

/// How often and after which causes a task is tried again.
public struct RetryPolicy: Hashable, Sendable {
    /// Further attempts after the first.
    public var limit: UInt32
    /// Causes that are retried; sorted.
    public var causes: [Reason]
    /// Of some causes, further attempts after the first that ended so: less than `limit` allows. Sorted by cause.
    public var limits: [CauseLimit]
    /// The wait before the second attempt; each later one is twice as long. nil: as the platform has it.
    public var backoff: Span?

    public struct CauseLimit: Hashable, Sendable {
        public var cause: Reason
        public var limit: UInt32

        public init(cause: Reason, limit: UInt32) {
            self.cause = cause
            self.limit = limit
        }
    }

    /// Causes that a user may name.
    public static let retryableCauses: [Reason] = [
        .nodeLost, .deviceFault, .preempted, .exitCode, .oom, .timeout, .infrastructure, .staging,
    ]

    public init(
        limit: UInt32 = 0, causes: [Reason] = RetryPolicy.defaultCauses, limits: [CauseLimit] = [], backoff: Span? = nil
    ) {
        self.limit = limit
        self.causes = causes.sorted { $0.rawValue < $1.rawValue }
        self.limits = limits.sorted { $0.cause.rawValue < $1.cause.rawValue }
        self.backoff = backoff
    }

    /// Further attempts after one that ended so.
    public func limit(for cause: Reason) -> UInt32? { limits.first { $0.cause == cause }?.limit }

    /// What `--retries N` alone retries: every failure that may pass.
    public static let defaultCauses: [Reason] = [.nodeLost, .deviceFault, .preempted, .exitCode, .infrastructure, .staging]
}

/// What a task may be sent before it is told to end. The numbers are those of Linux on the architectures that have the usual ones.
public enum CheckpointSignal: UInt8, NamedTag {
    case hangUp = 1
    case interrupt = 2
    case user1 = 10
    case user2 = 12
    case terminate = 15
    case urgent = 23

    public static let names = TagNames<Self>(except: [
        .hangUp: "SIGHUP", .interrupt: "SIGINT", .user1: "SIGUSR1", .user2: "SIGUSR2", .terminate: "SIGTERM", .urgent: "SIGURG",
    ])
}

/// A job as accepted: validated, normalised, its secrets sealed.
public struct JobSpecification: Hashable, Sendable {
    public var name: String
    public var kind: JobKind
    public var tenant: String
    public var project: String
    public var queue: String
    /// -1000 … 1000, higher first.
    public var priority: Int32
    public var isPreemptible: Bool
    /// A gang: every group's tasks start together or not at all.
    public var groups: [TaskGroup]
    /// nil: one gang. Otherwise one gang for each index.
    public var array: ArrayRange?
    public var dependencies: [Dependency]
    public var beginAt: LogicalTime?
    public var timeLimit: Span?
    /// How long a task is expected to run. It is not stopped then.
    public var estimate: Span?
    /// What has not ended by then is stopped, or never starts.
    public var deadline: LogicalTime?
    /// For so long it may wait for its first start, from when it was submitted or its begin time.
    public var maxPending: Span?
    /// Nothing of it starts before it is released.
    public var isHeld: Bool
    /// How often it writes a checkpoint, about: what is lost when it is stopped is no more. nil: it never says.
    public var checkpointInterval: Span?
    /// What it is sent when it has to give way: then it may write a checkpoint. nil: SIGTERM, as whenever it is stopped.
    public var checkpointSignal: CheckpointSignal?
    /// From the first signal to the kill.
    public var grace: Span
    public var retry: RetryPolicy
    /// Relative to the work directory, or absolute; empty for none.
    public var checkpointPath: String
    public var onNodeLost: NodeLossPolicy
    /// Sorted by name.
    public var labels: [NamedText]
    /// Put into every task's work directory before it starts, in this order.
    public var inputs: [JobInput]
    /// Kept with the job when a task has ended.
    public var outputs: [JobOutput]
    public var secrets: [JobSecret]
    /// Where it may run; empty for any center.
    public var centers: [String]
    /// It runs only where nodes reach the internet.
    public var needsInternet: Bool
    /// The pool whose nodes it may run on; empty for any that is open to its tenant.
    public var pool: String
    /// nil: it runs once.
    public var recurrence: Recurrence?
    /// W3C trace context of the submission, as its `traceparent` header; empty without one.
    public var traceParent: String

    /// Of jobs that name none; they always exist.
    public static let usualTenant = "default"
    public static let usualProject = "default"

    public init(
        name: String, kind: JobKind = .batch, tenant: String = Self.usualTenant, project: String = Self.usualProject,
        queue: String = "default",
        priority: Int32 = 0, isPreemptible: Bool = false, groups: [TaskGroup], array: ArrayRange? = nil,
        dependencies: [Dependency] = [], beginAt: LogicalTime? = nil, timeLimit: Span? = nil, estimate: Span? = nil,
        grace: Span = .seconds(30), retry: RetryPolicy = RetryPolicy(), checkpointPath: String = "", onNodeLost: NodeLossPolicy = .wait,
        labels: [NamedText] = [],
        inputs: [JobInput] = [], outputs: [JobOutput] = [], secrets: [JobSecret] = [],
        centers: [String] = [], needsInternet: Bool = false, traceParent: String = "", deadline: LogicalTime? = nil,
        maxPending: Span? = nil, isHeld: Bool = false, checkpointInterval: Span? = nil, checkpointSignal: CheckpointSignal? = nil,
        pool: String = "", recurrence: Recurrence? = nil
    ) {
        self.name = name
        self.kind = kind
        self.tenant = tenant
        self.project = project
        self.queue = queue
        self.priority = priority
        self.isPreemptible = isPreemptible
        self.groups = groups
        self.array = array
        self.dependencies = dependencies
        self.beginAt = beginAt
        self.timeLimit = timeLimit
        self.estimate = estimate
        self.grace = grace
        self.retry = retry
        self.checkpointPath = checkpointPath
        self.onNodeLost = onNodeLost
        self.labels = labels.sorted { $0.name < $1.name }
        self.inputs = inputs
        self.outputs = outputs
        self.secrets = secrets
        self.centers = centers
        self.needsInternet = needsInternet
        self.traceParent = traceParent
        self.deadline = deadline
        self.maxPending = maxPending
        self.isHeld = isHeld
        self.checkpointInterval = checkpointInterval
        self.checkpointSignal = checkpointSignal
        self.pool = pool
        self.recurrence = recurrence
    }

    /// Its tasks have work directories of their own, filled before they start or emptied of what is kept.
    public var isStaged: Bool { !inputs.isEmpty || !outputs.isEmpty }

    /// It has said anything of checkpoints.
    public var hasCheckpoints: Bool { !checkpointPath.isEmpty || checkpointInterval != nil || checkpointSignal != nil }

    /// Tasks of one gang.
    public var gangSize: UInt32 { groups.reduce(0) { $0 &+ $1.count } }

    /// Gangs: array elements, or one.
    public var unitCount: UInt32 { array.map { $0.last - $0.first + 1 } ?? 1 }

    /// Tasks in all.
    public var taskCount: UInt32 { unitCount * gangSize }

    /// The group of a rank, and the rank within the group.
    public func group(ofRank rank: UInt32) -> (group: Int, localRank: UInt32) {
        var rest = rank
        for (index, group) in groups.enumerated() {
            if rest < group.count { return (index, rest) }
            rest -= group.count
        }
        preconditionFailure("rank \(rank) of a gang of \(gangSize)")
    }
}
