import ArgumentParser
import Testing

@testable import ControlCommands

@Suite("Exit codes")
struct ExitCodeTests {
    @Test(
        "of refusals",
        arguments: [
            (400, nil, .usage), (401, nil, .notAllowed), (403, nil, .notAllowed), (404, nil, .notFound), (409, nil, .conflict),
            (412, nil, .conflict), (422, "key_reused", .conflict), (403, "quota_exceeded", .refused), (422, "budget", .refused),
            (409, "policy_violation", .refused), (500, nil, .failed), (503, nil, .unreachable), (429, nil, .unreachable),
        ] as [(Int, String?, ControlCommands.ExitStatus)])
    func refusals(http: Int, code: String?, status: ControlCommands.ExitStatus) {
        #expect(Problem.status(http: http, code: code) == status)
    }

    @Test(
        "of jobs that have ended",
        arguments: [
            ("succeeded", nil, 0, 0), ("failed", "exit_code", 3, 3), ("failed", "exit_code", 143, 143), ("failed", "exit_code", 127, 127),
            ("failed", "infrastructure", 126, 126), ("failed", "timeout", 143, 124), ("failed", "oom", 137, 137),
            ("failed", "oom", nil, 137),
            ("failed", "node_lost", nil, 125), ("failed", "infrastructure", 0, 125), ("cancelled", "user", 143, 143),
            ("cancelled", "user", nil, 125), ("cancelled", "dependency", nil, 125),
        ] as [(String, String?, Int?, Int32)])
    func jobs(state: String, reason: String?, exitCode: Int?, expected: Int32) {
        let job: JSONValue = [
            "state": .string(state), "reason": reason.map(JSONValue.string) ?? .null, "exitCode": exitCode.map { .integer($0) } ?? .null,
        ]
        #expect(JobOutcome.exitCode(job) == expected)
    }

    @Test("a problem becomes a message with one line for each field")
    func problem() {
        let body = #"{"code":"invalid","detail":"The request is not valid.","errors":[{"field":"name","message":"must match"}]}"#
        let failure = Problem.failure(http: 400, body: Array(body.utf8), url: "http://x")
        #expect(failure.text == "suanpan: The request is not valid.\n  name: must match\n")
        #expect(failure.status == .usage)
        #expect(Problem.failure(http: 404, body: Array("<html>".utf8), url: "http://x").text.contains("http://x answered with HTTP 404"))
    }

    @Test(
        "of command lines that are wrong",
        arguments: [
            (["submit", "--bogus"], "--bogus"), (["nonsense"], "nonsense"), (["jobs", "--state", "odd"], "--state 'odd'"),
            (["submit", "echo", "hi"], "echo"), (["up", "--profile", "x"], "--agents"), (["sumbit"], "did you mean `suanpan submit`?"),
            (["node", "list"], "did you mean `suanpan node ls`?"), (["xyzzy"], "`suanpan --help`"),
            (["submit", "--cpus", "-1", "--", "a"], "--cpus '-1'"), (["jobs", "--limit", "-3"], "--limit"),
            (["show", "2.x"], "'2.x' is not a task"), (["logs", "2.1", "--task", "3"], "two tasks"),
        ])
    func usage(line: [String], mention: String) async {
        let console = MemoryConsole()
        #expect(await CommandLineEntry.run(line, in: CommandContext(console: console.console, environment: [:])) == 2)
        #expect(console.errors.text.hasPrefix("suanpan: "))
        #expect(console.errors.text.contains(mention))
        #expect(console.output.text.isEmpty)
    }

    @Test("help and version are results", arguments: [["--version"], ["--help"], ["submit", "--help"], ["node"], ["help", "run"]])
    func help(line: [String]) async {
        let console = MemoryConsole()
        #expect(await CommandLineEntry.run(line, in: CommandContext(console: console.console, environment: [:])) == 0)
        #expect(!console.output.text.isEmpty)
        #expect(console.errors.text.isEmpty)
    }

    @Test("every verb has an abstract and an example")
    func documentation() {
        var commands: [any ParsableCommand.Type] = Suanpan.configuration.subcommands
        while let command = commands.popLast() {
            #expect(!command.configuration.abstract.isEmpty, "\(command)")
            #expect(command.configuration.discussion.contains("EXAMPLE: suanpan "), "\(command)")
            commands += command.configuration.subcommands
        }
    }
}
