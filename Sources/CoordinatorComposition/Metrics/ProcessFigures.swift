import Glibc
import Telemetry

/// What the kernel says of this process. Names and meanings are those of Prometheus' own client libraries.
struct ProcessFigures {
    private static let cpu = MetricFamily(
        .counter, "process_cpu_seconds", unit: .seconds, help: "CPU time of the process, in user and system mode.")
    private static let resident = MetricFamily(.gauge, "process_resident_memory_bytes", unit: .bytes, help: "Resident memory.")
    private static let openFiles = MetricFamily(.gauge, "process_open_fds", help: "Open file descriptors.")
    private static let openFilesMax = MetricFamily(.gauge, "process_max_fds", help: "Most file descriptors that may be open.")
    private static let start = MetricFamily(
        .gauge, "process_start_time_seconds", unit: .seconds, help: "When the process began, since 1970.")

    /// Found once: the wall clock may step afterwards.
    private let startSeconds: Double?

    init() { startSeconds = Self.startSeconds() }

    func write(to text: inout MetricsText) {
        text.family(Self.cpu) { samples in
            var time = timespec()
            if clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 { samples.add(Double(time.tv_sec) + Double(time.tv_nsec) / 1e9) }
        }
        text.family(Self.resident) { samples in
            if let pages = Self.fields(of: "/proc/self/statm").dropFirst().first.flatMap({ Int($0) }) {
                samples.add(pages * Int(getpagesize()))
            }
        }
        text.family(Self.openFiles) { samples in
            if let count = Self.openFileCount() { samples.add(count) }
        }
        text.family(Self.openFilesMax) { samples in
            var limit = rlimit()
            if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 { samples.add(limit.rlim_cur) }
        }
        text.family(Self.start) { samples in
            if let startSeconds { samples.add(startSeconds) }
        }
    }

    private static func openFileCount() -> Int? {
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        // `.`, `..` and the directory itself.
        return count - 3
    }

    /// Field 22 of /proc/self/stat is the start, in ticks since the machine's boot.
    private static func startSeconds() -> Double? {
        // After the name, which may hold anything, follows field 3.
        let fields = fields(of: "/proc/self/stat", after: UInt8(ascii: ")"))
        guard fields.count > 19, let ticks = Double(fields[19]) else { return nil }
        var wall = timespec()
        var boot = timespec()
        clock_gettime(CLOCK_REALTIME, &wall)
        clock_gettime(CLOCK_BOOTTIME, &boot)
        let age = Double(boot.tv_sec) + Double(boot.tv_nsec) / 1e9 - ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
        return Double(wall.tv_sec) + Double(wall.tv_nsec) / 1e9 - age
    }

    private static func fields(of path: String, after mark: UInt8? = nil) -> [Substring] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        let bytes = [UInt8](unsafeUninitializedCapacity: 1024) { buffer, count in count = max(0, read(descriptor, buffer.baseAddress, 1024))
        }
        let start = mark.flatMap { bytes.lastIndex(of: $0) }.map { $0 + 1 } ?? 0
        return String(decoding: bytes[start...], as: UTF8.self).split { $0 == " " || $0 == "\n" }
    }
}
