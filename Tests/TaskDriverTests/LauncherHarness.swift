import AgentCore
import CLinuxShim
import ClusterModel
import class Foundation.FileManager
import Glibc
import Logging
import Synchronization
import TaskDrivers
import Testing

/// The events that a driver has told, and who waits for one.
final class EventLog: Sendable {
    private struct Waiter {
        let matches: @Sendable (DriverEvent) -> Bool
        let continuation: CheckedContinuation<DriverEvent, Never>
    }

    private struct State {
        var events: [DriverEvent] = []
        var waiters: [Waiter] = []
    }

    private let state = Mutex(State())

    func append(_ events: [DriverEvent]) {
        let served = state.withLock { state in
            state.events += events
            var served: [(Waiter, DriverEvent)] = []
            state.waiters.removeAll { waiter in
                guard let event = events.first(where: waiter.matches) else { return false }
                served.append((waiter, event))
                return true
            }
            return served
        }
        for (waiter, event) in served { waiter.continuation.resume(returning: event) }
    }

    var all: [DriverEvent] { state.withLock { $0.events } }

    /// The first event that matches, waiting for it when it has not come yet. The test's time limit ends a vain wait.
    func first(where matches: @escaping @Sendable (DriverEvent) -> Bool) async -> DriverEvent {
        await withCheckedContinuation { continuation in
            let known = state.withLock { state in
                let known = state.events.first(where: matches)
                if known == nil { state.waiters.append(Waiter(matches: matches, continuation: continuation)) }
                return known
            }
            if let known { continuation.resume(returning: known) }
        }
    }

    func end(of attempt: AttemptID) async -> ProcessEnd {
        let event = await first {
            if case .ended(attempt, _) = $0 { true } else { false }
        }
        guard case .ended(_, let end) = event else { preconditionFailure() }
        return end
    }

    /// Its end as it was told, or as a listing told it: what ends while nobody is connected, no event tells.
    func endTold(of attempt: AttemptID) async -> ProcessEnd {
        @Sendable func end(_ event: DriverEvent) -> ProcessEnd? {
            switch event {
            case .ended(attempt, let end): end
            case .recovered(let known): known.first { $0.attempt == attempt }?.end
            default: nil
            }
        }
        guard let told = end(await first { end($0) != nil }) else { preconditionFailure() }
        return told
    }

    /// The ends of `count` attempts, whichever they are.
    func ends(_ count: Int) async -> [AttemptID: ProcessEnd] {
        var ends: [AttemptID: ProcessEnd] = [:]
        while true {
            for case .ended(let attempt, let end) in all { ends[attempt] = end }
            if ends.count >= count { return ends }
            let known = ends
            _ = await first { if case .ended(let attempt, _) = $0 { known[attempt] == nil } else { false } }
        }
    }

    func processID(of attempt: AttemptID) async -> Int32 {
        let event = await first {
            if case .started(attempt, _, _) = $0 { true } else { false }
        }
        guard case .started(_, let process, _) = event else { preconditionFailure() }
        return process
    }

    func recovered() async -> [RecoveredAttempt] {
        let event = await first {
            if case .recovered = $0 { true } else { false }
        }
        guard case .recovered(let attempts) = event else { preconditionFailure() }
        return attempts
    }
}

/// A driver with a launcher and a run directory of its own.
final class LauncherHarness: Sendable {
    let directory: String
    let loop = TestLoop()
    let log = EventLog()
    let driver: LauncherDriver
    private let startsLauncher: Bool
    /// Removed at the end, when it is not the built one.
    let program: String

    /// Beside the test products, whatever the build is called; or the one that SUANPAN_TEST_LAUNCHER names, built with sanitizers.
    static let launcherPath: String = {
        if let named = getenv("SUANPAN_TEST_LAUNCHER") { return String(cString: named) }
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let path = String(decoding: buffer.prefix(max(length, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex) + "/suanpan-launcher"
    }()

    /// `directory` of an earlier harness: an agent that comes back.
    init(directory: String? = nil, isolation: String = "auto", startsLauncher: Bool = true, program: String = launcherPath) {
        self.startsLauncher = startsLauncher
        self.program = program
        if let directory {
            self.directory = directory
        } else {
            var template = Array("/tmp/suanpan-driver.XXXXXX".utf8CString)
            precondition(mkdtemp(&template) != nil)
            chmod(&template, 0o755)
            self.directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        var logger = Logger(label: "test")
        logger.logLevel = .error
        driver = LauncherDriver(
            runDirectory: self.directory, launcherPath: startsLauncher ? program : nil,
            launcherArguments: ["--linger", "1", "--isolation", isolation], loop: loop, logger: logger)
    }

    /// Starts the driver; what it recovers.
    func start() async throws -> [RecoveredAttempt] {
        try await loop.perform { [driver, log] in try driver.start { log.append($0) } }
        return await log.recovered()
    }

    func launch(_ orders: LaunchOrder...) async throws { try await launch(orders) }
    func launch(_ orders: [LaunchOrder]) async throws { try await loop.perform { [driver] in driver.launch(orders) } }
    func signal(_ attempt: AttemptID, _ signal: Int32) async throws {
        try await loop.perform { [driver] in driver.signal(attempt, signal) }
    }
    func holdLease(until instant: Int64) async throws { try await loop.perform { [driver] in driver.holdLease(until: instant) } }
    func withdraw(_ attempts: [AttemptID]) async throws { try await loop.perform { [driver] in driver.withdraw(attempts) } }
    func release(_ attempts: [AttemptID]) async throws { try await loop.perform { [driver] in driver.release(attempts) } }

    func read(
        _ attempt: AttemptID, _ stream: OutputStream = .stdout, offset: Int64 = 0, limit: Int = 4096
    ) async throws -> [UInt8] {
        try await loop.perform { [driver] in try driver.readOutput(attempt, stream, offset: offset, limit: limit) }
    }

    func text(_ attempt: AttemptID, _ stream: OutputStream = .stdout) async throws -> String {
        String(decoding: try await read(attempt, stream), as: UTF8.self)
    }

    /// Removes the launcher's directories from every hierarchy, as a stranger may while they are empty; false while one is not.
    /// The number removed is told so that a test can see that there were any.
    func removeControlGroups() -> (isDone: Bool, count: Int) {
        var status = stat()
        guard stat(directory, &status) == 0 else { return (false, 0) }
        let name = "suanpan-\(String(UInt64(status.st_dev), radix: 16))-\(String(UInt64(status.st_ino), radix: 16))"
        let mine = Self.folders(below: "/sys/fs/cgroup").filter { $0.hasSuffix("/" + name) }
        for folder in mine {
            for group in Self.folders(below: folder) { rmdir(group) }
            guard rmdir(folder) == 0 else { return (false, 0) }
        }
        return (true, mine.count)
    }

    /// All of them, across mounts, which Foundation's own walk stops at.
    private static func folders(below path: String) -> [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var found: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard entry.pointee.d_type == UInt8(DT_DIR), !name.hasPrefix(".") else { continue }
            found.append("\(path)/\(name)")
            found += folders(below: "\(path)/\(name)")
        }
        return found
    }

    /// As the system would, which keeps it.
    func startLauncher() {
        let words: [String] = [Self.launcherPath, "--run-dir", directory, "--linger", "60"]
        let copies = words.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        let arguments: [UnsafePointer<CChar>?] = copies.map { $0.map { UnsafePointer($0) } } + [nil]
        precondition(suanpan_spawn_session(Self.launcherPath, arguments, directory + "/launcher.log") > 0)
    }

    /// The agent dies: its connection ends, the launcher stays.
    func abandon() { loop.stop() }

    func launcherProcess() -> Int32 {
        let file = open(directory + "/launcher.lock", O_RDONLY)
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 16)
        let length = Glibc.read(file, &buffer, buffer.count)
        return Int32(String(decoding: buffer.prefix(max(length, 0)), as: UTF8.self).filter(\.isNumber)) ?? -1
    }

    /// Ends the launcher, which must be idle, and removes the run directory.
    func finish() async throws {
        let launcher = launcherProcess()
        try await loop.perform { [driver] in driver.shutDownIfIdle() }
        // One that the system keeps does not listen to that.
        if !startsLauncher { kill(launcher, SIGTERM) }
        // A child of this process, whichever driver started it. It takes its files away before it ends.
        waitpid(launcher, nil, 0)
        loop.stop()
        try FileManager.default.removeItem(atPath: directory)
    }
}

/// An order of job 1 with usable defaults.
func order(
    _ index: UInt32, _ command: [String], fence: UInt64 = 1, slot: UInt64? = nil, environment: [String] = ["PATH=/usr/bin:/bin"],
    workDirectory: String = "/tmp",
    makesWorkDirectory: Bool = false,
    userID: UInt32 = getuid(), groupID: UInt32 = getgid(), processors: [UInt32] = [], cpuMilli: Int64 = 0,
    memoryBytes: Int64 = 0, outputLimitBytes: Int64 = 1 << 20, note: [UInt8] = []
) -> LaunchOrder {
    LaunchOrder(
        attempt: attempt(index), fence: Fence(fence), slot: Fence(slot ?? 1_000 + UInt64(index)), command: command,
        environment: environment, workDirectory: workDirectory,
        makesWorkDirectory: makesWorkDirectory,
        userID: userID, groupID: groupID, processors: processors, cpuMilli: cpuMilli, memoryBytes: memoryBytes,
        outputLimitBytes: outputLimitBytes, note: note)
}

func shell(_ index: UInt32, _ script: String, slot: UInt64? = nil) -> LaunchOrder { order(index, ["sh", "-c", script], slot: slot) }

func attempt(_ index: UInt32) -> AttemptID { AttemptID(job: JobID(1), index: index, number: 1) }

/// True when there is no such process, not even a dead one that nobody has waited for.
func isGone(_ process: Int32) -> Bool {
    guard kill(process, 0) == 0 else { return true }
    // Orphans belong to the machine's init, which may take its time to reap them.
    let file = open("/proc/\(process)/stat", O_RDONLY)
    guard file >= 0 else { return true }
    defer { close(file) }
    var buffer = [UInt8](repeating: 0, count: 256)
    let length = read(file, &buffer, buffer.count)
    let text = String(decoding: buffer.prefix(max(length, 0)), as: UTF8.self)
    return text.split(separator: ")").last?.hasPrefix(" Z") ?? true
}
