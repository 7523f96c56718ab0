// What the coordinator tells agents. Everything that changes the agent carries epoch, session and sequence.

public enum CoordinatorMessage: Hashable, Sendable {
    case welcome(Welcome)
    case refuse(Refusal)
    case heartbeatAck(HeartbeatAck)
    case command(AgentCommand)
    /// Follows a welcome, and comes again when it changes.
    case fileService(FileService)
}

/// A registration accepted: the session begins; earlier sessions are void.
public struct Welcome: Hashable, Sendable {
    public var version: UInt32
    public var node: NodeID
    public var epoch: Epoch
    public var session: SessionID
    public var heartbeatInterval: Span
    /// From the sending of an acknowledged heartbeat until tasks with `onNodeLost: replace` must stop.
    public var lease: Span
    /// The agent shall send its topology document.
    public var wantsTopology: Bool
    /// `sentAt` of the registration that is answered: what the agent sent later, this session does not know. 0 from a
    /// coordinator that does not say.
    public var registrationSentAt: Int64
    /// To be kept durably before anything is done in the session, and shown at the next registration. Empty from a coordinator
    /// that tells none.
    public var stateMark: [UInt8]

    public init(
        version: UInt32, node: NodeID, epoch: Epoch, session: SessionID, heartbeatInterval: Span, lease: Span, wantsTopology: Bool,
        registrationSentAt: Int64 = 0, stateMark: [UInt8] = []
    ) {
        self.version = version
        self.node = node
        self.epoch = epoch
        self.session = session
        self.heartbeatInterval = heartbeatInterval
        self.lease = lease
        self.wantsTopology = wantsTopology
        self.registrationSentAt = registrationSentAt
        self.stateMark = stateMark
    }
}

/// Where the coordinator serves files to agents.
public struct FileService: Hashable, Sendable {
    /// Empty: the host by which an agent reaches the sockets.
    public var host: String
    public var port: UInt16
    public var isTLS: Bool
    /// PEM of the only certificate to accept; empty: one that the node's own authorities vouch for.
    public var certificate: [UInt8]

    public init(host: String = "", port: UInt16, isTLS: Bool = false, certificate: [UInt8] = []) {
        self.host = host
        self.port = port
        self.isTLS = isTLS
        self.certificate = certificate
    }
}

/// A registration refused.
public struct Refusal: Hashable, Sendable {
    public enum Code: UInt8, CanonicalTag, Hashable {
        case version = 1
        case inventory = 2
        case removed = 3
        case busy = 4
    }

    public var code: Code
    public var message: String
    /// When to try again; zero: never by itself.
    public var retryAfter: Span
    /// To be repeated in the next registration: it shows that a machine has heard this and lives. 0: nothing is asked.
    public var challenge: UInt64

    public init(code: Code, message: String, retryAfter: Span, challenge: UInt64 = 0) {
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
        self.challenge = challenge
    }
}

public struct HeartbeatAck: Hashable, Sendable {
    public var session: SessionID
    public var number: UInt64
    /// The last command sent in this session: an agent that has applied fewer registers again.
    public var commandsSent: UInt64
    public var interval: Span
    /// Newer than the welcome's; it need not survive the machine.
    public var stateMark: [UInt8]

    public init(session: SessionID, number: UInt64, commandsSent: UInt64, interval: Span, stateMark: [UInt8] = []) {
        self.session = session
        self.number = number
        self.commandsSent = commandsSent
        self.interval = interval
        self.stateMark = stateMark
    }
}

public struct AgentCommand: Hashable, Sendable {
    public enum Body: Hashable, Sendable {
        case start(StartBatch)
        case stop([StopOrder])
        /// These reports are durable: forget the attempts.
        case release([ReleaseOrder])
    }

    public var epoch: Epoch
    public var session: SessionID
    /// Counts the commands of a session from 1, without gaps.
    public var sequence: UInt64
    public var body: Body
    /// With a start, whose grants it vouches for: to be kept before anything is started.
    public var stateMark: [UInt8]

    public init(epoch: Epoch, session: SessionID, sequence: UInt64, body: Body, stateMark: [UInt8] = []) {
        self.epoch = epoch
        self.session = session
        self.sequence = sequence
        self.body = body
        self.stateMark = stateMark
    }
}

/// Attempts of one group of one job; what they share stands once.
public struct StartBatch: Hashable, Sendable {
    public var job: JobID
    public var template: TaskTemplate
    public var starts: [StartOrder]

    public init(job: JobID, template: TaskTemplate, starts: [StartOrder]) {
        self.job = job
        self.template = template
        self.starts = starts
    }
}

/// What the tasks of a group share.
public struct TaskTemplate: Hashable, Sendable {
    public var jobName: String
    public var tenant: String
    public var project: String
    public var queue: String
    public var groupName: String
    public var command: [String]
    /// Sealed in the core; the shell that sends opens it, so an agent sees clear text under CURVE.
    public var environment: [SealedVariable]
    public var workDirectory: String
    public var checkpointPath: String
    public var deviceKind: DeviceKind?
    public var timeLimit: Span?
    public var grace: Span
    public var onNodeLost: NodeLossPolicy
    /// The uid and gid that an administrator gave the user; nil: the agent's own choice (`nobody`).
    public var account: UserAccount?
    /// Tasks of the gang, all groups.
    public var worldSize: UInt32
    /// The job's labels: a simulated node's stand-in obeys `sim.seconds` and `sim.exit`.
    public var labels: [NamedText]
    /// 0 for a job without an array; the first index otherwise.
    public var arrayFirst: UInt32
    public var isArray: Bool
    public var inputs: [JobInput]
    public var outputs: [JobOutput]
    /// Sealed like the environment; files of these names that only the task's user can read.
    public var secretFiles: [SealedVariable]
    /// W3C trace context of the submission; empty without one.
    public var traceParent: String
    /// The tasks say when they have written checkpoints, and are told why they have to stop.
    public var hasCheckpoints: Bool

    /// See `JobSpecification.isStaged`.
    public var isStaged: Bool { !inputs.isEmpty || !outputs.isEmpty }

    public init(
        jobName: String, tenant: String, project: String, queue: String, groupName: String, command: [String],
        environment: [SealedVariable], workDirectory: String, checkpointPath: String, deviceKind: DeviceKind?, timeLimit: Span?,
        grace: Span, onNodeLost: NodeLossPolicy, account: UserAccount?, worldSize: UInt32, labels: [NamedText], arrayFirst: UInt32,
        isArray: Bool, inputs: [JobInput] = [], outputs: [JobOutput] = [], secretFiles: [SealedVariable] = [], traceParent: String = "",
        hasCheckpoints: Bool = false
    ) {
        self.jobName = jobName
        self.tenant = tenant
        self.project = project
        self.queue = queue
        self.groupName = groupName
        self.command = command
        self.environment = environment
        self.workDirectory = workDirectory
        self.checkpointPath = checkpointPath
        self.deviceKind = deviceKind
        self.timeLimit = timeLimit
        self.grace = grace
        self.onNodeLost = onNodeLost
        self.account = account
        self.worldSize = worldSize
        self.labels = labels
        self.arrayFirst = arrayFirst
        self.isArray = isArray
        self.inputs = inputs
        self.outputs = outputs
        self.secretFiles = secretFiles
        self.traceParent = traceParent
        self.hasCheckpoints = hasCheckpoints
    }
}

/// A UNIX account as an administrator set it.
public struct UserAccount: Hashable, Sendable {
    public var userID: UInt32
    public var groupID: UInt32

    public init(userID: UInt32, groupID: UInt32) {
        self.userID = userID
        self.groupID = groupID
    }
}

/// One attempt to start.
public struct StartOrder: Hashable, Sendable {
    public var attempt: AttemptID
    public var fence: Fence
    /// The fence of the attempt that the slot was placed for. While an earlier attempt of the slot lives on the node,
    /// this one is a successor: it starts when all before it have ended.
    public var slot: Fence
    public var allocation: Allocation
    public var restartReason: Reason
    /// nil for a task alone.
    public var gang: GangPlace?
    /// With which the agent reads the inputs and keeps the outputs of this attempt. The shell that sends makes it.
    public var pass: [UInt8]

    public var isSuccessor: Bool { slot != fence }

    /// - Parameter slot: nil for the attempt's own.
    public init(
        attempt: AttemptID, fence: Fence, slot: Fence? = nil, allocation: Allocation, restartReason: Reason, gang: GangPlace?,
        pass: [UInt8] = []
    ) {
        self.attempt = attempt
        self.fence = fence
        self.slot = slot ?? fence
        self.allocation = allocation
        self.restartReason = restartReason
        self.gang = gang
        self.pass = pass
    }
}

/// A task's place in its gang, as torchrun and MPI launchers want to know it.
public struct GangPlace: Hashable, Sendable {
    public var rank: UInt32
    public var localRank: UInt32
    public var localWorldSize: UInt32
    public var nodeRank: UInt32
    public var masterAddress: String
    public var masterPort: UInt32
    /// Node names in node-rank order.
    public var nodeNames: [String]

    public init(
        rank: UInt32, localRank: UInt32, localWorldSize: UInt32, nodeRank: UInt32, masterAddress: String, masterPort: UInt32,
        nodeNames: [String]
    ) {
        self.rank = rank
        self.localRank = localRank
        self.localWorldSize = localWorldSize
        self.nodeRank = nodeRank
        self.masterAddress = masterAddress
        self.masterPort = masterPort
        self.nodeNames = nodeNames
    }
}

/// An attempt to stop: SIGTERM now, or first the signal at which it writes a checkpoint; SIGKILL after the grace.
public struct StopOrder: Hashable, Sendable {
    public var attempt: AttemptID
    public var grace: Span
    /// The grant that is meant: a node that never had it answers that it was returned. 0: whatever there is.
    public var fence: Fence
    /// For the notice that the task reads.
    public var reason: Reason
    public var checkpointSignal: CheckpointSignal?

    public init(
        attempt: AttemptID, grace: Span, fence: Fence = Fence(0), reason: Reason = .none, checkpointSignal: CheckpointSignal? = nil
    ) {
        self.attempt = attempt
        self.grace = grace
        self.fence = fence
        self.reason = reason
        self.checkpointSignal = checkpointSignal
    }
}

/// An attempt to forget, as it was granted: its number may have been granted anew since.
public struct ReleaseOrder: Hashable, Sendable {
    public var attempt: AttemptID
    public var fence: Fence

    public init(attempt: AttemptID, fence: Fence) {
        self.attempt = attempt
        self.fence = fence
    }
}
