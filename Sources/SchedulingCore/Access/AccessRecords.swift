// Who may do what, as facts in the state. Secrets never enter it: only hashes do.

public import ClusterModel

/// What a key's bearer may do.
public enum Role: UInt8, NamedTag {
    case admin = 1
    /// Submits and manages jobs of its own tenant.
    case user = 2
    /// Reads its own tenant.
    case viewer = 3
    /// Reads usage of all tenants and nothing else.
    case billing = 4

    public static let names = TagNames<Self>()
}

/// An API key. The bearer presents `sp_<id>_<secret>`; the state holds the SHA-256 of the secret's text.
public struct AccessKey: Hashable, Sendable {
    /// 8 lower-case hexadecimal digits.
    public var id: String
    public var secretDigest: [UInt8]
    public var tenant: String
    public var user: String
    public var role: Role
    public var createdAt: LogicalTime

    public init(id: String, secretDigest: [UInt8], tenant: String, user: String, role: Role, createdAt: LogicalTime) {
        self.id = id
        self.secretDigest = secretDigest
        self.tenant = tenant
        self.user = user
        self.role = role
        self.createdAt = createdAt
    }
}

/// A join token as the coordinator remembers it.
public struct JoinTokenRecord: Hashable, Sendable {
    public var id: [UInt8]
    /// SHA-256 of the secret: the key of the proof.
    public var verifier: [UInt8]
    public var expiresAt: LogicalTime
    public var usesLeft: UInt32
    /// Names of nodes that this token may add carry this prefix; empty for any.
    public var namePrefix: String
    /// Where the nodes that it adds belong.
    public var membership: NodeMembership

    public init(
        id: [UInt8], verifier: [UInt8], expiresAt: LogicalTime, usesLeft: UInt32, namePrefix: String, membership: NodeMembership = .none
    ) {
        self.id = id
        self.verifier = verifier
        self.expiresAt = expiresAt
        self.usesLeft = usesLeft
        self.namePrefix = namePrefix
        self.membership = membership
    }
}

extension AccessKey: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(id)
        writer.write(bytes: secretDigest)
        writer.write(tenant)
        writer.write(user)
        writer.write(role)
        writer.write(createdAt)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(
            id: try reader.readString(), secretDigest: try reader.readBytes(), tenant: try reader.readString(),
            user: try reader.readString(), role: try reader.read(), createdAt: try reader.read())
    }
}

extension JoinTokenRecord: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(bytes: id)
        writer.write(bytes: verifier)
        writer.write(expiresAt)
        writer.write(usesLeft)
        writer.write(namePrefix)
        writer.write(membership)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self = try Self.withoutMembership(&reader)
        membership = try reader.read()
    }

    /// The form of version 1 of the event and of snapshots up to level 2.
    static func withoutMembership(_ reader: inout CanonicalReader) throws(CanonicalError) -> JoinTokenRecord {
        JoinTokenRecord(
            id: try reader.readBytes(), verifier: try reader.readBytes(), expiresAt: try reader.read(), usesLeft: try reader.readUInt32(),
            namePrefix: try reader.readString())
    }
}
