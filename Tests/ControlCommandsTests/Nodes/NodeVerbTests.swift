import Testing

@testable import ControlCommands

@Suite("Nodes: tokens and draining", .timeLimit(.minutes(1)))
struct NodeVerbTests {
    private static func tokens(command: String) -> StubCoordinator {
        StubCoordinator { _, _ in
            .json(#"{"id":"aa","token":"spj_x","command":\#(command),"commandProblem":"there is no package"}"#, status: 201)
        }
    }

    @Test("by default the line to paste is printed, with nothing else on standard output")
    func line() async {
        let server = Self.tokens(command: #""f=$(mktemp) && …""#)
        let console = MemoryConsole()
        let words = ["node", "token", "--ttl", "1h", "--center", "lab", "--pool", "a100", "--label", "rack=r1", "--label", "a=b=c"]
        #expect(await CommandLineEntry.run(words, on: server, console) == 0)
        #expect(console.output.text == "f=$(mktemp) && …\n")
        #expect(console.errors.text.contains("secret"))
        #expect(
            server.requests.first?.body
                == #"{"ttlSeconds":3600,"center":"lab","pool":"a100","labels":{"rack":"r1","a":"b=c"}}"#)
    }

    @Test("the bare token, for scripts; and where there is no line, with the reason beside it")
    func bareToken() async {
        let (asked, forced) = (MemoryConsole(), MemoryConsole())
        #expect(await CommandLineEntry.run(["node", "token", "--only-token"], on: Self.tokens(command: #""l""#), asked) == 0)
        #expect(asked.output.text == "spj_x\n" && asked.errors.text.isEmpty)
        #expect(await CommandLineEntry.run(["node", "token"], on: Self.tokens(command: "null"), forced) == 0)
        #expect(forced.output.text == "spj_x\n" && forced.errors.text.contains("there is no package"))
    }

    @Test("a label without a value is a mistake that asks nobody")
    func badLabel() async {
        let server = Self.tokens(command: "null")
        let console = MemoryConsole()
        #expect(await CommandLineEntry.run(["node", "token", "--label", "rack"], on: server, console) == 2)
        #expect(server.requests.isEmpty && console.errors.text.contains("KEY=VALUE"))
    }

    @Test("a drain that is waited for returns when nothing is left")
    func drain() async {
        let server = StubCoordinator { request, server in
            if request.method == "POST" { return .json(#"{"name":"n1","state":"draining","drain":{"deadline":null,"done":false}}"#) }
            let isDone = server.requests.count(where: { $0.method == "GET" }) > 1
            return .json(#"{"name":"n1","state":"draining","drain":{"deadline":null,"done":\#(isDone)}}"#)
        }
        let console = MemoryConsole()
        #expect(await CommandLineEntry.run(["node", "drain", "n1", "--deadline", "30m", "--wait"], on: server, console) == 0)
        #expect(server.requests.first?.path == "/v1/nodes/n1/drain" && server.requests.first?.body == #"{"deadlineSeconds":1800}"#)
        #expect(console.errors.text.contains("node n1 is empty"))
    }

    @Test("a drain that somebody ends is no success")
    func uncordoned() async {
        let server = StubCoordinator { request, _ in
            .json(request.method == "POST" ? #"{"state":"draining"}"# : #"{"name":"n1","state":"ready","drain":null}"#)
        }
        #expect(await CommandLineEntry.run(["node", "drain", "n1", "--wait"], on: server, MemoryConsole()) == 5)
    }
}
