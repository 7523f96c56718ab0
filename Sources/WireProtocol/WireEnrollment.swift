internal import FoundationEssentials

/// The enrolment socket's one verb. The ports own the model of an enrolment and stand above this target, so these values
/// carry only what is on the wire; the transport translates.
public enum WireEnrollment {
    public struct Request: Hashable, Sendable {
        public var tokenID: [UInt8]
        public var publicKey: [UInt8]
        public var nodeName: String
        public var proof: [UInt8]

        public init(tokenID: [UInt8], publicKey: [UInt8], nodeName: String, proof: [UInt8]) {
            self.tokenID = tokenID
            self.publicKey = publicKey
            self.nodeName = nodeName
            self.proof = proof
        }
    }

    public enum Answer: Hashable, Sendable {
        case accepted(node: UInt64)
        case refused(code: String, message: String)
    }

    /// The version of the transcript and of these messages.
    static let version: UInt32 = 1

    public static func encode(_ request: Request) throws(WireError) -> [UInt8] {
        var wire = WireEnrollmentRequest()
        wire.version = version
        wire.tokenID = Data(request.tokenID)
        wire.publicKey = Data(request.publicKey)
        wire.nodeName = request.nodeName
        wire.proof = Data(request.proof)
        return try WireFrame.bytes(of: wire, limit: WireLimits.enrollmentBytesMax)
    }

    public static func encode(_ answer: Answer) throws(WireError) -> [UInt8] {
        var wire = WireEnrollmentAnswer()
        switch answer {
        case .accepted(let node): wire.outcome = .accepted(node)
        case .refused(let code, let message):
            var refusal = WireEnrollmentRefusal()
            refusal.code = code.fitting(bytes: WireLimits.nameBytesMax)
            refusal.message = message.fitting(bytes: WireLimits.textBytesMax)
            wire.outcome = .refused(refusal)
        }
        return try WireFrame.bytes(of: wire, limit: WireLimits.enrollmentBytesMax)
    }

    public static func request(in frame: RawSpan) throws(WireError) -> Request {
        let wire: WireEnrollmentRequest = try WireFrame.message(in: frame, limit: WireLimits.enrollmentBytesMax)
        guard wire.version == version else { throw .outOfRange("version") }
        return Request(
            tokenID: try checked(wire.tokenID, count: 16, "token_id"), publicKey: try checked(wire.publicKey, count: 32, "public_key"),
            nodeName: try checked(wire.nodeName, max: WireLimits.nameBytesMax, "node_name"),
            proof: try checked(wire.proof, count: 32, "proof"))
    }

    public static func answer(in frame: RawSpan) throws(WireError) -> Answer {
        let wire: WireEnrollmentAnswer = try WireFrame.message(in: frame, limit: WireLimits.enrollmentBytesMax)
        switch wire.outcome {
        case .accepted(let node) where node > 0: return .accepted(node: node)
        case .accepted: throw .outOfRange("accepted")
        case .refused(let refusal):
            return .refused(
                code: try checked(refusal.code, max: WireLimits.nameBytesMax, "code"),
                message: try checked(refusal.message, max: WireLimits.textBytesMax, "message"))
        case nil: throw .missing("outcome")
        }
    }
}
