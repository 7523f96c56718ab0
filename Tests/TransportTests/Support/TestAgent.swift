import ClusterModel
import ClusterPorts
import Logging
import ZMQTransport

/// A link on a loop of its own that registers whenever it is connected, as agents do.
final class TestAgent: CoordinatorLinkHandler {
    enum Event: Sendable {
        case connected
        case disconnected
        case message(CoordinatorMessage)
        case ack(LogAck)
    }

    let log = EventLog<Event>()
    let loop: ZMQPollLoop
    let link: ZMQCoordinatorLink

    init(endpoints: AgentEndpoints, keyPair: CurveKeyPair, isMonitored: Bool = true) throws {
        loop = try ZMQPollLoop(name: "agent")
        link = ZMQCoordinatorLink(endpoints: endpoints, keyPair: keyPair, loop: loop, isMonitored: isMonitored, logger: .quiet)
    }

    /// Runs `body` with an agent whose link is open, and stops it whatever happens.
    static func withAgent(
        endpoints: AgentEndpoints, keyPair: CurveKeyPair, isMonitored: Bool = true, _ body: (TestAgent) async throws -> Void
    ) async throws {
        let agent = try TestAgent(endpoints: endpoints, keyPair: keyPair, isMonitored: isMonitored)
        await agent.onLoop { try? $0.link.open(handler: $0) }
        do { try await body(agent) } catch {
            await agent.loop.stop()
            throw error
        }
        await agent.onLoop { $0.link.close() }
        await agent.loop.stop()
    }

    func onLoop<Value: Sendable>(_ body: @escaping @Sendable (TestAgent) -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            loop.post { continuation.resume(returning: body(self)) }
        }
    }

    func waitForConnection(count: Int = 1) async throws {
        try await log.wait(for: "connection \(count)") { events in
            events.count {
                if case .connected = $0 { true } else { false }
            } >= count
        }
    }

    var messages: [CoordinatorMessage] { Self.messages(in: log.events) }

    func wait(for messages: [CoordinatorMessage]) async throws {
        try await log.wait(for: "\(messages.count) messages") { Self.messages(in: $0) == messages }
    }

    private static func messages(in events: [Event]) -> [CoordinatorMessage] {
        events.compactMap {
            if case .message(let message) = $0 { message } else { nil }
        }
    }

    // MARK: - CoordinatorLinkHandler

    func connected() {
        log.append(.connected)
        link.send(.register(.sample()))
    }

    func disconnected() { log.append(.disconnected) }

    func received(_ messages: [CoordinatorMessage]) {
        for message in messages { log.append(.message(message)) }
    }

    func received(_ acks: [LogAck]) {
        for ack in acks { log.append(.ack(ack)) }
    }
}

extension Registration {
    static func sample() -> Registration {
        Registration(
            instance: 7, bootID: [UInt8](repeating: 3, count: 16),
            inventory: NodeInventory(name: "node-1", address: "127.0.0.1", cpuMilli: 8000, memoryBytes: 1 << 30), attempts: [])
    }
}
