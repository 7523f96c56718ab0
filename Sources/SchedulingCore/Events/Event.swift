// Facts, past tense. Each leaves nothing to choose: exact node, devices, fence and instant. What `evolve` does with an
// event never changes; new behaviour is a new event or a new version (Protocols/journal.md).

public import ClusterModel

public enum Event: Hashable, Sendable {
    /// The first event of a cluster: its identity.
    case clusterFounded(id: [UInt8], at: LogicalTime)
    /// The state came out of a backup: agents, users and exports have seen more than it holds.
    case clusterRestored(RestoredCluster)
    /// A coordinator leads from here on; agents of earlier epochs must register again. Events that follow are folded by these
    /// `rules` (`SchedulerCore.newestRules`), or by those in force where these are older.
    case leadershipBegan(Epoch, rules: UInt32, at: LogicalTime)

    case jobAccepted(AcceptedJob)
    case jobCancelRequested(JobID, at: LogicalTime)
    /// Its owner, or an administrator, changed what it asks of the queue.
    case jobUpdated(JobID, JobUpdate, at: LogicalTime)
    /// It has waited, or gone on, for longer than it may.
    case jobExpired(JobID, Reason, at: LogicalTime)
    /// Waiting gangs of a job that is being cancelled will never start.
    case waitingUnitsCancelled(JobID, at: LogicalTime)
    case unitsPlaced(PlacedUnits)
    /// Tasks alone that start on their node when those before them in the slot have ended.
    case successorsGranted(GrantedSuccessors)
    /// The node gave it back, or never had it: it waits again under the same number.
    case successorReturned(AttemptID, from: NodeID, at: LogicalTime)
    case attemptStarted(AttemptID, elapsed: Span, at: LogicalTime)
    case gangCheckpointed(GangCheckpoint)
    case unitStopRequested(StoppedUnit)
    /// Gangs stop so that another job can start, and their nodes are set aside for it.
    case gangsPreempted(Preemption)
    case attemptEnded(EndedAttempt)
    case jobFinished(FinishedJob)
    /// What waited for an instant up to this one is ready.
    case timersDue(at: LogicalTime)
    /// Keys older than a day are forgotten.
    case idempotencyExpired(through: LogicalTime)

    case nodeEnrolled(EnrolledNode)
    case nodeRegistered(RegisteredNode)
    /// The connection is gone: nothing new is placed there.
    case nodeSuspected(NodeID, at: LogicalTime)
    /// The lease ended without a word; tasks there are `unreachable`.
    case nodeSilenced(NodeID, lastHeard: LogicalTime, at: LogicalTime)
    case nodeCordoned(NodeID, isCordoned: Bool, at: LogicalTime)
    case nodeRemoved(NodeID, at: LogicalTime)
    /// It is in this pool now; empty: in none.
    case nodeMoved(NodeID, pool: String, at: LogicalTime)
    /// Nothing new is placed there; what runs may end by itself until the deadline, for ever without one.
    case nodeDrainBegan(NodeID, deadline: LogicalTime?, at: LogicalTime)
    /// The deadline has passed: what is left there is stopped and runs elsewhere.
    case nodeDrainDue(NodeID, at: LogicalTime)
    /// An attempt that was given up, or is not known, may still hold what it was granted on its node.
    case attemptLeftBehind(LeftAttempt)
    /// The node has said that nothing of it is left.
    case attemptGone(NodeID, Fence, at: LogicalTime)
    /// An administrator vouches for it: nothing of that machine runs any more.
    case nodeConfirmedDead(NodeID, at: LogicalTime)
    /// A machine that had been taken for gone speaks with the node's identity, while another one has it.
    case nodeContested(ContestedNode)
    /// It spoke again: two machines share one identity, and neither is believed.
    case nodeQuarantined(NodeID, at: LogicalTime)
    /// A node has been welcomed to a session that this state never issued: the state is older than the cluster.
    case stateOutdated(NodeID, SessionID, at: LogicalTime)

    case joinTokenCreated(JoinTokenRecord)
    case keyCreated(AccessKey)
    case keyRevoked(String, at: LogicalTime)
    /// Of releases up to state level 8; now users are objects among others (`shareObjectSet`).
    case userSet(UserRecord, at: LogicalTime)

    case secretSet(SecretRecord)
    case secretRemoved(tenant: String, name: String, at: LogicalTime)
    case datasetCreated(DatasetVersion)
    /// No new job finds it; what runs goes on.
    case datasetRemoved(tenant: String, name: String, version: String, at: LogicalTime)

    /// A tenant, project, queue, quota, user or pool is now so.
    case shareObjectSet(ShareObject, at: LogicalTime)
    case shareObjectRemoved(ShareObjectID, at: LogicalTime)

    /// Every open allocation segment ends at this UTC hour and the next begins.
    case hourCut(at: LogicalTime)
}

/// What a cluster goes on with after its state was restored: a new identity, and counters beyond whatever the time that
/// the backup does not know may have issued. Nothing of that time can be taken for something of the new one.
public struct RestoredCluster: Hashable, Sendable {
    public var id: [UInt8]
    public var epoch: Epoch
    /// The last that count as issued.
    public var job: JobID
    public var node: NodeID
    public var fence: Fence
    public var session: SessionID
    public var revision: UInt64
    public var at: LogicalTime

    public init(
        id: [UInt8], epoch: Epoch, job: JobID, node: NodeID, fence: Fence, session: SessionID, revision: UInt64, at: LogicalTime
    ) {
        self.id = id
        self.epoch = epoch
        self.job = job
        self.node = node
        self.fence = fence
        self.session = session
        self.revision = revision
        self.at = at
    }
}

public struct AcceptedJob: Hashable, Sendable {
    public var id: JobID
    public var specification: JobSpecification
    public var user: String
    public var key: Submission.Key?
    /// The terminal job that this one repeats.
    public var retryOf: JobID?
    public var at: LogicalTime

    public init(id: JobID, specification: JobSpecification, user: String, key: Submission.Key?, retryOf: JobID?, at: LogicalTime) {
        self.id = id
        self.specification = specification
        self.user = user
        self.key = key
        self.retryOf = retryOf
        self.at = at
    }
}

/// Gangs of one job that start now, all of each.
public struct PlacedUnits: Hashable, Sendable {
    /// One gang: its attempt number and its tasks in rank order.
    public struct Unit: Hashable, Sendable {
        public var ordinal: UInt32
        public var attempt: UInt32
        public var places: [Place]

        public init(ordinal: UInt32, attempt: UInt32, places: [Place]) {
            self.ordinal = ordinal
            self.attempt = attempt
            self.places = places
        }
    }

    /// One task's node and what it holds there.
    public struct Place: Hashable, Sendable {
        public var node: NodeID
        public var fence: Fence
        public var allocation: Allocation

        public init(node: NodeID, fence: Fence, allocation: Allocation) {
            self.node = node
            self.fence = fence
            self.allocation = allocation
        }
    }

    public var job: JobID
    public var units: [Unit]
    public var at: LogicalTime

    public init(job: JobID, units: [Unit], at: LogicalTime) {
        self.job = job
        self.units = units
        self.at = at
    }
}

/// Tasks of one job that are lined up behind live ones. `attemptEnded` of a holder hands its slot over to the first.
public struct GrantedSuccessors: Hashable, Sendable {
    public struct Slot: Hashable, Sendable {
        /// The gang of one task that held the slot.
        public var holder: UInt32
        public var node: NodeID
        /// The fence that the slot was placed with.
        public var slot: Fence
        /// In the order in which they will start.
        public var tasks: [Task]

        public init(holder: UInt32, node: NodeID, slot: Fence, tasks: [Task]) {
            self.holder = holder
            self.node = node
            self.slot = slot
            self.tasks = tasks
        }
    }

    public struct Task: Hashable, Sendable {
        public var ordinal: UInt32
        public var fence: Fence

        public init(ordinal: UInt32, fence: Fence) {
            self.ordinal = ordinal
            self.fence = fence
        }
    }

    public var job: JobID
    /// The attempt number of all of them.
    public var attempt: UInt32
    public var slots: [Slot]
    public var at: LogicalTime

    public init(job: JobID, attempt: UInt32, slots: [Slot], at: LogicalTime) {
        self.job = job
        self.attempt = attempt
        self.slots = slots
        self.at = at
    }
}

/// All tasks of one gang were told to stop.
public struct StoppedUnit: Hashable, Sendable {
    public var job: JobID
    public var ordinal: UInt32
    public var grace: Span
    /// `user` for a cancellation, `preempted` where its node is needed for something else; otherwise the cause of the task
    /// that brought the gang down.
    public var reason: Reason
    public var at: LogicalTime

    public init(job: JobID, ordinal: UInt32, grace: Span, reason: Reason, at: LogicalTime) {
        self.job = job
        self.ordinal = ordinal
        self.grace = grace
        self.reason = reason
        self.at = at
    }
}

public struct EndedAttempt: Hashable, Sendable {
    /// What becomes of the gang.
    public enum Disposition: Hashable, Sendable {
        /// Other tasks of the gang are still live.
        case gangLives
        case finished(JobState, Reason)
        case requeued(attempt: UInt32, notBefore: LogicalTime, reason: Reason)
    }

    public var attempt: AttemptID
    /// Where it was: the agent there may forget it once this is durable.
    public var node: NodeID
    public var end: AttemptEnd
    /// State and reason of this attempt alone.
    public var state: JobState
    public var reason: Reason
    public var disposition: Disposition
    /// When the allocation is free again, or was handed over to a successor: then by the node's clock, within what the
    /// coordinator saw.
    public var at: LogicalTime

    public init(
        attempt: AttemptID, node: NodeID, end: AttemptEnd, state: JobState, reason: Reason, disposition: Disposition, at: LogicalTime
    ) {
        self.attempt = attempt
        self.node = node
        self.end = end
        self.state = state
        self.reason = reason
        self.disposition = disposition
        self.at = at
    }
}

public struct FinishedJob: Hashable, Sendable {
    public var id: JobID
    public var state: JobState
    public var reason: Reason
    /// The largest exit code of its tasks' last attempts, in the contract's sense.
    public var exitCode: Int32
    public var at: LogicalTime

    public init(id: JobID, state: JobState, reason: Reason, exitCode: Int32, at: LogicalTime) {
        self.id = id
        self.state = state
        self.reason = reason
        self.exitCode = exitCode
        self.at = at
    }
}
