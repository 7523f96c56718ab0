internal import CZMQ
internal import ClusterModel
internal import ClusterPorts

// ZAP (rfc.zeromq.org/spec/27): libzmq asks at each handshake. The socket is a REP, which is deaf until it has answered,
// so every request is answered, whatever it is.

extension AgentServerCore {
    private enum Decision {
        case admitted(userID: String)
        case refused(String)
        case malformed
    }

    func openAuthenticator() throws(TransportError) {
        let socket = try loop.makeSocket(.reply)
        if let error = socket.bind("inproc://zeromq.zap.01") {
            throw TransportError(.io, "cannot bind the ZAP handler: \(error)")
        }
        authenticator = socket
        socket.attend { self.assumeIsolated { $0.readAuthentication() } }
    }

    private func readAuthentication() -> Bool {
        guard let socket = authenticator else { return false }
        for _ in 0..<64 {
            guard socket.receive() else { return false }
            answer(socket)
        }
        return true
    }

    /// Parts: version, request id, domain, address, identity, mechanism, credentials.
    private func answer(_ socket: LoopSocket) {
        var parts = [socket.message.bytes]
        while socket.message.hasMore, socket.receive() {
            if parts.count < 8 { parts.append(socket.message.bytes) }
        }
        let (status, text, userID) =
            switch decide(parts) {
            case .admitted(let userID): ("200", "OK", userID)
            case .refused(let text): ("400", text, "")
            case .malformed: ("500", "malformed request", "")
            }
        let requestID = parts.count > 1 ? parts[1] : []
        let reply = [[UInt8]("1.0".utf8), requestID, [UInt8](status.utf8), [UInt8](text.utf8), [UInt8](userID.utf8), []]
        for (position, part) in reply.enumerated() { _ = socket.send(part, more: position < reply.count - 1) }
    }

    private func decide(_ parts: [[UInt8]]) -> Decision {
        guard parts.count == 7, parts[0] == [UInt8]("1.0".utf8), parts[5] == [UInt8]("CURVE".utf8), let userID = Z85.encode(parts[6])
        else { return .malformed }
        switch String(decoding: parts[2], as: UTF8.self) {
        case Self.enrollmentDomain:
            return .admitted(userID: userID)
        case Self.agentsDomain:
            if handler?.node(ofKey: parts[6]) != nil { return .admitted(userID: userID) }
            drop(.unknownKey, peer: PeerAddress.plain(String(decoding: parts[3], as: UTF8.self)))
            return .refused("unknown key")
        default:
            return .malformed
        }
    }
}
