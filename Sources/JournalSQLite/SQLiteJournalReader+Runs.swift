public import ClusterModel
public import ClusterPorts
import GRDB

/// A try at a task that ran and ended, as the tables of ended jobs have it.
public struct RecordedRun: Hashable, Sendable {
    public var attempt: AttemptID
    public var started: LogicalTime
    public var ended: LogicalTime
    public var allocation: Allocation
    /// Cancelled where it was preempted, too.
    public var state: JobState
}

extension SQLiteJournalReader {
    /// The snapshot that a start would use if it were the newest; nil when there is none after that batch.
    public func loadSnapshot(after index: UInt64) throws(JournalError) -> JournalSnapshot? {
        try read { [path, digest] database in try StoredRecords.snapshot(index, in: database, at: path, digest: digest) }
    }

    /// Every job of the tables, in order, with the runs of its tasks by task and number.
    ///
    /// - Parameter body: is handed the specification, when the job was submitted, and its runs.
    public func runs(_ body: (JobID, JobSpecification, LogicalTime, [RecordedRun]) throws -> Void) throws(JournalError) {
        try read { database in
            let jobs = try Row.fetchCursor(database, sql: "SELECT id, spec, submitted FROM jobs ORDER BY id")
            let attempts = try database.makeStatement(
                sql: """
                    SELECT task, number, started, ended, allocation, state FROM attempts
                    WHERE job = ? AND started IS NOT NULL AND ended IS NOT NULL ORDER BY task, number
                    """)
            while let row = try jobs.next() {
                var columns = ColumnReader(row, of: "jobs")
                let id: JobID = try columns.identifier()
                let specification = try JobSpecification(canonicalBytes: try columns.bytes())
                let submitted = try columns.time()
                var runs: [RecordedRun] = []
                let found = try Row.fetchCursor(attempts, arguments: [id.column])
                while let row = try found.next() {
                    var columns = ColumnReader(row, of: "attempts")
                    runs.append(
                        RecordedRun(
                            attempt: AttemptID(job: id, index: try columns.integer(), number: try columns.integer()),
                            started: try columns.time(), ended: try columns.time(),
                            allocation: try Allocation(canonicalBytes: try columns.bytes()), state: try columns.tag()))
                }
                try body(id, specification, submitted, runs)
            }
        }
    }
}
