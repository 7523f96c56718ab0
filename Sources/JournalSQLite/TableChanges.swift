// Row changes of one transaction, folded: a row is written once, however often the batches of the transaction touch it.
// An attempt that was placed, started and ended within it is one insert.

import ClusterModel
import ClusterPorts
import GRDB
import SchedulingCore

struct TableChanges {
    /// An attempt as this transaction leaves it; what is nil stays as it is.
    private struct AttemptChange {
        /// nil: the row is there already.
        var placement: AttemptPlacement?
        var state: JobState
        var reason: Reason
        var startedAt: LogicalTime?
        var endedAt: LogicalTime?
        var end: AttemptEnd?
    }

    private struct JobChange {
        /// nil: the row is there already.
        var accepted: AcceptedJob?
        var standing: JobStanding
    }

    private var attempts: [AttemptID: AttemptChange] = [:]
    private var jobs: [JobID: JobChange] = [:]
    /// What jobs ask for that was changed.
    private var specifications: [JobID: JobSpecification] = [:]

    /// `capacity`: row changes to come, so that the tables here do not grow step by step.
    init(capacity: Int) { attempts.reserveCapacity(capacity) }

    mutating func add(_ change: RowChange) throws(JournalError) {
        switch change {
        case .jobAccepted(let job):
            guard jobs[job.id] == nil else { throw JournalError(.order, "job \(job.id) is accepted twice") }
            jobs[job.id] = JobChange(accepted: job, standing: .accepted(job))
        case .jobUpdated(let id, let specification): specifications[id] = specification
        case .job(let standing): jobs[standing.id, default: JobChange(standing: standing)].standing = standing
        case .attemptPlaced(let placement):
            guard attempts[placement.attempt] == nil else {
                throw JournalError(.order, "attempt \(placement.attempt) is placed twice")
            }
            attempts[placement.attempt] = AttemptChange(placement: placement, state: .starting, reason: .none)
        case .attemptStarted(let attempt, let at):
            alter(attempt, .running, .none) { $0.startedAt = at }
        case .attemptStopping(let attempt, let reason):
            alter(attempt, .stopping, reason) { _ in }
        case .attemptEnded(let ended):
            alter(ended.attempt, ended.state, ended.reason) {
                $0.endedAt = ended.at
                $0.end = ended.end
            }
        case .usage:
            // The segment comes numbered and chained with the batch's usage.
            break
        }
    }

    private mutating func alter(
        _ attempt: AttemptID, _ state: JobState, _ reason: Reason, _ body: (inout AttemptChange) -> Void
    ) {
        func set(_ row: inout AttemptChange) {
            row.state = state
            row.reason = reason
            body(&row)
        }
        set(&attempts[attempt, default: AttemptChange(state: state, reason: reason)])
    }

    /// Writes all rows, in the order of their keys: neighbours share pages.
    func write(to database: Database, _ names: inout NameTable) throws {
        for (id, change) in jobs.sorted(by: { $0.key < $1.key }) {
            if let accepted = change.accepted {
                try Self.insert(accepted, change.standing, into: database, &names)
            } else {
                try Self.update(id, change.standing, in: database)
            }
        }
        for (id, specification) in specifications.sorted(by: { $0.key < $1.key }) { try Self.update(id, specification, in: database) }
        try writeAttempts(to: database)
    }

    private func writeAttempts(to database: Database) throws {
        guard !attempts.isEmpty else { return }
        var insertion = try RowWriter(
            database,
            """
            INSERT INTO attempts (job, task, number, state, reason, started, ended, "end", node, fence, placed, allocation)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
            """)
        var update = try RowWriter(
            database,
            """
            UPDATE attempts
            SET state = ?4, reason = ?5, started = coalesce(?6, started), ended = coalesce(?7, ended), "end" = coalesce(?8, "end")
            WHERE job = ?1 AND task = ?2 AND number = ?3
            """)
        for (id, change) in attempts.sorted(by: { $0.key < $1.key }) {
            if let placement = change.placement {
                Self.bind(id, change, to: &insertion)
                insertion.integer(placement.node.value)
                insertion.integer(placement.fence.value)
                insertion.integer(placement.at.nanoseconds)
                insertion.bytes(placement.allocation.canonicalBytes)
                try insertion.write()
            } else {
                Self.bind(id, change, to: &update)
                try update.write()
                try Self.expectOneRow(database, "attempt \(id)")
            }
        }
    }

    /// The first eight values of both statements.
    private static func bind(_ id: AttemptID, _ change: AttemptChange, to writer: inout RowWriter) {
        writer.integer(id.task.job.value)
        writer.integer(UInt64(id.task.index))
        writer.integer(UInt64(id.number))
        writer.integer(UInt64(change.state.rawValue))
        writer.integer(UInt64(change.reason.rawValue))
        writer.optional(change.startedAt?.nanoseconds)
        writer.optional(change.endedAt?.nanoseconds)
        writer.bytes(change.end?.canonicalBytes)
    }

    private static func insert(
        _ job: AcceptedJob, _ standing: JobStanding, into database: Database, _ names: inout NameTable
    ) throws {
        let specification = job.specification
        var writer = try RowWriter(
            database,
            """
            INSERT INTO jobs (
                state, reason, queued, starting, running, stopping, succeeded, failed, cancelled, started, finished, exit_code,
                id, tenant, project, user, name, kind, queue, priority, submitted, retry_of, idempotency_key, request_digest, spec)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        bind(standing, to: &writer)
        writer.integer(job.id.value)
        writer.integer(try names.id(of: specification.tenant, in: database))
        writer.integer(try names.id(of: specification.project, in: database))
        writer.integer(try names.id(of: job.user, in: database))
        writer.text(specification.name)
        writer.integer(UInt64(specification.kind.rawValue))
        writer.text(specification.queue)
        writer.integer(Int64(specification.priority))
        writer.integer(job.at.nanoseconds)
        writer.optional(job.retryOf.map { Int64(clamping: $0.value) })
        writer.text(job.key?.text)
        writer.bytes(job.key?.requestDigest)
        writer.bytes(specification.canonicalBytes)
        try writer.write()
        try insertLabels(specification.labels, of: job.id, into: database)
    }

    private static func update(_ id: JobID, _ standing: JobStanding, in database: Database) throws {
        var writer = try RowWriter(
            database,
            """
            UPDATE jobs
            SET state = ?, reason = ?, queued = ?, starting = ?, running = ?, stopping = ?, succeeded = ?, failed = ?,
                cancelled = ?, started = ?, finished = ?, exit_code = ?
            WHERE id = ?
            """)
        bind(standing, to: &writer)
        writer.integer(id.value)
        try writer.write()
        try expectOneRow(database, "job \(id)")
    }

    /// What of a specification may change has columns of its own, but for what is read with all of it.
    private static func update(_ id: JobID, _ specification: JobSpecification, in database: Database) throws {
        try SQLiteJournal.removeLabels(of: id, from: database)
        var writer = try RowWriter(database, "UPDATE jobs SET priority = ?, spec = ? WHERE id = ?")
        writer.integer(Int64(specification.priority))
        writer.bytes(specification.canonicalBytes)
        writer.integer(id.value)
        try writer.write()
        try expectOneRow(database, "job \(id)")
        try insertLabels(specification.labels, of: id, into: database)
    }

    private static func insertLabels(_ labels: [NamedText], of id: JobID, into database: Database) throws {
        var label = try RowWriter(database, "INSERT OR IGNORE INTO job_label (name, text, job) VALUES (?, ?, ?)")
        for entry in labels {
            label.text(entry.name)
            label.text(entry.text)
            label.integer(id.value)
            try label.write()
        }
    }

    /// The first twelve values of both statements.
    private static func bind(_ standing: JobStanding, to writer: inout RowWriter) {
        writer.integer(UInt64(standing.state.rawValue))
        writer.integer(UInt64(standing.reason.rawValue))
        let counts = standing.counts
        for count in [
            counts.queued, counts.starting, counts.running, counts.stopping, counts.succeeded, counts.failed, counts.cancelled,
        ] {
            writer.integer(UInt64(count))
        }
        writer.optional(standing.startedAt?.nanoseconds)
        writer.optional(standing.finishedAt?.nanoseconds)
        writer.optional(standing.exitCode.map(Int64.init))
    }

    /// Tables that have lost a row must not go on being written.
    private static func expectOneRow(_ database: Database, _ subject: @autoclosure () -> String) throws(JournalError) {
        guard database.changesCount == 1 else { throw JournalError(.order, "\(subject()) has no row that could change") }
    }
}

extension JobStanding {
    /// How a job stands that was just accepted.
    fileprivate static func accepted(_ job: AcceptedJob) -> JobStanding {
        JobStanding(
            id: job.id, state: .queued, reason: .none, counts: TaskCounts(queued: job.specification.taskCount), startedAt: nil,
            finishedAt: nil, exitCode: nil)
    }
}
