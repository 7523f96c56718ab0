public import ClusterModel
import FoundationEssentials

/// What an administrator hands to a new node: where to go, whom to trust there, and a one-time secret.
///
/// Spelled `spj_` + base64url of the canonical bytes. It is a secret: passed by file, standard input or environment,
/// never as an argument.
public struct JoinToken: Hashable, Sendable {
    /// 16 bytes.
    public var id: [UInt8]
    /// 32 bytes.
    public var secret: [UInt8]
    public var endpoints: AgentEndpoints
    /// nil in tokens of version 1, and where the interface was not known when it was made.
    public var interface: Interface?

    /// The REST interface of the coordinator.
    public struct Interface: Hashable, Sendable {
        /// Without a slash at its end.
        public var url: String
        /// SHA-256 of the public key of its certificate, 32 bytes; empty for plain http.
        public var pin: [UInt8]
        /// SHA-256 of the agent's package that it offers, 32 bytes; empty when it offers none.
        public var packageDigest: [UInt8]

        public init(url: String, pin: [UInt8], packageDigest: [UInt8]) {
            self.url = url
            self.pin = pin
            self.packageDigest = packageDigest
        }
    }

    public init(id: [UInt8], secret: [UInt8], endpoints: AgentEndpoints, interface: Interface? = nil) {
        self.id = id
        self.secret = secret
        self.endpoints = endpoints
        self.interface = interface
    }

    private static let prefix = "spj_"
    /// The version that is written; all from 1 to this one are read.
    private static let newestVersion: UInt8 = 2

    public var text: String {
        var writer = CanonicalWriter()
        writer.write(Self.newestVersion)
        writer.write(bytes: id)
        writer.write(bytes: secret)
        writer.write(endpoints.agents)
        writer.write(endpoints.enrollment)
        writer.write(endpoints.logs)
        writer.write(bytes: endpoints.publicKey)
        writer.write(interface)
        let encoded = Data(writer.bytes).base64EncodedString()
        return Self.prefix + encoded.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// nil when `text` is not a token of this form; the text itself never appears in an error.
    public init?(parsing text: String) {
        let trimmed = text.trimmingPrefix(while: \.isWhitespace).prefix { !$0.isWhitespace }
        guard trimmed.hasPrefix(Self.prefix) else { return nil }
        var body = trimmed.dropFirst(Self.prefix.count).replacing("-", with: "+").replacing("_", with: "/")
        body += String(repeating: "=", count: (4 - body.count % 4) % 4)
        guard let data = Data(base64Encoded: String(body)) else { return nil }
        var reader = CanonicalReader([UInt8](data))
        guard let token = try? Self.read(&reader) else { return nil }
        self = token
    }

    private static func read(_ reader: inout CanonicalReader) throws(CanonicalError) -> JoinToken {
        let version = try reader.readUInt8()
        guard (1...newestVersion).contains(version) else { throw .malformed("version \(version) of a join token") }
        var token = JoinToken(
            id: try reader.readBytes(), secret: try reader.readBytes(),
            endpoints: AgentEndpoints(
                agents: try reader.readString(), enrollment: try reader.readString(), logs: try reader.readString(),
                publicKey: try reader.readBytes()))
        if version >= 2 { token.interface = try reader.readOptional() }
        try reader.finish()
        let digests = token.interface.map { [$0.pin, $0.packageDigest] } ?? []
        guard token.id.count == 16, token.secret.count == 32, token.endpoints.publicKey.count == 32,
            digests.allSatisfy({ $0.isEmpty || $0.count == 32 })
        else { throw .malformed("a part of a join token has a wrong size") }
        return token
    }
}

extension JoinToken.Interface: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(url)
        writer.write(bytes: pin)
        writer.write(bytes: packageDigest)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(url: try reader.readString(), pin: try reader.readBytes(), packageDigest: try reader.readBytes())
    }
}
