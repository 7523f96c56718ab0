import ClusterModel
import ClusterPorts
import HTTPTypes
import Hummingbird
import SchedulingCore

extension ControlRouter {
    static var nodes: [Endpoint] {
        [
            Endpoint(.get, "/v1/cluster", .reading) { call in
                // It looks at every live job: not on a thread that serves sockets.
                let cluster = await withTaskExecutorPreference(globalConcurrentExecutor) { call.controlPlane.cluster() }
                return call.json(
                    JSONWriter.object {
                        cluster.write(to: &$0)
                        $0.member("version", Release.version)
                        $0.member("time", call.controlPlane.now())
                    })
            },
            Endpoint(.get, "/v1/nodes", .reading, query: ["limit", "cursor"]) { call in try list(call) },
            Endpoint(.get, "/v1/nodes/{id}", .reading) { call in
                let node = try call.node()
                return call.tagged(JSONWriter.object { node.write(to: &$0, for: call) })
            },
            Endpoint(.delete, "/v1/nodes/{id}", .administering) { call in
                call.noContent(revision: try await call.perform(.removeNode(try call.node().id)).revision)
            },
            Endpoint(.get, "/v1/nodes/{id}/topology", .reading) { call in try await topology(call) },
            Endpoint(.get, "/v1/nodes/{id}/devices", .reading) { call in
                call.page(try call.node().devices, nextCursor: nil) { writer, device in device.write(to: &writer) }
            },
            Endpoint(.post, "/v1/nodes/{id}/cordon", .administering) { call in try await cordon(call, true) },
            Endpoint(.post, "/v1/nodes/{id}/uncordon", .administering) { call in try await cordon(call, false) },
            Endpoint(.post, "/v1/nodes/{id}/drain", .administering) { call in try await drain(call) },
            Endpoint(.post, "/v1/nodes/{id}/pool", .administering) { call in try await move(call) },
            Endpoint(.delete, "/v1/nodes/{id}/pool", .administering) { call in
                try written(try await call.perform(.moveNode(try call.node().id, pool: "")), call)
            },
            Endpoint(.post, "/v1/nodes/{id}/confirm-dead", .administering) { call in
                try checkEmpty(try await RequestBodyReader.read(call.request, isOptional: true).value)
                return try written(try await call.perform(.confirmDead(try call.node().id)), call)
            },
        ]
    }

    private static func list(_ call: Call) throws -> Response {
        let limit = try call.query.limit()
        let after: UInt64 = try call.query.integer("cursor", 0...UInt64.max) ?? 0
        let nodes = call.controlPlane.nodes().filter { $0.id.value > after }.sorted { $0.id < $1.id }
        let page = nodes.prefix(limit)
        return call.page(page, nextCursor: page.count < nodes.count ? page.last?.id.description : nil) { writer, node in
            node.write(to: &writer, for: call)
        }
    }

    private static func cordon(_ call: Call, _ isCordoned: Bool) async throws -> Response {
        try checkEmpty(try await RequestBodyReader.read(call.request, isOptional: true).value)
        let id = try call.node().id
        return try written(try await call.perform(.setNodeCordon(id, isCordoned: isCordoned)), call)
    }

    /// Into a pool.
    private static func move(_ call: Call) async throws -> Response {
        let problems = FieldProblems()
        var reader = FieldReader(try await RequestBodyReader.read(call.request).value, at: .body, problems: problems)
        let pool = reader.string("pool")
        if pool?.isEmpty ?? true {
            problems.add(reader.path(of: "pool"), "is required: the name of a pool; DELETE takes the node out of its pool")
        }
        reader.finish()
        guard problems.list.isEmpty, let pool else { throw Problem.invalid(problems.list) }
        return try written(try await call.perform(.moveNode(try call.node().id, pool: pool)), call)
    }

    private static let drainSecondsMax: Int64 = 365 * 86_400

    private static func drain(_ call: Call) async throws -> Response {
        let problems = FieldProblems()
        var reader = FieldReader(try await RequestBodyReader.read(call.request, isOptional: true).value, at: .body, problems: problems)
        let seconds = reader.integer("deadlineSeconds", 0...drainSecondsMax)
        reader.finish()
        guard problems.list.isEmpty else { throw Problem.invalid(problems.list) }
        let id = try call.node().id
        return try written(try await call.perform(.drainNode(id, within: seconds.map { .seconds($0) })), call)
    }

    /// The node as the decision left it.
    private static func written(_ decision: Decision, _ call: Call) throws -> Response {
        let node = try call.node()
        return call.json(
            JSONWriter.object { node.write(to: &$0, for: call) }, revision: decision.revision)
    }

    /// hwloc's XML as its agent compressed it: zlib's format is what HTTP calls `deflate`.
    private static func topology(_ call: Call) async throws -> Response {
        let node = try call.node()
        guard let digest = node.inventory?.topologyDigest, !digest.isEmpty,
            let document = try await call.controlPlane.reads.topology(digest: digest)
        else { throw Problem(.notFound, "topology_unknown", "Node \(node.name) has not sent its topology.") }
        if let accepted = call.request.headers[.acceptEncoding], !accepted.contains("deflate"), !accepted.contains("*") {
            throw Problem(.notAcceptable, "not_acceptable", "The topology is kept compressed: accept the encoding 'deflate'.")
        }
        let tag = "\"\(Hexadecimal.text(digest.prefix(12)))\""
        let headers: HTTPFields = [
            .contentType: "application/xml", .contentEncoding: "deflate", .eTag: tag, .cacheControl: "private, no-cache",
            .vary: "Accept-Encoding",
        ]
        if call.request.headers[.ifNoneMatch]?.contains(tag) == true { return Response(status: .notModified, headers: [.eTag: tag]) }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: document)))
    }
}
