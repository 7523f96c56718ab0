import ClusterModel
import ClusterPorts
import HTTPTypes
import Hummingbird
import SchedulingCore

/// Secrets, which are written and never read, and data sets. Both are the tenant's own, whoever asks.
extension ControlRouter {
    static var holdings: [Endpoint] {
        [
            Endpoint(.get, "/v1/secrets", .submitting, query: ["limit", "cursor"]) { call in
                let secrets = call.controlPlane.secrets(of: call.principal.tenant)
                return try call.page(of: secrets, named: \.name) { writer, secret in write(secret, to: &writer) }
            },
            Endpoint(.put, "/v1/secrets/{name}", .submitting) { call in try await setSecret(call) },
            Endpoint(.delete, "/v1/secrets/{name}", .submitting) { call in
                let name = call.parameters.get("name") ?? ""
                return call.noContent(revision: try await call.perform(.removeSecret(tenant: call.principal.tenant, name: name)).revision)
            },
            Endpoint(.get, "/v1/datasets", .reading, query: ["limit", "cursor"]) { call in
                let versions = call.controlPlane.datasets(of: call.principal.tenant).sorted { $0.title < $1.title }
                return try call.page(of: versions, named: \.title) { writer, dataset in write(dataset, to: &writer) }
            },
            Endpoint(.get, "/v1/datasets/{name}/versions/{version}", .reading) { call in
                let dataset = try dataset(call)
                return call.tagged(JSONWriter.object { write(dataset, to: &$0) })
            },
            Endpoint(.put, "/v1/datasets/{name}/versions/{version}", .submitting) { call in try await createDataset(call) },
            Endpoint(.delete, "/v1/datasets/{name}/versions/{version}", .submitting) { call in
                let dataset = try dataset(call)
                let command = Command.removeDataset(tenant: dataset.tenant, name: dataset.name, version: dataset.version)
                return call.noContent(revision: try await call.perform(command).revision)
            },
        ]
    }

    // MARK: - Secrets

    private static func write(_ secret: SecretRecord, to writer: inout JSONWriter) {
        writer.member("name", secret.name)
        writer.member("setAt", secret.setAt)
    }

    /// The value is sealed before anything else sees it; no reply holds it.
    private static func setSecret(_ call: Call) async throws -> Response {
        let problems = FieldProblems()
        var reader = FieldReader(try await RequestBodyReader.read(call.request).value, at: .body, problems: problems)
        let value = reader.string("value")
        if value == nil { problems.add(reader.path(of: "value"), "is required: the secret's text") }
        reader.finish()
        guard problems.list.isEmpty, let value else { throw Problem.invalid(problems.list) }
        let tenant = call.principal.tenant
        let secret = SecretRecord(
            tenant: tenant, name: call.parameters.get("name") ?? "", sealedValue: call.controlPlane.seal(value, tenant: tenant),
            setAt: call.controlPlane.now())
        let decision = try await call.perform(.setSecret(secret))
        return call.json(JSONWriter.object { write(secret, to: &$0) }, revision: decision.revision)
    }

    // MARK: - Data sets

    private static func write(_ dataset: DatasetVersion, to writer: inout JSONWriter) {
        writer.member("name", dataset.name)
        writer.member("version", dataset.version)
        writer.member("tree", dataset.tree.text)
        writer.member("files", dataset.fileCount)
        writer.member("size", dataset.size)
        writer.member("createdAt", dataset.createdAt)
    }

    private static func dataset(_ call: Call) throws -> DatasetVersion {
        let name = call.parameters.get("name") ?? ""
        let version = call.parameters.get("version") ?? ""
        let known = call.controlPlane.datasets(of: call.principal.tenant).first { $0.name == name && $0.version == version }
        guard let known else { throw Problem.notFound("Data set '\(name.prefix(80))@\(version.prefix(80))' does not exist.") }
        return known
    }

    private static func createDataset(_ call: Call) async throws -> Response {
        let problems = FieldProblems()
        var reader = FieldReader(try await RequestBodyReader.read(call.request).value, at: .body, problems: problems)
        let tree = reader.string("tree").flatMap { ContentDigest(parsing: $0) }
        if tree == nil { problems.add(reader.path(of: "tree"), "must be the digest of a tree that was uploaded") }
        reader.finish()
        guard problems.list.isEmpty, let tree else { throw Problem.invalid(problems.list) }
        let tenant = call.principal.tenant
        guard let files = try await call.files({ try await $0.tree(tree, tenant: tenant) }) else {
            throw Problem.invalid("tree", "the tenant '\(tenant)' has no tree \(tree): upload it first")
        }
        let dataset = DatasetVersion(
            tenant: tenant, name: call.parameters.get("name") ?? "", version: call.parameters.get("version") ?? "", tree: tree,
            fileCount: UInt32(files.entries.count), size: files.size, createdAt: call.controlPlane.now())
        let decision = try await call.perform(.createDataset(dataset))
        return call.json(JSONWriter.object { write(dataset, to: &$0) }, status: .created, revision: decision.revision)
    }
}

extension DatasetVersion {
    /// What lists are ordered by.
    fileprivate var title: String { "\(name)@\(version)" }
}
