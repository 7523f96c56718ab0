import ArgumentParser
import FileTestKit
import Glibc
import Testing

@testable import ControlCommands

/// `up` with daemons of a few lines of shell.
@Suite("A local cluster", .serialized)
struct UpTests {
    /// Serves at the stub's address: writes what the real one writes, then waits for its end.
    private static func coordinator(_ server: StubCoordinator) -> String {
        """
        #!/bin/sh
        echo "coordinator $*" >> "$2/arguments"
        umask 077
        printf 'url: \(server.url)\\nkey: sp_test\\n' > "$2/client.yaml"
        echo "ready http=\(server.url)" >&3
        exec 3>&-
        trap 'echo coordinator-term >> '"$2"'/ends; exit 0' TERM
        cat <&4 > /dev/null &
        wait $!
        echo coordinator-orphaned >> "$2/ends"
        """
    }

    private static let agent = """
        #!/bin/sh
        root=$(dirname "$2")
        echo "agent $*" >> "$root/arguments"
        echo $$ > "$root/agent.pid"
        echo ready >&3
        exec 3>&-
        trap 'echo agent-term >> '"$root"'/ends; exit 0' TERM
        trap 'echo agent-int >> '"$root"'/ends; exit 0' INT
        cat <&4 > /dev/null &
        wait $!
        echo agent-orphaned >> "$root/ends"
        """

    private struct Fixture {
        let directory: TemporaryDirectory
        let console = MemoryConsole()
        var settings: LocalClusterSettings
        let signals: AsyncStream<Int32>
        let signal: AsyncStream<Int32>.Continuation

        init(coordinator: String, agent: String) throws {
            directory = try TemporaryDirectory()
            try directory.writeProgram("suanpan-coordinator", coordinator)
            try directory.writeProgram("suanpan-agent", agent)
            let command = try UpCommand.parse(["--data-dir", directory.path + "/state", "--cpus", "2", "--http", "127.0.0.1:0"])
            settings = try command.settings(programs: ProgramSearch(directories: [directory.path]), environment: [:])
            settings.nodeName = "local"
            (signals, signal) = AsyncStream.makeStream(of: Int32.self)
        }

        func run() async throws -> Int32 { try await LocalCluster.run(settings, signals: signals, console: console.console) }

        /// Waits until the condition holds, at most ten seconds.
        func until(_ condition: () -> Bool) async throws {
            for _ in 0..<500 {
                if condition() { return }
                try await Task.sleep(for: .milliseconds(20))
            }
            Issue.record("waited in vain: \(console.output.text) \(console.errors.text)")
        }
    }

    private static func server(jobs: @escaping @Sendable (StubCoordinator) -> String = { _ in "" }) -> StubCoordinator {
        StubCoordinator { request, server in
            switch request.path {
            case "/v1/nodes":
                .json(#"{"items":[{"name":"local","cpuMilli":2000,"memoryBytes":4294967296,"simulated":false}],"nextCursor":null}"#)
            case "/v1/jobs": .json(#"{"items":[\#(jobs(server))],"nextCursor":null}"#)
            default: .json("{}")
            }
        }
    }

    @Test("banner, arguments, and a quiet end on Ctrl-C")
    func wholeLife() async throws {
        let server = Self.server { server in
            server.requests.contains { $0.path == "/v1/jobs/7/cancel" } ? "" : #"{"id":"7","state":"running","graceSeconds":1}"#
        }
        let fixture = try Fixture(coordinator: Self.coordinator(server), agent: Self.agent)
        async let code = fixture.run()
        try await fixture.until { fixture.console.output.text.contains("Ctrl-C stops") }
        #expect(fixture.console.output.text.contains("Suanpan is up at \(server.url)"))
        #expect(fixture.console.output.text.contains("nodes  local (2 CPUs, 4 GiB)"))
        #expect(fixture.console.output.text.contains("export SUANPAN_DATA_DIR=\(fixture.settings.dataDirectory)"))
        fixture.signal.yield(SIGINT)
        #expect(try await code == 0)
        let state = fixture.settings.dataDirectory
        #expect(
            fixture.directory.read("state/arguments") == """
                coordinator --data-dir \(state) --http 127.0.0.1:0 --bootstrap-token-file \(state)/join-token --ready-fd 3 --parent-fd 4
                agent --data-dir \(state)/agent --token-file \(state)/join-token --name local --launcher own --cpus 2 \
                --ready-fd 3 --parent-fd 4

                """)
        #expect(fixture.directory.read("state/ends") == "agent-term\ncoordinator-term\n")
        #expect(fixture.console.errors.text.contains("Stopping 1 job"))
        var status = stat()
        #expect(stat(state, &status) == 0 && status.st_mode & 0o777 == 0o700)
    }

    @Test("the second Ctrl-C reaches the agent as SIGINT")
    func secondInterrupt() async throws {
        let server = Self.server { _ in #"{"id":"7","state":"running","graceSeconds":60}"# }
        let fixture = try Fixture(coordinator: Self.coordinator(server), agent: Self.agent)
        async let code = fixture.run()
        try await fixture.until { fixture.console.output.text.contains("Ctrl-C stops") }
        fixture.signal.yield(SIGINT)
        try await fixture.until { server.requests.contains { $0.path == "/v1/jobs/7/cancel" } }
        fixture.signal.yield(SIGINT)
        #expect(try await code == 130)
        #expect(fixture.directory.read("state/ends") == "agent-int\ncoordinator-term\n")
    }

    @Test("a coordinator that cannot start is heard, and the exit is 1")
    func failedStart() async throws {
        let fixture = try Fixture(
            coordinator: "#!/bin/sh\necho 'suanpan-coordinator: 127.0.0.1:8470: Address already in use' >&2\nexit 1\n", agent: Self.agent)
        #expect(try await fixture.run() == 1)
        #expect(
            fixture.console.errors.text.contains(
                "The coordinator did not start:\n  suanpan-coordinator: 127.0.0.1:8470: Address already in use"))
        #expect(fixture.directory.read("state/arguments") == nil)
    }

    @Test("an agent that dies comes back")
    func restart() async throws {
        let server = Self.server()
        let fixture = try Fixture(coordinator: Self.coordinator(server), agent: Self.agent)
        async let code = fixture.run()
        try await fixture.until { fixture.console.output.text.contains("Ctrl-C stops") }
        let pid = try #require(fixture.directory.read("state/agent.pid").flatMap { pid_t($0.split(separator: "\n")[0]) })
        kill(pid, SIGKILL)
        try await fixture.until { fixture.console.errors.text.contains("The agent is back.") }
        #expect(fixture.console.errors.text.contains("The agent ended by signal 9; starting it again."))
        fixture.signal.yield(SIGTERM)
        #expect(try await code == 0)
        #expect(fixture.directory.read("state/ends")?.contains("agent-term\ncoordinator-term\n") == true)
        #expect(server.requests.map(\.path) == ["/v1/nodes"])
    }

    @Test("daemons have sessions of their own, and no descriptors of ours")
    func isolation() async throws {
        let script = """
            #!/bin/sh
            root=$(dirname "$2")
            ps -o sid= -p $$ | tr -d ' ' > "$root/session"
            echo $$ >> "$root/session"
            ls /proc/$$/fd | tr '\\n' ' ' > "$root/descriptors"
            echo ready >&3
            trap 'exit 0' TERM
            cat <&4 > /dev/null &
            wait $!
            """
        let server = Self.server()
        // As if whoever started `up` had left something open.
        let inherited = fcntl(STDIN_FILENO, F_DUPFD, 200)
        defer { close(inherited) }
        let fixture = try Fixture(coordinator: Self.coordinator(server), agent: script)
        async let code = fixture.run()
        try await fixture.until { fixture.console.output.text.contains("Ctrl-C stops") }
        fixture.signal.yield(SIGTERM)
        #expect(try await code == 0)
        let session = fixture.directory.read("state/session")?.split(separator: "\n") ?? []
        #expect(session.count == 2 && session[0] == session[1])
        let descriptors = Set((fixture.directory.read("state/descriptors") ?? "").split(separator: " ").compactMap { Int($0) })
        #expect(descriptors.isSuperset(of: [0, 1, 2, 3, 4]))
        #expect(!descriptors.contains(Int(inherited)), "\(descriptors)")
        #expect(server.requests.map(\.path) == ["/v1/nodes"])
    }

    @Test(
        "names of hosts become names of nodes",
        arguments: [("Ada-PC.example.org", "ada-pc"), ("node_1", "node_1"), ("", "local"), ("-", "local")])
    func nodeNames(host: String, node: String) { #expect(UpCommand.nodeName(host: host) == node) }

    @Test("a directory that cannot be made is said with a remedy")
    func directory() async throws {
        var fixture = try Fixture(coordinator: "", agent: "")
        fixture.settings.dataDirectory = "/proc/nowhere/state"
        let copy = fixture
        await #expect(throws: CommandFailure.self) { try await copy.run() }
    }
}
