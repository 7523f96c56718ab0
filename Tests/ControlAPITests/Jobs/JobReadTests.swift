import ClusterModel
import ClusterPorts
import HTTPTypes
import HummingbirdTesting
import SchedulingCore
import Testing

@testable import ControlAPI

@Suite("Reading jobs")
struct JobReadTests {
    @Test("lists go newest first, page by page, without the unbounded parts")
    func list() async throws {
        try await Interface.run { interface in
            for number in 1...7 { interface.plane.add(Fixture.specification(name: number == 3 ? "other" : "digits")) }
            var seen: [String] = []
            var path = "/v1/jobs?limit=3"
            while true {
                let page = try await interface.get(path).json()
                seen += page["items"]?.items?.compactMap { $0["id"]?.text } ?? []
                #expect(page["items"]?[0]?["groups"] == nil)
                guard let cursor = page["nextCursor"]?.text else { break }
                path = "/v1/jobs?limit=3&cursor=\(cursor)"
            }
            #expect(seen == ["7", "6", "5", "4", "3", "2", "1"])
            #expect(try await interface.get("/v1/jobs?cursor=abc").status == .badRequest)
            #expect(try await interface.get("/v1/jobs?limit=7").json()["nextCursor"] == .null)
        }
    }

    @Test("filters")
    func filters() async throws {
        try await Interface.run { interface async throws in
            interface.plane.add(Fixture.specification(labels: [NamedText("team", "a=b c"), NamedText("x", "1")]))
            interface.plane.add(Fixture.specification(name: "other"), user: "mei", state: .failed)
            interface.plane.add(Fixture.specification(), state: .succeeded)
            func ids(_ query: String) async throws -> [String?]? {
                try await interface.get("/v1/jobs?\(query)").json()["items"]?.items?.map { $0["id"]?.text }
            }
            #expect(try await ids("state=failed,running") == ["2", "1"])
            #expect(try await ids("state=failed&state=succeeded") == ["3", "2"])
            #expect(try await ids("name=other") == ["2"])
            #expect(try await ids("user=mei") == ["2"])
            #expect(try await ids("label=team=a%3Db%20c&label=x=1") == ["1"])
            #expect(try await ids("label=x=2") == [])
        }
    }

    @Test("an object has an entity tag that changes with it")
    func tag() async throws {
        try await Interface.run { interface in
            let id = interface.plane.add(Fixture.specification())
            let tag = try #require(try await interface.get("/v1/jobs/1").headers[.eTag])
            let same = try await interface.get("/v1/jobs/1", headers: [.ifNoneMatch: "\"x\", \(tag)"])
            #expect(same.status == .notModified && same.text.isEmpty && same.headers[.eTag] == tag)
            interface.plane.end(id)
            let changed = try await interface.get("/v1/jobs/1", headers: [.ifNoneMatch: tag])
            #expect(changed.status == .ok && changed.headers[.eTag] != tag)
            #expect(try changed.json()["finishedAt"] == .string("2026-01-31T08:30:00.25Z"))
        }
    }

    @Test("every task is there, started or not")
    func tasks() async throws {
        try await Interface.run { interface in
            let id = interface.plane.add(
                Fixture.specification(count: 2, array: ArrayRange(first: 10, last: 12)))
            let end = AttemptEnd(cause: .exited, exitCode: 3)
            interface.plane.add(
                Fixture.attempt(1, 1, 1, .failed, .exitCode, end: end), Fixture.attempt(1, 1, 2, .running),
                Fixture.attempt(1, 2, 1, .failed, .exitCode, end: end))
            let first = try await interface.get("/v1/jobs/\(id)/tasks?limit=4").json()
            #expect(first["items"]?.items?.map { $0["id"]?.text } == ["1.0", "1.1", "1.2", "1.3"])
            #expect(first["items"]?.items?.map { $0["state"]?.text } == ["queued", "running", "failed", "queued"])
            #expect(first["items"]?[1]?["attempt"] == .number(2))
            #expect(first["items"]?[2]?["exitCode"] == .number(3))
            #expect(first["items"]?[2]?["node"] == .string("worker-1"))
            #expect(first["items"]?.items?.map { $0["arrayIndex"] } == [.number(10), .number(10), .number(11), .number(11)])
            #expect(first["items"]?.items?.map { $0["rank"] } == [.number(0), .number(1), .number(0), .number(1)])
            let cursor = try #require(first["nextCursor"]?.text)
            let second = try await interface.get("/v1/jobs/\(id)/tasks?limit=4&cursor=\(cursor)").json()
            #expect(second["items"]?.items?.map { $0["id"]?.text } == ["1.4", "1.5"])
            #expect(second["nextCursor"] == .null)
            #expect(try await interface.get("/v1/jobs/\(id)/tasks?cursor=4294967295").json()["items"]?.items == [])
            interface.plane.end(id, .cancelled, .user)
            let over = try await interface.get("/v1/jobs/\(id)/tasks").json()
            #expect(over["items"]?[0]?["state"] == .string("cancelled") && over["items"]?[0]?["reason"] == .string("user"))
        }
    }

    @Test("of an attempt that was over at the first word of it, the start follows from the end")
    func startOfShortAttempts() async throws {
        try await Interface.run { interface in
            interface.plane.add(Fixture.specification(count: 2))
            var ran = Fixture.attempt(
                1, 0, 1, .succeeded, end: AttemptEnd(cause: .exited, exitCode: 0, elapsed: .milliseconds(250)))
            ran.startedAt = nil
            ran.endedAt = Fixture.now + .seconds(1)
            var neverRan = Fixture.attempt(1, 1, 1, .failed, .exitCode, end: AttemptEnd(cause: .notFound, exitCode: 127))
            neverRan.startedAt = nil
            interface.plane.add(ran, neverRan)
            let attempts = try await interface.get("/v1/jobs/1/attempts").json()["items"]
            #expect(attempts?[0]?["startedAt"] == .string("2026-01-31T08:30:01Z"))
            #expect(attempts?[1]?["startedAt"] == .null)
        }
    }

    @Test("attempts tell their placement and their end")
    func attempts() async throws {
        try await Interface.run { interface in
            interface.plane.add(Fixture.specification(count: 3))
            let end = AttemptEnd(
                cause: .outOfMemory, exitCode: 137, signal: 9, elapsed: .milliseconds(1500), memoryPeakBytes: 99,
                stdoutBytes: 5, detail: "oom")
            interface.plane.add(
                Fixture.attempt(1, 0, 1, .failed, .oom, end: end), Fixture.attempt(1, 0, 2), Fixture.attempt(1, 2, 1))
            let first = try await interface.get("/v1/jobs/1/attempts?limit=2").json()
            #expect(first["items"]?.items?.map { $0["id"]?.text } == ["1.0.1", "1.0.2"])
            #expect(first["items"]?[0]?["end"]?["cause"] == .string("oom"))
            #expect(first["items"]?[0]?["end"]?["elapsedMilliseconds"] == .number(1500))
            #expect(first["items"]?[1]?["end"] == .null)
            #expect(first["items"]?[0]?["allocation"]?["devices"]?[0]?["shareMilli"] == .number(250))
            let cursor = try #require(first["nextCursor"]?.text)
            let rest = try await interface.get("/v1/jobs/1/attempts?limit=2&cursor=\(cursor)").json()
            #expect(rest["items"]?.items?.map { $0["id"]?.text } == ["1.2.1"])
            let one = try await interface.get("/v1/jobs/1/attempts?task=1.2").json()
            #expect(one["items"]?.items?.map { $0["id"]?.text } == ["1.2.1"])
            #expect(try await interface.get("/v1/jobs/1/attempts?task=3").status == .notFound)
            #expect(try await interface.get("/v1/jobs/1/attempts?task=2.0").status == .badRequest)
        }
    }

    @Test("explain says why, or that nothing waits")
    func explain() async throws {
        try await Interface.run { interface in
            #expect(try await interface.post("/v1/jobs", #"{"command": ["a"]}"#).status == .created)
            let waiting = try await interface.get("/v1/jobs/1/explain").json()
            #expect(waiting["explanation"] == .string("needs 1 core; no node is known"))
            #expect(waiting["reasons"] == .array([.string("capacity")]))
            interface.plane.end(JobID(1), .failed, .exitCode)
            let over = try await interface.get("/v1/jobs/1/explain").json()
            #expect(over["explanation"] == .string("The job has ended: failed (exit_code), exit code 0."))
        }
    }
}
