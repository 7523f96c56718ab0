// Numbers, names and chains usage segments. The engine owns one; its head lives in the database.

import ClusterModel
import Crypto
public import Metering

/// The end of the usage ledger: what the next record follows.
public struct LedgerHead: Hashable, Sendable {
    public var sequence: UInt64
    /// SHA-256 over the canonical bytes of the last record; 32 zero bytes for an empty ledger.
    public var hash: [UInt8]

    public init(sequence: UInt64 = 0, hash: [UInt8] = [UInt8](repeating: 0, count: 32)) {
        self.sequence = sequence
        self.hash = hash
    }
}

/// Turns segments into records, each naming the hash of the one before.
public struct UsageLedger: Sendable {
    public let cluster: [UInt8]
    public private(set) var head: LedgerHead
    private var writer = CanonicalWriter(reservingCapacity: 512)

    public init(cluster: [UInt8], head: LedgerHead) {
        self.cluster = cluster
        self.head = head
    }

    /// The next record and its canonical bytes.
    public mutating func append(_ segment: UsageSegment) -> (record: UsageRecord, bytes: [UInt8]) {
        let identity = UsageRecord.identityBytes(cluster: cluster, segment: segment, revision: 0)
        let record = UsageRecord(
            sequence: head.sequence + 1, recordID: Array(sha256(identity).prefix(16)), segment: segment, previousHash: head.hash)
        writer.removeAll()
        writer.write(record)
        head = LedgerHead(sequence: record.sequence, hash: sha256(writer.bytes))
        return (record, writer.bytes)
    }
}

/// SHA-256 (FIPS 180-4).
public func sha256(_ bytes: [UInt8]) -> [UInt8] {
    var hash = SHA256()
    bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
    return Array(hash.finalize())
}

/// Why a ledger is not intact.
public enum LedgerFault: Error, Equatable, Sendable {
    case gap(after: UInt64, found: UInt64)
    case brokenChain(at: UInt64)
    case unreadable(at: UInt64)
}

/// Checks records in order, from any head.
public struct LedgerVerifier: Sendable {
    public private(set) var head: LedgerHead

    public init(head: LedgerHead = LedgerHead()) { self.head = head }

    public mutating func check(_ bytes: [UInt8]) throws(LedgerFault) -> UsageRecord {
        let expected = head.sequence + 1
        guard let record = try? UsageRecord(canonicalBytes: bytes) else { throw .unreadable(at: expected) }
        guard record.sequence == expected else { throw .gap(after: head.sequence, found: record.sequence) }
        guard record.previousHash == head.hash else { throw .brokenChain(at: record.sequence) }
        head = LedgerHead(sequence: record.sequence, hash: sha256(bytes))
        return record
    }
}
