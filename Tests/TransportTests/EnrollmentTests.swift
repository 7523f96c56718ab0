import ClusterModel
import ClusterPorts
import Synchronization
import Testing
import ZMQTransport

@Suite("Enrolment", .timeLimit(.minutes(2)))
struct EnrollmentTests {
    private let secret = [UInt8](repeating: 9, count: 32)

    private func token(_ endpoints: AgentEndpoints) -> JoinToken {
        JoinToken(id: [UInt8](repeating: 1, count: 16), secret: secret, endpoints: endpoints)
    }

    @Test("An agent with the token's secret becomes a node; its key opens the other sockets")
    func enrollment() async throws {
        let key = try CurveKeyPair.generate()
        try await TestServer.withServer { server, endpoints in
            let verifier = EnrollmentProof.verifier(ofSecret: secret)
            server.answerEnrollments { request in
                guard EnrollmentProof.isValid(request: request, verifier: verifier, serverPublicKey: endpoints.publicKey) else {
                    return .refused(code: "proof", message: "the proof does not fit the token")
                }
                server.admit(request.publicKey, as: NodeID(42))
                return .accepted(NodeID(42))
            }
            let node = try await AgentEnroller.enroll(token: token(endpoints), keyPair: key, nodeName: "worker-1")
            #expect(node == NodeID(42))
            // The same again is answered the same.
            #expect(try await AgentEnroller.enroll(token: token(endpoints), keyPair: key, nodeName: "worker-1") == node)
            try await TestAgent.withAgent(endpoints: endpoints, keyPair: key) { _ in
                try await server.waitForRegistration(of: NodeID(42))
            }
        }
    }

    @Test("A lost answer is asked for again")
    func lostAnswer() async throws {
        let asked = Atomic<Int>(0)
        try await TestServer.withServer { server, endpoints in
            // "Busy" stands for what costs the agent a try; the answer to the second is the node.
            server.answerEnrollments { _ in
                asked.add(1, ordering: .relaxed).newValue < 2 ? .refused(code: "busy", message: "later") : .accepted(NodeID(3))
            }
            let node = try await AgentEnroller.enroll(token: token(endpoints), keyPair: try .generate(), nodeName: "worker-1")
            #expect(node == NodeID(3))
            #expect(asked.load(ordering: .relaxed) == 2)
        }
    }

    @Test("A refusal carries the coordinator's code and sentence")
    func refusal() async throws {
        try await TestServer.withServer { server, endpoints in
            server.answerEnrollments { _ in .refused(code: "token_expired", message: "the token ended an hour ago") }
            let error = await #expect(throws: TransportError.self) {
                try await AgentEnroller.enroll(token: token(endpoints), keyPair: try .generate(), nodeName: "worker-1")
            }
            #expect(error?.code == .refused)
            #expect(error?.message.contains("token_expired") == true)
        }
    }

    @Test("A wrong server key is named as the cause")
    func wrongServerKey() async throws {
        try await TestServer.withServer { _, endpoints in
            var wrong = endpoints
            wrong.publicKey = try CurveKeyPair.generate().publicKey
            let error = await #expect(throws: TransportError.self) {
                try await AgentEnroller.enroll(token: token(wrong), keyPair: try .generate(), nodeName: "worker-1")
            }
            #expect(error?.code == .key)
            #expect(error?.message.contains("server key differs from the token's") == true)
        }
    }

    @Test("No coordinator, no answer: the error names the endpoint")
    func silence() async throws {
        let endpoints = AgentEndpoints(
            agents: "tcp://127.0.0.1:1", enrollment: "tcp://127.0.0.1:1", logs: "tcp://127.0.0.1:1",
            publicKey: try CurveKeyPair.generate().publicKey)
        let error = await #expect(throws: TransportError.self) {
            try await AgentEnroller.enroll(
                token: token(endpoints), keyPair: try .generate(), nodeName: "worker-1", timeout: .milliseconds(300))
        }
        #expect(error?.code == .io)
        #expect(error?.message.contains("tcp://127.0.0.1:1") == true)
    }

    @Test("A proof covers the token, the key, the name and the server")
    func proof() throws {
        let verifier = EnrollmentProof.verifier(ofSecret: secret)
        let id = [UInt8](repeating: 1, count: 16)
        let key = [UInt8](repeating: 2, count: 32)
        let server = [UInt8](repeating: 3, count: 32)
        let proof = EnrollmentProof.make(tokenID: id, publicKey: key, nodeName: "a", verifier: verifier, serverPublicKey: server)
        // Computed independently: HMAC-SHA256 over the transcript of Protocols/wire.md.
        #expect(proof.map { String($0, radix: 16) }.joined(separator: " ") == Self.expectedProof)
        let good = EnrollmentRequest(tokenID: id, publicKey: key, nodeName: "a", proof: proof)
        #expect(EnrollmentProof.isValid(request: good, verifier: verifier, serverPublicKey: server))
        var other = good
        other.nodeName = "b"
        #expect(!EnrollmentProof.isValid(request: other, verifier: verifier, serverPublicKey: server))
        other = good
        other.tokenID[0] ^= 1
        #expect(!EnrollmentProof.isValid(request: other, verifier: verifier, serverPublicKey: server))
        other = good
        other.publicKey[31] ^= 1
        #expect(!EnrollmentProof.isValid(request: other, verifier: verifier, serverPublicKey: server))
        #expect(!EnrollmentProof.isValid(request: good, verifier: verifier, serverPublicKey: key))
        other = good
        other.proof.removeLast()
        #expect(!EnrollmentProof.isValid(request: other, verifier: verifier, serverPublicKey: server))
    }

    private static let expectedProof =
        "bf bb 69 a7 9 e 8d cb d3 5c 7 c4 85 e 19 dc 8c 62 40 9b b5 c4 e0 f eb b7 bd c5 44 47 4a 6f"
}
