// States and reasons of jobs and tasks (Protocols/lifecycle.md). Raw values are tags in canonical bytes: never reused.

/// Where a job, a task or an attempt stands. Terminal states never change.
public enum JobState: UInt8, CanonicalTag, Hashable, CaseIterable {
    case queued = 1
    case starting = 2
    case running = 3
    case stopping = 4
    case succeeded = 5
    case failed = 6
    case cancelled = 7

    public var isTerminal: Bool { rawValue >= JobState.succeeded.rawValue }
    public var name: String { "\(self)" }

    public init?(name: String) {
        guard let state = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = state
    }
}

/// Why something is in its state; orthogonal to the state.
public enum Reason: UInt8, CanonicalTag, Hashable, CaseIterable {
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

    /// The spelling of the interface: `begin_time`, `node_lost`, …; empty for `none`.
    public var name: String {
        switch self {
        case .none: ""
        case .beginTime: "begin_time"
        case .nodeLost: "node_lost"
        case .deviceFault: "device_fault"
        case .dirtyDevice: "dirty_device"
        case .exitCode: "exit_code"
        default: "\(self)"
        }
    }

    public init?(name: String) {
        guard !name.isEmpty, let reason = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = reason
    }
}

/// What a job is for.
public enum JobKind: UInt8, CanonicalTag, Hashable, CaseIterable {
    case training = 1
    case inference = 2
    case batch = 3
    case notebook = 4

    public var name: String { "\(self)" }

    public init?(name: String) {
        guard let kind = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = kind
    }
}

/// What becomes of a task whose node falls silent.
public enum NodeLossPolicy: UInt8, CanonicalTag, Hashable, CaseIterable {
    /// Until the node returns, or its death is proven. The default: nothing ever runs twice.
    case wait = 1
    /// The agent stops the task when its lease ends; then it runs elsewhere.
    case replace = 2
    /// As `replace`, but the task fails.
    case fail = 3

    public var name: String { "\(self)" }

    public init?(name: String) {
        guard let policy = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = policy
    }
}
