import ClusterModel
import ClusterPorts
import Metering
import SchedulingCore
import Testing

@testable import JournalSQLite

/// Two tenants: `lab` with jobs 1 and 3, `shop` with job 2.
@Suite struct ReadModelTests {
    private let backend = SQLiteBackend()

    private func cluster() async throws -> (journal: SQLiteJournal, reads: any ReadModel) {
        let journal = try await backend.open()
        var builder = BatchBuilder()
        builder.accept(1, name: "train", tasks: 3, labels: [NamedText("team", "red"), NamedText("stage", "dev")])
        builder.accept(2, tenant: "shop", user: "bob", project: "store", labels: [NamedText("team", "red")])
        try await journal.append([builder.batch()])
        builder.place(1, 0, node: 1)
        builder.place(1, 1, node: 2)
        builder.place(2, 0, node: 1)
        builder.standing(1, .starting, TaskCounts(queued: 1, starting: 2))
        try await journal.append([builder.batch()])
        builder.start(1, 0)
        builder.start(1, 1)
        builder.start(2, 0)
        builder.end(1, 0, node: 1, state: .failed, reason: .exitCode, seconds: 2)
        builder.place(1, 0, attempt: 2, node: 2)
        builder.standing(1, .running, TaskCounts(queued: 1, starting: 1, running: 1))
        try await journal.append([builder.batch()])
        builder.stop(1, 1)
        builder.end(2, 0, seconds: 10)
        builder.end(1, 0, attempt: 2, node: 2, seconds: 4)
        builder.standing(2, .succeeded, TaskCounts(succeeded: 1), exitCode: 0)
        builder.standing(1, .stopping, TaskCounts(queued: 1, stopping: 1, succeeded: 1), reason: .user)
        builder.accept(3, key: Submission.Key(text: "again", requestDigest: []), retryOf: JobID(1))
        try await journal.append([builder.batch()])
        return (journal, try await backend.reads())
    }

    @Test func aJobIsWhatItsBatchesSay() async throws {
        let (journal, reads) = try await cluster()
        let first = try #require(try await reads.job(JobID(1), .all))
        #expect(first.accepted.specification.name == "train" && first.accepted.user == "alice" && first.accepted.key == nil)
        #expect(first.standing.state == .stopping && first.standing.reason == .user)
        #expect(first.standing.counts == TaskCounts(queued: 1, stopping: 1, succeeded: 1))
        let second = try #require(try await reads.job(JobID(2), .all))
        #expect(second.standing.exitCode == 0 && second.standing.finishedAt != nil && second.accepted.user == "bob")
        let third = try #require(try await reads.job(JobID(3), .all))
        #expect(third.accepted.key == Submission.Key(text: "again", requestDigest: []) && third.accepted.retryOf == JobID(1))
        #expect(third.standing.state == .queued && third.standing.counts.total == 1 && third.standing.startedAt == nil)
        #expect(try await reads.job(JobID(4), .all) == nil)
        #expect(try await reads.job(JobID(.max), .all) == nil)
        await journal.close()
    }

    /// Also by its new labels only.
    @Test func aJobIsWhatItWasChangedTo() async throws {
        let journal = try await backend.open()
        var builder = BatchBuilder()
        builder.accept(1, labels: [NamedText("team", "red"), NamedText("stage", "dev")])
        builder.accept(2, labels: [NamedText("team", "red")])
        try await journal.append([builder.batch()])
        let reads = try await backend.reads()
        var specification = try #require(try await reads.job(JobID(1), .all)).accepted.specification
        specification.priority = 9
        specification.labels = [NamedText("team", "blue")]
        builder.change(1, JobUpdate(priority: 9, labels: specification.labels), to: specification)
        var fresh = builder.accept(4, labels: [NamedText("team", "red")]).specification
        fresh.labels = []
        builder.change(4, JobUpdate(labels: []), to: fresh)
        try await journal.append([builder.batch()])
        #expect(try await reads.job(JobID(1), .all)?.accepted.specification == specification)
        #expect(try await reads.job(JobID(4), .all)?.accepted.specification == fresh)
        func ids(_ label: NamedText) async throws -> [UInt64] {
            var query = JobQuery(limit: 10)
            query.labels = [label]
            return try await reads.jobs(query, .all).map(\.accepted.id.value)
        }
        #expect(try await ids(NamedText("team", "blue")) == [1])
        #expect(try await ids(NamedText("team", "red")) == [2])
        #expect(try await ids(NamedText("stage", "dev")).isEmpty)
        builder.change(99, JobUpdate(priority: 1), to: specification)
        await #expect(throws: JournalError.self) { try await journal.append([builder.batch()]) }
        await journal.close()
    }

    @Test func jobsAreFilteredAndPagedNewestFirst() async throws {
        let (journal, reads) = try await cluster()
        func ids(_ query: JobQuery, _ visibility: Visibility = .all) async throws -> [UInt64] {
            try await reads.jobs(query, visibility).map(\.accepted.id.value)
        }
        #expect(try await ids(JobQuery()) == [3, 2, 1])
        #expect(try await ids(JobQuery(limit: 2)) == [3, 2])
        #expect(try await ids(JobQuery(before: JobID(2), limit: 2)) == [1])
        #expect(try await ids(JobQuery(before: JobID(.max))) == [3, 2, 1])
        #expect(try await ids(JobQuery(limit: -1)) == [])
        #expect(try await ids(JobQuery(states: [.succeeded])) == [2])
        #expect(try await ids(JobQuery(states: [.queued, .stopping])) == [3, 1])
        #expect(try await ids(JobQuery(states: [.queued, .succeeded])) == [3, 2])
        #expect(try await ids(JobQuery(name: "train")) == [1])
        #expect(try await ids(JobQuery(user: "bob")) == [2])
        #expect(try await ids(JobQuery(user: "nobody")) == [])
        #expect(try await ids(JobQuery(project: "store")) == [2])
        #expect(try await ids(JobQuery(labels: [NamedText("team", "red")])) == [2, 1])
        #expect(try await ids(JobQuery(labels: [NamedText("team", "red"), NamedText("stage", "dev")])) == [1])
        #expect(try await ids(JobQuery(labels: [NamedText("team", "blue")])) == [])
        #expect(try await ids(JobQuery(), .tenant("lab")) == [3, 1])
        #expect(try await ids(JobQuery(labels: [NamedText("team", "red")]), .tenant("shop")) == [2])
        #expect(try await ids(JobQuery(name: "' OR 1 = 1 --"), .tenant("nobody")) == [])
        await journal.close()
    }

    @Test func attemptsComeInOrderOfTaskAndNumber() async throws {
        let (journal, reads) = try await cluster()
        let attempts = try await reads.attempts(of: JobID(1), task: nil, after: nil, limit: 10, .all)
        #expect(attempts.map(\.placement.attempt.description) == ["1.0.1", "1.0.2", "1.1.1"])
        #expect(attempts.map(\.state) == [.failed, .succeeded, .stopping])
        #expect(attempts.map(\.reason) == [.exitCode, .none, .user])
        #expect(attempts[0].end?.detail == "exit 1" && attempts[0].startedAt != nil && attempts[0].endedAt == attempts[0].startedAt)
        #expect(attempts[1].startedAt == nil && attempts[1].placement.node == NodeID(2))
        #expect(attempts[2].end == nil && attempts[2].endedAt == nil && attempts[2].placement.allocation == BatchBuilder.allocation)
        let after = attempts[0].placement.attempt
        #expect(try await reads.attempts(of: JobID(1), task: nil, after: after, limit: 1, .all) == [attempts[1]])
        #expect(try await reads.attempts(of: JobID(1), task: 0, after: after, limit: 10, .all) == [attempts[1]])
        #expect(try await reads.attempts(of: JobID(2), task: nil, after: after, limit: 10, .all).count == 1)
        let other = AttemptID(job: JobID(2), index: 0, number: 1)
        #expect(try await reads.attempts(of: JobID(1), task: nil, after: other, limit: 10, .all).isEmpty)
        let last = try await reads.lastAttempts(of: JobID(1), indices: 0..<3, .all)
        #expect(last == [attempts[1], attempts[2]])
        #expect(try await reads.lastAttempts(of: JobID(1), indices: 1..<2, .all) == [attempts[2]])
        #expect(try await reads.lastAttempts(of: JobID(1), indices: 1..<1, .all) == [])
        await journal.close()
    }

    @Test func aTenantSeesItsOwnRowsOnly() async throws {
        let (journal, reads) = try await cluster()
        for (visibility, isShop) in [(Visibility.tenant("shop"), true), (.tenant("lab"), false), (.tenant("none"), false)] {
            #expect((try await reads.job(JobID(2), visibility) != nil) == isShop)
            #expect(try await reads.jobs(JobQuery(states: [.succeeded]), visibility).isEmpty == !isShop)
            #expect(try await reads.attempts(of: JobID(2), task: nil, after: nil, limit: 9, visibility).isEmpty == !isShop)
            #expect(try await reads.lastAttempts(of: JobID(2), indices: 0..<9, visibility).isEmpty == !isShop)
            #expect(try await reads.usage(after: 0, limit: 9, job: JobID(2), visibility).isEmpty == !isShop)
            let tenants = try await reads.usageSummary(by: .tenant, from: nil, to: nil, visibility).map(\.group)
            #expect(tenants == (visibility == .tenant("none") ? [] : isShop ? ["shop"] : ["lab"]))
        }
        #expect(try await reads.usage(after: 0, limit: 9, job: nil, .tenant("lab")).map(\.sequence) == [1, 3])
        #expect(try await reads.usage(after: 1, limit: 9, job: nil, .all).map(\.sequence) == [2, 3])
        #expect(try await reads.usage(after: 0, limit: 1, job: JobID(1), .tenant("lab")).map(\.sequence) == [1])
        await journal.close()
    }

    @Test func usageIsSummedByEachGroup() async throws {
        let (journal, reads) = try await cluster()
        func sums(_ grouping: UsageGrouping) async throws -> [String: Int64] {
            let rows = try await reads.usageSummary(by: grouping, from: nil, to: nil, .all)
            return Dictionary(uniqueKeysWithValues: rows.map { ($0.group, $0.cpuMilliSeconds) })
        }
        #expect(try await sums(.tenant) == ["lab": 9_000, "shop": 15_000])
        #expect(try await sums(.project) == ["default": 9_000, "store": 15_000])
        #expect(try await sums(.user) == ["alice": 9_000, "bob": 15_000])
        #expect(try await sums(.job) == ["1": 9_000, "2": 15_000])
        #expect(try await sums(.node) == ["worker-1": 18_000, "worker-2": 6_000])
        let lab = try #require(try await reads.usageSummary(by: .tenant, from: nil, to: nil, .tenant("lab")).first)
        #expect(
            lab
                == UsageSummaryRow(
                    group: "lab", isSimulated: false, records: 2, cpuMilliSeconds: 9_000, memoryMiBSeconds: 3 * 1024 * 6,
                    deviceMilliSeconds: 250 * 6,
                    measuredCPUSeconds: 3))
        // Record 3 starts a second before record 1.
        let record = try await reads.usage(after: 0, limit: 1, job: nil, .all)[0].segment
        #expect(try await reads.usageSummary(by: .job, from: record.start, to: nil, .tenant("lab")).map(\.records) == [1])
        #expect(try await reads.usageSummary(by: .job, from: nil, to: record.start, .tenant("lab")).map(\.records) == [1])
        await journal.close()
    }

    @Test func whatWasSimulatedIsNeverAddedToWhatWasReal() async throws {
        let journal = try await backend.open()
        let reads = try await backend.reads()
        var builder = BatchBuilder()
        builder.accept(1, tasks: 3)
        for task in 0..<3 as Range<UInt32> {
            builder.place(1, task)
            builder.end(1, task, seconds: 10, isSimulated: task > 0)
        }
        try await journal.append([builder.batch()])
        let rows = try await reads.usageSummary(by: .job, from: nil, to: nil, .all)
        #expect(rows.map(\.group) == ["1", "1"] && rows.map(\.isSimulated) == [false, true])
        #expect(rows.map(\.records) == [1, 2] && rows[1].cpuMilliSeconds == 2 * rows[0].cpuMilliSeconds)
        await journal.close()
    }

    @Test func sumsDoNotOverflowAndLoseNothing() async throws {
        let journal = try await backend.open()
        let reads = try await backend.reads()
        var builder = BatchBuilder()
        builder.accept(1, tasks: 300)
        let huge = Allocation(cpuMilli: 100_000_000, memoryBytes: 1 << 50)
        for task in 0..<300 as Range<UInt32> {
            builder.place(1, task)
            builder.end(1, task, seconds: 3600, allocated: huge)
        }
        try await journal.append([builder.batch()])
        let row = try #require(try await reads.usageSummary(by: .tenant, from: nil, to: nil, .all).first)
        #expect(row.records == 300 && row.cpuMilliSeconds == 300 * 3600 * 100_000_000 && row.memoryMiBSeconds == (300 * 3600) << 30)
        #expect(row.measuredCPUSeconds == 450)
        await journal.close()
    }
}
