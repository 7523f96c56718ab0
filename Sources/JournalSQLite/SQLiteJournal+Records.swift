import ClusterModel
public import ClusterPorts
import FoundationEssentials
import GRDB
import Metering
public import SchedulingCore
import Telemetry

extension SQLiteJournal {
    /// Blocks its thread while the disk works: it belongs on a thread of its own (`SchedulerEngine` has one), which then
    /// needs no hand-over to the database's queue and back.
    public func append(_ batches: [JournalBatch]) async throws(JournalError) {
        guard !batches.isEmpty else { return }
        let records = batches.map { EventRecord(index: $0.index, at: $0.at, events: $0.events).bytes }
        try onThisThread("append to") { database, position in
            // Becomes the position when it is committed; until then, and if it never is, nothing has happened.
            var next = position
            try database.inTransaction(.immediate) {
                try Self.write(batches, records, to: database, &next)
                return .commit
            }
            position = next
        }
        appendedBytes.add(records.reduce(0) { $0 + UInt64($1.count) })
    }

    private static func write(
        _ batches: [JournalBatch], _ records: [[UInt8]], to database: Database, _ position: inout Position
    ) throws {
        var journal = try RowWriter(database, #"INSERT INTO journal ("index", record) VALUES (?, ?)"#)
        var usage = try RowWriter(database, "INSERT INTO usage (sequence, tenant, job, body) VALUES (?, ?, ?, ?)")
        var changes = TableChanges(capacity: batches.reduce(0) { $0 + $1.rows.count })
        for (batch, record) in zip(batches, records) {
            try position.advance(over: batch)
            journal.integer(batch.index)
            journal.bytes(record)
            try journal.write()
            for change in batch.rows { try changes.add(change) }
            for (record, bytes) in batch.usage {
                usage.integer(record.sequence)
                usage.integer(try position.names.id(of: record.segment.tenant, in: database))
                usage.integer(record.segment.attempt.task.job.value)
                usage.bytes(bytes)
                try usage.write()
            }
            for event in batch.events {
                guard let id = event.clusterID else { continue }
                try database.execute(sql: "INSERT OR REPLACE INTO meta VALUES ('cluster', ?)", arguments: [id.column])
            }
        }
        try changes.write(to: database, &position.names)
    }

    public func replay(
        after index: UInt64, through end: UInt64, _ body: (UInt64, [Event]) throws -> Void
    ) async throws(JournalError) {
        try await StoredRecords.replay(after: index, through: end, path: path, body) { position async throws(JournalError) in
            try await onQueue("replay") { database, _ in try StoredRecords.page(after: position, in: database) }
        }
    }

    public func head() async throws(JournalError) -> JournalHead {
        let digest = digest
        return try await onQueue("read") { database, position in
            var hash = [UInt8](repeating: 0, count: 32)
            if let body = try Data.fetchOne(
                database, sql: "SELECT body FROM usage WHERE sequence = ?", arguments: [position.ledgerSequence.column])
            {
                hash = digest([UInt8](body))
            }
            return JournalHead(index: position.index, time: position.time, ledgerSequence: position.ledgerSequence, ledgerHash: hash)
        }
    }
}

extension Event {
    /// The identity that the cluster has from this event on.
    fileprivate var clusterID: [UInt8]? {
        switch self {
        case .clusterFounded(let id, _): id
        case .clusterRestored(let cluster): cluster.id
        default: nil
        }
    }
}

extension SQLiteJournal.Position {
    /// Refuses a batch that does not follow the last one.
    fileprivate mutating func advance(over batch: JournalBatch) throws(JournalError) {
        guard batch.index == index + 1 else { throw JournalError(.order, "batch \(batch.index) does not follow batch \(index)") }
        guard batch.at >= time else {
            throw JournalError(
                .order,
                "batch \(batch.index) is of \(batch.at.nanoseconds) ns since 1970, before the last one's \(time.nanoseconds) ns")
        }
        index = batch.index
        time = batch.at
        for (record, _) in batch.usage {
            guard record.sequence == ledgerSequence + 1 else {
                throw JournalError(.order, "usage record \(record.sequence) does not follow record \(ledgerSequence)")
            }
            ledgerSequence = record.sequence
        }
    }
}

// MARK: - Topology documents

extension SQLiteJournal {
    /// Keeps an hwloc document that an agent sent, zlib-compressed, under the SHA-256 of its XML; each once.
    public func storeTopology(digest: [UInt8], compressedXML: [UInt8]) async throws(JournalError) {
        try await onQueue("store a topology in") { database, _ in
            try database.execute(
                sql: "INSERT OR IGNORE INTO topology (digest, xml) VALUES (?, ?)", arguments: [digest.column, compressedXML.column])
        }
    }
}
