import ClusterModel
import ClusterPorts
import HTTPTypes
import Hummingbird
import SchedulingCore

extension ControlRouter {
    static var keys: [Endpoint] {
        [
            Endpoint(.get, "/v1/keys", .administering, query: ["limit", "cursor"]) { call in
                let keys = call.controlPlane.accessKeys().sorted { $0.id < $1.id }
                return try call.page(of: keys, named: \.id) { writer, key in write(key, to: &writer) }
            },
            Endpoint(.post, "/v1/keys", .administering) { call in try await createKey(call) },
            Endpoint(.delete, "/v1/keys/{id}", .administering) { call in
                let id = call.parameters.get("id") ?? ""
                guard call.controlPlane.accessKey(id: id) != nil else {
                    throw Problem.notFound("Key '\(id.prefix(80))' does not exist.")
                }
                return call.noContent(revision: try await call.perform(.revokeKey(id)).revision)
            },
        ]
    }

    // MARK: - Keys

    private static func write(_ key: AccessKey, to writer: inout JSONWriter) {
        writer.member("id", key.id)
        writer.member("tenant", key.tenant)
        writer.member("user", key.user)
        writer.member("role", key.role.name)
        writer.member("createdAt", key.createdAt)
    }

    /// The key's text appears in this one reply; what is kept cannot make it again.
    private static func createKey(_ call: Call) async throws -> Response {
        let problems = FieldProblems()
        var reader = FieldReader(try await RequestBodyReader.read(call.request).value, at: .body, problems: problems)
        let tenant = name(&reader, "tenant")
        let user = name(&reader, "user")
        let role = reader.choice("role", named: \Role.name)
        if role == nil, reader.value("role") == nil {
            problems.add(reader.path(of: "role"), "is required: one of " + Role.allCases.map(\.name).joined(separator: ", "))
        }
        reader.finish()
        guard problems.list.isEmpty, let role else { throw Problem.invalid(problems.list) }
        var made = APIKey.make()
        while call.controlPlane.accessKey(id: made.id) != nil { made = APIKey.make() }
        let key = AccessKey(
            id: made.id, secretDigest: made.secretDigest, tenant: tenant, user: user, role: role, createdAt: call.controlPlane.now())
        let decision = try await call.perform(.createKey(key))
        let body = JSONWriter.object { writer in
            write(key, to: &writer)
            writer.member("key", made.text)
        }
        return call.json(body, status: .created, revision: decision.revision, location: "/v1/keys/\(key.id)")
    }

    /// A required name in the grammar of the interface.
    private static func name(_ reader: inout FieldReader, _ field: StaticString) -> String {
        let text = reader.string(field)
        if text == nil, reader.value(field) == nil { reader.problems.add(reader.path(of: field), "is required") }
        if let text, !ObjectName.isValid(text) {
            reader.problems.add(reader.path(of: field), expected: "a name, \(ObjectName.grammar)", not: .string(text))
        }
        return text ?? ""
    }
}

extension Call {
    /// A page of a list that is in memory, in the order of its names; the cursor is the last name seen.
    func page<Item>(
        of items: [Item], named name: (Item) -> String, _ write: (inout JSONWriter, Item) -> Void
    ) throws(Problem) -> Response {
        let limit = try query.limit()
        var start = 0
        if let cursor = query.text("cursor") { start = items.firstIndex { name($0) > cursor } ?? items.count }
        let page = items[start...].prefix(limit)
        let next = start + page.count < items.count ? page.last.map(name) : nil
        return self.page(page, nextCursor: next, write)
    }
}
