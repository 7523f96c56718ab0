import ClusterModel
import ClusterPorts
import HTTPTypes
import HummingbirdTesting
import NIOCore
import SchedulingCore
import Testing

@testable import ControlAPI

@Suite("Nodes, tokens, the cluster")
struct NodeTests {
    @Test("a node by number or name; which jobs it runs is for administrators")
    func node() async throws {
        try await Interface.run { interface in
            let byName = try await interface.get("/v1/nodes/worker-1")
            #expect(try await interface.get("/v1/nodes/1").text == byName.text)
            let node = try byName.json()
            #expect(node["cpuMilli"] == .number(8000) && node["state"] == .string("ready"))
            #expect(node["topology"]?["cpuModel"] == .string("Test \"CPU\""))
            #expect(node["labels"]?["zone"] == .string("a"))
            #expect(node["liveAttempts"] == nil && node["liveAttemptCount"] == .number(1))
            #expect(try await interface.get("/v1/nodes/1", as: .admin).json()["liveAttempts"] == .array([.string("1.0.1")]))
            #expect(try await interface.get("/v1/nodes/2").status == .notFound)
            let tag = try #require(byName.headers[.eTag])
            #expect(try await interface.get("/v1/nodes/1", headers: [.ifNoneMatch: tag]).status == .notModified)
            let devices = try await interface.get("/v1/nodes/1/devices").json()
            #expect(devices["items"]?[0]?["model"] == .string("NVIDIA H200"))
            #expect(devices["items"]?[0]?["shareMilliAllocated"] == .number(250))
        }
    }

    @Test("nodes come page by page")
    func list() async throws {
        try await Interface.run { interface in
            interface.plane.change { state in
                state.nodes = (1...5).reversed().map { number in
                    var node = Fixture.node
                    node.id = NodeID(UInt64(number))
                    return node
                }
            }
            let first = try await interface.get("/v1/nodes?limit=3").json()
            #expect(first["items"]?.items?.map { $0["id"]?.text } == ["1", "2", "3"])
            let rest = try await interface.get("/v1/nodes?limit=3&cursor=\(first["nextCursor"]?.text ?? "")").json()
            #expect(rest["items"]?.items?.map { $0["id"]?.text } == ["4", "5"] && rest["nextCursor"] == .null)
        }
    }

    @Test("the topology goes out as its agent compressed it")
    func topology() async throws {
        try await Interface.run { interface in
            #expect(try await interface.get("/v1/nodes/1/topology").json()["code"] == .string("topology_unknown"))
            interface.plane.change { $0.topologies[Array(repeating: 9, count: 32)] = [0x78, 0x9C, 1, 2, 3] }
            let reply = try await interface.get("/v1/nodes/1/topology")
            #expect(Array(reply.body.readableBytesView) == [0x78, 0x9C, 1, 2, 3])
            #expect(reply.headers[.contentEncoding] == "deflate" && reply.headers[.contentType] == "application/xml")
            let refused = try await interface.get("/v1/nodes/1/topology", headers: [.acceptEncoding: "gzip, br"])
            #expect(refused.status == .notAcceptable)
            #expect(try await interface.get("/v1/nodes/1/topology", headers: [.acceptEncoding: "gzip, deflate"]).status == .ok)
        }
    }

    @Test("cordon, uncordon, remove")
    func changes() async throws {
        try await Interface.run { interface in
            let cordoned = try await interface.post("/v1/nodes/worker-1/cordon", as: .admin)
            #expect(try cordoned.json()["state"] == .string("cordoned"))
            #expect(cordoned.headers[.revision] == "41")
            #expect(try await interface.post("/v1/nodes/1/uncordon", as: .admin).json()["state"] == .string("ready"))
            #expect(try await interface.call(.delete, "/v1/nodes/1", as: .admin).status == .noContent)
            #expect(
                interface.plane.commands == [
                    .setNodeCordon(NodeID(1), isCordoned: true), .setNodeCordon(NodeID(1), isCordoned: false), .removeNode(NodeID(1)),
                ])
            #expect(try await interface.call(.delete, "/v1/nodes/1", as: .admin).status == .notFound)
        }
    }

    @Test("a drain with and without a deadline; a wrong one changes nothing")
    func drain() async throws {
        try await Interface.run { interface in
            let drained = try await interface.post("/v1/nodes/worker-1/drain", #"{"deadlineSeconds": 60}"#, as: .admin)
            #expect(drained.status == .ok && drained.headers[.revision] == "41")
            let node = try drained.json()
            #expect(node["state"] == .string("draining"))
            #expect(node["drain"] == .object(["deadline": .string("2026-01-31T08:31:00.25Z"), "done": .bool(false)]))
            #expect(try await interface.post("/v1/nodes/1/drain", as: .admin).json()["drain"]?["deadline"] == .null)
            for bad in [#"{"deadlineSeconds": -1}"#, #"{"deadline": "1h"}"#] {
                #expect(try await interface.post("/v1/nodes/1/drain", bad, as: .admin).status == .badRequest)
            }
            #expect(interface.plane.commands == [.drainNode(NodeID(1), within: .seconds(60)), .drainNode(NodeID(1), within: nil)])
        }
    }

    @Test("a join token is shown once; the command has only its verifier")
    func token() async throws {
        try await Interface.run { interface in
            let reply = try await interface.post("/v1/nodes/tokens", #"{"ttlSeconds": 60, "uses": 3, "namePrefix": "gpu-"}"#, as: .admin)
            #expect(reply.status == .created)
            let body = try reply.json()
            let token = try #require(JoinToken(parsing: body["token"]?.text ?? ""))
            #expect(token.endpoints == interface.plane.endpoints)
            guard case .createJoinToken(let record) = interface.plane.commands[0] else { return #expect(Bool(false)) }
            #expect(record.id == token.id && record.verifier.count == 32 && record.verifier != token.secret)
            #expect(record.expiresAt == Fixture.now + .seconds(60) && record.usesLeft == 3 && record.namePrefix == "gpu-")
            #expect(body["expiresAt"] == .string("2026-01-31T08:31:00.25Z"))
            #expect(try await interface.post("/v1/nodes/tokens", as: .admin).json()["uses"] == .number(1))
            for bad in [
                #"{"ttlSeconds": 0}"#, #"{"ttlSeconds": 9999999}"#, #"{"uses": 0}"#, #"{"namePrefix": "A"}"#, #"{"center": "X"}"#, "[]",
            ] {
                #expect(try await interface.post("/v1/nodes/tokens", bad, as: .admin).status == .badRequest, "\(bad)")
            }
        }
    }

    @Test("totals of the cluster")
    func cluster() async throws {
        try await Interface.run { interface in
            let cluster = try await interface.get("/v1/cluster").json()
            #expect(cluster["id"] == .string(String(repeating: "ab", count: 16)))
            #expect(cluster["cpuMilliTotal"] == .number(8000))
            #expect(cluster["devices"]?[0]?["model"] == .string("NVIDIA H200"))
        }
    }
}
