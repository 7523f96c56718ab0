// Real daemons in a directory of their own, for one test. Everything started here is ended here, by process identifier.

import Foundation
import Glibc
import Synchronization

/// What a command printed and how it ended.
struct Outcome: Sendable {
    var code: Int32
    var output: String
    var errors: String
}

/// Where a daemon runs: this machine as it is, or a part of it that can be cut off, is short of room, or is wrong about the time.
struct Surroundings {
    /// A program that becomes the daemon, with its arguments.
    var wrapper: [String] = []
    var environment: [String: String] = [:]
}

final class Cluster {
    let directory: String
    /// The coordinator's part of it.
    let stateDirectory: String
    private var daemons: [String: Process] = [:]
    private let ports: [Int]

    /// The programs under test: those that the suite names, else the ones of the debug build.
    static let programs: String = {
        if let folder = ProcessInfo.processInfo.environment["SUANPAN_TEST_BINARIES"] { return folder }
        return URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
    }()

    /// - Parameter separatesState: the coordinator's state has a directory that can be taken away while agents live on.
    init(separatesState: Bool = false) throws {
        directory = "/tmp/suanpan-test-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o711])
        stateDirectory = separatesState ? "\(directory)/state" : directory
        ports = (0..<4).map { _ in Self.freePort() }
    }

    deinit {
        for daemon in daemons.values where daemon.isRunning { kill(daemon.processIdentifier, SIGKILL) }
        endLauncher()
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Where the next port is looked for: the clusters of one test run never share one, and a daemon's four differ.
    private static let nextPort = Mutex(UInt16.random(in: ports))

    /// Below the kernel's ephemeral ports (32768 on): a client that tries a port of that range while its daemon is dead may be
    /// given the very port for its own end, connect to itself, and keep the daemon from coming back.
    private static let ports: Range<UInt16> = 20_000..<32_000

    private static func freePort() -> Int {
        nextPort.withLock { next in
            while true {
                let port = next
                next = port + 1 < ports.upperBound ? port + 1 : ports.lowerBound
                if canBind(port) { return Int(port) }
            }
        }
    }

    private static func canBind(_ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    var url: String { "http://127.0.0.1:\(ports[0])" }
    var httpPort: Int { ports[0] }
    var agentPort: Int { ports[1] }
    var enrollPort: Int { ports[2] }

    // MARK: Daemons

    /// - Parameters:
    ///   - host: what all its sockets are bound to.
    ///   - agentsHost: what those for agents are bound to, where that is another.
    func startCoordinator(
        host: String = "127.0.0.1", agentsHost: String? = nil, extra: [String] = [], in surroundings: Surroundings = Surroundings()
    ) throws {
        try launchCoordinator(host: host, agentsHost: agentsHost, extra: extra, in: surroundings)
        try waitUntil("the coordinator serves") {
            self.suanpan("cluster", "-o", "json").code == 0 && FileManager.default.fileExists(atPath: "\(self.directory)/join-token")
        }
    }

    /// Starts it and does not wait.
    func launchCoordinator(
        host: String = "127.0.0.1", agentsHost: String? = nil, extra: [String] = [], in surroundings: Surroundings = Surroundings()
    ) throws {
        let agents = agentsHost ?? host
        try start(
            "coordinator", "suanpan-coordinator",
            [
                "--data-dir", stateDirectory, "--http", "\(host):\(ports[0])", "--agents-endpoint", "tcp://\(agents):\(ports[1])",
                "--enroll-endpoint", "tcp://\(agents):\(ports[2])", "--log-endpoint", "tcp://\(agents):\(ports[3])",
                "--bootstrap-token-file", "\(directory)/join-token", "--heartbeat-interval", "1s",
            ] + extra, in: surroundings)
    }

    /// The name of a daemon's process here, its log and its directory: the first node's is "agent".
    static func role(ofNode name: String) -> String { name == "n1" ? "agent" : "agent-\(name)" }

    func agentDirectory(_ name: String = "n1") -> String { "\(directory)/\(Self.role(ofNode: name))" }

    func startAgent(_ name: String = "n1", extra: [String] = [], in surroundings: Surroundings = Surroundings()) throws {
        try launchAgent(name, extra: extra, in: surroundings)
        try waitUntil("agent \(name) has registered") { self.nodeState(name) == "ready" }
    }

    /// Starts it and does not wait.
    func launchAgent(
        _ name: String = "n1", directory: String? = nil, token: String? = nil, extra: [String] = [],
        in surroundings: Surroundings = Surroundings()
    ) throws {
        let token = token ?? "\(self.directory)/join-token"
        let arguments = ["--data-dir", directory ?? agentDirectory(name), "--token-file", token, "--name", name, "--cpus", "4"]
        try start(
            directory.map { URL(filePath: $0).lastPathComponent } ?? Self.role(ofNode: name), "suanpan-agent", arguments + extra,
            in: surroundings)
    }

    /// What a listing verb lists.
    func list(_ arguments: String...) -> [[String: Any]] {
        let answer = try? JSONSerialization.jsonObject(with: Data(suanpan(arguments + ["-o", "json"]).output.utf8))
        return answer as? [[String: Any]] ?? (answer as? [String: Any])?["items"] as? [[String: Any]] ?? []
    }

    /// Jobs that have not ended; nil when nobody answers.
    func liveJobs() -> Int? { (try? json("cluster") as? [String: Any])?["jobsLive"] as? Int }

    func nodes() -> [[String: Any]] { list("node", "ls") }

    func nodeState(_ name: String) -> String? { nodes().first { $0["name"] as? String == name }?["state"] as? String }

    /// As the system starts it: nothing names a token, which lies in the data directory.
    func startAgentByHandedOverToken() throws {
        try start("agent", "suanpan-agent", ["--data-dir", "\(directory)/agent", "--name", "n1", "--cpus", "4"])
        try waitUntil("the agent has registered") { FileManager.default.fileExists(atPath: "\(self.directory)/agent/registered") }
    }

    private func start(_ role: String, _ program: String, _ arguments: [String], in surroundings: Surroundings = Surroundings()) throws {
        let process = Process()
        let words = surroundings.wrapper + ["\(Self.programs)/\(program)"] + arguments
        process.executableURL = URL(filePath: words[0])
        process.arguments = Array(words.dropFirst())
        process.environment = ProcessInfo.processInfo.environment.merging(surroundings.environment) { $1 }
        let log = "\(directory)/\(role).log"
        if !FileManager.default.fileExists(atPath: log) { _ = FileManager.default.createFile(atPath: log, contents: nil) }
        let handle = FileHandle(forWritingAtPath: log)
        try handle?.seekToEnd()
        process.standardError = handle
        process.standardOutput = handle
        process.standardInput = FileHandle.nullDevice
        try process.run()
        daemons[role] = process
    }

    /// Starts a second coordinator, or `up`, that cannot run beside the first; what it said when it had ended.
    func startFails(_ program: String, _ arguments: [String]) -> Outcome {
        var options = [
            "--data-dir": "\(directory)/other", "--http": "127.0.0.1:0", "--agents-endpoint": "tcp://127.0.0.1:0",
            "--enroll-endpoint": "tcp://127.0.0.1:0", "--log-endpoint": "tcp://127.0.0.1:0",
        ]
        for index in stride(from: 0, to: arguments.count, by: 2) { options[arguments[index]] = arguments[index + 1] }
        return run(program, (program == "suanpan" ? ["up"] : []) + options.flatMap { [$0.key, $0.value] })
    }

    /// kill -9, and gone.
    func crash(_ role: String) {
        guard let daemon = daemons.removeValue(forKey: role) else { return }
        kill(daemon.processIdentifier, SIGKILL)
        daemon.waitUntilExit()
    }

    /// Its process; nil when it has ended.
    func pid(_ role: String) -> Int32? { daemons[role].flatMap { $0.isRunning ? $0.processIdentifier : nil } }

    /// Waits for a daemon that ends by itself, and returns its exit status.
    func end(of role: String) throws -> Int32 {
        let daemon = daemons[role]
        try waitUntil("\(role) has ended") { daemon?.isRunning != true }
        daemons[role] = nil
        return daemon?.terminationStatus ?? -1
    }

    func log(_ role: String) -> String { (try? String(contentsOfFile: "\(directory)/\(role).log", encoding: .utf8)) ?? "" }

    /// Processes whose command line holds `text`, found through /proc.
    static func processes(matching text: String) -> [Int32] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.compactMap { Int32($0) }.filter { number in
            guard number != getpid(), let data = FileManager.default.contents(atPath: "/proc/\(number)/cmdline") else { return false }
            return String(decoding: data.map { $0 == 0 ? 32 : $0 }, as: UTF8.self).contains(text)
        }
    }

    var launcher: Int32? { Self.processes(matching: "suanpan-launcher --run-dir \(directory)/").first }

    func endLauncher() {
        for number in Self.processes(matching: "suanpan-launcher --run-dir \(directory)/") { kill(number, SIGKILL) }
    }

    /// An address of this machine that other machines could reach; nil where it has none.
    static let outwardAddress: String? = {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return nil }
        defer { freeifaddrs(list) }
        var next = list
        while let entry = next {
            next = entry.pointee.ifa_next
            guard let address = entry.pointee.ifa_addr, Int32(address.pointee.sa_family) == AF_INET else { continue }
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let length = socklen_t(MemoryLayout<sockaddr_in>.size)
            guard getnameinfo(address, length, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0 else { continue }
            let found = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if !found.hasPrefix("127.") { return found }
        }
        return nil
    }()

    // MARK: Verbs

    func process(_ arguments: [String], program: String = "suanpan", environment more: [String: String] = [:]) -> Process {
        let process = Process()
        process.executableURL = URL(filePath: program.hasPrefix("/") ? program : "\(Self.programs)/\(program)")
        process.arguments = arguments
        var environment = ProcessInfo.processInfo.environment
        environment["SUANPAN_DATA_DIR"] = stateDirectory
        environment["NO_COLOR"] = "1"
        environment.merge(more) { $1 }
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        return process
    }

    /// Runs a verb to its end. Output goes through files: a pipe that nobody reads would hold it up.
    @discardableResult
    func suanpan(_ arguments: String...) -> Outcome { suanpan(arguments) }

    func suanpan(_ arguments: [String], environment: [String: String] = [:]) -> Outcome {
        run("suanpan", arguments, environment: environment)
    }

    func run(_ program: String, _ arguments: [String], environment: [String: String] = [:]) -> Outcome {
        let process = process(arguments, program: program, environment: environment)
        let name = "\(directory)/verb-\(UUID().uuidString)"
        _ = FileManager.default.createFile(atPath: name + ".out", contents: nil)
        _ = FileManager.default.createFile(atPath: name + ".err", contents: nil)
        process.standardOutput = FileHandle(forWritingAtPath: name + ".out")
        process.standardError = FileHandle(forWritingAtPath: name + ".err")
        do { try process.run() } catch { return Outcome(code: -1, output: "", errors: "\(error)") }
        process.waitUntilExit()
        defer {
            unlink(name + ".out")
            unlink(name + ".err")
        }
        let text = { (suffix: String) in String(decoding: FileManager.default.contents(atPath: name + suffix) ?? Data(), as: UTF8.self) }
        return Outcome(code: process.terminationStatus, output: text(".out"), errors: text(".err"))
    }

    /// The administrator's, as the coordinator wrote it down.
    func key() throws -> String {
        let lines = try String(contentsOfFile: "\(stateDirectory)/client.yaml", encoding: .utf8).split(separator: "\n")
        guard let line = lines.first(where: { $0.hasPrefix("key: ") }) else { throw ClusterError(message: "client.yaml has no key") }
        return String(line.dropFirst("key: ".count))
    }

    func submit(_ arguments: String...) throws -> String { try submit(arguments) }

    func submit(_ arguments: [String]) throws -> String {
        let outcome = suanpan(["submit"] + arguments)
        guard outcome.code == 0 else { throw ClusterError(message: "submit: \(outcome.errors)") }
        return outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func json(_ arguments: String...) throws -> Any {
        try JSONSerialization.jsonObject(with: Data(suanpan(arguments + ["-o", "json"]).output.utf8))
    }

    /// Looks again until it holds; the deadline only bounds a test that would hang.
    func waitUntil(_ what: String, seconds: Double = 60, _ condition: () -> Bool) throws {
        let deadline = Date().addingTimeInterval(seconds)
        while !condition() {
            guard Date() < deadline else {
                throw ClusterError(
                    message: "not within \(seconds) s: \(what)\n\(log("coordinator").suffix(1500))\n\(log("agent").suffix(1500))")
            }
            usleep(50_000)
        }
    }
}

struct ClusterError: Error, CustomStringConvertible {
    let message: String
    var description: String { message }
}
