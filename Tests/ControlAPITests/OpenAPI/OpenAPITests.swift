import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing
import Yams

@testable import ControlAPI

@Suite("Protocols/openapi.yaml")
struct OpenAPITests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    private static let endpoints = AuthenticationTests.endpoints

    private static func yaml() throws -> String {
        String(decoding: try Data(contentsOf: root.appending(path: "Protocols/openapi.yaml")), as: UTF8.self)
    }

    private static func document() throws -> Document { document(try #require(try Yams.compose(yaml: try yaml()))) }

    /// The document that the server has compiled in is made here, so that there is no other generator to keep in step:
    /// `SUANPAN_WRITE_OPENAPI=1 swift test --filter OpenAPITests`.
    @Test("what is served is this document")
    func served() async throws {
        let document = try Self.document()
        if ProcessInfo.processInfo.environment["SUANPAN_WRITE_OPENAPI"] == "1" {
            let file = Self.root.appending(path: "Sources/ControlAPI/OpenAPI/OpenAPIDocument.swift")
            try Data(try Self.source(from: try #require(try Yams.compose(yaml: try Self.yaml()))).utf8).write(to: file)
            return
        }
        try await Interface.run { interface async throws in
            #expect(try await interface.get("/openapi.json", as: nil).json() == document)
        }
    }

    @Test("the router has exactly the operations of the document")
    func operations() throws {
        let paths = try #require(try Self.document()["paths"])
        var described: Set<String> = []
        for path in paths.names {
            for method in paths[path]?.names.subtracting(["parameters"]) ?? [] { described.insert("\(method.uppercased()) \(path)") }
        }
        let router = ControlRouter.withoutServer().router
        let running = Set(
            router.routes.map { route in
                let path = route.path.description.split(separator: "/").map { part in
                    if part == "**" { return "{path+}" }
                    let isCapture = part.hasPrefix(":") || part.hasPrefix("{")
                    return isCapture ? "{\(part.filter { $0 != ":" && $0 != "{" && $0 != "}" })}" : String(part)
                }
                return "\(route.method.rawValue) /\(path.joined(separator: "/"))"
            })
        #expect(described == running)
        #expect(Self.endpoints.count == running.count)
    }

    @Test("each operation describes its parameters and its access", arguments: endpoints.indices)
    func parameters(_ index: Int) throws {
        let endpoint = Self.endpoints[index]
        let document = try Self.document()
        let item = try #require(document["paths"]?[endpoint.path])
        let operation = try #require(item[endpoint.method.rawValue.lowercased()])
        func parameters(in place: String) -> Set<String> {
            let all = (item["parameters"]?.items ?? []) + (operation["parameters"]?.items ?? [])
            let resolved = all.map { parameter in
                guard let reference = parameter["$ref"]?.text?.split(separator: "/").last else { return parameter }
                return document["components"]?["parameters"]?[String(reference)] ?? .null
            }
            return Set(resolved.filter { $0["in"]?.text == place }.compactMap { $0["name"]?.text })
        }
        #expect(parameters(in: "query") == Set(endpoint.query), "\(endpoint.method) \(endpoint.path)")
        #expect(parameters(in: "path").map { "{\($0)}" }.allSatisfy(endpoint.path.contains))
        #expect(parameters(in: "path").count == endpoint.path.count { $0 == "{" })
        #expect((operation["security"] == .array([])) == (endpoint.access == .open))
        #expect(operation["operationId"]?.text != nil && operation["summary"]?.text != nil)
    }

    @Test("every reference leads somewhere")
    func references() throws {
        let document = try Self.document()
        func check(_ part: Document) {
            switch part {
            case .object(let members):
                if let reference = members["$ref"]?.text {
                    let target = reference.dropFirst(2).split(separator: "/").reduce(Optional(document)) { $0?[String($1)] }
                    #expect(target != nil, "\(reference)")
                }
                members.values.forEach(check)
            case .array(let items): items.forEach(check)
            default: break
            }
        }
        check(document)
    }

    @Test("example bodies of jobs are accepted")
    func examples() async throws {
        let source = try #require(try Yams.compose(yaml: try Self.yaml()))
        let examples = source["paths"]?["/v1/jobs"]?["post"]?["requestBody"]?["content"]?["application/json"]?["examples"]
        let bodies = try #require(examples?.mapping).map { try Self.compact($0.value["value"]!).joined() }
        #expect(bodies.count == 2)
        try await Interface.run { interface in
            for body in bodies {
                for _ in 0..<7 { interface.plane.add(Fixture.specification()) }
                let reply = try await interface.post("/v1/jobs", body, as: .admin)
                #expect(reply.status == .created, "\(reply.text)")
            }
        }
    }

    @Test("replies have the members that the document requires of them, and no others")
    func replies() async throws {
        let document = try Self.document()
        @Sendable func required(_ schema: String) -> Set<String> {
            let body = document["components"]?["schemas"]?[schema]
            let parts =
                [body]
                + (body?["allOf"]?.items ?? []).map { part in
                    guard let reference = part["$ref"]?.text?.split(separator: "/").last else { return part }
                    return document["components"]?["schemas"]?[String(reference)]
                }
            return Set(parts.flatMap { $0?["required"]?.items ?? [] }.compactMap(\.text))
        }
        try await Interface.run { interface in
            interface.plane.add(Fixture.specification())
            interface.plane.add(Fixture.attempt(1, 0, 1))
            interface.plane.change { $0.usage = [Fixture.usage(1)] }
            let cases = [
                ("/v1/jobs/1", "Job", false), ("/v1/jobs", "JobSummary", true), ("/v1/jobs/1/tasks", "Task", true),
                ("/v1/jobs/1/attempts", "Attempt", true), ("/v1/nodes/1/devices", "Device", true), ("/v1/cluster", "Cluster", false),
                ("/v1/usage/records", "UsageRecord", true), ("/v1/keys", "Key", true), ("/v1/nothing", "Problem", false),
            ]
            for (path, schema, isList) in cases {
                let reply = try await interface.get(path, as: .admin).json()
                let object = try #require(isList ? reply["items"]?[0] : reply)
                #expect(object.names == required(schema), "\(path)")
            }
            let node = try await interface.get("/v1/nodes/1", as: .viewer).json()
            #expect(node.names == required("Node"))
        }
    }

    // MARK: - YAML to JSON

    /// Swift source that holds the document: a line for each path and schema, folded where it is too long.
    private static func source(from node: Node) throws -> String {
        var lines = ["// Made by OpenAPITests from Protocols/openapi.yaml; not edited by hand.", "", "enum OpenAPIDocument {"]
        lines.append(##"    static let json = #""""##)
        for line in try compact(node) {
            var rest = line[...]
            while !rest.isEmpty {
                lines.append("        \(rest.prefix(128))" + (rest.count > 128 ? ##"\#"## : ""))
                rest = rest.dropFirst(128)
            }
        }
        return (lines + [##"        """#"##, "}", ""]).joined(separator: "\n")
    }

    private static func document(_ node: Node) -> Document {
        switch node {
        case .mapping(let mapping):
            .object(Dictionary(uniqueKeysWithValues: mapping.map { ($0.key.string ?? "", document($0.value)) }))
        case .sequence(let items): .array(items.map(document))
        case .scalar(let scalar):
            if scalar.style != .plain {
                .string(scalar.string)
            } else if node.null != nil {
                .null
            } else if let flag = node.bool {
                .bool(flag)
            } else if let number = node.float {
                .number(number)
            } else {
                .string(scalar.string)
            }
        case .alias: .null
        }
    }

    /// Lines of compact JSON, one for each path and schema, members in the order of the document.
    private static func compact(_ node: Node, depth: Int = 0) throws -> [String] {
        switch node {
        case .mapping(let mapping):
            let members = try mapping.map { key, value in
                var lines = try compact(value, depth: depth + 1)
                lines[0] = "\(quoted(key.string ?? "")):\(lines[0])"
                return depth < 3 ? lines : [lines.joined()]
            }
            return joined(members, "{", "}", depth)
        case .sequence(let items): return joined(try items.map { [try compact($0, depth: depth + 1).joined()] }, "[", "]", 9)
        case .scalar(let scalar): return [Self.scalar(node, scalar)]
        case .alias: throw YamlError.no
        }
    }

    private static func joined(_ parts: [[String]], _ open: String, _ close: String, _ depth: Int) -> [String] {
        var lines = parts.flatMap { part in part.dropLast() + ["\(part[part.count - 1]),"] }
        if let last = lines.popLast() { lines.append(String(last.dropLast())) }
        guard depth < 3, !lines.isEmpty else { return [open + lines.joined() + close] }
        lines[0] = open + lines[0]
        lines[lines.count - 1] += close
        return lines
    }

    private static func scalar(_ node: Node, _ scalar: Node.Scalar) -> String {
        guard scalar.style == .plain else { return quoted(scalar.string) }
        if node.null != nil { return "null" }
        return node.float != nil || node.bool != nil ? scalar.string : quoted(scalar.string)
    }

    private static func quoted(_ text: String) -> String {
        let plain = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
        return "\"\(plain)\""
    }
}
