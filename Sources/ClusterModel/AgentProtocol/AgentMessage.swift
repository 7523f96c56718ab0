// What agents tell the coordinator. Protocols/wire.md is the specification; WireProtocol converts to protobuf.

/// Versions of the agent protocol that this build speaks.
public enum AgentProtocolVersion {
    public static let oldest: UInt32 = 1
    public static let newest: UInt32 = 1
}

public enum AgentMessage: Hashable, Sendable {
    /// First of a connection, and again whenever the agent finds that it missed a command.
    case register(Registration)
    case heartbeat(Heartbeat)
    /// News of attempts; repeated until acknowledged, so receivers take duplicates calmly.
    case report(AttemptReport)
    /// The hwloc XML behind the registration's digest, when the coordinator asked for it.
    case topology(TopologyDocument)
    /// The agent leaves on purpose; its attempts run on with the launcher.
    case goodbye(SessionID)
}

/// The agent's whole state: what it is and what it runs.
public struct Registration: Hashable, Sendable {
    public var oldestVersion: UInt32
    public var newestVersion: UInt32
    /// Drawn anew by each agent process.
    public var instance: UInt64
    /// The kernel's boot identifier, 16 bytes: it changes when the node restarts.
    public var bootID: [UInt8]
    public var inventory: NodeInventory
    /// Every attempt that the agent knows, ascending; ended ones until they are released.
    public var attempts: [AttemptStatus]
    /// CLOCK_BOOTTIME at sending, nanoseconds: within a boot, a registration that was sent earlier is out of date. 0 from an
    /// agent that does not say.
    public var sentAt: Int64
    /// The last one that the coordinator told, as it came (`SeenState`); empty for none.
    public var stateMark: [UInt8]
    public var condition: NodeCondition
    /// Of the last refusal that asked something; 0 otherwise.
    public var challenge: UInt64

    public init(
        oldestVersion: UInt32 = AgentProtocolVersion.oldest, newestVersion: UInt32 = AgentProtocolVersion.newest, instance: UInt64,
        bootID: [UInt8], inventory: NodeInventory, attempts: [AttemptStatus], sentAt: Int64 = 0, stateMark: [UInt8] = [],
        condition: NodeCondition = .good, challenge: UInt64 = 0
    ) {
        self.oldestVersion = oldestVersion
        self.newestVersion = newestVersion
        self.instance = instance
        self.bootID = bootID
        self.inventory = inventory
        self.attempts = attempts
        self.sentAt = sentAt
        self.stateMark = stateMark
        self.condition = condition
        self.challenge = challenge
    }
}

/// Whether a node can take new work, as it says itself. What runs there goes on in any case.
public enum NodeCondition: UInt8, NamedTag {
    case good = 0
    /// Nothing more would find room for its output.
    case diskFull = 1

    public static let names = TagNames<Self>(except: [.diskFull: "disk_full"])
}

/// Lease renewal: small, frequent, never journalled.
public struct Heartbeat: Hashable, Sendable {
    public var session: SessionID
    /// Counts the heartbeats of a session from 1.
    public var number: UInt64
    /// The last command applied, so the coordinator's answer tells the agent what it missed.
    public var commandsApplied: UInt64
    /// Attempts that hold resources here.
    public var liveAttempts: UInt32
    /// CLOCK_BOOTTIME at sending, nanoseconds.
    public var bootTime: Int64
    /// nil from an agent that does not measure it.
    public var load: NodeLoad?

    public init(
        session: SessionID, number: UInt64, commandsApplied: UInt64, liveAttempts: UInt32, bootTime: Int64, load: NodeLoad? = nil
    ) {
        self.session = session
        self.number = number
        self.commandsApplied = commandsApplied
        self.liveAttempts = liveAttempts
        self.bootTime = bootTime
        self.load = load
    }
}

/// What a node measures of itself: all that runs there, not only jobs. For people; nothing is decided or charged by it.
public struct NodeLoad: Hashable, Sendable {
    /// Thousandths of a core, on average since the heartbeat before.
    public var cpuMilliUsed: Int64
    public var memoryBytesUsed: Int64
    /// Left for users on the disk of the work directory.
    public var workBytesFree: Int64

    public init(cpuMilliUsed: Int64, memoryBytesUsed: Int64, workBytesFree: Int64) {
        self.cpuMilliUsed = cpuMilliUsed
        self.memoryBytesUsed = memoryBytesUsed
        self.workBytesFree = workBytesFree
    }
}

public struct AttemptReport: Hashable, Sendable {
    public var session: SessionID
    public var statuses: [AttemptStatus]

    public init(session: SessionID, statuses: [AttemptStatus]) {
        self.session = session
        self.statuses = statuses
    }
}

/// Where one attempt stands on its node.
public struct AttemptStatus: Hashable, Sendable {
    public enum Phase: Hashable, Sendable {
        /// Accepted; its process is not yet known to run.
        case starting
        /// Nanoseconds since the program was executed.
        case running(elapsed: Span)
        case ended(AttemptEnd)
    }

    public var attempt: AttemptID
    public var fence: Fence
    public var phase: Phase
    /// Of an end: how long ago it was when this was sent, by the node's monotonic clock. A slot that was handed over
    /// is billed to the next task from then on.
    public var age: Span
    /// How long before this was sent the task wrote its last checkpoint, as it said; nil: it has said nothing.
    public var checkpointAge: Span?
    /// It wrote that one since it was asked to, before it stops.
    public var isAnswer: Bool

    /// It may still hold something on the node.
    public var isLive: Bool {
        if case .ended = phase { return false }
        return true
    }

    public var isReturned: Bool {
        guard case .ended(let end) = phase else { return false }
        return end.cause == .returned
    }

    public init(
        attempt: AttemptID, fence: Fence, phase: Phase, age: Span = .zero, checkpointAge: Span? = nil,
        isAnswer: Bool = false
    ) {
        self.attempt = attempt
        self.fence = fence
        self.phase = phase
        self.age = age
        self.checkpointAge = checkpointAge
        self.isAnswer = isAnswer
    }
}

/// How an attempt ended, measured on its node.
public struct AttemptEnd: Hashable, Sendable {
    /// Why it ended; the exit code stands beside it.
    public enum Cause: UInt8, CanonicalTag, Hashable {
        /// The process exited by itself; `exitCode` tells.
        case exited = 1
        /// A signal that the agent did not send.
        case signalled = 2
        case outOfMemory = 3
        /// The agent stopped it at its time limit.
        case timeLimit = 4
        /// The agent stopped it because the coordinator asked for it.
        case stopped = 5
        /// Shells say 127.
        case notFound = 6
        /// Shells say 126.
        case cannotExecute = 7
        /// The launcher was lost, or the agent could not start what it was told to.
        case infrastructure = 8
        /// The lease ended before the coordinator was heard again (`onNodeLost: replace`).
        case leaseExpired = 9
        /// A successor that was given back: nothing was executed, the attempt counts as never made.
        case returned = 10
        /// Its inputs could not be brought to the node, or its outputs not kept.
        case staging = 11
    }

    public var cause: Cause
    /// 0 … 255; 128 + signal where a signal ended the process.
    public var exitCode: Int32
    /// 0: none.
    public var signal: Int32
    /// From exec to the last process's end; zero when nothing was executed.
    public var elapsed: Span
    public var cpuTime: Span
    public var memoryPeakBytes: Int64
    public var stdoutBytes: Int64
    public var stderrBytes: Int64
    public var droppedBytes: Int64
    /// A sentence for people where the cause needs one, at most 256 bytes.
    public var detail: String

    public init(
        cause: Cause, exitCode: Int32, signal: Int32 = 0, elapsed: Span = .zero, cpuTime: Span = .zero, memoryPeakBytes: Int64 = 0,
        stdoutBytes: Int64 = 0, stderrBytes: Int64 = 0, droppedBytes: Int64 = 0, detail: String = ""
    ) {
        self.cause = cause
        self.exitCode = exitCode
        self.signal = signal
        self.elapsed = elapsed
        self.cpuTime = cpuTime
        self.memoryPeakBytes = memoryPeakBytes
        self.stdoutBytes = stdoutBytes
        self.stderrBytes = stderrBytes
        self.droppedBytes = droppedBytes
        self.detail = detail
    }
}

extension AttemptEnd {
    /// When it began to run, of an attempt of which the end is the first that is heard; nil when nothing was executed.
    public func beginning(endingAt end: LogicalTime) -> LogicalTime? {
        elapsed > .zero ? LogicalTime(nanoseconds: end.nanoseconds - elapsed.nanoseconds) : nil
    }
}

public struct TopologyDocument: Hashable, Sendable {
    /// SHA-256 of the uncompressed XML.
    public var digest: [UInt8]
    /// zlib-compressed hwloc XML.
    public var compressedXML: [UInt8]

    public init(digest: [UInt8], compressedXML: [UInt8]) {
        self.digest = digest
        self.compressedXML = compressedXML
    }
}
