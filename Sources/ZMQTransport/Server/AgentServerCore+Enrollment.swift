internal import ClusterPorts
internal import WireProtocol

// The one verb that a stranger may say. Everything about it is bounded: bytes, rate, and how many are being decided.

extension AgentServerCore {
    private static let enrollingMax = 256

    func readEnrollment(_ routing: RoutingID, _ peer: Peer, _ message: borrowing ZMQMessage) {
        let key = Z85.encode(peer.key) ?? ""
        guard limiter.allows(key: key, host: peer.address.host, now: .now) else {
            return drop(.rateLimited, peer: peer.address.host)
        }
        let request: EnrollmentRequest
        do { request = EnrollmentRequest(try message.withBytes(WireEnrollment.request(in:))) } catch {
            drop(.malformedFrame, peer: peer.address.host, detail: error)
            return cut(.enrollment, routing)
        }
        // The handshake has shown that the peer holds the secret key of `peer.key`, and of no other.
        guard request.publicKey == peer.key else {
            return answer(routing, .refused(code: "proof", message: "the request names another key than the connection's"))
        }
        // A repeated question while the first is being decided; its answer serves both.
        guard !enrolling.contains(routing) else { return }
        guard enrolling.count < Self.enrollingMax, let handler else {
            return answer(routing, .refused(code: "busy", message: "too many nodes enrol at once; try again in some seconds"))
        }
        enrolling.insert(routing)
        handler.enroll(request) { [loop] answer in
            loop.post {
                self.assumeIsolated { core in
                    // Once, and not to a connection that has gone.
                    if core.enrolling.remove(routing) != nil { core.answer(routing, answer) }
                }
            }
        }
    }

    private func answer(_ routing: RoutingID, _ answer: EnrollmentAnswer) {
        guard !lanes.isEmpty, let frame = try? WireEnrollment.encode(answer.wire) else { return }
        // A lost answer is asked for again.
        _ = send(frame, .enrollment, routing)
    }
}
