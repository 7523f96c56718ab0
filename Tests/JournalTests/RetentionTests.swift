import ClusterModel
import ClusterPorts
import SchedulingCore
import Testing

@testable import JournalSQLite

@Suite struct RetentionTests {
    private let backend = SQLiteBackend()
    /// One second after another: batch n is of `Sample.time` + n − 1 seconds.
    private func time(_ second: Int64) -> LogicalTime { Sample.time + .seconds(second) }

    /// Job n is accepted in batch n with `tasks` ended attempts; those of `live` go on.
    private func record(jobs: UInt64, tasks: UInt32 = 1, live: Set<UInt64> = [], in journal: SQLiteJournal) async throws {
        var builder = BatchBuilder()
        for job in 1...jobs {
            builder.accept(job, tasks: tasks, labels: [NamedText("team", "red")])
            for task in 0..<tasks {
                builder.place(job, task)
                builder.end(job, task)
            }
            if !live.contains(job) { builder.standing(job, .succeeded, TaskCounts(succeeded: tasks), exitCode: 0) }
            try await journal.append([builder.batch()])
        }
    }

    private func sweep(_ journal: SQLiteJournal, before cutoff: LogicalTime) async throws -> Int {
        var position: JobID? = JobID(0)
        var steps = 0
        while let from = position {
            position = try await journal.removeJobs(endedBefore: cutoff, after: from)
            steps += 1
        }
        return steps
    }

    private func ids(_ journal: SQLiteJournal) async throws -> [Int64?] {
        var counts: [Int64?] = []
        for table in ["jobs", "attempts", "job_label"] { counts.append(try await journal.run("SELECT count(*) FROM \(table)")) }
        return counts
    }

    @Test func endedJobsGoWithEverythingOfTheirsAndUsageStays() async throws {
        let journal = try await backend.open()
        try await record(jobs: 10, live: [3], in: journal)
        _ = try await sweep(journal, before: time(5))
        // Jobs 1, 2, 4 and 5 ended in the first five seconds; job 3 lives.
        #expect(try await ids(journal) == [6, 6, 6])
        #expect(try await journal.run("SELECT min(id) FROM jobs") == 3)
        #expect(try await journal.run("SELECT count(*) FROM usage") == 10)
        let reads = try await backend.reads()
        #expect(try await reads.job(JobID(4), .all) == nil)
        #expect(try await reads.usage(after: 0, limit: 100, job: JobID(4), .all).count == 1)
        await journal.close()
    }

    @Test func theBatchesThatAStartNeedsStay() async throws {
        let journal = try await backend.open()
        try await record(jobs: 10, in: journal)
        _ = try await sweep(journal, before: time(1000))
        #expect(try await journal.run("SELECT count(*) FROM jobs") == 0)
        #expect(try await journal.run("SELECT count(*) FROM journal") == 10)
        await journal.close()
    }

    /// An append waits for one transaction at most, so none may be long, whatever the number of attempts.
    @Test func aLargeJobGoesInBoundedSteps() async throws {
        let journal = try await backend.open()
        try await record(jobs: 2, tasks: 950, in: journal)
        let first = try await journal.removeJobs(endedBefore: time(1000), after: JobID(0))
        #expect(first == JobID(0))
        #expect(try await ids(journal) == [2, 1700, 2])
        let steps = try await sweep(journal, before: time(1000))
        #expect(steps >= 8)
        #expect(try await ids(journal) == [0, 0, 0])
        await journal.close()
    }

    @Test func onlyTopologiesThatNoNodeHasGo() async throws {
        let journal = try await backend.open()
        for digest: UInt8 in 1...3 { try await journal.storeTopology(digest: [digest], compressedXML: [digest]) }
        var removed = 0
        while try await journal.removeTopology(except: [[2]]) { removed += 1 }
        #expect(removed == 2)
        #expect(try await journal.run("SELECT count(*) FROM topology WHERE digest = x'02'") == 1)
        await journal.close()
    }
}
