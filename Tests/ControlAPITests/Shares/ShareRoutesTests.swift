import HTTPTypes
import Hummingbird
import HummingbirdTesting
import SchedulingCore
import Testing

@testable import ControlAPI

@Suite("Tenants, projects, queues and quotas") struct ShareRoutesTests {
    @Test("what is made can be looked at, changed a part at a time, and removed")
    func lifecycle() async throws {
        try await Interface.run { interface async throws in
            let made = try await interface.post(
                "/v1/queues", #"{"name": "lab", "guarantee": {"cpu": "4", "devices": 2}, "ceiling": {"memory": "1TiB"}}"#, as: .admin)
            #expect(made.status == .created && made.headers[.location] == "/v1/queues/lab")
            #expect(try made.json()["guarantee"] == .object(["cpuMilli": .number(4000), "deviceMilli": .number(2000)]))
            #expect(try made.json()["parent"] == .string("root"))
            let changed = try await interface.call(
                .patch, "/v1/queues/lab", as: .admin, body: #"{"guarantee": {"devices": "none"}, "ceiling": "none", "weight": 3}"#)
            #expect(changed.status == .ok)
            let queue = try await interface.get("/v1/queues/lab").json()
            #expect(queue["guarantee"] == .object(["cpuMilli": .number(4000)]))
            #expect(queue["ceiling"] == .object([:]) && queue["weight"] == .number(3))
            #expect(try await interface.call(.delete, "/v1/queues/lab", as: .admin).status == .noContent)
            #expect(try await interface.get("/v1/queues/lab").status == .notFound)
        }
    }

    @Test("two who change the same do not undo each other's change")
    func conditions() async throws {
        try await Interface.run { interface async throws in
            let body = #"{"name": "cap", "tenant": "speech", "limits": {"devices": 8, "models": [{"model": "*A100*", "devices": 4}]}}"#
            let made = try await interface.post("/v1/quotas", body, as: .admin)
            let tag = try #require(made.headers[.eTag])
            #expect(try await interface.post("/v1/quotas", body, as: .admin).status == .conflict)
            func change(_ body: String, _ tag: String?) async throws -> (HTTPResponse.Status, Document) {
                let headers: HTTPFields = tag.map { [.ifMatch: $0] } ?? [:]
                let reply = try await interface.call(.patch, "/v1/quotas/cap", as: .admin, body: body, headers: headers)
                return (reply.status, try reply.json())
            }
            #expect(try await change(#"{"limits": {"runningTasks": 5}}"#, tag).0 == .ok)
            let (status, problem) = try await change(#"{"limits": {"devices": 1}}"#, tag)
            #expect(status == .preconditionFailed && problem["code"] == .string("changed"))
            let (_, quota) = try await change(#"{"limits": {"queuedJobs": 7}}"#, nil)
            #expect(quota["limits"]?["runningTasks"] == .number(5) && quota["limits"]?["deviceMilli"] == .number(8000))
            #expect(quota["limits"]?["models"]?[0]?["deviceMilli"] == .number(4000))
        }
    }

    @Test("others' tenants, projects and quotas do not exist, and only administrators change any")
    func visibility() async throws {
        try await Interface.run { interface async throws in
            for (path, body) in [
                ("tenants", #"{"name": "speech"}"#), ("projects", #"{"tenant": "speech", "name": "eyes"}"#),
                ("quotas", #"{"name": "cap", "tenant": "speech", "limits": {"cpu": 1}}"#),
                ("quotas", #"{"name": "all", "limits": {"cpu": 1}}"#),
            ] { #expect(try await interface.post("/v1/\(path)", body, as: .admin).status == .created) }
            for path in ["tenants/speech", "projects/speech/eyes", "quotas/cap"] {
                let known = try await interface.get("/v1/\(path)", as: .admin).status
                let (own, other) = (
                    try await interface.get("/v1/\(path)").status, try await interface.get("/v1/\(path)", as: .stranger).status
                )
                #expect(known == .ok && Set([own, other]) == [.ok, .notFound], "\(path): \(own), \(other)")
                #expect(try await interface.call(.patch, "/v1/\(path)", body: "{}").status == .forbidden)
                #expect(try await interface.call(.delete, "/v1/\(path)").status == .forbidden)
            }
            #expect(try await interface.get("/v1/quotas/all", as: .stranger).status == .ok)
            #expect(try await interface.post("/v1/tenants", #"{"name": "mine"}"#).status == .forbidden)
        }
    }

    @Test(
        "what is wrong is said with its field",
        arguments: [
            (#"{"name": "a", "weight": 0}"#, "tenants", "weight"), (#"{"weight": 1}"#, "tenants", "name"),
            (#"{"name": "a", "guarantee": {"gpus": 1}}"#, "queues", "guarantee.gpus"),
            (#"{"name": "a", "ceiling": {"memory": "much"}}"#, "queues", "ceiling.memory"),
            (#"{"name": "a", "limits": {"models": [{"model": "*"}]}}"#, "quotas", "limits.models[0].devices"),
            (#"{"name": "a", "limits": {"runningTasks": "few"}}"#, "quotas", "limits.runningTasks"),
        ])
    func problems(body: String, path: String, field: String) async throws {
        try await Interface.run { interface async throws in
            let reply = try await interface.post("/v1/\(path)", body, as: .admin)
            #expect(reply.status == .badRequest)
            #expect(try reply.json()["errors"]?[0]?["field"] == .string(field))
        }
    }

    @Test("users are made by what is said of them, and keep what is not")
    func users() async throws {
        try await Interface.run { interface async throws in
            #expect(try await interface.call(.put, "/v1/users/zoe", as: .admin, body: #"{"uid": 1001, "gid": 100}"#).status == .ok)
            let heavy = try await interface.call(.patch, "/v1/users/zoe", as: .admin, body: #"{"weight": 3}"#)
            #expect(try heavy.json()["uid"] == .number(1001) && heavy.json()["weight"] == .number(3))
            let bare = try await interface.call(.patch, "/v1/users/zoe", as: .admin, body: #"{"account": "none"}"#)
            #expect(try bare.json()["uid"] == .null && bare.json()["weight"] == .number(3))
            #expect(try await interface.call(.patch, "/v1/users/zoe", as: .admin, body: #"{"uid": 5}"#).status == .badRequest)
            #expect(try await interface.get("/v1/users/zoe").status == .notFound, "others are nobody's business")
            #expect(try await interface.call(.delete, "/v1/users/zoe", as: .admin).status == .noContent)
        }
    }

    @Test("a pool of others does not exist")
    func pools() async throws {
        try await Interface.run { interface async throws in
            for body in [
                #"{"name": "gold", "tenants": ["speech", "vision"]}"#, #"{"name": "lead", "tenants": ["speech"]}"#, #"{"name": "tin"}"#,
            ] {
                #expect(try await interface.post("/v1/pools", body, as: .admin).status == .created)
            }
            let seen = try await interface.get("/v1/pools").json()["items"]
            #expect(seen?[0]?["name"] == .string("gold") && seen?[1]?["name"] == .string("tin") && seen?[2] == nil)
            #expect(seen?[0]?["tenants"] == .array([.string("vision")]), "nor who else may use it")
            #expect(try await interface.get("/v1/pools/lead").status == .notFound)
            let open = try await interface.call(.patch, "/v1/pools/lead", as: .admin, body: #"{"tenants": "none"}"#)
            #expect(try open.json()["open"] == .bool(true))
            #expect(try await interface.get("/v1/pools/lead").status == .ok)
        }
    }
}
