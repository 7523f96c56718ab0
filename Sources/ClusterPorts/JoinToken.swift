import ClusterModel
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

    public init(id: [UInt8], secret: [UInt8], endpoints: AgentEndpoints) {
        self.id = id
        self.secret = secret
        self.endpoints = endpoints
    }

    private static let prefix = "spj_"

    public var text: String {
        var writer = CanonicalWriter()
        writer.write(UInt8(1))
        writer.write(bytes: id)
        writer.write(bytes: secret)
        writer.write(endpoints.agents)
        writer.write(endpoints.enrollment)
        writer.write(endpoints.logs)
        writer.write(bytes: endpoints.publicKey)
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
        guard let version = try? reader.readUInt8(), version == 1, let id = try? reader.readBytes(), id.count == 16,
            let secret = try? reader.readBytes(), secret.count == 32, let agents = try? reader.readString(),
            let enrollment = try? reader.readString(), let logs = try? reader.readString(), let key = try? reader.readBytes(),
            key.count == 32, reader.remaining == 0
        else { return nil }
        self.init(
            id: id, secret: secret, endpoints: AgentEndpoints(agents: agents, enrollment: enrollment, logs: logs, publicKey: key))
    }
}
