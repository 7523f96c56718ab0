import ClusterModel
import ClusterPorts
import HTTPTypes
import HummingbirdTesting
import SchedulingCore
import Testing

@testable import ControlAPI

@Suite("Problems")
struct ProblemTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var error: ControlError
        var status: Int
        var code: String
        var retryAfter: String?
        var testDescription: String { code }
    }

    static let cases: [Case] = [
        Case(error: .overloaded(retryAfter: .milliseconds(1500)), status: 503, code: "overloaded", retryAfter: "2"),
        Case(error: .overloaded(retryAfter: .zero), status: 503, code: "overloaded", retryAfter: "1"),
        Case(error: .diskFull, status: 507, code: "insufficient_storage"),
        Case(error: .unavailable, status: 503, code: "unavailable", retryAfter: "1"),
        Case(error: .rejected(.invalid([FieldError("queue", "no such queue")])), status: 400, code: "invalid"),
        Case(error: .rejected(.unsatisfiable([FieldError("groups[0]", "no node has 9 GPUs")])), status: 422, code: "unsatisfiable"),
        Case(error: .rejected(.jobNotFound(JobID(7))), status: 404, code: "not_found"),
        Case(error: .rejected(.nodeNotFound(NodeID(7))), status: 404, code: "not_found"),
        Case(error: .rejected(.keyNotFound("7")), status: 404, code: "not_found"),
        Case(error: .rejected(.conflict("The job has not ended.")), status: 409, code: "conflict"),
        Case(error: .rejected(.keyReused("k")), status: 422, code: "idempotency_key_reused"),
        Case(error: .rejected(.tooManyKeys(limit: 5)), status: 429, code: "too_many_idempotency_keys", retryAfter: "60"),
        Case(error: .rejected(.enrollment(code: "token_used", message: "used")), status: 409, code: "token_used"),
        Case(error: .rejected(.stale), status: 409, code: "stale"),
    ]

    @Test("every refusal has its status and code", arguments: cases)
    func refusal(_ expected: Case) async throws {
        try await Interface.run { interface in
            interface.plane.change { $0.failure = expected.error }
            let reply = try await interface.post("/v1/jobs", #"{"command": ["true"]}"#)
            #expect(reply.status.code == expected.status)
            #expect(reply.headers[.contentType] == "application/problem+json")
            #expect(reply.headers[.retryAfter] == expected.retryAfter)
            let problem = try reply.json()
            #expect(problem["code"] == .string(expected.code))
            #expect(problem["type"] == .string("urn:suanpan:problem:\(expected.code)"))
            #expect(problem["status"] == .number(Double(expected.status)))
            #expect(problem["retryable"] == .bool(expected.retryAfter != nil))
            #expect(problem["requestId"]?.text == reply.headers[.requestID])
            #expect(problem["title"]?.text?.isEmpty == false && problem["detail"]?.text?.isEmpty == false)
        }
    }

    @Test("an impossible job says so in reasons too")
    func reasons() async throws {
        try await Interface.run { interface in
            interface.plane.change { $0.failure = .rejected(.unsatisfiable([FieldError("groups[0]", "no node has 9 GPUs")])) }
            let problem = try await interface.post("/v1/jobs", #"{"command": ["true"]}"#).json()
            #expect(problem["reasons"] == .array([.string("unsatisfiable")]))
            #expect(problem["errors"]?[0]?["field"] == .string("groups[0]"))
        }
    }

    @Test("what the database said stays in the log")
    func reads() async throws {
        try await Interface.run { interface in
            interface.plane.change { $0.readFailure = JournalError(.io, "disk /dev/sdx1 is on fire") }
            let reply = try await interface.get("/v1/jobs")
            #expect(reply.status == .internalServerError && !reply.text.contains("sdx1"))
            interface.plane.change { $0.readFailure = JournalError(.locked, "locked") }
            #expect(try await interface.get("/v1/jobs").status == .serviceUnavailable)
        }
    }

    @Test("a state that is not reached in time is 503")
    func revision() async throws {
        try await Interface.run { interface async throws in
            interface.plane.change { $0.reachable = 50 }
            #expect(try await interface.get("/v1/jobs?minRevision=50").status == .ok)
            #expect(try await interface.get("/v1/jobs?minRevision=51").status == .serviceUnavailable)
            #expect(try await interface.get("/v1/jobs?minRevision=x").status == .badRequest)
        }
    }
}
