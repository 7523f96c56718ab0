// What is old goes, a little at a time, between appends. The space is used again; the file does not shrink, which would
// take a second copy of it. Usage records are never touched: they are the bill, and triggers refuse.

public import ClusterModel
public import ClusterPorts
import FoundationEssentials
import GRDB

extension SQLiteJournal {
    /// Rows looked at or removed in one transaction, which an append may have to wait for.
    private static let retiredRowsMax = 200

    /// One step through the jobs in order of their numbers: removes rows of jobs that ended before `cutoff`, with their
    /// attempts and labels. Nothing that lives, nothing of the journal's records and snapshots: those follow from each other.
    ///
    /// - Parameter position: where the step before has stopped; the first begins at 0.
    /// - Returns: where the next goes on; nil when everything that old has been seen.
    public func removeJobs(endedBefore cutoff: LogicalTime, after position: JobID) async throws(JournalError) -> JobID? {
        try await onQueue("remove old rows from") { database, _ in
            var next: JobID?
            try database.inTransaction(.immediate) {
                next = try Self.removeJobs(endedBefore: cutoff, after: position, from: database)
                return .commit
            }
            return next
        }
    }

    private static func removeJobs(endedBefore cutoff: LogicalTime, after position: JobID, from database: Database) throws -> JobID? {
        let page = try Row.fetchAll(
            database.cachedStatement(sql: "SELECT id, submitted, state < 5, finished FROM jobs WHERE id > ? ORDER BY id LIMIT ?"),
            arguments: [position.column, retiredRowsMax.databaseValue])
        var last = position
        var budget = retiredRowsMax
        for row in page {
            var columns = ColumnReader(row, of: "jobs")
            let id: JobID = try columns.identifier()
            // Numbers rise with time: what follows was submitted later, and cannot have ended earlier.
            guard try columns.time() < cutoff else { return nil }
            let isLive = try columns.integer(Int64.self) != 0
            if !isLive, let finished = try columns.optionalTime(), finished < cutoff {
                guard budget > 0 else { return last }
                budget -= try removeAttempts(of: id, limit: budget, from: database)
                // A job goes after the last of its attempts; until then it is merely shorter.
                guard budget > 0 else { return last }
                try removeJob(id, from: database)
                budget -= 1
            }
            last = id
        }
        return page.count == retiredRowsMax ? last : nil
    }

    private static func removeAttempts(of job: JobID, limit: Int, from database: Database) throws -> Int {
        try database.cachedStatement(
            sql: """
                DELETE FROM attempts WHERE (job, task, number) IN
                    (SELECT job, task, number FROM attempts WHERE job = ? LIMIT ?)
                """
        ).execute(arguments: [job.column, limit.databaseValue])
        return database.changesCount
    }

    /// Labels are found by name and text only: the job's own row has them.
    static func removeLabels(of id: JobID, from database: Database) throws {
        guard let row = try Row.fetchOne(database, sql: "SELECT spec FROM jobs WHERE id = ?", arguments: [id.column]) else { return }
        var columns = ColumnReader(row, of: "jobs")
        let specification: JobSpecification = try columns.value()
        for label in specification.labels {
            try database.cachedStatement(sql: "DELETE FROM job_label WHERE name = ? AND text = ? AND job = ?")
                .execute(arguments: [label.name.databaseValue, label.text.databaseValue, id.column])
        }
    }

    private static func removeJob(_ id: JobID, from database: Database) throws {
        try removeLabels(of: id, from: database)
        try database.cachedStatement(sql: "DELETE FROM jobs WHERE id = ?").execute(arguments: [id.column])
    }

    /// Removes one topology document that no node has any more; false when there is none. An agent that returns sends its
    /// own again.
    public func removeTopology(except digests: Set<[UInt8]>) async throws(JournalError) -> Bool {
        try await onQueue("remove an old topology from") { database, _ in
            let rows = try Row.fetchCursor(database, sql: "SELECT id, digest FROM topology")
            var unused: Int64?
            while unused == nil, let row = try rows.next() {
                var columns = ColumnReader(row, of: "topology")
                let id: Int64 = try columns.integer()
                if !digests.contains(try columns.bytes()) { unused = id }
            }
            guard let unused else { return false }
            try database.execute(sql: "DELETE FROM topology WHERE id = ?", arguments: [unused])
            return true
        }
    }
}
