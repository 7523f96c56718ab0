import ClusterModel
import ClusterPorts
import Synchronization
import Testing
import ZMQTransport

@Suite("Agents and coordinator", .timeLimit(.minutes(2)))
struct AgentLinkTests {
    private let node = NodeID(1)

    @Test("An enrolled agent connects, registers and is answered", arguments: [true, false])
    func registration(isMonitored: Bool) async throws {
        let key = try CurveKeyPair.generate()
        try await TestServer.withServer { server, endpoints in
            server.admit(key.publicKey, as: node)
            try await TestAgent.withAgent(endpoints: endpoints, keyPair: key, isMonitored: isMonitored) { agent in
                try await server.waitForRegistration(of: node)
                server.server.send([AddressedMessage(node: node, message: .welcome(.sample))])
                try await agent.wait(for: [.welcome(.sample)])
            }
            try await server.waitForDisconnection(of: node)
        }
    }

    @Test("A second machine with the same key takes nothing from the first before it is welcomed")
    func aSecondMachineIsRefused() async throws {
        let key = try CurveKeyPair.generate()
        let refusal = CoordinatorMessage.refuse(Refusal(code: .busy, message: "taken", retryAfter: .seconds(10)))
        try await TestServer.withServer { server, endpoints in
            server.admit(key.publicKey, as: node)
            try await TestAgent.withAgent(endpoints: endpoints, keyPair: key) { first in
                try await server.waitForRegistration(of: node)
                server.server.send([AddressedMessage(node: node, message: .welcome(.sample))])
                try await first.wait(for: [.welcome(.sample)])
                try await TestAgent.withAgent(endpoints: endpoints, keyPair: key) { second in
                    try await server.waitForRegistration(of: node, count: 2)
                    server.server.send([
                        AddressedMessage(node: node, message: refusal), AddressedMessage(node: node, message: .release(1)),
                    ])
                    try await second.wait(for: [refusal])
                    try await first.wait(for: [.welcome(.sample), .release(1)])
                    server.server.send([
                        AddressedMessage(node: node, message: .welcome(.sample)), AddressedMessage(node: node, message: .release(2)),
                    ])
                    // The claim was answered: this welcome is for whoever has the route.
                    try await first.wait(for: [.welcome(.sample), .release(1), .welcome(.sample), .release(2)])
                }
            }
        }
    }

    @Test("Ten thousand messages keep their order both ways")
    func ordering() async throws {
        let key = try CurveKeyPair.generate()
        let count: UInt64 = 10_000
        try await TestServer.withServer(queueBytesMax: 16 << 20) { server, endpoints in
            server.admit(key.publicKey, as: node)
            try await TestAgent.withAgent(endpoints: endpoints, keyPair: key) { agent in
                try await server.waitForRegistration(of: node)
                for start in stride(from: 1, through: count, by: 100) {
                    server.server.send((start..<start + 100).map { AddressedMessage(node: node, message: .release($0)) })
                    await agent.onLoop { agent in
                        for number in start..<start + 100 { agent.link.send(.heartbeat(.sample(number))) }
                    }
                }
                try await agent.log.wait(for: "commands") { $0.count >= Int(count) + 1 }
                #expect(agent.messages == (1...count).map { CoordinatorMessage.release($0) })
                try await server.log.wait(for: "heartbeats") { $0.count >= Int(count) + 1 }
                let beats = server.log.events.compactMap { event -> UInt64? in
                    if case .message(_, .heartbeat(let beat)) = event { beat.number } else { nil }
                }
                #expect(beats == Array(1...count))
            }
        }
    }

    @Test("The end of an agent is noticed at once")
    func disconnection() async throws {
        let key = try CurveKeyPair.generate()
        try await TestServer.withServer { server, endpoints in
            server.admit(key.publicKey, as: node)
            var closedAt = ContinuousClock.now
            try await TestAgent.withAgent(endpoints: endpoints, keyPair: key) { _ in
                try await server.waitForRegistration(of: node)
                closedAt = .now
            }
            try await server.waitForDisconnection(of: node)
            // 50 ms on a quiet machine; tests share theirs.
            #expect(ContinuousClock.now - closedAt < .seconds(2))
        }
    }

    @Test("The end of a connection that a newer registration replaced is no news")
    func supersededConnection() async throws {
        let key = try CurveKeyPair.generate()
        try await TestServer.withServer { server, endpoints in
            server.admit(key.publicKey, as: node)
            try await TestAgent.withAgent(endpoints: endpoints, keyPair: key) { newer in
                try await server.waitForRegistration(of: node)
                try await TestAgent.withAgent(endpoints: endpoints, keyPair: key) { _ in
                    try await server.waitForRegistration(of: node, count: 2)
                    await newer.onLoop { $0.link.send(.register(.sample())) }
                    try await server.waitForRegistration(of: node, count: 3)
                }
                // The older one is closed now; a round trip shows that the newer one still has the route.
                server.server.send([AddressedMessage(node: node, message: .release(1))])
                try await newer.wait(for: [.release(1)])
                #expect(server.disconnections == 0)
            }
        }
    }

    @Test("A revoked key loses its open connection, and is refused when it returns")
    func revocation() async throws {
        let key = try CurveKeyPair.generate()
        try await TestServer.withServer { server, endpoints in
            server.admit(key.publicKey, as: node)
            try await TestAgent.withAgent(endpoints: endpoints, keyPair: key) { agent in
                try await server.waitForRegistration(of: node)
                server.revoke(key.publicKey)
                await agent.onLoop { $0.link.send(.heartbeat(.sample(1))) }
                try await server.waitForDrop(.unknownKey)
                try await server.waitForDisconnection(of: node)
                try await server.log.wait(for: "refused handshake") { events in
                    events.count {
                        if case .dropped(.unknownKey, _) = $0 { true } else { false }
                    } >= 2
                }
                #expect(!server.log.events.contains { if case .message(_, .heartbeat) = $0 { true } else { false } })
            }
        }
    }

    @Test("disconnect closes a node's connection; an admitted one comes back")
    func disconnect() async throws {
        let key = try CurveKeyPair.generate()
        try await TestServer.withServer { server, endpoints in
            server.admit(key.publicKey, as: node)
            try await TestAgent.withAgent(endpoints: endpoints, keyPair: key) { agent in
                try await server.waitForRegistration(of: node)
                server.server.disconnect(node)
                try await server.waitForDisconnection(of: node)
                try await server.waitForRegistration(of: node, count: 2)
                try await agent.waitForConnection(count: 2)
            }
        }
    }

    @Test("A node whose queue overflows is disconnected and registers again")
    func overflow() async throws {
        let key = try CurveKeyPair.generate()
        try await TestServer.withServer(queueBytesMax: 64 << 10) { server, endpoints in
            server.admit(key.publicKey, as: node)
            try await TestAgent.withAgent(endpoints: endpoints, keyPair: key) { agent in
                try await server.waitForRegistration(of: node)
                // More than the queue holds, in one call: nothing can have left in between.
                server.server.send((1...10_000).map { AddressedMessage(node: node, message: .release($0)) })
                try await server.waitForDisconnection(of: node)
                #expect(server.log.events.contains { if case .overflowed(node) = $0 { true } else { false } })
                try await server.waitForRegistration(of: node, count: 2)
                server.server.send([AddressedMessage(node: node, message: .release(10_001))])
                try await agent.wait(for: [.release(10_001)])
            }
        }
    }

    @Test("Agents return after a restart of the coordinator", arguments: [true, false])
    func restart(isMonitored: Bool) async throws {
        let key = try CurveKeyPair.generate()
        let first = try TestServer()
        first.admit(key.publicKey, as: node)
        let endpoints = try await first.server.start(handler: first)
        try await TestAgent.withAgent(endpoints: endpoints, keyPair: key, isMonitored: isMonitored) { agent in
            try await first.waitForRegistration(of: node)
            await first.server.stop()
            try await agent.log.wait(for: "disconnection") { events in
                events.contains { if case .disconnected = $0 { true } else { false } }
            }
            try await TestServer.withServer(keyPair: first.keyPair, endpoints: endpoints, admitting: [key.publicKey: node]) { second, _ in
                try await second.waitForRegistration(of: node)
            }
        }
    }

    @Test("Output goes over its own socket and is acknowledged")
    func logs() async throws {
        let key = try CurveKeyPair.generate()
        let chunk = LogChunk(
            attempt: AttemptID(job: JobID(1), index: 0, number: 1), stream: 1, offset: 100, bytes: [UInt8](repeating: 65, count: 60_000),
            isLast: true)
        try await TestServer.withServer { server, endpoints in
            server.admit(key.publicKey, as: node)
            try await TestAgent.withAgent(endpoints: endpoints, keyPair: key) { agent in
                try await server.waitForRegistration(of: node)
                #expect(await agent.onLoop { $0.link.send(chunk) })
                try await agent.log.wait(for: "acknowledgement") { events in
                    events.contains { if case .ack(let ack) = $0 { ack.offset == 60_100 && ack.isComplete } else { false } }
                }
                #expect(server.log.events.contains { if case .chunk(chunk, node) = $0 { true } else { false } })
            }
        }
    }

    @Test("An address in use is named, with what to do")
    func addressInUse() async throws {
        try await TestServer.withServer { _, endpoints in
            let second = try TestServer(endpoints: endpoints)
            let error = await #expect(throws: TransportError.self) { try await second.server.start(handler: second) }
            #expect(error?.code == .addressInUse)
            #expect(error?.message.contains(endpoints.agents) == true)
            #expect(error?.message.contains("port") == true)
        }
        let bad = try TestServer(endpoints: .unavailable)
        let error = await #expect(throws: TransportError.self) { try await bad.server.start(handler: bad) }
        #expect(error?.code == .address)
    }
}

extension AgentEndpoints {
    /// Of documentation's address range, which no machine has.
    static let unavailable = AgentEndpoints(
        agents: "tcp://203.0.113.7:1", enrollment: "tcp://203.0.113.7:2", logs: "tcp://203.0.113.7:3", publicKey: [])
}

extension Welcome {
    static let sample = Welcome(
        version: 1, node: NodeID(1), epoch: Epoch(1), session: SessionID(1), heartbeatInterval: .seconds(5), lease: .seconds(300),
        wantsTopology: false)
}

extension Heartbeat {
    static func sample(_ number: UInt64) -> Heartbeat {
        Heartbeat(session: SessionID(1), number: number, commandsApplied: 0, liveAttempts: 0, bootTime: 1)
    }
}

extension CoordinatorMessage {
    /// A small command.
    static func release(_ sequence: UInt64) -> CoordinatorMessage {
        .command(
            AgentCommand(
                epoch: Epoch(1), session: SessionID(1), sequence: sequence,
                body: .release([ReleaseOrder(attempt: AttemptID(job: JobID(sequence), index: 0, number: 1), fence: Fence(1))])))
    }
}
