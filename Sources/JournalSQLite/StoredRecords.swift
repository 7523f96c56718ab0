import ClusterPorts
import FoundationEssentials
import GRDB
import SchedulingCore

/// Records and snapshots as the database holds them, for the writer and for readers beside it.
enum StoredRecords {
    /// Read ahead at a time.
    private static let pageSizeMax = 4 << 20

    /// Records after `index`, at least one when there is one.
    static func page(after index: UInt64, in database: Database) throws -> [(index: UInt64, bytes: [UInt8])] {
        let statement = try database.cachedStatement(sql: #"SELECT "index", record FROM journal WHERE "index" > ? ORDER BY "index""#)
        let rows = try Row.fetchCursor(statement, arguments: [index.column])
        var records: [(index: UInt64, bytes: [UInt8])] = []
        var size = 0
        while size < pageSizeMax, let row = try rows.next() {
            var columns = ColumnReader(row, of: "journal")
            records.append((try columns.integer(), try columns.bytes()))
            size += records[records.count - 1].bytes.count
        }
        return records
    }

    /// Hands over the batches in (`index`, `end`], page by page.
    ///
    /// An error of `body` ends the replay as `.unreadable`: the batch was read, and could not be used.
    static func replay(
        after index: UInt64, through end: UInt64, path: String, _ body: (UInt64, [Event]) throws -> Void,
        page: (UInt64) async throws(JournalError) -> [(index: UInt64, bytes: [UInt8])]
    ) async throws(JournalError) {
        var last = index
        while last < end {
            let records = try await page(last)
            if records.isEmpty { return }
            for (found, bytes) in records where found <= end {
                guard found == last + 1 else {
                    throw JournalError(
                        .unreadable, "batches \(last + 1) to \(found - 1) are not in \(path); start from a snapshot, or restore a backup")
                }
                let events: [Event]
                do throws(EventRecordError) {
                    events = try EventRecord(bytes: bytes, expecting: found).events
                } catch {
                    throw JournalError(unreadable: found, error, at: path)
                }
                do {
                    try body(found, events)
                } catch {
                    throw JournalError(.unreadable, "batch \(found) of \(path) cannot be applied: \(error); nothing was changed")
                }
                last = found
            }
            if records[records.count - 1].index > end { return }
        }
    }

    /// The newest snapshot whose parts are all there, or the one after a batch.
    static func snapshot(
        _ index: UInt64? = nil, in database: Database, at path: String, digest: ([UInt8]) -> [UInt8]
    ) throws -> JournalSnapshot? {
        let row = try Row.fetchOne(
            database, sql: #"SELECT "index", digest FROM snapshot WHERE ? IN (-1, "index") ORDER BY "index" DESC LIMIT 1"#,
            arguments: [index?.column ?? (-1).databaseValue])
        guard let row else { return nil }
        var columns = ColumnReader(row, of: "snapshot")
        var snapshot = JournalSnapshot(index: try columns.integer(), state: [], digest: try columns.bytes())
        let parts = try Data.fetchCursor(
            database, sql: "SELECT bytes FROM snapshot_part WHERE snapshot = ? ORDER BY part", arguments: [snapshot.index.column])
        while let part = try parts.next() { snapshot.state.append(contentsOf: part) }
        guard digest(snapshot.state) == snapshot.digest else {
            throw JournalError(
                .unreadable,
                "snapshot \(snapshot.index) of \(path) is damaged (its digest differs). Nothing was changed: "
                    + "`suanpan doctor journal` can set it aside, and the start then uses the one before")
        }
        return snapshot
    }
}

extension JournalError {
    init(unreadable index: UInt64, _ error: EventRecordError, at path: String) {
        self.init(
            .unreadable,
            "batch \(index) of \(path) cannot be read: \(error). Nothing was changed. Start the release that wrote it, "
                + "or see `suanpan doctor journal` for the way out")
    }
}
