internal import AgentCore
internal import CLinuxShim
internal import Glibc

extension ProcessEnd {
    /// nil for a manner that this version does not know.
    init?(_ end: suanpan_end) {
        let manner: Manner
        switch suanpan_manner(rawValue: end.manner) {
        case SUANPAN_MANNER_EXITED: manner = .exited(code: end.value)
        case SUANPAN_MANNER_SIGNALLED: manner = .signalled(end.value)
        case SUANPAN_MANNER_OUT_OF_MEMORY: manner = .outOfMemory
        case SUANPAN_MANNER_NOT_FOUND: manner = .notFound
        case SUANPAN_MANNER_CANNOT_EXECUTE: manner = .cannotExecute("\(Self.stepName(end.step)): \(errorText(end.value))")
        case SUANPAN_MANNER_DRIVER_LOST: manner = .driverLost
        case SUANPAN_MANNER_NOT_STARTED: manner = .notStarted
        case SUANPAN_MANNER_LEASE_ENDED: manner = .leaseEnded
        default: return nil
        }
        self.init(
            manner: manner, startedAt: end.started_ns, endedAt: end.ended_ns, cpuNanoseconds: end.cpu_ns,
            memoryPeakBytes: end.memory_peak_bytes, stdoutBytes: end.kept_bytes.0, stderrBytes: end.kept_bytes.1,
            droppedBytes: end.dropped_bytes)
    }

    /// What a user reads when a start fails.
    private static func stepName(_ step: UInt32) -> String {
        switch suanpan_step(rawValue: step) {
        case SUANPAN_STEP_STOPPING: "the launcher is stopping"
        case SUANPAN_STEP_PIPES: "making the output pipes"
        case SUANPAN_STEP_GROUP: "making the process group"
        case SUANPAN_STEP_LIMITS: "setting the limits"
        case SUANPAN_STEP_CLONE: "making the process"
        case SUANPAN_STEP_JOIN_GROUP: "entering the process group"
        case SUANPAN_STEP_SESSION: "making the session"
        case SUANPAN_STEP_OUTPUT: "connecting the output"
        case SUANPAN_STEP_USER: "becoming the user"
        case SUANPAN_STEP_WORK_DIRECTORY: "entering the work directory"
        case SUANPAN_STEP_EXECUTE: "executing the program"
        case SUANPAN_STEP_PROCESSORS: "binding to processors"
        default: "step \(step)"
        }
    }
}

/// The system's text for an errno.
func errorText(_ error: Int32) -> String {
    String(cString: strerror(error))
}
