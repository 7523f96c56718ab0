import ClusterModel
import ClusterPorts
import HTTPTypes
import Hummingbird
import SchedulingCore

/// What the tasks of a job left behind.
extension ControlRouter {
    static var jobFiles: [Endpoint] {
        [
            Endpoint(.put, "/v1/attempts/{id}/outputs", .attempt) { call in try await keepOutputs(call) },
            Endpoint(.get, "/v1/jobs/{id}/files", .reading, query: ["task"]) { call in try await list(call) },
            Endpoint(.get, "/v1/jobs/{id}/files/{path+}", .reading, query: ["task"]) { call in try await file(call) },
        ]
    }

    /// Only the agent that runs the attempt can say what it left behind.
    private static func keepOutputs(_ call: Call) async throws -> Response {
        let text = call.parameters.get("id") ?? ""
        guard let attempt = AttemptID(parsing: text), attempt == call.principal.attempt else {
            throw Problem.forbidden("Outputs are kept with the pass of their attempt.")
        }
        let body = try await RequestBodyReader.read(call.request).value
        let problems = FieldProblems()
        var reader = FieldReader(body, at: .body, problems: problems)
        let tree = reader.string("tree").flatMap { ContentDigest(parsing: $0) }
        if tree == nil { problems.add(reader.path(of: "tree"), "must be the digest of a tree") }
        reader.finish()
        guard problems.list.isEmpty, let tree else { throw Problem.invalid(problems.list) }
        try await call.files { try await $0.keepOutputs(tree, of: attempt, tenant: call.principal.tenant) }
        return Response(status: .noContent)
    }

    private static func list(_ call: Call) async throws -> Response {
        let outputs = try await outputs(call)
        var files: [(attempt: AttemptID, entry: FileTree.Entry)] = []
        for output in outputs {
            guard let tree = try await call.files({ try await $0.tree(output.tree, tenant: output.tenant) }) else { continue }
            files += tree.entries.map { (output.attempt, $0) }
        }
        return call.page(files, nextCursor: nil) { writer, file in
            writer.member("path", file.entry.path)
            writer.member("task", file.attempt.task.index)
            writer.member("attempt", file.attempt.number)
            switch file.entry.kind {
            case .file(let digest, let size, let isExecutable):
                writer.member("type", "file")
                writer.member("size", size)
                writer.member("digest", digest.text)
                writer.member("executable", isExecutable)
            case .directory: writer.member("type", "directory")
            case .link(let target):
                writer.member("type", "link")
                writer.member("target", target)
            }
        }
    }

    /// The content of one file; of the first task that has it, unless the query names one.
    private static func file(_ call: Call) async throws -> Response {
        let path = call.parameters.getCatchAll().compactMap(RequestQuery.decode).joined(separator: "/")
        for output in try await outputs(call) {
            guard let tree = try await call.files({ try await $0.tree(output.tree, tenant: output.tenant) }),
                case .file(let digest, _, _) = tree[path]?.kind,
                let found = try await call.files({ try await $0.location(of: digest, tenant: output.tenant) })
            else { continue }
            return try await call.content(digest, at: found, type: "application/octet-stream")
        }
        throw Problem.notFound("The job has kept no file '\(path.prefix(200))'.")
    }

    private static func outputs(_ call: Call) async throws -> [(attempt: AttemptID, tree: ContentDigest, tenant: String)] {
        let job = try await call.job().accepted
        let task: UInt32? = try call.query.integer("task", 0...UInt32.max)
        let tenant = job.specification.tenant
        return try await call.files { try await $0.outputs(of: job.id, tenant: tenant) }
            .filter { task == nil || $0.attempt.task.index == task }.map { ($0.attempt, $0.tree, tenant) }
    }
}
