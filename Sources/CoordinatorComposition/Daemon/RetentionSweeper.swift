import ClusterModel
import ClusterPorts
import FileStorage
import JournalSQLite
import Logging
import SchedulerEngine
import SchedulingCore
import ServiceLifecycle

/// How long what has ended stays; nil: for ever. Usage records stay for ever whatever stands here.
struct RetentionPolicy: Hashable, Sendable {
    /// Rows of jobs and their attempts.
    var jobs: Span? = .seconds(90 * 86_400)
    /// Output of jobs.
    var logs: Span? = .seconds(30 * 86_400)
    /// Contents that nobody has used and nothing refers to.
    var files: Span? = .seconds(30 * 86_400)
}

/// Removes what is past its retention, in small steps with long pauses: appends come first.
struct RetentionSweeper: Service {
    let engine: SchedulerEngine
    let journal: SQLiteJournal
    let files: DiskFileStore
    let policy: RetentionPolicy
    let directory: String
    let logger: Logger

    private static let firstAfter = Duration.seconds(300)
    private static let interval = Duration.seconds(3600)
    /// Between two transactions: a step takes a few milliseconds of the disk.
    private static let pause = Duration.milliseconds(100)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            try? await Task.sleep(for: Self.firstAfter)
            while !Task.isCancelled {
                do {
                    try await sweep(at: engine.now())
                } catch is CancellationError {
                } catch { logger.error("what is past its retention was not removed", metadata: ["error": "\(error)"]) }
                try? await Task.sleep(for: Self.interval)
            }
        }
    }

    private func sweep(at now: LogicalTime) async throws {
        let pause: @Sendable () async throws -> Void = { try await Task.sleep(for: Self.pause) }
        if let kept = policy.logs {
            let logs = LogRetention(directory: "\(directory)/logs", pause: pause) { job in
                guard let record = try await engine.reads.job(job, .all) else { return .unknown }
                return record.standing.finishedAt.map { .ended(at: $0) } ?? .live
            }
            try await logs.run(cutoff: now.before(kept))
        }
        if let kept = policy.jobs {
            var position: JobID? = JobID(0)
            while let from = position {
                position = try await journal.removeJobs(endedBefore: now.before(kept), after: from)
                try await pause()
            }
        }
        // What a job left behind goes with its rows.
        for (tenant, job) in try await files.jobsWithOutputs() where try await engine.reads.job(job, .all) == nil {
            try await files.removeOutputs(of: [job], tenant: tenant)
            try await pause()
        }
        if let kept = policy.files {
            let freed = try await files.sweep(unusedSince: now.before(kept).nanoseconds / 1_000_000_000, keeping: engine.treesInUse())
            if freed > 0 { logger.info("files that nobody used were removed", metadata: ["bytes": "\(freed)"]) }
        }
        let digests = Set(engine.nodes().compactMap { $0.inventory?.topologyDigest })
        while try await journal.removeTopology(except: digests) { try await pause() }
    }
}

extension LogicalTime {
    fileprivate func before(_ span: Span) -> LogicalTime { self + Span(nanoseconds: -span.nanoseconds) }
}
