import ClusterModel
import Glibc
import Synchronization

/// What the machine uses, from /proc: two short reads and a `statvfs` for each heartbeat.
final class LoadMeter: Sendable {
    private struct Ticks {
        var busy: UInt64
        var total: UInt64
    }

    private let workRoot: String
    private let last = Mutex<Ticks?>(nil)

    init(workRoot: String) { self.workRoot = workRoot }

    /// nil until there are two readings, and where the kernel shows none of it.
    @Sendable func measure() -> NodeLoad? {
        guard let now = Self.ticks(), let memory = Self.memoryBytesUsed(), let free = Self.bytesFree(at: workRoot) else { return nil }
        let before = last.withLock { last in
            defer { last = now }
            return last
        }
        guard let before, now.total > before.total else { return nil }
        let share = Double(now.busy &- min(before.busy, now.busy)) / Double(now.total - before.total)
        let cores = Int64(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        return NodeLoad(cpuMilliUsed: Int64(share * Double(cores * 1000)), memoryBytesUsed: memory, workBytesFree: free)
    }

    /// Of a simulated node, which uses nothing.
    static func idle(workRoot: String) -> NodeLoad? {
        bytesFree(at: workRoot).map { NodeLoad(cpuMilliUsed: 0, memoryBytesUsed: 0, workBytesFree: $0) }
    }

    /// The first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal, and two that are in the first.
    private static func ticks() -> Ticks? {
        guard let line = head(of: "/proc/stat")?.split(separator: "\n", maxSplits: 1).first, line.hasPrefix("cpu ") else { return nil }
        let fields = line.split(separator: " ").dropFirst().prefix(8).compactMap { UInt64($0) }
        guard fields.count == 8 else { return nil }
        let total = fields.reduce(0, &+)
        return Ticks(busy: total - fields[3] - fields[4], total: total)
    }

    private static func memoryBytesUsed() -> Int64? {
        var total: Int64?
        var available: Int64?
        for line in head(of: "/proc/meminfo")?.split(separator: "\n") ?? [] {
            let words = line.split(separator: " ")
            guard words.count == 3, let kibibytes = Int64(words[1]) else { continue }
            if words[0] == "MemTotal:" { total = kibibytes }
            if words[0] == "MemAvailable:" { available = kibibytes }
        }
        guard let total, let available else { return nil }
        return (total - min(available, total)) * 1024
    }

    private static func bytesFree(at path: String) -> Int64? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        return Int64(clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).partialValue)
    }

    /// What is looked for stands in the first kilobyte.
    private static func head(of path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        let bytes = [UInt8](unsafeUninitializedCapacity: 1024) { buffer, count in count = max(0, read(descriptor, buffer.baseAddress, 1024))
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
