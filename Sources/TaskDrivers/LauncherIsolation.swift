internal import CLinuxShim

/// How a launcher contains the processes of attempts, and which limits of an order bind. Protocols/launcher.md says
/// what each mode proves.
public struct LauncherIsolation: Hashable, Sendable {
    public enum Mode: String, Hashable, Sendable {
        case cgroup2
        case cgroup1
        case subreaper
    }

    public var mode: Mode
    public var memoryBinds: Bool
    public var cpuBinds: Bool

    public init(mode: Mode, memoryBinds: Bool, cpuBinds: Bool) {
        self.mode = mode
        self.memoryBinds = memoryBinds
        self.cpuBinds = cpuBinds
    }

    /// nil for a mode that this version does not know.
    init?(_ record: suanpan_welcome) {
        switch suanpan_isolation_mode(rawValue: record.mode) {
        case SUANPAN_MODE_CGROUP2: mode = .cgroup2
        case SUANPAN_MODE_CGROUP1: mode = .cgroup1
        case SUANPAN_MODE_SUBREAPER: mode = .subreaper
        default: return nil
        }
        memoryBinds = record.limits & UInt32(SUANPAN_LIMIT_MEMORY.rawValue) != 0
        cpuBinds = record.limits & UInt32(SUANPAN_LIMIT_CPU.rawValue) != 0
    }
}
