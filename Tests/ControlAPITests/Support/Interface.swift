import ClusterPorts
import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Testing

@testable import ControlAPI

/// A JSON or YAML document, read by someone else's parser.
enum Document: Decodable, Equatable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([Document])
    case object([String: Document])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([Document].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: Document].self))
        }
    }

    subscript(_ name: String) -> Document? {
        guard case .object(let members) = self else { return nil }
        return members[name]
    }

    subscript(_ index: Int) -> Document? {
        guard case .array(let items) = self, items.indices.contains(index) else { return nil }
        return items[index]
    }

    var text: String? { if case .string(let text) = self { text } else { nil } }
    var items: [Document]? { if case .array(let items) = self { items } else { nil } }
    var names: Set<String> { if case .object(let members) = self { Set(members.keys) } else { [] } }
}

extension TestResponse {
    func json() throws -> Document { try JSONDecoder().decode(Document.self, from: Data(body.readableBytesView)) }
    var text: String { String(buffer: body) }
}

/// Who asks.
enum Caller: String, CaseIterable {
    case admin = "000000ad"
    case user = "0000000a"
    case viewer = "000000aa"
    case billing = "000000b1"
    case stranger = "0000000b"

    var authorization: String { "Bearer sp_\(rawValue)_\(Fixture.secret)" }
}

/// The interface over a fake coordinator.
struct Interface: Sendable {
    let plane: FakeControlPlane
    let client: any TestClientProtocol

    static func run(
        _ setup: TestingSetup = .router, host: String = "127.0.0.1", logReaders: Int = 64, connections: Int = 4096,
        packages: String = "/nonexistent", serving: ServedInterface? = nil, handshakeTimeout: Duration = .seconds(10),
        _ test: @Sendable (Interface) async throws -> Void
    ) async throws {
        let plane = FakeControlPlane()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let serving = serving ?? ServedInterface(host: host, identity: nil)
        // Without a socket there is no port of its own.
        serving.listens(on: 8470)
        let server = ControlServer(
            controlPlane: plane,
            configuration: .init(
                host: host, port: 0, connectionCountMax: connections, logReaderCountMax: logReaders, packagesDirectory: packages,
                handshakeTimeout: handshakeTimeout),
            interface: serving, logger: logger)
        try await server.makeApplication().test(setup) { client in try await test(Interface(plane: plane, client: client)) }
    }

    /// A server with a socket, for a test that brings its own client.
    static func runServer(
        _ serving: ServedInterface, connections: Int = 4096, handshakeTimeout: Duration = .seconds(10),
        _ test: @Sendable (_ port: Int) async throws -> Void
    ) async throws {
        try await run(.live, connections: connections, serving: serving, handshakeTimeout: handshakeTimeout) { interface async throws in
            try await test(try #require(interface.client.port))
        }
    }

    @discardableResult
    func call(
        _ method: HTTPRequest.Method, _ path: String, as caller: Caller? = .user, body: String? = nil, headers: HTTPFields = [:]
    ) async throws -> TestResponse {
        var headers = headers
        if let caller { headers[.authorization] = caller.authorization }
        if body != nil, headers[.contentType] == nil { headers[.contentType] = "application/json" }
        return try await client.execute(uri: path, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) })
    }

    func get(_ path: String, as caller: Caller? = .user, headers: HTTPFields = [:]) async throws -> TestResponse {
        try await call(.get, path, as: caller, headers: headers)
    }

    func post(_ path: String, _ body: String? = nil, as caller: Caller? = .user, headers: HTTPFields = [:]) async throws -> TestResponse {
        try await call(.post, path, as: caller, body: body, headers: headers)
    }
}

extension ControlRouter {
    /// For tests that read the table of endpoints.
    static func withoutServer() -> ControlRouter {
        ControlRouter(
            FakeControlPlane(), isLoopback: true, isTLS: false, logs: LogService(readersPerKeyMax: 1, stop: StopSignal()),
            installation: Installation(packagesDirectory: "/nonexistent", interface: ServedInterface(host: "localhost", identity: nil)))
    }
}

/// Waits for something that another task brings about.
func eventually(_ condition: () -> Bool, sourceLocation: SourceLocation = #_sourceLocation) async throws {
    for _ in 0..<2000 {
        if condition() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    Issue.record("did not come about within 10 s", sourceLocation: sourceLocation)
}
