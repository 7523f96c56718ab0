internal import ClusterModel
internal import ClusterPorts
internal import WireProtocol

extension EnrollmentRequest {
    init(_ wire: WireEnrollment.Request) {
        self.init(tokenID: wire.tokenID, publicKey: wire.publicKey, nodeName: wire.nodeName, proof: wire.proof)
    }

    var wire: WireEnrollment.Request {
        WireEnrollment.Request(tokenID: tokenID, publicKey: publicKey, nodeName: nodeName, proof: proof)
    }
}

extension EnrollmentAnswer {
    init(_ wire: WireEnrollment.Answer) {
        switch wire {
        case .accepted(let node): self = .accepted(NodeID(node))
        case .refused(let code, let message): self = .refused(code: code, message: message)
        }
    }

    var wire: WireEnrollment.Answer {
        switch self {
        case .accepted(let node): .accepted(node: node.value)
        case .refused(let code, let message): .refused(code: code, message: message)
        }
    }
}
