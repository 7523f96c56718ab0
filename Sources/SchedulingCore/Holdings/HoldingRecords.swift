// What a tenant keeps with the cluster for its jobs, as facts in the state: sealed secrets, and data sets by name.

public import ClusterModel

/// A secret as the state holds it: sealed for its tenant.
public struct SecretRecord: Hashable, Sendable {
    public var tenant: String
    public var name: String
    public var sealedValue: [UInt8]
    public var setAt: LogicalTime

    /// Bytes of a sealed value.
    public static let sizeMax = 64 << 10

    public init(tenant: String, name: String, sealedValue: [UInt8], setAt: LogicalTime) {
        self.tenant = tenant
        self.name = name
        self.sealedValue = sealedValue
        self.setAt = setAt
    }

    var id: HoldingID { HoldingID(tenant: tenant, name: name) }
}

/// A version of a data set: a tree that its tenant has uploaded. It never becomes another.
public struct DatasetVersion: Hashable, Sendable {
    public var tenant: String
    public var name: String
    public var version: String
    public var tree: ContentDigest
    public var fileCount: UInt32
    public var size: Int64
    public var createdAt: LogicalTime

    public init(
        tenant: String, name: String, version: String, tree: ContentDigest, fileCount: UInt32, size: Int64, createdAt: LogicalTime
    ) {
        self.tenant = tenant
        self.name = name
        self.version = version
        self.tree = tree
        self.fileCount = fileCount
        self.size = size
        self.createdAt = createdAt
    }

    var id: HoldingID { HoldingID(tenant: tenant, name: name, version: version) }
}

/// Names are each tenant's own.
struct HoldingID: Hashable, Comparable, Sendable {
    var tenant: String
    var name: String
    var version = ""

    static func < (left: Self, right: Self) -> Bool {
        (left.tenant, left.name, left.version) < (right.tenant, right.name, right.version)
    }
}

extension SecretRecord: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(tenant)
        writer.write(name)
        writer.write(bytes: sealedValue)
        writer.write(setAt)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(
            tenant: try reader.readString(), name: try reader.readString(), sealedValue: try reader.readBytes(), setAt: try reader.read())
    }
}

extension DatasetVersion: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(tenant)
        writer.write(name)
        writer.write(version)
        writer.write(tree)
        writer.write(fileCount)
        writer.write(size)
        writer.write(createdAt)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(
            tenant: try reader.readString(), name: try reader.readString(), version: try reader.readString(), tree: try reader.read(),
            fileCount: try reader.readUInt32(), size: try reader.readInt64(), createdAt: try reader.read())
    }
}
