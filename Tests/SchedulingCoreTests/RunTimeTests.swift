import ClusterModel
import SchedulerTestKit
import Testing

@testable import SchedulingCore

@Suite struct RunTimeTests {
    @Test func everyLengthLiesInItsBucket() {
        for milliseconds: Int64 in [0, 1, 999, 1000, 1249, 1250, 7_999, 8_000, 3_600_000, 86_400_000, 40_000_000_000] {
            let bucket = RunTimeHistogram.bucket(of: milliseconds)
            #expect(bucket == 0 || bucket == RunTimeHistogram.bucketCount - 1 || RunTimeHistogram.start(of: bucket) <= milliseconds)
            #expect(bucket == RunTimeHistogram.bucketCount - 1 || milliseconds < RunTimeHistogram.start(of: bucket + 1))
        }
    }

    @Test func whatHasOutlastedShortRunsIsExpectedToBeALongOne() throws {
        var histogram = RunTimeHistogram()
        for _ in 0..<90 { histogram.add(.seconds(10)) }
        for _ in 0..<10 { histogram.add(.seconds(1000)) }
        #expect(histogram.rest(beyond: 0) == (100, 90 * 10_000 + 10 * 1_000_000))
        let longer = histogram.rest(beyond: 60_000)
        #expect(longer.count == 10 && (800_000...1_100_000).contains(longer.sum / longer.count))
        #expect(try #require(histogram.length(reachedBy: 75, beyond: 0, least: 5)) <= 12_500)
        #expect(try #require(histogram.length(reachedBy: 75, beyond: 60_000, least: 5)) >= 1_000_000)
        #expect(histogram.length(reachedBy: 75, beyond: 60_000, least: 11) == nil)
    }

    /// A mix that changes is learned anew, however long the old one lasted.
    @Test func whatIsOldFades() {
        var histogram = RunTimeHistogram()
        for _ in 0..<100_000 { histogram.add(.seconds(10)) }
        for _ in 0..<2_000 { histogram.add(.seconds(1000)) }
        #expect(histogram.total <= RunTimeHistogram.totalMax)
        #expect(histogram.rest(beyond: 60_000).count * 10 > Int64(histogram.total) * 7)
        #expect(histogram.sum / Int64(histogram.total) > 600_000)
    }

    @Test func namesThatDifferInDigitsAreAlike() {
        #expect(RunTimeKey.pattern(of: "train-017-b2") == "train-#-b#")
        #expect(RunTimeKey.pattern(of: "") == "")
    }

    @Test func kindsThatNobodyRunsAreForgotten() {
        var table = RunTimeTable()
        for number in 0..<3 * RunTimeTable.rowsMax {
            table.learn(.seconds(5), of: [RunTimeKey(size: Int64(number), tenant: "t"), RunTimeKey()])
        }
        #expect(table.count <= RunTimeTable.rowsMax + 2)
        #expect(table.mean(of: [RunTimeKey(size: 0, tenant: "t")], beyond: 0) > 5000, "the first is forgotten")
        #expect(table.mean(of: [RunTimeKey(size: Int64(3 * RunTimeTable.rowsMax - 1), tenant: "t"), RunTimeKey()], beyond: 0) < 7000)
    }

    /// Of two that have waited as long, the one that is expected to be gone sooner goes first, though it came last.
    @Test func whatIsShortGoesBeforeWhatIsLong() {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 1))
        // Requests that differ are in lanes of their own.
        func job(_ name: String) -> JobSpecification { Build.job(name, memory: Int64(name.utf8.count) << 20) }
        for (name, run) in [
            ("long", Span.seconds(10_000)), ("short", .seconds(10)), ("long", .seconds(10_000)), ("short", .seconds(10)),
        ] {
            guard case .success(.job(let id, _))? = harness.submit(job(name)).result else { continue }
            harness.pass(run)
            harness.end(id, on: node, after: run)
        }
        for name in ["other", "long", "short"] {
            harness.pass(.seconds(1))
            _ = harness.submit(job(name))
        }
        harness.pass(.seconds(5))
        harness.end(JobID(5), on: node, after: .seconds(5))
        #expect(harness.place(of: AttemptID(job: JobID(7), index: 0, number: 1)) != nil)
        #expect(harness.place(of: AttemptID(job: JobID(6), index: 0, number: 1)) == nil)
    }

    /// What a user says counts for more than what was seen.
    @Test func estimatesAndLimitsAreBelieved() {
        var harness = ClusterHarness()
        _ = harness.addNode(Build.node("n1", cpus: 1))
        var (estimated, limited) = (Build.job("a"), Build.job("b"))
        estimated.estimate = .seconds(300)
        limited.timeLimit = .seconds(20)
        for job in [estimated, limited] { _ = harness.submit(job) }
        func outlook(_ id: UInt64, after age: Span) -> RunTimeOutlook {
            harness.loop.core.outlook(of: harness.loop.core.jobs[JobID(id)]!, after: age)
        }
        let first = outlook(1, after: .zero)
        #expect(first == RunTimeOutlook(mean: .seconds(300), bound: .seconds(300)))
        let nearly = outlook(1, after: .seconds(290))
        #expect(nearly.mean == .seconds(10), "it has not been exceeded yet")
        let exceeded = outlook(1, after: .seconds(400))
        #expect(exceeded.mean == .seconds(100), "a quarter of what has passed")
        let limit = outlook(2, after: .seconds(5))
        #expect(limit == RunTimeOutlook(mean: .seconds(15), bound: .seconds(15)))
    }

    /// What events meant when they were written, they mean for ever.
    @Test func journalsOfEarlierRulesTeachNothing() throws {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 1))
        _ = harness.submit(Build.job())
        harness.end(JobID(1), on: node, after: .seconds(5))
        var old = SchedulerCore()
        var new = SchedulerCore()
        var changes = Changes(recording: false)
        for event in harness.journal {
            new.evolve(event, &changes)
            if case .leadershipBegan(let epoch, _, let at) = event {
                old.evolve(.leadershipBegan(epoch, rules: 0, at: at), &changes)
            } else {
                old.evolve(event, &changes)
            }
        }
        let (oldCount, newCount) = (old.runTimes.count, new.runTimes.count)
        #expect(oldCount == 0 && newCount > 0)
        let bytes = new.snapshot()
        let again = try SchedulerCore(snapshot: bytes).snapshot()
        #expect(again == bytes)
    }
}
