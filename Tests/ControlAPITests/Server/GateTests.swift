import HTTPTypes
import HummingbirdTesting
import Testing

@testable import ControlAPI

@Suite("What every request passes")
struct GateTests {
    @Test("a request keeps its name, or gets one")
    func requestID() async throws {
        try await Interface.run { interface in
            #expect(try await interface.get("/livez", headers: [.requestID: "abc-1"]).headers[.requestID] == "abc-1")
            for bad in ["", "a b", #"a"b"#, String(repeating: "x", count: 65)] {
                let given = try #require(try await interface.get("/livez", headers: [.requestID: bad]).headers[.requestID])
                #expect(!given.isEmpty && given != bad)
            }
        }
    }

    @Test("an unknown path is 404 and a wrong method 405, for those with a key")
    func unmatched() async throws {
        try await Interface.run { interface in
            #expect(try await interface.get("/v1/nothing").status == .notFound)
            #expect(try await interface.get("/v1/nothing", as: nil).status == .unauthorized)
            let wrong = try await interface.call(.put, "/v1/jobs/1")
            #expect(wrong.status == .methodNotAllowed && wrong.headers[.allow] == "GET, PATCH")
            #expect(try await interface.call(.delete, "/v1/jobs").headers[.allow] == "GET, POST")
            #expect(try wrong.json()["code"] == .string("method_not_allowed"))
            for path in ["/v1/events", "/v1/jobs/1/events", "/v1/metrics", "/v1", "/", "//v1//x", "/v1/jobs/../keys", "/v2/jobs"] {
                #expect(try await interface.get(path).status == .notFound, "\(path)")
            }
        }
    }

    @Test(
        "a page of another origin is refused", arguments: ["http://evil.example", "null", "https://localhost.evil", "http://localhost:1"])
    func origin(_ origin: String) async throws {
        try await Interface.run { interface in
            let reply = try await interface.get("/v1/jobs", headers: [.origin: origin])
            #expect(reply.status == .forbidden)
            #expect(reply.headers[.accessControlAllowOrigin] == nil)
            #expect(try await interface.get("/v1/jobs", headers: [.origin: "http://localhost"]).status == .ok)
        }
    }

    @Test("on loopback only loopback's names are served")
    func host() async throws {
        for name in ["localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "::1"] { #expect(Loopback.isName(name)) }
        for name in ["", "evil.example", "127.0.0.1.evil.example", "localhost.evil", "0.0.0.0", "10.0.0.1", "127.0.0.256", "128.0.0.1"] {
            #expect(!Loopback.isName(name))
        }
        // The test client says "localhost".
        try await Interface.run(host: "0.0.0.0") { interface async throws in
            #expect(try await interface.get("/livez").status == .ok)
        }
    }

    @Test("an unknown query parameter is named, with those there are")
    func query() async throws {
        try await Interface.run { interface in
            let problem = try await interface.get("/v1/jobs?stat=queued&limit=5").json()
            #expect(problem["code"] == .string("unknown_field"))
            #expect(problem["errors"]?[0]?["field"] == .string("stat"))
            #expect(
                problem["errors"]?[0]?["message"]
                    == .string("unknown query parameter; valid: cursor, label, limit, minRevision, name, state, user"))
            #expect(try await interface.post("/v1/jobs?dry=1", #"{"command": ["true"]}"#).status == .badRequest)
            for bad in ["limit=0", "limit=-1", "limit=501", "limit=1&limit=2", "name=%f", "name=%zz", "name=%ff", "state=odd", "label=x"] {
                #expect(try await interface.get("/v1/jobs?\(bad)").status == .badRequest, "\(bad)")
            }
            let many = Array(repeating: "label=a=b", count: 200).joined(separator: "&")
            #expect(try await interface.get("/v1/jobs?\(many)").status == .badRequest)
        }
    }

    @Test("readiness follows the coordinator")
    func ready() async throws {
        try await Interface.run { interface in
            #expect(try await interface.get("/readyz", as: nil).status == .ok)
            interface.plane.change { $0.isReady = false }
            let reply = try await interface.get("/readyz", as: nil)
            #expect(reply.status == .serviceUnavailable && reply.headers[.retryAfter] == "1")
            #expect(try await interface.get("/livez", as: nil).status == .ok)
        }
    }
}
