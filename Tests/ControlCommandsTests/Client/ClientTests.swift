import Testing

@testable import ControlCommands

@Suite("Requests")
struct ClientTests {
    private static let accepted = #"{"id":"12","state":"queued"}"#

    @Test("a lost answer is asked for again under the same key")
    func lostAnswer() async {
        let server = StubCoordinator { _, server in
            server.requests.count < 3 ? .silence : .json(ClientTests.accepted, status: 201, headers: ["Suanpan-Revision": "7"])
        }
        let console = MemoryConsole()
        #expect(await CommandLineEntry.run(["submit", "--", "echo", "hi"], on: server, console) == 0)
        #expect(console.output.text == "12\n")
        #expect(console.errors.text.isEmpty)
        let keys = server.requests.compactMap { $0.headers["idempotency-key"] }
        #expect(keys.count == 3)
        #expect(Set(keys).count == 1)
        #expect(keys[0].count == 32)
        #expect(Set(server.requests.map(\.body)) == [#"{"groups":[{"command":["echo","hi"]}]}"#])
        #expect(server.requests[0].headers["authorization"] == "Bearer sp_test")
    }

    @Test("a given key is used")
    func givenKey() async {
        let server = StubCoordinator { _, _ in .json(ClientTests.accepted, status: 201) }
        #expect(await CommandLineEntry.run(["submit", "--idempotency-key", "k1", "--", "a"], on: server, MemoryConsole()) == 0)
        #expect(server.requests.map { $0.headers["idempotency-key"] } == ["k1"])
    }

    @Test("a busy coordinator is waited for as long as it asks", arguments: [429, 503])
    func busy(status: Int) async {
        let server = StubCoordinator { _, server in
            server.requests.count == 1
                ? .json(#"{"code":"overloaded","detail":"later"}"#, status: status, headers: ["Retry-After": "1"])
                : .json(ClientTests.accepted, status: 201)
        }
        let began = ContinuousClock.now
        #expect(await CommandLineEntry.run(["submit", "--", "a"], on: server, MemoryConsole()) == 0)
        #expect(ContinuousClock.now - began >= .seconds(1))
        #expect(server.requests.count == 2)
    }

    @Test("a refusal is not repeated")
    func refusal() async {
        let server = StubCoordinator { _, _ in
            .json(#"{"code":"invalid","detail":"groups[0].count: must be at least 1","errors":[]}"#, status: 400)
        }
        let console = MemoryConsole()
        #expect(await CommandLineEntry.run(["submit", "--", "a"], on: server, console) == 2)
        #expect(console.errors.text == "suanpan: groups[0].count: must be at least 1\n")
        #expect(server.requests.count == 1)
    }

    @Test("nothing listens: said at once, with the address and the remedy")
    func unreachable() async {
        let console = MemoryConsole()
        let context = CommandContext(console: console.console, environment: ["SUANPAN_URL": "http://127.0.0.1:1"])
        #expect(await CommandLineEntry.run(["jobs"], in: context) == 7)
        #expect(console.errors.text.contains("http://127.0.0.1:1"))
        #expect(console.errors.text.contains("suanpan up"))
    }

    @Test("reads ask for a view that has the last write")
    func revision() async throws {
        let server = StubCoordinator { request, _ in
            request.method == "POST" ? .json("{}", headers: ["Suanpan-Revision": "41"]) : .json("{}")
        }
        let client = CoordinatorClient(configuration: ClientConfiguration(url: server.url, key: nil))
        _ = try await client.get("/v1/cluster")
        _ = try await client.send(.post, "/v1/jobs/1/cancel")
        _ = try await client.get("/v1/cluster")
        _ = try await client.patient().get("/v1/cluster")
        #expect(server.requests.map { $0.query["minRevision"] } == [nil, nil, "41", "41"])
    }

    @Test("a list is read page by page up to its limit")
    func pages() async throws {
        let server = StubCoordinator { request, _ in
            switch request.query["cursor"] {
            case nil: .json(#"{"items":[{"id":"5"},{"id":"4"}],"nextCursor":"4"}"#)
            case "4": .json(#"{"items":[{"id":"3"},{"id":"2"}],"nextCursor":"2"}"#)
            default: .json(#"{"items":[{"id":"1"}],"nextCursor":null}"#)
            }
        }
        let console = MemoryConsole()
        #expect(await CommandLineEntry.run(["jobs", "--all", "-o", "id"], on: server, console) == 0)
        #expect(console.output.text == "5\n4\n3\n2\n1\n")
        let limited = MemoryConsole()
        #expect(await CommandLineEntry.run(["jobs", "--limit", "3", "-o", "id", "--state", "queued,running"], on: server, limited) == 0)
        #expect(server.requests.last?.query["limit"] == "1")
        #expect(server.requests.last?.query["state"] == "queued%2Crunning")
    }

    @Test("`last` is the newest job")
    func last() async {
        let server = StubCoordinator { request, _ in
            request.path == "/v1/jobs" ? .json(#"{"items":[{"id":"42"}],"nextCursor":null}"#) : .json(#"{"id":"42","state":"stopping"}"#)
        }
        let console = MemoryConsole()
        #expect(await CommandLineEntry.run(["cancel", "last", "7"], on: server, console) == 0)
        #expect(server.requests.map { "\($0.method) \($0.path)" } == ["GET /v1/jobs", "POST /v1/jobs/42/cancel", "POST /v1/jobs/7/cancel"])
        #expect(console.errors.text == "job 42 stopping\njob 42 stopping\n".replacing("42 stopping\njob 42", with: "42 stopping\njob 7"))
    }

    @Test("there is no last job yet")
    func noLast() async {
        let server = StubCoordinator { _, _ in .json(#"{"items":[],"nextCursor":null}"#) }
        #expect(await CommandLineEntry.run(["show", "last"], on: server, MemoryConsole()) == 3)
        #expect(await CommandLineEntry.run(["show", "x7"], on: server, MemoryConsole()) == 2)
    }

    @Test("-o json prints the object as it came")
    func unchanged() async {
        let server = StubCoordinator { _, _ in .json(#"{"zeta":1.50,"id":"12","big":9007199254740993}"#) }
        let console = MemoryConsole()
        #expect(await CommandLineEntry.run(["show", "12", "-o", "jsonl"], on: server, console) == 0)
        #expect(console.output.text == #"{"zeta":1.50,"id":"12","big":9007199254740993}"# + "\n")
    }

    @Test("how long to wait before the next try")
    func schedule() {
        var brief = RetrySchedule(.brief)
        #expect(brief.delay(after: .unreachable, chance: 0) == nil)
        var lost = RetrySchedule(.brief)
        let delays = (0..<20).map { _ in lost.delay(after: .lost, chance: 0) }.prefix { $0 != nil }.compactMap { $0 }
        #expect(delays.prefix(3) == [.milliseconds(100), .milliseconds(200), .milliseconds(400)])
        #expect(delays.reduce(.zero, +) <= .seconds(15))
        var patient = RetrySchedule(.patient)
        #expect(patient.delay(after: .unreachable, chance: 1) == .milliseconds(125))
        var busy = RetrySchedule(.brief)
        #expect(busy.delay(after: .busy(retryAfter: .seconds(30)), chance: 0) == .seconds(30))
        #expect(busy.delay(after: .busy(retryAfter: .seconds(31)), chance: 0) == nil)
    }
}
