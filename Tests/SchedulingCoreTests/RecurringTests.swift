import ClusterModel
import SchedulerTestKit
import Testing

@testable import SchedulingCore

/// Jobs that come again: each run calls the next when it begins.
@Suite struct RecurringTests {
    private func hourly(_ change: (inout JobSpecification) -> Void = { _ in }) -> JobSpecification {
        var job = Build.job()
        job.recurrence = Recurrence(rule: .every(.hour))
        change(&job)
        return job
    }

    private let node = NodeID(1)

    private func world(cpus: Int64 = 4) -> ClusterHarness {
        var harness = ClusterHarness()
        _ = harness.addNode(Build.node("n1", cpus: cpus))
        return harness
    }

    @Test func aRunThatBeginsCallsTheNextInTheSameBatch() throws {
        var harness = world()
        let start = harness.now
        let batches = harness.submit(hourly()).batches
        let batch = try #require(batches.first { $0.events.contains { if case .unitsPlaced = $0 { true } else { false } } })
        let next = try #require(
            batch.events.compactMap { if case .jobAccepted(let job) = $0, job.id == JobID(2) { job } else { nil } }.first)
        #expect(next.specification.beginAt == start + .hour)
        #expect(next.specification.labels == [NamedText("series", "1")] && next.user == "ada" && next.key == nil)
        #expect(harness.loop.core.liveStanding(of: JobID(2))?.standing.reason == .dependency, "it may not overlap the first")
        harness.end(JobID(1), on: node, after: .seconds(5))
        #expect(harness.loop.core.liveStanding(of: JobID(2))?.standing.reason == .beginTime)
        #expect(harness.runs(after: .hour) == [JobID(2)])
        #expect(harness.loop.core.liveJobIDs == [JobID(2), JobID(3)])
    }

    @Test func itWaitsForTheRunBeforeItUnlessItMayOverlap() {
        var harness = world()
        _ = harness.submit(hourly())
        #expect(harness.runs(after: .seconds(2 * 3600 + 600)) == [JobID(1)])
        harness.end(JobID(1), on: node, after: .seconds(2 * 3600 + 600))
        #expect(harness.runs(after: .zero) == [JobID(2)], "late, and once for both times that it missed")
        #expect(harness.loop.core.jobs[JobID(3)]?.specification.beginAt == harness.start + .seconds(3 * 3600))

        var other = world()
        _ = other.submit(hourly { $0.recurrence?.mayOverlap = true })
        #expect(other.runs(after: .hour) == [JobID(1), JobID(2)])
    }

    /// A coordinator that was away for a day.
    @Test func missedRunsAreMadeUpForOnceOrNotAtAll() {
        for maxPending in [nil, Span.seconds(60)] {
            var harness = world()
            _ = harness.submit(hourly { $0.maxPending = maxPending })
            harness.end(JobID(1), on: node, after: .zero)
            let last = harness.now + .seconds(24 * 3600 + 1800)
            harness.pass(last - harness.now)
            _ = harness.restart()
            _ = harness.register(node, Build.node("n1"))
            let next = harness.start + .seconds(25 * 3600)
            if maxPending == nil {
                #expect(harness.liveTasks().map(\.job) == [JobID(2)])
            } else {
                #expect(harness.liveTasks().isEmpty)
                let finished = harness.journal.compactMap { if case .jobFinished(let job) = $0, job.id == JobID(2) { job } else { nil } }
                #expect(finished.map(\.reason) == [.maxPending], "a run that could not begin in time is seen to have failed")
            }
            #expect(harness.loop.core.jobs[JobID(3)]?.specification.beginAt == next)
        }
    }

    /// Found by the simulation, seed 812: the run that was given up while it waited for the first was what the next one waited for.
    @Test func aRunThatIsGivenUpHandsOnWhatItWaitedFor() {
        var harness = world()
        _ = harness.submit(hourly { $0.maxPending = .seconds(600) })
        #expect(harness.runs(after: .seconds(3 * 3600)) == [JobID(1)])
        #expect(harness.loop.core.liveJobIDs == [JobID(1), JobID(4)], "two were given up")
        harness.end(JobID(1), on: node, after: .zero)
        #expect(harness.runs(after: .zero) == [JobID(4)])
    }

    /// Otherwise it would wait for ever, or make one doomed run after the other.
    @Test func aSeriesWhoseFirstRunCanNeverStartEnds() {
        var harness = world()
        _ = harness.submit(Build.job())
        _ = harness.submit(hourly { $0.dependencies = [Dependency(job: JobID(1), condition: .fail)] })
        harness.end(JobID(1), on: node, after: .zero)
        let violations = harness.violations
        #expect(harness.loop.core.liveJobCount == 0 && violations.isEmpty)
    }

    /// Whom a pool is for may change after a series began.
    @Test(arguments: [true, false]) func aRunIsHeldThatMayNotUseItsPoolAnyMore(asksByField: Bool) {
        var harness = world()
        harness.set(.tenant(TenantRecord(name: "red")))
        harness.set(.pool(PoolRecord(name: "gold")))
        _ = harness.perform(.moveNode(node, pool: "gold"))
        let constraint = Constraint(key: "pool", comparison: .equals, value: "gold")
        _ = harness.submit(hourly { if asksByField { $0.pool = "gold" } else { $0.groups[0].constraints = [constraint] } })
        harness.end(JobID(1), on: node, after: .zero)
        harness.set(.pool(PoolRecord(name: "gold", tenants: ["red"])))
        #expect(harness.runs(after: .hour) == [JobID(2)], "what was let in, is in")
        #expect(harness.loop.core.jobs[JobID(3)]?.specification.isHeld == true)
    }

    @Test func aPlanIsOfTheFirstRun() throws {
        let harness = world()
        var job = Build.job()
        job.recurrence = Recurrence(rule: .calendar(try CalendarRule(parsing: "0 * * * *"), offset: .zero))
        let plan = harness.plan(job)
        #expect(plan.verdict == .waits && plan.reason == .beginTime)
        let start = plan.start?.earliest
        let hour = harness.now.nextHour
        #expect(start == hour)
        #expect(harness.plan(hourly()).verdict == .starts)
    }

    @Test func whoeverCancelsTheRunThatWaitsEndsTheSeries() {
        var harness = world()
        _ = harness.submit(hourly())
        _ = harness.perform(.cancel(JobID(1)))
        harness.end(JobID(1), on: node, after: .zero)
        #expect(harness.loop.core.liveJobIDs == [JobID(2)], "one run alone was cancelled")
        _ = harness.perform(.cancel(JobID(2)))
        #expect(harness.runs(after: .seconds(7200)).isEmpty)
        #expect(harness.loop.core.liveJobCount == 0)
    }

    @Test func aHeldRunStopsTheSeriesUntilItIsReleased() {
        var harness = world()
        _ = harness.submit(hourly())
        harness.end(JobID(1), on: node, after: .zero)
        _ = harness.perform(.updateJob(JobID(2), JobUpdate(isHeld: true)))
        #expect(harness.runs(after: .seconds(5 * 3600)).isEmpty)
        _ = harness.perform(.updateJob(JobID(2), JobUpdate(isHeld: false, labels: [NamedText("team", "red")])))
        #expect(harness.liveTasks().map(\.job) == [JobID(2)])
        let next = harness.loop.core.jobs[JobID(3)]?.specification
        #expect(next?.isHeld == false && next?.beginAt == harness.start + .seconds(6 * 3600))
        #expect(next?.labels == [NamedText("series", "1"), NamedText("team", "red")], "what was changed goes on, but not the series")
    }

    /// The run that waits takes the place of the one that begins: a full queue ends no series.
    @Test func aSeriesFitsUnderAQuotaOfOneQueuedJob() {
        var harness = world(cpus: 1)
        harness.set(.quota(QuotaRecord(name: "cap", tenant: "default", queuedJobs: 1)))
        _ = harness.submit(hourly { $0.maxPending = .seconds(600) })
        #expect(harness.runs(after: .hour) == [JobID(1)])
        harness.end(JobID(1), on: node, after: .hour)
        #expect(harness.runs(after: .zero) == [JobID(2)])
        _ = harness.perform(.setNodeCordon(node, isCordoned: true))
        harness.end(JobID(2), on: node, after: .zero)
        #expect(harness.runs(after: .seconds(3 * 3600)).isEmpty)
        #expect(harness.loop.core.liveJobCount == 1, "given up twice, and called again")
        let violations = harness.violations
        #expect(violations.isEmpty, "\(violations.prefix(3))")
    }

    @Test func theFirstRunByTheCalendarIsDueThen() throws {
        var harness = world()
        var job = Build.job()
        job.recurrence = Recurrence(rule: .calendar(try CalendarRule(parsing: "0 * * * *"), offset: .zero))
        _ = harness.submit(job)
        #expect(harness.loop.core.jobs[JobID(1)]?.specification.beginAt == harness.now.nextHour)
        for rule in [job.recurrence?.rule ?? .every(.hour), .every(.hour)] {
            job.recurrence = Recurrence(rule: rule, until: LogicalTime(nanoseconds: harness.now.nanoseconds - 1))
            guard case .failure(.invalid(let errors))? = harness.submit(job).result else {
                Issue.record("a series without a run")
                return
            }
            #expect(errors.map(\.field) == ["recur.until"])
        }
    }

    @Test func aRetryIsOneRunAndWhatMakesNoSenseIsRefused() {
        var harness = world()
        let job = hourly()
        _ = harness.submit(job)
        harness.end(JobID(1), on: node, after: .zero)
        _ = harness.perform(.retry(JobID(1), Submission(specification: job, user: "ada", key: nil)))
        #expect(harness.loop.core.jobs[JobID(3)]?.specification.recurrence == nil)
        for (change, field) in [
            ({ $0.labels = [NamedText("series", "9")] }, "labels"), ({ $0.deadline = .distantFuture }, "deadline"),
            ({ $0.recurrence = Recurrence(rule: .every(.seconds(9))) }, "recur.every"),
        ] as [((inout JobSpecification) -> Void, String)] {
            guard case .failure(.invalid(let errors))? = harness.submit(hourly(change)).result else {
                Issue.record("\(field) was not refused")
                continue
            }
            #expect(errors.map(\.field) == [field])
        }
    }
}

extension ClusterHarness {
    fileprivate var start: LogicalTime {
        for case .jobAccepted(let job) in journal { return job.at }
        return now
    }

    /// What runs after a while, looked at each minute.
    fileprivate mutating func runs(after span: Span) -> [JobID] {
        let end = now + span
        while now < end {
            pass(min(.seconds(60), end - now))
            settle()
        }
        return liveTasks().map(\.job).sorted()
    }
}
