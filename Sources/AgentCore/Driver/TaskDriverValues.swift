// What passes between the agent's machine and a task driver. The driver starts, confines and reaps; it decides nothing.

public import ClusterModel

/// Everything needed to start one attempt's process. Nothing is left to choose.
public struct LaunchOrder: Hashable, Sendable {
    public var attempt: AttemptID
    public var fence: Fence
    /// While an attempt with the same slot runs or waits, this one waits; the driver starts it when those before it
    /// have ended.
    public var slot: Fence
    /// Program and arguments; the program is looked up in the order's own PATH when it holds no slash.
    public var command: [String]
    /// `NAME=value` entries, the whole environment of the process.
    public var environment: [String]
    /// Absolute.
    public var workDirectory: String
    /// The directory is made when it is missing, and belongs to the process's user. Only for one that the agent chose: in
    /// a place that a request named, a directory made by root would be a present of root's rights.
    public var makesWorkDirectory: Bool
    public var userID: UInt32
    public var groupID: UInt32
    /// By the operating system's indexes; empty for any.
    public var processors: [UInt32]
    public var cpuMilli: Int64
    public var memoryBytes: Int64
    /// Bytes kept of each output stream; the rest is counted and dropped.
    public var outputLimitBytes: Int64
    /// The driver itself ends it when the lease has ended (`TaskDriver.holdLease`).
    public var dependsOnLease: Bool
    /// Opaque to the driver, handed back by `recover`: what the agent must know again after its own restart.
    public var note: [UInt8]

    public init(
        attempt: AttemptID, fence: Fence, slot: Fence, command: [String], environment: [String], workDirectory: String,
        makesWorkDirectory: Bool, userID: UInt32,
        groupID: UInt32, processors: [UInt32] = [], cpuMilli: Int64, memoryBytes: Int64, outputLimitBytes: Int64,
        dependsOnLease: Bool = false, note: [UInt8]
    ) {
        self.attempt = attempt
        self.fence = fence
        self.slot = slot
        self.command = command
        self.environment = environment
        self.workDirectory = workDirectory
        self.makesWorkDirectory = makesWorkDirectory
        self.userID = userID
        self.groupID = groupID
        self.processors = processors
        self.cpuMilli = cpuMilli
        self.memoryBytes = memoryBytes
        self.outputLimitBytes = outputLimitBytes
        self.dependsOnLease = dependsOnLease
        self.note = note
    }
}

/// How a process ended, as its driver saw it. Times are CLOCK_BOOTTIME nanoseconds of the node.
public struct ProcessEnd: Hashable, Sendable {
    public enum Manner: Hashable, Sendable {
        case exited(code: Int32)
        case signalled(Int32)
        /// The kernel's out-of-memory killer ended the group.
        case outOfMemory
        /// The program does not exist (shells say 127).
        case notFound
        /// The program, its user or its directory could not be set up (shells say 126); the text names the step.
        case cannotExecute(String)
        /// The driver ended it, since nobody held the lease any longer.
        case leaseEnded
        /// The driver itself was lost; the group was killed and is proven empty.
        case driverLost
        /// It waited in its slot and was withdrawn: no process was ever made.
        case notStarted
    }

    public var manner: Manner
    public var startedAt: Int64
    public var endedAt: Int64
    public var cpuNanoseconds: Int64
    public var memoryPeakBytes: Int64
    public var stdoutBytes: Int64
    public var stderrBytes: Int64
    /// Bytes beyond the output limit, both streams together.
    public var droppedBytes: Int64

    public init(
        manner: Manner, startedAt: Int64, endedAt: Int64, cpuNanoseconds: Int64 = 0, memoryPeakBytes: Int64 = 0,
        stdoutBytes: Int64 = 0, stderrBytes: Int64 = 0, droppedBytes: Int64 = 0
    ) {
        self.manner = manner
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.cpuNanoseconds = cpuNanoseconds
        self.memoryPeakBytes = memoryPeakBytes
        self.stdoutBytes = stdoutBytes
        self.stderrBytes = stderrBytes
        self.droppedBytes = droppedBytes
    }
}

/// An attempt that the driver still knows after the agent's restart: waiting, running, or ended and not yet released.
public struct RecoveredAttempt: Hashable, Sendable {
    public var attempt: AttemptID
    public var fence: Fence
    public var slot: Fence
    public var note: [UInt8]
    /// nil while it waits in its slot.
    public var startedAt: Int64?
    /// nil while it waits or runs.
    public var end: ProcessEnd?

    public init(attempt: AttemptID, fence: Fence, slot: Fence, note: [UInt8], startedAt: Int64?, end: ProcessEnd?) {
        self.attempt = attempt
        self.fence = fence
        self.slot = slot
        self.note = note
        self.startedAt = startedAt
        self.end = end
    }
}

public enum OutputStream: UInt8, Hashable, Sendable, CaseIterable {
    case stdout = 1
    case stderr = 2
}

/// A fact told by a task driver.
public enum DriverEvent: Hashable, Sendable {
    /// The program was executed. `at` is CLOCK_BOOTTIME of the node in nanoseconds.
    case started(AttemptID, processID: Int32, at: Int64)
    /// The first process has ended and its whole group is empty.
    case ended(AttemptID, ProcessEnd)
    /// At least `total` bytes of the stream can be read.
    case outputGrew(AttemptID, OutputStream, total: Int64)
    /// The driver is lost and is being replaced; `recovered` follows when it is back.
    case lost
    /// All that the driver knows, after a connection or reconnection.
    case recovered([RecoveredAttempt])
}
