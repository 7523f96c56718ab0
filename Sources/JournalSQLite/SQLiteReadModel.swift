// Lists, filters and pages over the tables, on read-only connections beside the writer.

public import ClusterModel
public import ClusterPorts
import FoundationEssentials
import GRDB
public import Metering
import SchedulingCore

/// Reads the database of a `SQLiteJournal`, which must be open in the same or another process.
public final class SQLiteReadModel: ReadModel {
    private let database: DatabasePool
    private let path: String

    /// `connections`: how many queries may run at once; more wait.
    public init(directory: String, connections: Int = 4) throws(JournalError) {
        path = "\(directory)/\(DataDirectory.databaseName)"
        var configuration = Configuration.steady
        configuration.label = "reads"
        configuration.readonly = true
        configuration.maximumReaderCount = connections
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF")
        }
        do {
            database = try DatabasePool(path: path, configuration: configuration)
            try database.read { [path] database in try JournalSchema.check(database, at: path) }
        } catch {
            throw JournalError(error, doing: "open", at: path)
        }
    }

    /// One transaction: `body` sees one state of the tables.
    private func read<Result: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Result
    ) async throws(JournalError) -> Result {
        do {
            return try await database.read(body)
        } catch is CancellationError {
            throw JournalError(.io, "the query was cancelled")
        } catch {
            throw JournalError(error, doing: "read", at: path)
        }
    }
}

// MARK: - Jobs

extension SQLiteReadModel {
    private static let jobColumns = """
        id, spec, (SELECT text FROM names WHERE names.id = jobs.user), idempotency_key, request_digest, retry_of, submitted,
        state, reason, queued, starting, running, stopping, succeeded, failed, cancelled, started, finished, exit_code
        """

    public func job(_ id: JobID, _ visibility: Visibility) async throws(JournalError) -> JobRecord? {
        try await read { database in
            var query = TenantQuery(select: Self.jobColumns, from: .jobs, visibility)
            query.require("id = ?", id.column)
            return try query.firstRow(in: database).map(JobRecord.init(row:))
        }
    }

    public func jobs(_ query: JobQuery, _ visibility: Visibility) async throws(JournalError) -> [JobRecord] {
        try await read { database in
            var jobs = TenantQuery(select: Self.jobColumns, from: .jobs, visibility)
            jobs.require(matching: query)
            jobs.finish("ORDER BY id DESC", limit: query.limit)
            return try Array(jobs.rows(in: database).map(JobRecord.init(row:)))
        }
    }
}

extension TenantQuery {
    fileprivate mutating func require(matching query: JobQuery) {
        if let before = query.before { require("id < ?", before.column) }
        if !query.states.isEmpty {
            // Raw values are numbers of this module's own enumeration; the text is one of few.
            let states = Set(query.states.map(\.rawValue)).sorted()
            require("state IN (\(states.map(String.init).joined(separator: ", ")))")
            // Lets SQLite use the index of live jobs, which are few among all.
            if !query.states.contains(where: \.isTerminal) { require("state < 5") }
        }
        if let name = query.name { require("name = ?", name.databaseValue) }
        if let user = query.user { require("user = (SELECT id FROM names WHERE text = ?)", user.databaseValue) }
        if let project = query.project { require("project = (SELECT id FROM names WHERE text = ?)", project.databaseValue) }
        for label in query.labels {
            require("id IN (SELECT job FROM job_label WHERE name = ? AND text = ?)", label.name.databaseValue, label.text.databaseValue)
        }
    }
}

extension JobRecord {
    fileprivate init(row: Row) throws(JournalError) {
        var columns = ColumnReader(row, of: "jobs")
        let id: JobID = try columns.identifier()
        let specification: JobSpecification = try columns.value()
        let user = try columns.text()
        let keyText = columns.optionalText()
        let keyDigest = columns.optionalBytes()
        let accepted = AcceptedJob(
            id: id, specification: specification, user: user,
            key: keyText.map { Submission.Key(text: $0, requestDigest: keyDigest ?? []) },
            retryOf: try columns.optionalInteger(UInt64.self).map { JobID($0) }, at: try columns.time())
        let standing = JobStanding(
            id: id, state: try columns.tag(), reason: try columns.tag(),
            counts: TaskCounts(
                queued: try columns.integer(), starting: try columns.integer(), running: try columns.integer(),
                stopping: try columns.integer(), succeeded: try columns.integer(), failed: try columns.integer(),
                cancelled: try columns.integer()),
            startedAt: try columns.optionalTime(), finishedAt: try columns.optionalTime(), exitCode: try columns.optionalInteger())
        self.init(accepted: accepted, standing: standing)
    }
}

// MARK: - Attempts

extension SQLiteReadModel {
    private static let attemptColumns = """
        job, task, number, node, fence, allocation, placed, state, reason, started, ended, "end"
        """

    public func attempts(
        of job: JobID, task: UInt32?, after: AttemptID?, limit: Int, _ visibility: Visibility
    ) async throws(JournalError) -> [AttemptRecord] {
        try await read { database in
            var query = TenantQuery(select: Self.attemptColumns, from: .attempts(of: job), visibility)
            if let task { query.require("task = ?", task.column) }
            if let after, after.task.job >= job {
                guard after.task.job == job else { return [] }
                query.require("(task, number) > (?, ?)", after.task.index.column, after.number.column)
            }
            query.finish("ORDER BY task, number", limit: limit)
            return try Array(query.rows(in: database).map(AttemptRecord.init(row:)))
        }
    }

    public func lastAttempts(
        of job: JobID, indices: Range<UInt32>, _ visibility: Visibility
    ) async throws(JournalError) -> [AttemptRecord] {
        try await read { database in
            // SQLite takes the other columns from the row that holds the maximum (lang_select.html, "Bare columns").
            var query = TenantQuery(select: "\(Self.attemptColumns), max(number)", from: .attempts(of: job), visibility)
            query.require("task >= ? AND task < ?", indices.lowerBound.column, indices.upperBound.column)
            query.finish("GROUP BY task ORDER BY task", limit: indices.count)
            return try Array(query.rows(in: database).map(AttemptRecord.init(row:)))
        }
    }
}

extension AttemptRecord {
    fileprivate init(row: Row) throws(JournalError) {
        var columns = ColumnReader(row, of: "attempts")
        let placement = AttemptPlacement(
            attempt: AttemptID(job: try columns.identifier(), index: try columns.integer(), number: try columns.integer()),
            node: try columns.identifier(), fence: try columns.identifier(), allocation: try columns.value(), at: try columns.time())
        self.init(
            placement: placement, state: try columns.tag(), reason: try columns.tag(), startedAt: try columns.optionalTime(),
            endedAt: try columns.optionalTime(), end: try columns.optionalValue())
    }
}

// MARK: - Usage and topology

extension SQLiteReadModel {
    /// Records read in one transaction by a sum. Rows are never changed, so that a sum of several reads is as exact as
    /// one of a single read, and no long transaction keeps the write-ahead log from being taken over.
    private static let summedAtOnceMax = 10_000

    public func usage(
        after sequence: UInt64, limit: Int, job: JobID?, _ visibility: Visibility
    ) async throws(JournalError) -> [UsageRecord] {
        try await read { database in
            try Self.records(after: sequence, limit: limit, job: job, visibility, in: database)
        }
    }

    private static func records(
        after sequence: UInt64, limit: Int, job: JobID?, _ visibility: Visibility, in database: Database
    ) throws -> [UsageRecord] {
        var query = TenantQuery(select: "body", from: .usage, visibility)
        query.require("sequence > ?", sequence.column)
        if let job { query.require("job = ?", job.column) }
        query.finish("ORDER BY sequence", limit: limit)
        return try Array(
            query.rows(in: database).map { row in
                var columns = ColumnReader(row, of: "usage")
                return try columns.value(UsageRecord.self)
            })
    }

    /// Sums over the segments that start in [`from`, `to`): segments end at each hour, so hours are counted whole and
    /// once. Unbilled segments are part of it, simulated ones have rows of their own. Groups in ascending order.
    public func usageSummary(
        by grouping: UsageGrouping, from: LogicalTime?, to: LogicalTime?, _ visibility: Visibility
    ) async throws(JournalError) -> [UsageSummaryRow] {
        let last = try await read { try UInt64.fetchOne($0, sql: "SELECT max(sequence) FROM usage") ?? 0 }
        var totals: [UsageTotals.Group: UsageTotals] = [:]
        var position: UInt64 = 0
        while position < last {
            let start = position
            let records = try await read { database in
                try Self.records(after: start, limit: Self.summedAtOnceMax, job: nil, visibility, in: database)
            }
            guard let end = records.last?.sequence else { break }
            for record in records where record.sequence <= last {
                let segment = record.segment
                guard from.map({ segment.start >= $0 }) ?? true, to.map({ segment.start < $0 }) ?? true else { continue }
                totals[UsageTotals.Group(of: segment, by: grouping), default: UsageTotals()].add(segment)
            }
            position = end
        }
        return totals.sorted { $0.key < $1.key }.map { $0.value.row(for: $0.key) }
    }

    public func topology(digest: [UInt8]) async throws(JournalError) -> [UInt8]? {
        try await read { database in
            try Data.fetchOne(database, sql: "SELECT xml FROM topology WHERE digest = ?", arguments: [digest.column]).map { [UInt8]($0) }
        }
    }
}
