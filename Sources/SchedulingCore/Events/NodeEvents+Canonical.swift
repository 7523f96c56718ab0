// Canonical bytes of what is told of nodes.

public import ClusterModel

extension EnrolledNode: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(id)
        writer.write(name)
        writer.write(bytes: publicKey)
        writer.write(bytes: tokenID)
        writer.write(at)
        writer.write(membership)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self = try Self.withoutMembership(&reader)
        membership = try reader.read()
    }

    /// The form of version 1.
    static func withoutMembership(_ reader: inout CanonicalReader) throws(CanonicalError) -> EnrolledNode {
        EnrolledNode(
            id: try reader.read(), name: try reader.readString(), publicKey: try reader.readBytes(), tokenID: try reader.readBytes(),
            at: try reader.read())
    }
}

extension RegisteredNode: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(id)
        writer.write(session)
        writer.write(instance)
        writer.write(bytes: bootID)
        writer.write(inventory)
        writer.write(at)
        writer.write(sentAt)
        writer.write(sessionSeen)
        writer.write(condition)
        writer.write(strengths != nil)
        if let strengths { writer.write(strengths) }
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) { try self.init(from: &reader, version: 4) }

    /// In the form of a version of its event.
    init(from reader: inout CanonicalReader, version: UInt8) throws(CanonicalError) {
        self.init(
            id: try reader.read(), session: try reader.read(), instance: try reader.readUInt64(), bootID: try reader.readBytes(),
            inventory: try reader.readOptional(), at: try reader.read())
        guard version >= 2 else { return }
        sentAt = try reader.readInt64()
        sessionSeen = try reader.read()
        condition = try reader.read()
        if version >= 4, try reader.readBool() { strengths = try reader.readList() }
    }
}

extension LeftAttempt.Holding: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        switch self {
        case .nothing: writer.write(UInt8(0))
        case .allocation(let allocation):
            writer.write(UInt8(1))
            writer.write(allocation)
        case .unknown: writer.write(UInt8(2))
        }
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        switch try reader.readUInt8() {
        case 0: self = .nothing
        case 1: self = .allocation(try reader.read())
        case 2: self = .unknown
        case let tag: throw .malformed("holding \(tag)")
        }
    }
}

extension LeftAttempt: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(attempt)
        writer.write(node)
        writer.write(fence)
        writer.write(slot)
        writer.write(holding)
        writer.write(at)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(
            attempt: try reader.read(), node: try reader.read(), fence: try reader.read(), slot: try reader.read(),
            holding: try reader.read(), at: try reader.read())
    }
}

extension ContestedNode: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(id)
        writer.write(bytes: bootID)
        writer.write(challenge)
        writer.write(at)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(id: try reader.read(), bootID: try reader.readBytes(), challenge: try reader.readUInt64(), at: try reader.read())
    }
}
