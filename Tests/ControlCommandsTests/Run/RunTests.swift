import ArgumentParser
import Synchronization
import Testing

@testable import ControlCommands

@Suite("Following jobs")
struct RunTests {
    /// A job of one task that goes through `states`, one a look, and stays in the last.
    private static func server(
        states: [String], total: Int = 1, stdout: StubCoordinator.Answer, stderr: StubCoordinator.Answer = .stream([])
    ) -> StubCoordinator {
        StubCoordinator { request, server in
            switch (request.method, request.path) {
            case ("POST", "/v1/jobs"): return .json(#"{"id":"5"}"#, status: 201, headers: ["Suanpan-Revision": "9"])
            case ("POST", "/v1/jobs/5/cancel"): return .json(#"{"id":"5","state":"stopping"}"#)
            case ("GET", "/v1/jobs/5"):
                let looks = server.requests.count { $0.path == "/v1/jobs/5" && $0.method == "GET" }
                return .json(states[min(looks, states.count) - 1])
            case ("GET", "/v1/jobs/5/attempts"):
                return .json(#"{"items":[{"id":"5.0.1","number":1,"endedAt":"2026-01-01T00:00:00Z"}],"nextCursor":null}"#)
            case ("GET", "/v1/jobs/5/logs"): return request.query["stream"] == "stdout" ? stdout : stderr
            default: return .json(#"{"code":"not_found","detail":"no \#(request.path)"}"#, status: 404)
            }
        }
    }

    private static func job(_ state: String, reason: String? = nil, exitCode: Int? = nil, total: Int = 1) -> String {
        let queued = state == "queued" ? total : 0
        let value: JSONValue = [
            "id": "5", "state": .string(state), "reason": reason.map(JSONValue.string) ?? .null,
            "exitCode": exitCode.map { .integer($0) } ?? .null, "tasks": ["total": .integer(total), "queued": .integer(queued)],
        ]
        return value.compactText
    }

    @Test("output goes where it came from, and the job's code is ours")
    func streams() async {
        let server = Self.server(
            states: [Self.job("queued", reason: "capacity"), Self.job("running"), Self.job("failed", reason: "exit_code", exitCode: 3)],
            stdout: .stream(["one\n", "two", "\n"]), stderr: .stream(["oops\n"]))
        let console = MemoryConsole()
        #expect(await CommandLineEntry.run(["run", "--", "a"], on: server, console) == 3)
        #expect(console.output.text == "one\ntwo\n")
        #expect(console.errors.text == "oops\n")
        #expect(server.requests[1].query["minRevision"] == "9")
        let logs = server.requests.filter { $0.path.hasSuffix("/logs") }
        #expect(logs.count == 2)
        #expect(logs.allSatisfy { $0.query["task"] == "0" && $0.query["attempt"] == "1" && $0.query["follow"] == "true" })
    }

    @Test("a broken stream goes on where it stopped")
    func resume() async {
        let tries = Mutex(0)
        let server = StubCoordinator { request, _ in
            switch request.path {
            case "/v1/jobs": return .json(#"{"id":"5"}"#, status: 201)
            case "/v1/jobs/5": return .json(RunTests.job(tries.withLock { $0 } > 1 ? "succeeded" : "running"))
            case "/v1/jobs/5/attempts": return .json(#"{"items":[{"number":1,"endedAt":"2026-01-01T00:00:00Z"}]}"#)
            default:
                guard request.query["stream"] == "stdout" else { return .stream([]) }
                let count = tries.withLock { tries in
                    tries += 1
                    return tries
                }
                return count == 1 ? .broken(["hello ", "wor"]) : .stream(["hello wo", "rld\n"])
            }
        }
        let console = MemoryConsole()
        #expect(await CommandLineEntry.run(["run", "--", "a"], on: server, console) == 0)
        #expect(console.output.text == "hello world\n")
    }

    @Test("a stream that the coordinator ended too early is asked for again")
    func cutShort() async {
        let server = StubCoordinator { request, server in
            let reads = server.requests.count { $0.query["stream"] == "stdout" }
            switch request.path {
            case "/v1/jobs": return .json(#"{"id":"5"}"#, status: 201)
            case "/v1/jobs/5": return .json(RunTests.job(reads > 0 ? "succeeded" : "running"))
            case "/v1/jobs/5/attempts":
                let end = #"{"stdoutBytes":6,"stderrBytes":0}"#
                return .json(#"{"items":[{"number":1,"endedAt":"2026-01-01T00:00:00Z","end":\#(end)}]}"#)
            default: return request.query["stream"] == "stdout" ? .stream(reads == 1 ? ["hel"] : ["hello\n"]) : .stream([])
            }
        }
        let console = MemoryConsole()
        #expect(await CommandLineEntry.run(["run", "--", "a"], on: server, console) == 0)
        #expect(console.output.text == "hello\n")
    }

    @Test("each attempt is shown, in its order")
    func attempts() async {
        let server = StubCoordinator { request, server in
            switch request.path {
            case "/v1/jobs": return .json(#"{"id":"5"}"#, status: 201)
            case "/v1/jobs/5":
                let isOver = server.requests.contains { $0.query["attempt"] == "2" }
                return .json(RunTests.job(isOver ? "succeeded" : "running"))
            case "/v1/jobs/5/attempts":
                let second = server.requests.contains { $0.query["attempt"] == "1" }
                return .json(
                    #"{"items":[{"number":1,"endedAt":"2026-01-01T00:00:00Z"}\#(second ? #",{"number":2,"endedAt":null}"# : "")]}"#)
            default: return request.query["stream"] == "stdout" ? .stream(["try \(request.query["attempt"] ?? "?")\n"]) : .stream([])
            }
        }
        let console = MemoryConsole()
        #expect(await CommandLineEntry.run(["run", "--", "a"], on: server, console) == 0)
        #expect(console.output.text == "try 1\ntry 2\n")
        #expect(console.errors.text == "suanpan: task 5.0, attempt 2\n")
    }

    @Test("a gang is one stream, whose lines the coordinator prefixes")
    func gang() async {
        let server = Self.server(
            states: [Self.job("running", total: 2), Self.job("succeeded", total: 2)], stdout: .stream(["0| a\n", "1| b\n"]))
        let console = MemoryConsole()
        #expect(await CommandLineEntry.run(["run", "--tasks", "2", "--", "a"], on: server, console) == 0)
        #expect(console.output.text == "0| a\n1| b\n")
        #expect(server.requests.filter { $0.path.hasSuffix("/logs") && $0.query["tail"] == nil }.allSatisfy { $0.query["task"] == nil })
    }

    @Test("why nothing starts is said once where nobody watches")
    func waiting() async {
        let queued = Self.job("queued", reason: "capacity")
        let server = StubCoordinator { request, server in
            let looks = server.requests.count { $0.path == "/v1/jobs/5" }
            return request.method == "POST"
                ? .json(#"{"id":"5"}"#, status: 201) : .json(looks < 14 ? queued : RunTests.job("cancelled", reason: "user"))
        }
        let console = MemoryConsole()
        #expect(await CommandLineEntry.run(["run", "--", "a"], on: server, console) == 125)
        let lines = console.errors.text.split(separator: "\n")
        #expect(lines == ["job 5 queued: waiting for free capacity", "suanpan: job 5 cancelled: stopped on request"])
    }

    @Test("the first Ctrl-C cancels and follows on; what the job then says is ours")
    func interrupt() async throws {
        let server = StubCoordinator { request, server in
            switch (request.method, request.path) {
            case ("POST", "/v1/jobs"): return .json(#"{"id":"5"}"#, status: 201)
            case ("POST", _): return .json("{}")
            case ("GET", "/v1/jobs/5"):
                let isCancelled = server.requests.contains { $0.path.hasSuffix("/cancel") }
                return .json(isCancelled ? RunTests.job("cancelled", reason: "user", exitCode: 143) : RunTests.job("running"))
            case ("GET", "/v1/jobs/5/attempts"): return .json(#"{"items":[]}"#)
            default: return .stream([])
            }
        }
        let (signals, continuation) = AsyncStream.makeStream(of: Int32.self)
        let console = MemoryConsole()
        let command = try RunCommand.parse(["--", "a"])
        continuation.yield(2)
        await #expect(throws: (any Error).self) { try await command.perform(in: console.context(server), interrupts: signals) }
        #expect(server.requests.contains { $0.path == "/v1/jobs/5/cancel" })
        #expect(console.errors.text.contains("Ctrl-C again leaves at once"))
        #expect(console.errors.text.contains("job 5 cancelled"))
    }

    @Test("the second Ctrl-C leaves at once and says how to look again")
    func secondInterrupt() async throws {
        let server = StubCoordinator { request, _ in
            request.method == "POST" ? .json(#"{"id":"5"}"#, status: 201) : .json(RunTests.job("queued", reason: "capacity"))
        }
        let (signals, continuation) = AsyncStream.makeStream(of: Int32.self)
        let console = MemoryConsole()
        let command = try RunCommand.parse(["--", "a"])
        continuation.yield(2)
        continuation.yield(2)
        await #expect(throws: (any Error).self) { try await command.perform(in: console.context(server), interrupts: signals) }
        #expect(server.requests.contains { $0.path == "/v1/jobs/5/cancel" }, "whoever leaves at once has still cancelled")
        #expect(console.errors.text.contains("is being cancelled") && console.errors.text.contains("suanpan show 5"))
    }

    @Test("wait ends with the largest code, and its own failures are 125")
    func wait() async {
        let server = StubCoordinator { request, server in
            switch request.path {
            case "/v1/jobs/1": .json(RunTests.job("succeeded"))
            case "/v1/jobs/2":
                .json(server.requests.count < 5 ? RunTests.job("running") : RunTests.job("failed", reason: "exit_code", exitCode: 4))
            default: .json(#"{"code":"not_found","detail":"Job 3 does not exist."}"#, status: 404)
            }
        }
        let console = MemoryConsole()
        #expect(await CommandLineEntry.run(["wait", "1", "2"], on: server, console) == 4)
        #expect(console.errors.text == "job 2 failed: exit code 4\n")
        #expect(await CommandLineEntry.run(["wait", "1"], on: server, MemoryConsole()) == 0)
        #expect(await CommandLineEntry.run(["wait", "3"], on: server, MemoryConsole()) == 125)
        #expect(await CommandLineEntry.run(["wait", "x"], on: server, MemoryConsole()) == 2)
    }

    @Test("what could not be executed is named, with what the node said")
    func cannotExecute() async {
        let server = StubCoordinator { request, _ in
            switch request.path {
            case "/v1/jobs/5":
                let job = #"{"id":"5","state":"failed","reason":"exit_code","exitCode":126,"groups":[{"command":["./x","y"]}]}"#
                return .json(job)
            case "/v1/jobs/5/attempts":
                return .json(
                    #"{"items":[{"id":"5.0.1","end":{"exitCode":126,"detail":"execve: Permission denied"}},{"id":"5.1.1","end":{"exitCode":125,"detail":"lost"}}],"nextCursor":null}"#
                )
            default: return .json("{}", status: 404)
            }
        }
        let console = MemoryConsole()
        #expect(await CommandLineEntry.run(["wait", "5"], on: server, console) == 126)
        #expect(
            console.errors.text
                == "job 5 failed: exit code 126: the command cannot be executed (./x: execve: Permission denied)\n")
    }

    @Test("show of one task is that task and its attempts")
    func showTask() async {
        let server = StubCoordinator { request, _ in
            switch (request.path, request.query["cursor"], request.query["task"]) {
            case ("/v1/jobs/5/tasks", "7", nil):
                return .json(#"{"items":[{"id":"5.7","index":7,"state":"succeeded","exitCode":0,"attempt":2}],"nextCursor":"8"}"#)
            case ("/v1/jobs/5/attempts", nil, "7"):
                return .json(#"{"items":[{"id":"5.7.1","state":"failed"},{"id":"5.7.2","state":"succeeded"}],"nextCursor":null}"#)
            default: return .json(#"{"items":[],"nextCursor":null}"#)
            }
        }
        let console = MemoryConsole()
        #expect(await CommandLineEntry.run(["show", "5.7"], on: server, console) == 0)
        let rows = console.output.text.split(separator: "\n").map { $0.split(separator: " ").first ?? "" }
        #expect(rows == ["TASK", "5.7", "ATTEMPTS", "ATTEMPT", "5.7.1", "5.7.2"])
        #expect(await CommandLineEntry.run(["show", "5.9"], on: server, MemoryConsole()) == 3)
    }

    @Test("logs prints both streams, or the one that is asked for")
    func logs() async {
        let server = Self.server(states: [Self.job("succeeded")], stdout: .stream(["out\n"]), stderr: .stream(["err\n"]))
        let both = MemoryConsole()
        #expect(await CommandLineEntry.run(["logs", "5"], on: server, both) == 0)
        #expect(both.output.text == "out\n")
        #expect(both.errors.text == "err\n")
        let one = MemoryConsole()
        #expect(
            await CommandLineEntry.run(["logs", "--stderr", "--tail", "10", "--task", "0", "--attempt", "1", "5"], on: server, one) == 0)
        #expect(one.output.text.isEmpty)
        #expect(server.requests.last?.query == ["stream": "stderr", "tail": "10", "task": "0", "attempt": "1"])
    }

    @Test("logs -f ends with the job, whatever became of it")
    func follow() async {
        let server = Self.server(
            states: [Self.job("running"), Self.job("failed", reason: "exit_code", exitCode: 1)], stdout: .stream(["out\n"]))
        let console = MemoryConsole()
        #expect(await CommandLineEntry.run(["logs", "-f", "--stdout", "5"], on: server, console) == 0)
        #expect(console.output.text == "out\n")
        #expect(!server.requests.contains { $0.query["stream"] == "stderr" })
    }
}
