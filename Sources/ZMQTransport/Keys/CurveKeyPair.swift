internal import CZMQ
public import ClusterPorts

/// A CURVE key pair: who a node or a coordinator is. Printing it shows the public half only.
public struct CurveKeyPair: Sendable, CustomStringConvertible {
    /// 32 bytes.
    public let publicKey: [UInt8]
    /// 32 bytes; keep it in a file of mode 0600.
    public let secretKey: [UInt8]

    public static let keyBytes = 32

    /// The pair of a secret key that was stored.
    public init(secretKey: [UInt8]) throws(TransportError) {
        guard secretKey.count == Self.keyBytes, let secretText = Z85.encode(secretKey) else {
            throw TransportError(.key, "a CURVE secret key has \(Self.keyBytes) bytes, this one has \(secretKey.count)")
        }
        var publicText = [CChar](repeating: 0, count: Z85.keyTextBytes + 1)
        guard zmq_curve_public(&publicText, secretText) == 0, let publicKey = Z85.decode(publicText) else {
            throw TransportError(.key, "cannot derive a CURVE public key: \(ErrorNumber.last); is libzmq built with CURVE?")
        }
        self.init(publicKey: publicKey, secretKey: secretKey)
    }

    /// A new pair from the system's randomness.
    public static func generate() throws(TransportError) -> CurveKeyPair {
        var publicText = [CChar](repeating: 0, count: Z85.keyTextBytes + 1)
        var secretText = publicText
        guard zmq_curve_keypair(&publicText, &secretText) == 0, let publicKey = Z85.decode(publicText),
            let secretKey = Z85.decode(secretText)
        else { throw TransportError(.key, "cannot make a CURVE key pair: \(ErrorNumber.last); is libzmq built with CURVE?") }
        return CurveKeyPair(publicKey: publicKey, secretKey: secretKey)
    }

    private init(publicKey: [UInt8], secretKey: [UInt8]) {
        self.publicKey = publicKey
        self.secretKey = secretKey
    }

    /// The public key as ZeroMQ tools spell it (Z85, 40 characters).
    public var description: String { Z85.encode(publicKey) ?? "" }
}

/// ZeroMQ's text form of keys: 40 characters for 32 bytes.
enum Z85 {
    static let keyTextBytes = 40

    static func encode(_ key: [UInt8]) -> String? {
        guard key.count == CurveKeyPair.keyBytes else { return nil }
        var text = [CChar](repeating: 0, count: keyTextBytes + 1)
        guard zmq_z85_encode(&text, key, key.count) != nil else { return nil }
        return String(decoding: text.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Of a text that ends with a zero.
    static func decode(_ text: [CChar]) -> [UInt8]? {
        var key = [UInt8](repeating: 0, count: CurveKeyPair.keyBytes)
        guard text.count == keyTextBytes + 1, text.last == 0, zmq_z85_decode(&key, text) != nil else { return nil }
        return key
    }

    static func decode(_ text: String) -> [UInt8]? { decode(text.utf8.map { CChar(bitPattern: $0) } + [0]) }
}
