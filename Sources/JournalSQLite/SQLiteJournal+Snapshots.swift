// Snapshots and the pruning of what they cover. Everything here goes in steps of bounded size, each a transaction of
// its own, so that appends are never kept waiting for a large state.

public import ClusterPorts
import GRDB

extension SQLiteJournal {
    private static let partSizeMax = 1 << 20
    private static let prunedRowsMax: UInt64 = 1000
    /// The newest one, and one more in case it turns out to be damaged.
    private static let snapshotsKept = 2

    public func loadSnapshot() async throws(JournalError) -> JournalSnapshot? {
        let path = path
        let digest = digest
        return try await onQueue("load the snapshot of") { database, _ in
            try StoredRecords.snapshot(in: database, at: path, digest: digest)
        }
    }

    /// Keeps a snapshot and prunes: the newest two stay, and all batches after the older of them.
    public func storeSnapshot(_ snapshot: JournalSnapshot) async throws(JournalError) {
        let isKept = try await onQueue("store a snapshot in") { database, position in
            guard snapshot.index <= position.index else {
                throw JournalError(.order, "a snapshot of batch \(snapshot.index) covers more than the last batch, \(position.index)")
            }
            return try Bool.fetchOne(
                database, sql: #"SELECT EXISTS (SELECT 1 FROM snapshot WHERE "index" = ?)"#, arguments: [snapshot.index.column]) ?? false
        }
        guard !isKept else { return }
        try await dropParts()
        let partCount = (snapshot.state.count + Self.partSizeMax - 1) / Self.partSizeMax
        for part in 0..<partCount {
            let bytes = Array(snapshot.state.dropFirst(part * Self.partSizeMax).prefix(Self.partSizeMax))
            try await onQueue("store a snapshot in") { database, _ in
                try database.execute(
                    sql: "INSERT INTO snapshot_part (snapshot, part, bytes) VALUES (?, ?, ?)",
                    arguments: [snapshot.index.column, part, bytes.column])
            }
        }
        try await onQueue("store a snapshot in") { database, _ in
            try database.execute(
                sql: #"INSERT INTO snapshot ("index", digest, parts) VALUES (?, ?, ?)"#,
                arguments: [snapshot.index.column, snapshot.digest.column, partCount])
            try database.execute(
                sql: #"DELETE FROM snapshot WHERE "index" NOT IN (SELECT "index" FROM snapshot ORDER BY "index" DESC LIMIT ?)"#,
                arguments: [Self.snapshotsKept])
        }
        try await dropParts()
        try await prune()
    }

    /// Parts of snapshots that are not kept any more, or were never completed.
    private func dropParts() async throws(JournalError) {
        var isDone = false
        while !isDone {
            isDone = try await onQueue("prune") { database, _ in
                try database.execute(
                    sql: """
                        DELETE FROM snapshot_part WHERE id = (
                            SELECT id FROM snapshot_part WHERE snapshot NOT IN (SELECT "index" FROM snapshot) LIMIT 1)
                        """)
                return database.changesCount == 0
            }
        }
    }

    private func prune() async throws(JournalError) {
        var isDone = false
        while !isDone {
            isDone = try await onQueue("prune") { database, _ in
                let kept = try UInt64.fetchAll(database, sql: #"SELECT "index" FROM snapshot ORDER BY "index" DESC"#)
                guard kept.count == Self.snapshotsKept, let covered = kept.last,
                    let first = try UInt64.fetchOne(database, sql: #"SELECT min("index") FROM journal"#), first <= covered
                else { return true }
                try database.execute(
                    sql: #"DELETE FROM journal WHERE "index" BETWEEN ? AND ?"#,
                    arguments: [first.column, min(covered, first + Self.prunedRowsMax - 1).column])
                return false
            }
        }
    }
}
