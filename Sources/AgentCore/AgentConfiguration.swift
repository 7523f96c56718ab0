public import ClusterModel

/// What an administrator decided about one agent, and what the agent knows of itself.
public struct AgentConfiguration: Hashable, Sendable {
    /// Drawn anew by each agent process.
    public var instance: UInt64
    /// The kernel's boot identifier, 16 bytes.
    public var bootID: [UInt8]
    public var inventory: NodeInventory
    /// What jobs run as when their user has no account, and always when the agent is not root.
    public var defaultAccount: UserAccount
    /// Only root can run jobs as others.
    public var isRoot: Bool
    public var allowsRootJobs: Bool
    /// Below it each job has a directory of its own.
    public var workRoot: String
    /// In memory; below it each attempt that is given secrets as files has a directory of its own. Empty: none can be given.
    public var secretsRoot: String
    /// Below it each attempt with checkpoints has a directory of its own, for words to the task and from it. Empty: none has.
    public var mailRoot: String
    /// False on simulated nodes, whose tasks read nothing and leave nothing.
    public var movesFiles: Bool
    /// Bytes kept of each output stream of an attempt.
    public var outputLimitBytes: Int64
    /// With less free on the jobs' disk, the node takes no new work until twice as much is free.
    public var diskReserveBytes: Int64

    public static let diskReserveBytesDefault: Int64 = 256 << 20
    /// Value of PATH in jobs.
    public var path: String

    public init(
        instance: UInt64, bootID: [UInt8], inventory: NodeInventory, defaultAccount: UserAccount, isRoot: Bool, allowsRootJobs: Bool,
        workRoot: String, secretsRoot: String = "", mailRoot: String = "", movesFiles: Bool = false, outputLimitBytes: Int64 = 64 << 20,
        diskReserveBytes: Int64? = nil,
        path: String = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    ) {
        self.instance = instance
        self.bootID = bootID
        self.inventory = inventory
        self.defaultAccount = defaultAccount
        self.isRoot = isRoot
        self.allowsRootJobs = allowsRootJobs
        self.workRoot = workRoot
        self.secretsRoot = secretsRoot
        self.mailRoot = mailRoot
        self.movesFiles = movesFiles
        self.outputLimitBytes = outputLimitBytes
        self.diskReserveBytes = diskReserveBytes ?? Self.diskReserveBytesDefault
        self.path = path
    }

    func jobDirectory(_ job: JobID) -> String { "\(workRoot)/\(job)" }

    /// An attempt with inputs or outputs finds only its own files; others of the job share one directory.
    func workDirectory(of attempt: AttemptID, _ template: TaskTemplate) -> String {
        if !template.workDirectory.isEmpty { return template.workDirectory }
        let shared = jobDirectory(attempt.task.job)
        return template.isStaged && movesFiles ? "\(shared)/\(attempt.task.index).\(attempt.number)" : shared
    }

    /// A file that is there once the task has been told to stop.
    func noticeFile(of attempt: AttemptID) -> String { "\(mailRoot)/\(attempt)/\(TaskMail.notice)" }
    /// A file that the task touches when it has written a checkpoint.
    func checkpointFile(of attempt: AttemptID) -> String { "\(mailRoot)/\(attempt)/\(TaskMail.checkpoint)" }

    func secretsDirectory(of attempt: AttemptID) -> String { "\(secretsRoot)/\(attempt)" }
}

/// Times of the agent's machine, in nanoseconds.
public enum AgentTiming {
    /// A started task is reported this late: most short tasks have ended by then and cost one report, not two.
    public static let startReportDelay: Int64 = 20_000_000
    /// A successor that has waited so long is given back, so that it may run elsewhere. Ten times what the coordinator lines
    /// up (`RunAhead.window`): by then the task before it is not what was expected.
    public static let successorPatience: Int64 = 1_000_000_000
    /// Ended attempts are reported again after so long without a release.
    public static let reportRepeat: Int64 = 2_000_000_000
    /// A registration without an answer is repeated.
    public static let registrationRepeat: Int64 = 5_000_000_000
    /// Whoever is to write a checkpoint before it stops is looked after so often.
    public static let checkpointLook: Int64 = 200_000_000
    /// Of a task that has written none after the signal for it, the last part of its grace is for SIGTERM: a quarter, and no more than this.
    public static let terminateBefore: Int64 = 5_000_000_000
    /// A process that survives SIGKILL is sent it again.
    public static let killRepeat: Int64 = 5_000_000_000
    /// So many heartbeats without an answer, and the agent registers again.
    public static let heartbeatsUnansweredMax = 3
    /// Until the first welcome says otherwise.
    public static let leaseDefault: Int64 = 30_000_000_000
}
