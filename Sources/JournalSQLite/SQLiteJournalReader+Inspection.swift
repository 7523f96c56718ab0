// What a check of a whole journal reads beyond what recovery does.

public import ClusterPorts
import FoundationEssentials
import GRDB

/// What a journal is and how far it goes.
public struct JournalFacts: Hashable, Sendable {
    /// Version of the tables.
    public var schema: Int64
    public var clusterID: [UInt8]
    /// The records that are there; equal to 0 when there is none.
    public var firstIndex: UInt64
    public var lastIndex: UInt64
    public var ledgerSequence: UInt64
    /// Ascending.
    public var snapshots: [UInt64]
}

extension SQLiteJournalReader {
    public func facts() throws(JournalError) -> JournalFacts {
        try read { database in
            func number(_ sql: String) throws -> UInt64 { UInt64(clamping: try Int64.fetchOne(database, sql: sql) ?? 0) }
            return JournalFacts(
                schema: JournalSchema.version,
                clusterID: [UInt8](try Data.fetchOne(database, sql: "SELECT value FROM meta WHERE name = 'cluster'") ?? Data()),
                firstIndex: try number(#"SELECT min("index") FROM journal"#), lastIndex: try number(#"SELECT max("index") FROM journal"#),
                ledgerSequence: try number("SELECT max(sequence) FROM usage"),
                snapshots: try Int64.fetchAll(database, sql: #"SELECT "index" FROM snapshot ORDER BY "index""#).map { UInt64(clamping: $0) }
            )
        }
    }

    /// What SQLite finds wrong with the file; empty when it is sound.
    public func damage() throws(JournalError) -> [String] {
        try read { database in try String.fetchAll(database, sql: "PRAGMA integrity_check(20)").filter { $0 != "ok" } }
    }

    /// Canonical bytes of usage records after `sequence`, in order.
    public func usageRecords(after sequence: UInt64, limit: Int) throws(JournalError) -> [[UInt8]] {
        try read { database in
            try Data.fetchAll(
                database, sql: "SELECT body FROM usage WHERE sequence > ? ORDER BY sequence LIMIT ?",
                arguments: [sequence.column, limit.databaseValue]
            ).map { [UInt8]($0) }
        }
    }
}
