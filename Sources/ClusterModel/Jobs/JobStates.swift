// States and reasons of jobs and tasks (Protocols/lifecycle.md). Raw values are tags in canonical bytes: never reused.

/// Where a job, a task or an attempt stands. Terminal states never change.
public enum JobState: UInt8, NamedTag {
    case queued = 1
    case starting = 2
    case running = 3
    case stopping = 4
    case succeeded = 5
    case failed = 6
    case cancelled = 7

    public var isTerminal: Bool { rawValue >= JobState.succeeded.rawValue }
    public static let names = TagNames<Self>()
}

/// Why something is in its state; orthogonal to the state.
public enum Reason: UInt8, NamedTag {
    case none = 0
    case capacity = 1
    case quota = 2
    case priority = 3
    case dependency = 4
    case beginTime = 5
    case hold = 6
    case budget = 7
    case reservation = 8
    case unsatisfiable = 9
    case topology = 10
    case staging = 11
    case pulling = 12
    case preempted = 13
    case oom = 14
    case timeout = 15
    case nodeLost = 16
    case unreachable = 17
    case deviceFault = 18
    case dirtyDevice = 19
    case user = 20
    case infrastructure = 21
    case exitCode = 22
    case deadline = 23
    case maxPending = 24

    public static let names = TagNames<Self>(except: [.none: ""])
}

/// What a job is for.
public enum JobKind: UInt8, NamedTag {
    case training = 1
    case inference = 2
    case batch = 3
    case notebook = 4

    public static let names = TagNames<Self>()
}

/// What becomes of a task whose node falls silent.
public enum NodeLossPolicy: UInt8, NamedTag {
    /// Until the node returns, or its death is proven. The default: nothing ever runs twice.
    case wait = 1
    /// The agent stops the task when its lease ends; then it runs elsewhere.
    case replace = 2
    /// As `replace`, but the task fails.
    case fail = 3

    public static let names = TagNames<Self>()
}
