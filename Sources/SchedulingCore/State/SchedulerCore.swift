// The one deciding value of the cluster: `decide` judges a command, `evolve` folds an event, `effects` says what an
// event asks of the shells. No I/O, clock or chance; Protocols/lifecycle.md is the specification.

public import ClusterModel
import Placement

/// Everything active, in memory. `~Copyable`: an accidental copy of the tables does not compile.
public struct SchedulerCore: ~Copyable, Sendable {
    // MARK: Identity and time
    public internal(set) var clusterID: [UInt8] = []
    public internal(set) var epoch = Epoch(0)
    /// Events folded so far: the state version that reads name.
    public internal(set) var revision: UInt64 = 0
    /// The latest instant of any event.
    public internal(set) var time = LogicalTime.zero

    /// By which events are folded: what an event meant when it was written, it means for ever.
    ///
    /// - 0: releases up to state level 5.
    /// - 1: ends of attempts say how long runs take (`RunTimeTable`).
    /// - 2: what accounts held is remembered (`DecayingAverage`).
    /// - 3: what gangs had done when they were preempted is remembered, and counts as a part of their runs.
    /// - 4: progress counts up to the checkpoint that a gang said it had written, where it said so.
    var rules: UInt32 = 0
    static let rulesWithShares: UInt32 = 2
    static let rulesWithProgress: UInt32 = 3
    static let rulesWithCheckpoints: UInt32 = 4
    static let newestRules = rulesWithCheckpoints

    // MARK: Counters, in order of issue
    var lastJob: UInt64 = 0
    var lastNode: UInt64 = 0
    var lastFence: UInt64 = 0
    var lastSession: UInt64 = 0
    var lastShape: UInt64 = 0
    /// Grants up to this one were given before the state was restored from a backup; 0 when it never was.
    var restoredFence = Fence(0)
    /// The last session that the lost time may have begun.
    var restoredSession = SessionID(0)
    /// At which this epoch began.
    var leadershipRevision: UInt64 = 0
    /// A node knows of a later time than this state: nothing is accepted or placed until that loss has been accepted.
    public internal(set) var isOutdated = false

    // MARK: Jobs
    var jobs = Table<JobID, JobRow>()
    var queue = JobQueue()
    /// Interned shapes of live jobs with how many jobs use each.
    var shapes = Table<RequestClassID, InternedShape>()
    var shapeIDs: [RequestClass: RequestClassID] = [:]
    /// Ended jobs by outcome, for `after`: interval sets, since there may be very many.
    var succeededJobs = IntervalSet()
    var failedJobs = IntervalSet()
    var cancelledJobs = IntervalSet()
    /// Jobs that wait for the end of a job. For look-up only.
    var dependents: [JobID: [JobID]] = [:]
    /// Instants at which a job has something ready.
    var alarms = AlarmTable()
    /// Instants at which a job may have to end.
    var expiries = AlarmTable()
    /// How long runs took.
    var runTimes = RunTimeTable()
    /// Idempotency keys of the last day, by tenant and text. For look-up; `keyOrder` iterates.
    var submissionKeys: [SubmissionKeyID: SubmissionKeyRow] = [:]
    var keyOrder: [SubmissionKeyID] = []
    /// Keys alive for each tenant.
    var keyCounts: [String: UInt32] = [:]

    // MARK: Shares
    var accounts = AccountTable()
    var quotas = QuotaTable()
    /// What administrators have described. For look-up; iterate sorted keys.
    var shareObjects: [ShareObjectID: ShareObject] = [:]
    /// Room that was taken for jobs which have not started there yet.
    var preemptionClaims = Table<JobID, PreemptionClaim>()

    // MARK: Nodes
    var nodes = Table<NodeID, NodeRow>()
    var offers = OfferTable()
    /// What all devices of registered nodes price at, in milli-CU.
    var strengthTotal: Int64 = 0
    /// Of nodes that are being emptied.
    var drainDeadlines = DrainDeadlines()
    var nodeIDsByKey: [[UInt8]: NodeID] = [:]
    var nodeIDsByName: [String: NodeID] = [:]
    /// What nodes say of centers, beyond their identifiers.
    var centersSaid: [String: Center] = [:]
    var joinTokens: [[UInt8]: JoinTokenRecord] = [:]

    // MARK: Access
    var keys: [String: AccessKey] = [:]

    // MARK: Holdings. For look-up; iterate sorted keys.
    var secrets: [HoldingID: SecretRecord] = [:]
    var datasets: [HoldingID: DatasetVersion] = [:]

    /// The next UTC hour at which open usage segments are cut; nil before the first event.
    var nextHourCut: LogicalTime?

    public init() {}

    struct InternedShape: Hashable, Sendable {
        var shape: RequestClass
        var jobCount: UInt32
    }

    struct SubmissionKeyID: Hashable, Sendable {
        var tenant: String
        var text: String
    }

    struct SubmissionKeyRow: Hashable, Sendable {
        var requestDigest: [UInt8]
        var job: JobID
        var acceptedAt: LogicalTime
    }
}

/// Bounds of the state. The README and Protocols/lifecycle.md name them.
public enum SchedulerLimits {
    /// How long an Idempotency-Key is remembered in memory (the table keeps it for ever).
    public static let idempotencyLifetime = Span.seconds(24 * 3600)
    /// Keys remembered for one tenant at once; more are told "later".
    public static let idempotencyKeysPerTenant: UInt32 = 1_000_000
    /// Attempts that the platform's own failures add to a task beyond the user's retries.
    public static let platformRetries: UInt32 = 3
    public static let backoffFirst = Span.seconds(1)
    public static let backoffMax = Span.seconds(300)
    /// Most gangs placed by one event.
    public static let unitsPerPlacement = 256
    /// Most jobs whose time is up that end in one step; the rest in the next.
    public static let expiriesPerStep = 256
    /// What is said while a node knows of a later time than the state.
    public static let outdatedText =
        "this coordinator's state is older than what its nodes have seen: put the newest data directory back, or accept the loss with "
        + "--accept-data-loss CLUSTER-ID"
    /// Most grace that the tasks of a gang get once one of them has failed.
    public static let gangStopGrace = Span.seconds(10)
}

/// What `evolve` leaves for the tables.
public struct Changes: Sendable {
    public private(set) var rows: [RowChange] = []
    /// Jobs whose standing changed and that have not ended.
    public private(set) var touchedJobs: Set<JobID> = []
    /// Slots that a task alone took, by placement or by hand-over: they may want successors.
    private(set) var movedSlots: [MovedSlot] = []
    /// False during replay and on the follower: nothing is collected.
    private let isRecording: Bool

    public init(recording: Bool) { isRecording = recording }

    mutating func add(_ row: @autoclosure () -> RowChange) {
        if isRecording { rows.append(row()) }
    }

    mutating func touch(_ job: JobID) {
        if isRecording { touchedJobs.insert(job) }
    }

    mutating func slotMoved(_ job: JobID, to ordinal: UInt32) {
        if isRecording { movedSlots.append(MovedSlot(job: job, holder: ordinal)) }
    }

    /// Adds the standing of every touched job that still lives, in identifier order, and hands everything over.
    mutating func finish(reading core: borrowing SchedulerCore) -> [RowChange] {
        for id in touchedJobs.sorted() {
            if let row = core.jobs[id] { rows.append(.job(row.standing(of: id))) }
        }
        touchedJobs.removeAll()
        defer { rows.removeAll() }
        return rows
    }
}

/// A gang of one task that holds a slot since this step.
struct MovedSlot: Hashable, Sendable {
    var job: JobID
    var holder: UInt32
}

/// What a command led to.
struct Decided {
    var events: [Event] = []
    /// Effects that no event carries: repetition for a peer that missed something.
    var effects: [Effect] = []
    var answer: Answer = .done

    var isRegistration: Bool {
        if case .nodeRegistered? = events.last { return true }
        return false
    }
}
