import ClusterModel
import HTTPTypes
import HummingbirdTesting
import SchedulingCore
import Testing

@testable import ControlAPI

@Suite("Submitting, cancelling, retrying")
struct SubmissionTests {
    @Test("a new job is 201 with its place, its state and the revision that shows it")
    func submit() async throws {
        try await Interface.run { interface in
            let body = #"{"command": ["train"], "env": {"TOKEN": "hunter2"}, "resources": {"cpu": "1500m", "gpu": {"share": 0.5}}}"#
            let reply = try await interface.post("/v1/jobs", body)
            #expect(reply.status == .created)
            #expect(reply.headers[.location] == "/v1/jobs/1")
            #expect(reply.headers[.revision] == "41")
            #expect(reply.headers[.contentType] == "application/json")
            #expect(!reply.text.contains("hunter2"))
            let job = try reply.json()
            #expect(job["id"] == .string("1") && job["state"] == .string("queued") && job["reason"] == .string("capacity"))
            #expect(job["project"] == .string("vision/default") && job["user"] == .string("li"))
            #expect(job["message"] == .string("needs 1 core; no node is known"))
            #expect(job["tasks"]?["total"] == .number(1))
            let group = job["groups"]?[0]
            #expect(group?["env"]?["TOKEN"] == .string("***"))
            #expect(group?["resources"]?["cpuMilli"] == .number(1500))
            #expect(group?["resources"]?["devices"]?["shareMilli"] == .number(500))
            guard case .submit(let submission) = interface.plane.commands[0] else { return #expect(Bool(false)) }
            #expect(submission.key == nil)
            #expect(submission.specification.groups[0].environment[0].sealedValue == Array("vision:2retnuh".utf8))
            #expect(job["submittedAt"] == .string("2026-01-31T08:30:00.25Z"))
            // What the table says later is the same object.
            #expect(try await interface.get("/v1/jobs/1").json() == job)
        }
    }

    @Test("the same key and body are one job; another body is refused")
    func idempotency() async throws {
        try await Interface.run { interface in
            let key: HTTPFields = [.idempotencyKey: "run 7"]
            let first = try await interface.post("/v1/jobs", #"{"command": ["a"]}"#, headers: key)
            let second = try await interface.post("/v1/jobs", #"{"command": ["a"]}"#, headers: key)
            let other = try await interface.post("/v1/jobs", #"{"command":["a"]}"#, headers: key)
            #expect(first.status == .created && second.status == .ok)
            #expect(try first.json()["id"] == second.json()["id"])
            #expect(other.status == .unprocessableContent)
            #expect(try other.json()["code"] == .string("idempotency_key_reused"))
            guard case .submit(let submission) = interface.plane.commands[0] else { return #expect(Bool(false)) }
            // SHA-256 of the body as sent, first half.
            #expect(submission.key?.requestDigest == Fixture.bytes("a7ba675ae0f579555472bf04600ce6fa"))
            for bad in ["", String(repeating: "k", count: 129), "ключ"] {
                let reply = try await interface.post("/v1/jobs", #"{"command": ["a"]}"#, headers: [.idempotencyKey: bad])
                #expect(reply.status == .badRequest, "\(bad)")
            }
        }
    }

    @Test("a retry is a new job; its key covers which job it repeats")
    func retry() async throws {
        try await Interface.run { interface in
            for _ in 1...2 { interface.plane.add(Fixture.specification(), state: .failed, reason: .exitCode) }
            let live = interface.plane.add(Fixture.specification())
            let key: HTTPFields = [.idempotencyKey: "again"]
            let reply = try await interface.post("/v1/jobs/1/retry", headers: key)
            #expect(reply.status == .created)
            #expect(try reply.json()["retryOf"] == .string("1"))
            #expect(try await interface.post("/v1/jobs/1/retry", "{}", headers: key).status == .unprocessableContent)
            #expect(try await interface.post("/v1/jobs/1/retry", headers: key).status == .ok)
            #expect(try await interface.post("/v1/jobs/2/retry", headers: key).status == .unprocessableContent)
            #expect(try await interface.post("/v1/jobs/\(live)/retry").status == .conflict)
        }
    }

    @Test("cancelling answers with the job as it then is")
    func cancel() async throws {
        try await Interface.run { interface in
            interface.plane.add(Fixture.specification())
            let reply = try await interface.post("/v1/jobs/1/cancel")
            #expect(reply.status == .ok && reply.headers[.revision] != nil)
            #expect(try reply.json()["state"] == .string("cancelled"))
            #expect(try await interface.post("/v1/jobs/1/cancel", #"{"force": true}"#).status == .badRequest)
            for id in ["0", "01", "-1", "x", "1.0", "18446744073709551616"] {
                #expect(try await interface.post("/v1/jobs/\(id)/cancel").status == .notFound, "\(id)")
            }
        }
    }

    @Test("only its owner or an administrator changes a job", arguments: ["cancel", "retry"])
    func owners(action: String) async throws {
        try await Interface.run { interface in
            interface.plane.add(Fixture.specification(), user: "mo", state: .failed, reason: .exitCode)
            let reply = try await interface.post("/v1/jobs/1/\(action)")
            #expect(reply.status == .forbidden)
            #expect(try reply.json()["detail"]?.text?.contains("'mo'") == true)
            #expect(interface.plane.commands.isEmpty)
            #expect(try await interface.post("/v1/jobs/1/\(action)", as: .admin).status != .forbidden)
        }
    }

    @Test("a job waits only for jobs that its submitter sees")
    func dependencies() async throws {
        try await Interface.run { interface in
            interface.plane.add(Fixture.specification())
            interface.plane.add(Fixture.specification(tenant: "speech"))
            #expect(try await interface.post("/v1/jobs", #"{"command": ["a"], "after": [{"job": 1}]}"#).status == .created)
            let foreign = try await interface.post("/v1/jobs", #"{"command": ["a"], "after": [{"job": 1}, {"job": 2}]}"#)
            let unknown = try await interface.post("/v1/jobs", #"{"command": ["a"], "after": [{"job": 1}, {"job": 9}]}"#)
            #expect(try foreign.json()["errors"]?[0]?["field"] == .string("after[1].job"))
            #expect(try foreign.json()["errors"]?[0]?["message"] == .string("job 2 does not exist"))
            #expect(unknown.status == .badRequest && foreign.status == .badRequest)
        }
    }

    @Test("bad input costs little and says why")
    func badInput() async throws {
        try await Interface.run { interface in
            func code(_ reply: TestResponse) throws -> String { "\(reply.status.code) \(try reply.json()["code"]?.text ?? "")" }
            let good = #"{"command": ["a"]}"#
            for type in ["text/plain", "application/yaml", "", "multipart/form-data", "application/json; charset=latin1"] {
                let reply = try await interface.post("/v1/jobs", good, headers: [.contentType: type])
                #expect(try code(reply) == "415 unsupported_media_type", "\(type)")
            }
            let utf8: HTTPFields = [.contentType: "application/json; charset=UTF-8"]
            #expect(try await interface.post("/v1/jobs", good, headers: utf8).status == .created)
            #expect(try await interface.post("/v1/jobs", good, headers: [.contentEncoding: "gzip"]).status == .unsupportedMediaType)
            #expect(try code(await interface.post("/v1/jobs", "{")) == "400 malformed_json")
            #expect(try code(await interface.post("/v1/jobs", #"{"command": ["a"], "command": ["b"]}"#)) == "400 malformed_json")
            #expect(try code(await interface.post("/v1/jobs", String(repeating: "[", count: 100_000))) == "400 malformed_json")
            let large = "\"" + String(repeating: "a", count: 1 << 20) + "\""
            #expect(try code(await interface.post("/v1/jobs", large)) == "413 content_too_large")
            let labels = (0..<4000).map { "\"l\($0)\": \"x\"" }.joined(separator: ",")
            #expect(try code(await interface.post("/v1/jobs", #"{"command": ["a"], "labels": {\#(labels)}}"#)) == "400 invalid")
            let groups = Array(repeating: #"{"command": ["a"], "count": 4294967295}"#, count: 5000).joined(separator: ",")
            #expect(try code(await interface.post("/v1/jobs", #"{"groups": [\#(groups)], "array": "0-4294967295"}"#)) == "400 invalid")
            #expect(try code(await interface.post("/v1/jobs", #"{"command": ["a\u0000b"]}"#)) == "400 invalid")
            #expect(try code(await interface.post("/v1/jobs")) == "415 unsupported_media_type")
            #expect(interface.plane.commands.count == 1)
        }
    }
}
