public import ClusterModel

/// A segment as the ledger holds it: numbered, named and chained. Never changed, never removed.
public struct UsageRecord: Hashable, Sendable {
    /// Form of the canonical bytes. Since 2, requests and allocations may be of their second forms (Protocols/journal.md).
    public static let currentSchema: UInt32 = 2

    /// Place in the ledger, from 1 without gaps.
    public var sequence: UInt64
    /// 16 bytes, equal for the same segment in every export: the first half of SHA-256 over `identityBytes`.
    public var recordID: [UInt8]
    public var schema: UInt32
    /// 0: the first statement about this segment; corrections rise.
    public var revision: UInt32
    public var isFinal: Bool
    public var segment: UsageSegment
    /// SHA-256 over the canonical bytes of the record before; 32 zero bytes for the first.
    public var previousHash: [UInt8]

    public init(
        sequence: UInt64, recordID: [UInt8], schema: UInt32 = UsageRecord.currentSchema, revision: UInt32 = 0, isFinal: Bool = true,
        segment: UsageSegment, previousHash: [UInt8]
    ) {
        self.sequence = sequence
        self.recordID = recordID
        self.schema = schema
        self.revision = revision
        self.isFinal = isFinal
        self.segment = segment
        self.previousHash = previousHash
    }

    /// What makes a record the same record: cluster, attempt, segment, revision.
    public static func identityBytes(cluster: [UInt8], segment: UsageSegment, revision: UInt32) -> [UInt8] {
        var writer = CanonicalWriter()
        writer.write(bytes: cluster)
        writer.write(segment.attempt)
        writer.write(segment.number)
        writer.write(revision)
        return writer.bytes
    }
}

extension UsageSegment.Measured: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(elapsed)
        writer.write(cpuTime)
        writer.write(memoryPeakBytes)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(elapsed: try reader.read(), cpuTime: try reader.read(), memoryPeakBytes: try reader.readInt64())
    }
}

extension UsageSegment: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(attempt)
        writer.write(number)
        writer.write(tenant)
        writer.write(project)
        writer.write(user)
        writer.write(node)
        writer.write(nodeName)
        writer.write(isSimulated)
        writer.write(fence)
        writer.write(requested)
        writer.write(allocated)
        writer.write(deviceModels)
        writer.write(start)
        writer.write(end)
        writer.write(endReason)
        writer.write(isBillable)
        writer.write(billingRule)
        writer.write(measured)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(
            attempt: try reader.read(), number: try reader.readUInt32(), tenant: try reader.readString(),
            project: try reader.readString(), user: try reader.readString(), node: try reader.read(), nodeName: try reader.readString(),
            isSimulated: try reader.readBool(), fence: try reader.read(), requested: try reader.read(), allocated: try reader.read(),
            deviceModels: try reader.readList(), start: try reader.read(), end: try reader.read(), endReason: try reader.read(),
            isBillable: try reader.readBool(), billingRule: try reader.readUInt32(), measured: try reader.readOptional())
    }
}

extension UsageRecord: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(sequence)
        writer.write(bytes: recordID)
        writer.write(schema)
        writer.write(revision)
        writer.write(isFinal)
        writer.write(segment)
        writer.write(bytes: previousHash)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(
            sequence: try reader.readUInt64(), recordID: try reader.readBytes(), schema: try reader.readUInt32(),
            revision: try reader.readUInt32(), isFinal: try reader.readBool(), segment: try reader.read(),
            previousHash: try reader.readBytes())
    }
}
