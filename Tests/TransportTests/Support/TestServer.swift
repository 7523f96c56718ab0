import ClusterModel
import ClusterPorts
import Logging
import Synchronization
import ZMQTransport

/// An agent server on free ports of the loopback, its handler a record of what it was told.
final class TestServer: AgentServerHandler {
    enum Event: Sendable {
        case message(NodeID, AgentMessage)
        case disconnected(NodeID)
        case chunk(LogChunk, NodeID)
        case dropped(TransportDrop, peer: String)
        case overflowed(NodeID)
        case enrollment(EnrollmentRequest)
    }

    let log = EventLog<Event>()
    let keyPair: CurveKeyPair
    let server: ZMQAgentServer
    private let keys = Mutex<[[UInt8]: NodeID]>([:])
    private let answers = Mutex<@Sendable (EnrollmentRequest) -> EnrollmentAnswer?>({ _ in nil })

    init(
        keyPair: CurveKeyPair? = nil, endpoints: AgentEndpoints? = nil, queueBytesMax: Int = 4 << 20
    ) throws {
        self.keyPair = try keyPair ?? .generate()
        let free = "tcp://127.0.0.1:0"
        var configuration = ZMQAgentServer.Configuration(
            agents: endpoints?.agents ?? free, enrollment: endpoints?.enrollment ?? free, logs: endpoints?.logs ?? free,
            secretKey: self.keyPair.secretKey)
        configuration.queueBytesMax = queueBytesMax
        server = try ZMQAgentServer(configuration: configuration, logger: .quiet)
    }

    /// Runs `body` with a server that serves, and stops it whatever happens.
    static func withServer(
        keyPair: CurveKeyPair? = nil, endpoints: AgentEndpoints? = nil, queueBytesMax: Int = 4 << 20,
        admitting keys: [[UInt8]: NodeID] = [:],
        _ body: (TestServer, AgentEndpoints) async throws -> Void
    ) async throws {
        let test = try TestServer(keyPair: keyPair, endpoints: endpoints, queueBytesMax: queueBytesMax)
        // Before the start: an agent that reconnects at once must not find its key unknown.
        for (key, node) in keys { test.admit(key, as: node) }
        let bound = try await test.server.start(handler: test)
        do { try await body(test, bound) } catch {
            await test.server.stop()
            throw error
        }
        await test.server.stop()
    }

    func admit(_ key: [UInt8], as node: NodeID) { keys.withLock { $0[key] = node } }
    func revoke(_ key: [UInt8]) { keys.withLock { $0[key] = nil } }
    func answerEnrollments(_ answer: @escaping @Sendable (EnrollmentRequest) -> EnrollmentAnswer?) { answers.withLock { $0 = answer } }

    func waitForRegistration(of node: NodeID, count: Int = 1) async throws {
        try await log.wait(for: "registration \(count) of node \(node)") { events in
            events.count {
                if case .message(node, .register) = $0 { true } else { false }
            } >= count
        }
    }

    func waitForDrop(_ cause: TransportDrop) async throws {
        try await log.wait(for: "drop \(cause)") { events in
            events.contains {
                if case .dropped(cause, _) = $0 { true } else { false }
            }
        }
    }

    func waitForDisconnection(of node: NodeID) async throws {
        try await log.wait(for: "disconnection of node \(node)") { events in
            events.contains {
                if case .disconnected(node) = $0 { true } else { false }
            }
        }
    }

    var disconnections: Int {
        log.events.count {
            if case .disconnected = $0 { true } else { false }
        }
    }

    // MARK: - AgentServerHandler

    func node(ofKey publicKey: [UInt8]) -> NodeID? { keys.withLock { $0[publicKey] } }

    func received(_ messages: [(node: NodeID, message: AgentMessage)]) {
        for (node, message) in messages { log.append(.message(node, message)) }
    }

    func disconnected(_ node: NodeID) { log.append(.disconnected(node)) }

    func received(_ chunk: LogChunk, from node: NodeID) -> LogAck? {
        log.append(.chunk(chunk, node))
        return LogAck(
            attempt: chunk.attempt, stream: chunk.stream, offset: chunk.offset + Int64(chunk.bytes.count), isComplete: chunk.isLast)
    }

    func enroll(_ request: EnrollmentRequest, answer: @escaping @Sendable (EnrollmentAnswer) -> Void) {
        log.append(.enrollment(request))
        if let decided = answers.withLock({ $0 })(request) { answer(decided) }
    }

    func overflowed(_ node: NodeID) { log.append(.overflowed(node)) }
    func dropped(_ cause: TransportDrop, peer: String) { log.append(.dropped(cause, peer: peer)) }
}

extension Logger {
    /// Tests look at events, not at logs.
    static var quiet: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}
