import ClusterModel
import HTTPTypes
import HummingbirdTesting
import SchedulingCore
import Testing

@testable import ControlAPI

@Suite("API keys and roles")
struct AuthenticationTests {
    static let endpoints = ControlRouter.withoutServer().endpoints

    static func path(_ endpoint: Endpoint) -> String {
        endpoint.path.replacing("{id}", with: endpoint.path.contains("keys") ? "000000b1" : "1").replacing("{name}", with: "li")
    }

    @Test("without a key every endpoint but the open ones answers 401", arguments: endpoints.indices)
    func noKey(_ index: Int) async throws {
        let endpoint = Self.endpoints[index]
        try await Interface.run { interface in
            let reply = try await interface.call(endpoint.method, Self.path(endpoint), as: nil)
            if endpoint.access == .open {
                // Without packages there is nothing to install.
                #expect(reply.status == (endpoint.path.hasPrefix("/install") ? .notFound : .ok))
            } else {
                #expect(reply.status == .unauthorized)
                #expect(reply.headers[.wwwAuthenticate] == #"Bearer realm="suanpan""#)
                #expect(try reply.json()["code"] == .string("unauthenticated"))
                #expect(interface.plane.commands.isEmpty)
            }
        }
    }

    @Test("a key opens what its role allows, and nothing else", arguments: endpoints.indices, Caller.allCases)
    func roles(_ index: Int, _ caller: Caller) async throws {
        let endpoint = Self.endpoints[index]
        try await Interface.run { interface in
            interface.plane.add(Fixture.specification())
            let body = endpoint.method == .get ? nil : "{}"
            let reply = try await interface.call(endpoint.method, Self.path(endpoint), as: caller, body: body)
            let allowed: Set<Caller> =
                switch endpoint.access {
                case .open, .readingUsage: Set(Caller.allCases)
                case .reading: [.admin, .user, .viewer, .stranger]
                case .submitting, .movingFiles: [.admin, .user, .stranger]
                case .administering: [.admin]
                case .attempt: []
                }
            #expect((reply.status == .forbidden) == !allowed.contains(caller), "\(endpoint.method) \(endpoint.path)")
            if reply.status == .forbidden { #expect(interface.plane.commands.isEmpty) }
        }
    }

    @Test(
        "what is not a key of this cluster is refused",
        arguments: [
            "Bearer sp_0000000a_\(String(repeating: "5f", count: 32))", "Bearer sp_0000000a_", "Bearer sp_0000000a", "Bearer sp_deadbeef_x",
            "Bearer sp_0000000A_\(Fixture.secret)", "Basic bGk6bGk=", "Bearer", "", "Bearer eyJhbGciOiJub25lIn0.e30.",
            "sp_0000000a_\(Fixture.secret)", "Bearer sp_0000000a_\(Fixture.secret)0", "Bearer sp_0000000a-\(Fixture.secret)",
            "Bearer " + String(repeating: "x", count: 10_000),
        ])
    func badKeys(_ header: String) async throws {
        try await Interface.run { interface in
            let reply = try await interface.call(.get, "/v1/jobs", as: nil, headers: [.authorization: header])
            #expect(reply.status == .unauthorized)
            #expect(!reply.text.contains(Fixture.secret))
        }
    }

    @Test("a revoked key is refused at once")
    func revoked() async throws {
        try await Interface.run { interface async throws in
            #expect(try await interface.get("/v1/jobs").status == .ok)
            #expect(try await interface.call(.delete, "/v1/keys/0000000a", as: .admin).status == .noContent)
            #expect(try await interface.get("/v1/jobs").status == .unauthorized)
        }
    }

    @Test(
        "an object of another tenant does not exist",
        arguments: endpoints.filter { $0.path.hasPrefix("/v1/jobs/{id}") && !$0.path.hasSuffix("+}") }.map(\.path))
    func otherTenant(_ path: String) async throws {
        try await Interface.run { interface in
            let id = interface.plane.add(Fixture.specification(), state: .failed)
            let uri = path.replacing("{id}", with: id.description)
            let method = Self.endpoints.first { $0.path == path }!.method
            let foreign = try await interface.call(method, uri, as: .stranger)
            let unknown = try await interface.call(method, path.replacing("{id}", with: "99"), as: .stranger)
            #expect(foreign.status == .notFound)
            #expect(foreign.text.filter { !$0.isNumber }.prefix(150) == unknown.text.filter { !$0.isNumber }.prefix(150))
            #expect(interface.plane.commands.isEmpty)
            #expect(try await interface.call(method, uri, as: .user).status != .notFound)
        }
    }

    @Test("lists and usage hold only what the key may see")
    func lists() async throws {
        try await Interface.run { interface async throws in
            interface.plane.add(Fixture.specification())
            interface.plane.add(Fixture.specification(tenant: "speech"))
            interface.plane.change { $0.usage = [Fixture.usage(1), Fixture.usage(2, tenant: "speech")] }
            func count(_ path: String, _ caller: Caller) async throws -> Int? {
                try await interface.get(path, as: caller).json()["items"]?.items?.count
            }
            #expect(try await count("/v1/jobs", .admin) == 2)
            #expect(try await count("/v1/jobs", .viewer) == 1)
            #expect(try await count("/v1/usage/records", .billing) == 2)
            #expect(try await count("/v1/usage/records", .stranger) == 1)
            #expect(try await count("/v1/usage/summary", .viewer) == 1)
        }
    }

    @Test("a key is shown once, works, and is kept as a digest")
    func createKey() async throws {
        try await Interface.run { interface in
            let reply = try await interface.post("/v1/keys", #"{"tenant": "vision", "user": "mei", "role": "viewer"}"#, as: .admin)
            #expect(reply.status == .created)
            #expect(reply.headers[.revision] == "41")
            let text = try #require(try reply.json()["key"]?.text)
            let used = try await interface.call(.get, "/v1/jobs", as: nil, headers: [.authorization: "Bearer \(text)"])
            #expect(used.status == .ok)
            guard case .createKey(let key) = interface.plane.commands[0] else { return #expect(Bool(false), "no key was created") }
            #expect(key.secretDigest.count == 32 && key.role == .viewer && key.user == "mei")
            let list = try await interface.get("/v1/keys", as: .admin)
            #expect(!list.text.contains(text.suffix(64)) && list.text.contains(key.id))
            let page = try await interface.get("/v1/keys?limit=2", as: .admin).json()
            #expect(page["items"]?.items?.count == 2)
            let cursor = try #require(page["nextCursor"]?.text)
            #expect(try await interface.get("/v1/keys?limit=50&cursor=\(cursor)", as: .admin).json()["items"]?.items?.count == 4)
        }
    }

    @Test("users get an account that is never root")
    func users() async throws {
        try await Interface.run { interface in
            #expect(try await interface.call(.put, "/v1/users/li", as: .admin, body: #"{"uid": 1001, "gid": 1002}"#).status == .ok)
            #expect(try await interface.call(.put, "/v1/users/ana", as: .admin, body: #"{"uid": null}"#).status == .ok)
            let list = try await interface.get("/v1/users", as: .admin).json()
            #expect(list["items"]?[0]?["uid"] == .null)
            #expect(list["items"]?[1]?["gid"] == .number(1002))
            for body in [#"{"uid": 0, "gid": 0}"#, #"{"uid": 5}"#, #"{"uid": "1"}"#, #"{"uid": 1, "gid": 1, "shell": "sh"}"#] {
                #expect(try await interface.call(.put, "/v1/users/li", as: .admin, body: body).status == .badRequest)
            }
            #expect(try await interface.call(.put, "/v1/users/Li", as: .admin, body: "{}").status == .badRequest)
        }
    }
}
