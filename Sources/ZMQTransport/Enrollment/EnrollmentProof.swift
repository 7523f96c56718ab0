public import ClusterPorts
internal import Crypto
internal import FoundationEssentials

/// How an agent shows that it holds a token's secret without sending it (Protocols/wire.md, "Enrolment").
public enum EnrollmentProof {
    /// Opens the transcript, so that a proof made for this purpose serves no other.
    static let domain = "suanpan enrollment v1"

    /// What the coordinator stores in place of the secret: SHA-256 of it, 32 bytes.
    public static func verifier(ofSecret secret: [UInt8]) -> [UInt8] { [UInt8](SHA256.hash(data: secret)) }

    /// HMAC-SHA256 under the verifier, 32 bytes.
    public static func make(
        tokenID: [UInt8], publicKey: [UInt8], nodeName: String, verifier: [UInt8], serverPublicKey: [UInt8]
    ) -> [UInt8] {
        let transcript = transcript(tokenID: tokenID, publicKey: publicKey, nodeName: nodeName, serverPublicKey: serverPublicKey)
        return [UInt8](HMAC<SHA256>.authenticationCode(for: transcript, using: SymmetricKey(data: verifier)))
    }

    /// Compares in constant time.
    public static func isValid(request: EnrollmentRequest, verifier: [UInt8], serverPublicKey: [UInt8]) -> Bool {
        let transcript = transcript(
            tokenID: request.tokenID, publicKey: request.publicKey, nodeName: request.nodeName, serverPublicKey: serverPublicKey)
        return HMAC<SHA256>.isValidAuthenticationCode(
            request.proof, authenticating: transcript, using: SymmetricKey(data: verifier))
    }

    /// Each part behind its length in 32 bits, big-endian: no two lists of parts have the same bytes.
    static func transcript(tokenID: [UInt8], publicKey: [UInt8], nodeName: String, serverPublicKey: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        for part in [[UInt8](domain.utf8), tokenID, publicKey, [UInt8](nodeName.utf8), serverPublicKey] {
            withUnsafeBytes(of: UInt32(clamping: part.count).bigEndian) { bytes += $0 }
            bytes += part
        }
        return bytes
    }
}
