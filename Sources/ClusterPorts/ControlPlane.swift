// What the REST interface may do with a coordinator. It talks to this port, never to the core.

public import ClusterModel
public import SchedulingCore

/// Why a command got no decision.
public enum ControlError: Error, Hashable, Sendable {
    case rejected(Rejection)
    /// The inbox is full: try again after the span.
    case overloaded(retryAfter: Span)
    /// The disk of the state is almost full, and the command would add to it.
    case diskFull
    /// The coordinator is stopping or does not lead.
    case unavailable
}

/// A decision that is durable.
public struct Decision: Hashable, Sendable {
    public var answer: Answer
    /// For `Suanpan-Revision`.
    public var revision: UInt64
    /// When it was decided: a new job's time of submission.
    public var at: LogicalTime

    public init(answer: Answer, revision: UInt64, at: LogicalTime) {
        self.answer = answer
        self.revision = revision
        self.at = at
    }
}

public protocol ControlPlane: Sendable {
    /// Offers a command and returns when its outcome is durable and the follower shows it.
    func perform(_ command: Command) async throws(ControlError) -> Decision
    /// Returns when the follower has reached `revision`, or throws `.unavailable` after five seconds.
    func reach(revision: UInt64) async throws(ControlError)

    /// The follower's view; each call names the version that it saw.
    func cluster() -> ClusterView
    func nodes() -> [NodeView]
    /// Those that nodes and usable tokens name, by identifier.
    func centers() -> [CenterView]
    func node(_ id: NodeID) -> NodeView?
    func node(named name: String) -> NodeView?
    /// Live standing of a job that has not ended; nil when it has, or is unknown.
    func liveJob(_ id: JobID) -> LiveJobView?
    /// What is foreseen of a job that waits; nil for any other. Costs a search, and no more than one runs at a time.
    func forecast(of id: JobID) -> WaitingForecast?
    /// What would come of a submission now. Nothing changes.
    func plan(_ submission: Submission) -> Plan
    /// Those of them that wait since their account holds as much as it may.
    func jobsAtTheirQuota(among jobs: [JobID]) -> Set<JobID>
    /// Whether there ever was such a job and it has ended; its rows may be gone.
    func hasEnded(_ id: JobID) -> Bool
    func accessKey(id: String) -> AccessKey?
    func accessKeys() -> [AccessKey]
    /// Of one tenant, or of all; their values are sealed.
    func secrets(of tenant: String?) -> [SecretRecord]
    func datasets(of tenant: String?) -> [DatasetVersion]
    /// The tree of a version of a tenant's data set.
    func dataset(_ name: String, version: String, tenant: String) -> ContentDigest?

    /// All tenants, projects, queues or quotas, in the order of their names, with what is held under them.
    func shares(of kind: ShareObject.Kind) -> [ShareView]
    /// Whether jobs of a tenant may name the pool; true for one of which nothing was said.
    func isOpen(pool: String, to tenant: String) -> Bool
    func share(_ id: ShareObjectID) -> ShareView?

    /// Cluster time now.
    func now() -> LogicalTime
    /// Seals the value of an environment variable for one tenant.
    func seal(_ value: String, tenant: String) -> [UInt8]
    /// The endpoints and key that a new join token names.
    var endpoints: AgentEndpoints { get }
    /// False while the journal replays or the coordinator stops.
    var isReady: Bool { get }
    var reads: any ReadModel { get }
    var logs: any LogStore { get }
    var files: any FileStore { get }
    /// The tenant of a live attempt whose agent shows this pass; nil for any other attempt or pass.
    func tenant(ofLive attempt: AttemptID, pass: [UInt8]) -> String?
    var backups: any BackupSource { get }
}

/// Totals of the cluster.
public struct ClusterView: Hashable, Sendable {
    public var clusterID: [UInt8]
    public var epoch: Epoch
    public var revision: UInt64
    public var nodesRegistered: UInt32
    public var nodesReady: UInt32
    public var cpuMilliTotal: Int64
    public var cpuMilliAllocated: Int64
    public var memoryBytesTotal: Int64
    public var memoryBytesAllocated: Int64
    public var devices: [DeviceTotal]
    public var jobsLive: UInt64
    public var tasksQueued: UInt64
    public var tasksLive: UInt64
    /// Waiting tasks by why they do not start; causes of none are left out.
    public var queue: [QueuedTotal]
    /// Nodes know of a later time than the state: nothing is accepted or placed.
    public var isOutdated: Bool

    public init(
        clusterID: [UInt8], epoch: Epoch, revision: UInt64, nodesRegistered: UInt32, nodesReady: UInt32, cpuMilliTotal: Int64,
        cpuMilliAllocated: Int64, memoryBytesTotal: Int64, memoryBytesAllocated: Int64, devices: [DeviceTotal], jobsLive: UInt64,
        tasksQueued: UInt64, tasksLive: UInt64, queue: [QueuedTotal] = [], isOutdated: Bool = false
    ) {
        self.clusterID = clusterID
        self.epoch = epoch
        self.revision = revision
        self.nodesRegistered = nodesRegistered
        self.nodesReady = nodesReady
        self.cpuMilliTotal = cpuMilliTotal
        self.cpuMilliAllocated = cpuMilliAllocated
        self.memoryBytesTotal = memoryBytesTotal
        self.memoryBytesAllocated = memoryBytesAllocated
        self.devices = devices
        self.jobsLive = jobsLive
        self.tasksQueued = tasksQueued
        self.tasksLive = tasksLive
        self.queue = queue
        self.isOutdated = isOutdated
    }
}

/// Tasks that wait for one cause.
public struct QueuedTotal: Hashable, Sendable {
    public var reason: String
    public var tasks: UInt64
    /// Since when the oldest job among them waits.
    public var oldestAt: LogicalTime

    public init(reason: String, tasks: UInt64, oldestAt: LogicalTime) {
        self.reason = reason
        self.tasks = tasks
        self.oldestAt = oldestAt
    }
}

/// Devices of one kind and model, of real and simulated nodes apart.
public struct DeviceTotal: Hashable, Sendable {
    public var kind: DeviceKind
    public var model: String
    public var isSimulated: Bool
    public var count: UInt32
    public var shareMilliAllocated: Int64
    /// What its model is worth; nil where the table does not know it.
    public var computeUnits: Worth?

    public struct Worth: Hashable, Sendable {
        public var milliEach: Int64
        /// What is not confirmed counts for nothing.
        public var isConfirmed: Bool

        public init(milliEach: Int64, isConfirmed: Bool) {
            self.milliEach = milliEach
            self.isConfirmed = isConfirmed
        }
    }

    public var pricedComputeUnitsMilli: Int64 { pricedEach * Int64(count) }
    public var pricedComputeUnitsMilliAllocated: Int64 { pricedEach * shareMilliAllocated / 1000 }
    private var pricedEach: Int64 { computeUnits.flatMap { $0.isConfirmed ? $0.milliEach : nil } ?? 0 }

    public init(
        kind: DeviceKind, model: String, isSimulated: Bool, count: UInt32, shareMilliAllocated: Int64, computeUnits: Worth? = nil
    ) {
        self.computeUnits = computeUnits
        self.kind = kind
        self.model = model
        self.isSimulated = isSimulated
        self.count = count
        self.shareMilliAllocated = shareMilliAllocated
    }
}

public struct NodeView: Hashable, Sendable {
    public enum State: String, Hashable, Sendable, CaseIterable {
        /// Enrolled or known, but not registered in this epoch.
        case unregistered
        case ready
        /// Not connected; nothing new is placed.
        case suspect
        /// Its lease has ended.
        case unreachable
        case cordoned
        /// Cordoned, and to be emptied: something still runs there.
        case draining
        /// Emptied; still cordoned.
        case drained
        /// Two machines share its identity; nothing is placed on either.
        case quarantined
    }

    /// A node that is being emptied, or was.
    public struct Drain: Hashable, Sendable {
        /// When what still runs there is stopped; nil waits for it.
        public var deadline: LogicalTime?
        public var isDone: Bool

        public init(deadline: LogicalTime?, isDone: Bool) {
            self.deadline = deadline
            self.isDone = isDone
        }
    }

    public struct DeviceView: Hashable, Sendable {
        public var device: Device
        public var shareMilliAllocated: Int64
        public var memoryBytesAllocated: Int64

        public init(device: Device, shareMilliAllocated: Int64, memoryBytesAllocated: Int64) {
            self.device = device
            self.shareMilliAllocated = shareMilliAllocated
            self.memoryBytesAllocated = memoryBytesAllocated
        }
    }

    public var id: NodeID
    public var name: String
    public var state: State
    /// As its join token had it.
    public var membership: NodeMembership
    /// nil unless it is to be emptied. Stands beside the state: a drained node may be switched off.
    public var drain: Drain?
    /// nil before the first registration.
    public var inventory: NodeInventory?
    public var cpuMilliAllocated: Int64
    public var memoryBytesAllocated: Int64
    public var devices: [DeviceView]
    public var liveAttempts: [AttemptID]
    /// What the node says that it is in.
    public var condition: NodeCondition
    /// Attempts that have ended for the cluster, and that may still hold what they were granted on the node.
    public var dirtyAttempts: [AttemptID]
    public var enrolledAt: LogicalTime
    public var registeredAt: LogicalTime?
    /// As its last heartbeat told; nil while nothing is heard, and from agents that do not measure.
    public var load: NodeLoad?

    public init(
        id: NodeID, name: String, state: State, membership: NodeMembership = .none, drain: Drain? = nil, inventory: NodeInventory?,
        cpuMilliAllocated: Int64, memoryBytesAllocated: Int64, devices: [DeviceView], liveAttempts: [AttemptID],
        condition: NodeCondition = .good, dirtyAttempts: [AttemptID] = [], enrolledAt: LogicalTime, registeredAt: LogicalTime?,
        load: NodeLoad? = nil
    ) {
        self.id = id
        self.name = name
        self.state = state
        self.membership = membership
        self.drain = drain
        self.inventory = inventory
        self.cpuMilliAllocated = cpuMilliAllocated
        self.memoryBytesAllocated = memoryBytesAllocated
        self.devices = devices
        self.liveAttempts = liveAttempts
        self.condition = condition
        self.dirtyAttempts = dirtyAttempts
        self.enrolledAt = enrolledAt
        self.registeredAt = registeredAt
        self.load = load
    }
}

/// A tenant, project, queue or quota, with what is held under it.
public struct ShareView: Hashable, Sendable {
    public var object: ShareObject
    public var uses: [ShareUse]

    public init(object: ShareObject, uses: [ShareUse]) {
        self.object = object
        self.uses = uses
    }
}

/// A site and what its nodes have.
public struct CenterView: Hashable, Sendable {
    public var center: Center
    public var nodes: UInt32 = 0
    public var nodesReady: UInt32 = 0
    public var cpuMilliTotal: Int64 = 0
    public var memoryBytesTotal: Int64 = 0
    public var devices: UInt32 = 0
    public var computeUnitsMilliTotal: Int64 = 0

    public init(center: Center) { self.center = center }
}

/// A job that has not ended, from the follower.
public struct LiveJobView: Hashable, Sendable {
    public var standing: JobStanding
    /// Why nothing more of it starts now, with numbers; empty when nothing waits.
    public var waitingExplanation: String
    /// When it was first expected to start on room that is set aside for it; nil without.
    public var firstExpectedStart: LogicalTime?

    public init(standing: JobStanding, waitingExplanation: String, firstExpectedStart: LogicalTime? = nil) {
        self.standing = standing
        self.waitingExplanation = waitingExplanation
        self.firstExpectedStart = firstExpectedStart
    }
}

/// Output of attempts, kept centrally.
public protocol LogStore: Sendable {
    /// Bytes from `offset`, at most `limit`. When there are none yet and the stream is not complete, waits until there
    /// are, or returns an empty chunk when the task is cancelled. A reader that stops reading holds up nobody.
    func read(
        _ attempt: AttemptID, _ stream: LogStream, offset: Int64, limit: Int, follow: Bool
    ) async throws(JournalError) -> LogSlice
    /// Keeps a chunk from an agent; the answer says how far the stream is now.
    func append(_ chunk: LogChunk) -> LogAck?
    /// The attempt has ended with so many bytes in each stream; readers need not wait for more. `lost`: the rest will
    /// never come.
    func expect(_ attempt: AttemptID, stdoutBytes: Int64, stderrBytes: Int64)
}

public enum LogStream: UInt8, Hashable, Sendable, CaseIterable {
    case stdout = 1
    case stderr = 2

    public var name: String { self == .stdout ? "stdout" : "stderr" }
}

public struct LogSlice: Hashable, Sendable {
    public var bytes: [UInt8]
    /// Nothing follows these bytes.
    public var isComplete: Bool

    public init(bytes: [UInt8], isComplete: Bool) {
        self.bytes = bytes
        self.isComplete = isComplete
    }
}
