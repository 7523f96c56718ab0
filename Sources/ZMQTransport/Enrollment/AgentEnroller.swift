internal import CZMQ
public import ClusterModel
public import ClusterPorts
internal import WireProtocol

/// The agent's first words to a coordinator: it proves that it holds a join token, and has its key admitted.
public enum AgentEnroller {
    /// Enrols `keyPair` under `nodeName` and returns the node's number. A lost answer is asked for again: the coordinator
    /// gives the same answer to the same token and key.
    ///
    /// - Parameter timeout: after which it gives up with what it last saw.
    public static func enroll(
        token: JoinToken, keyPair: CurveKeyPair, nodeName: String, timeout: Duration = .seconds(10)
    ) async throws(TransportError) -> NodeID {
        // On a thread of its own: it waits in zmq_poll, and happens once in a node's life.
        let result: Result<NodeID, TransportError> = await withCheckedContinuation { continuation in
            let hasStarted = LoopThread.start(name: "suanpan-enroll") {
                continuation.resume(
                    returning: Result { () throws(TransportError) in
                        let conversation = try EnrollmentConversation(token: token, keyPair: keyPair, nodeName: nodeName)
                        return try conversation.run(timeout: timeout)
                    })
            }
            if !hasStarted { continuation.resume(returning: .failure(TransportError(.io, "cannot start a thread"))) }
        }
        return try result.get()
    }
}

/// One enrolment, on a thread that may block.
private struct EnrollmentConversation: ~Copyable {
    private let endpoint: String
    private let frame: [UInt8]
    private let socket: ZMQSocket
    private let monitor: ZMQSocket

    private static let retryInterval = Duration.seconds(2)
    /// One failed handshake may be a coordinator that is going down.
    private static let handshakeFailuresMax = 3

    init(token: JoinToken, keyPair: CurveKeyPair, nodeName: String) throws(TransportError) {
        let serverKey = token.endpoints.publicKey
        let request = EnrollmentRequest(
            tokenID: token.id, publicKey: keyPair.publicKey, nodeName: nodeName,
            proof: EnrollmentProof.make(
                tokenID: token.id, publicKey: keyPair.publicKey, nodeName: nodeName,
                verifier: EnrollmentProof.verifier(ofSecret: token.secret), serverPublicKey: serverKey))
        let frame: [UInt8]
        do { frame = try WireEnrollment.encode(request.wire) } catch {
            throw TransportError(.refused, "the node name cannot be sent: \(error)")
        }
        let context = try ZMQContext(ioThreads: 1, socketCountMax: 16)
        let socket = try context.makeSocket(.dealer)
        let monitor = try context.makeSocket(.pair)
        var options = SocketOptions(frameBytesMax: SocketOptions.enrollmentBytesMax, lingerMilliseconds: 0)
        options.connect(keyPair: keyPair, serverKey: serverKey)
        options.queue(send: 4, receive: 4)
        try options.apply(to: socket)
        try SocketOptions.unbounded.apply(to: monitor)
        let events = "inproc://monitor"
        if let error = socket.monitor(events, events: SocketEvent.mask) ?? monitor.connect(events) {
            throw TransportError(.io, "cannot monitor a socket: \(error)")
        }
        if let error = socket.connect(token.endpoints.enrollment) {
            throw TransportError(.address, "cannot connect to \(token.endpoints.enrollment): \(error); expected tcp://HOST:PORT")
        }
        endpoint = token.endpoints.enrollment
        self.frame = frame
        self.socket = socket
        self.monitor = monitor
    }

    func run(timeout: Duration) throws(TransportError) -> NodeID {
        let deadline = ContinuousClock.now + timeout
        var nextTry = ContinuousClock.now
        var handshakeFailures = 0
        var lastRefusal: TransportError?
        let message = ZMQMessage()
        while ContinuousClock.now < deadline {
            if ContinuousClock.now >= nextTry {
                // No room: the earlier tries still wait for a connection.
                _ = socket.send(frame)
                nextTry = .now + Self.retryInterval
            }
            let wait = min(nextTry, deadline) - .now
            ZMQSocket.wait(socket, monitor, milliseconds: max(1, Int(wait / .milliseconds(1))))
            while monitor.receive(into: message) == nil {
                if message.withBytes(SocketEvent.init(frame:)) == .handshakeFailed { handshakeFailures += 1 }
            }
            if handshakeFailures >= Self.handshakeFailuresMax {
                throw TransportError(
                    .key, "\(endpoint) closes the handshake: its server key differs from the token's; make a new token on this coordinator")
            }
            while socket.receive(into: message) == nil {
                guard !message.hasMore, let answer = try? message.withBytes(WireEnrollment.answer(in:)) else { continue }
                switch EnrollmentAnswer(answer) {
                case .accepted(let node): return node
                case .refused("busy", let text): lastRefusal = TransportError(.refused, text)
                case .refused(let code, let text): throw TransportError(.refused, "enrolment refused (\(code)): \(text)")
                }
            }
        }
        throw lastRefusal
            ?? TransportError(
                .io,
                "no answer from \(endpoint) within \(timeout); check that the coordinator runs and that its enrolment port is reachable")
    }
}
