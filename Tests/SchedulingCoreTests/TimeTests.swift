import ClusterModel
import SchedulerTestKit
import Testing

@testable import SchedulingCore

/// What is held, changed, given up in time, and tried again by cause.
@Suite struct TimeTests {
    @Test func whatIsHeldStartsWhenItIsReleasedAndHasNotGrownOlder() throws {
        var harness = ClusterHarness()
        _ = harness.addNode(Build.node("n1"))
        var job = Build.job()
        job.isHeld = true
        _ = harness.submit(job)
        #expect(harness.liveTasks().isEmpty)
        let standing = harness.loop.core.liveStanding(of: JobID(1))
        #expect(standing?.standing.reason == .hold && standing?.explanation == "held; it goes on when it is released")
        let forecast = harness.forecast(of: JobID(1))
        #expect(forecast?.alterations == [.released])
        harness.pass(.seconds(3600))
        let released = harness.perform(.updateJob(JobID(1), JobUpdate(isHeld: false))).result
        #expect(released.isSuccess)
        #expect(harness.liveTasks().map(\.job) == [JobID(1)])
        let since = harness.loop.core.jobs[JobID(1)]?.waitingSince
        let now = harness.now
        #expect(since == now, "an hour of hold is no hour of waiting")
    }

    /// What is retried was held, or too late, in another life.
    @Test func aRetryIsNeitherHeldNorTooLate() {
        var harness = ClusterHarness()
        _ = harness.addNode(Build.node("n1"))
        var job = Build.job()
        job.isHeld = true
        job.deadline = harness.now + .seconds(10)
        _ = harness.submit(job)
        harness.pass(.seconds(10))
        harness.settle()
        #expect(harness.loop.core.liveJobIDs.isEmpty)
        let again = harness.perform(.retry(JobID(1), Submission(specification: job, user: "ada", key: nil))).result
        #expect(again.isSuccess)
        #expect(harness.liveTasks().map(\.job) == [JobID(2)])
    }

    /// Whatever succeeds while the rest is given up, the job was too late.
    @Test func aSuccessAfterTheDeadlineSavesNothingButItself() {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 1))
        var job = Build.job(array: ArrayRange(first: 0, last: 2))
        job.deadline = harness.now + .seconds(10)
        _ = harness.submit(job)
        harness.pass(.seconds(10))
        harness.settle()
        harness.end(JobID(1), on: node, after: .seconds(10))
        let finished = harness.finished()[JobID(1)]
        #expect(finished?.state == .failed && finished?.reason == .deadline && finished?.exitCode == 124)
    }

    /// A thousand at once are no step of a thousand, and none is forgotten.
    @Test func manyDeadlinesOfOneInstantEndInSeveralSteps() {
        var harness = ClusterHarness()
        for _ in 0..<600 {
            var job = Build.job()
            job.deadline = harness.now + .seconds(10)
            _ = harness.submit(job)
        }
        harness.pass(.seconds(10))
        let batches = harness.settle()
        let ends = batches.map { batch in batch.events.count { if case .jobFinished = $0 { true } else { false } } }
        #expect(ends.filter { $0 > 0 } == [256, 256, 88], "\(ends)")
        let wake = harness.loop.core.expiries.earliest
        #expect(wake == nil, "nothing is left to look at")
    }

    /// What runs of an array goes on; nothing more of it starts.
    @Test func aHoldStopsStartsOnly() {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 2))
        _ = harness.submit(Build.job(array: ArrayRange(first: 0, last: 3)))
        _ = harness.perform(.updateJob(JobID(1), JobUpdate(isHeld: true)))
        #expect(harness.liveTasks().count == 2)
        for task in harness.liveTasks() { harness.end(JobID(1), on: node, after: .seconds(5), only: task.attempt) }
        #expect(harness.liveTasks().isEmpty)
        _ = harness.restart()
        #expect(harness.liveTasks().isEmpty)
        _ = harness.register(node, Build.node("n1", cpus: 2))
        #expect(harness.liveTasks().isEmpty, "the hold outlives the coordinator")
        _ = harness.perform(.updateJob(JobID(1), JobUpdate(isHeld: false)))
        #expect(harness.liveTasks().count == 2)
    }

    @Test func aPriorityThatIsChangedCounts() throws {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 1))
        for name in ["runs", "first", "second"] { _ = harness.submit(Build.job(name)) }
        let result = harness.perform(.updateJob(JobID(3), JobUpdate(priority: 7, labels: [NamedText("team", "a")]))).result
        #expect(result.isSuccess)
        harness.end(JobID(1), on: node, after: .seconds(5))
        #expect(harness.liveTasks().map(\.job) == [JobID(3)])
        #expect(harness.loop.core.jobs[JobID(3)]?.specification.labels == [NamedText("team", "a")])
    }

    @Test func changesThatCannotBeAreRefused() {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 1))
        _ = harness.submit(Build.job())
        func code(_ result: Result<Answer, Rejection>?) -> String? {
            guard case .failure(let rejection)? = result else { return nil }
            return rejection.code
        }
        let limit = harness.perform(.updateJob(JobID(1), JobUpdate(timeLimit: .to(.seconds(5))))).result
        #expect(code(limit) == "conflict", "it runs: its node has its limit")
        let past = harness.perform(.updateJob(JobID(1), JobUpdate(deadline: .to(LogicalTime(nanoseconds: 1))))).result
        #expect(code(past) == "invalid")
        let priority = harness.perform(.updateJob(JobID(1), JobUpdate(priority: 2000))).result
        #expect(code(priority) == "invalid")
        let unknown = harness.perform(.updateJob(JobID(9), JobUpdate(priority: 2))).result
        #expect(code(unknown) == "not_found")
        harness.end(JobID(1), on: node, after: .seconds(5))
        let ended = harness.perform(.updateJob(JobID(1), JobUpdate(priority: 2))).result
        #expect(code(ended) == "conflict")
    }

    /// At its deadline what waits never starts and what runs is stopped with its grace; the job has failed, with 124.
    @Test func aDeadlineEndsWhatRunsAndWhatWaits() throws {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 1))
        var job = Build.job(array: ArrayRange(first: 0, last: 1))
        job.deadline = harness.now + .seconds(100)
        _ = harness.submit(job)
        var after = Build.job("after")
        after.dependencies = [Dependency(job: JobID(1), condition: .ok)]
        after.deadline = harness.now + .seconds(100)
        _ = harness.submit(after)
        harness.pass(.seconds(99))
        harness.settle()
        #expect(harness.liveTasks().count == 1)
        harness.pass(.seconds(1))
        let batches = harness.settle()
        let stopped = batches.flatMap(\.events).compactMap { event -> StoppedUnit? in
            if case .unitStopRequested(let unit) = event { unit } else { nil }
        }
        #expect(stopped.map(\.reason) == [.deadline] && stopped.first?.grace == .seconds(30))
        // Read back in between, it is still what ended it.
        _ = harness.restart()
        let attempt = AttemptID(job: JobID(1), index: 0, number: 1)
        let grant = harness.loop.core.fence(of: attempt)
        let fence = try #require(grant)
        let end = AttemptEnd(cause: .stopped, exitCode: 143, elapsed: .seconds(100))
        _ = harness.register(
            node, Build.node("n1", cpus: 1), attempts: [AttemptStatus(attempt: attempt, fence: fence, phase: .ended(end), age: .zero)])
        let finished = harness.finished()
        #expect(finished[JobID(1)]?.state == .failed && finished[JobID(1)]?.reason == .deadline && finished[JobID(1)]?.exitCode == 124)
        #expect(finished[JobID(2)]?.reason == .deadline, "its own deadline passed first: each ends once")
        let ends = harness.journal.count { if case .jobFinished = $0 { true } else { false } }
        #expect(ends == 2)
        let violations = harness.violations
        #expect(violations.isEmpty)
    }

    /// What fails with its deadline takes with it what can never start; of one instant, each job ends once.
    @Test func aDeadlineReachesThoseThatWaitForTheJob() {
        var harness = ClusterHarness()
        for _ in 0..<2 {
            var job = Build.job(cpuMilli: 4000)
            job.deadline = harness.now + .seconds(10)
            if let last = harness.loop.core.liveJobIDs.last { job.dependencies = [Dependency(job: last, condition: .ok)] }
            _ = harness.submit(job)
        }
        harness.pass(.seconds(10))
        harness.settle()
        let ends = harness.journal.count { if case .jobFinished = $0 { true } else { false } }
        #expect(ends == 2)
        let finished = harness.finished()
        #expect(finished[JobID(1)]?.reason == .deadline && finished[JobID(2)]?.reason == .dependency)
    }

    @Test func whatNeverStartsIsGivenUpInTime() {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 1))
        for name in ["runs", "waits"] {
            var job = Build.job(name)
            job.maxPending = .seconds(60)
            _ = harness.submit(job)
        }
        harness.pass(.seconds(61))
        harness.settle()
        #expect(harness.liveTasks().map(\.job) == [JobID(1)], "it has begun")
        let waits = harness.finished()[JobID(2)]
        #expect(waits?.state == .failed && waits?.reason == .maxPending && waits?.exitCode == 124)
        harness.end(JobID(1), on: node, after: .seconds(5))
        let runs = harness.finished()[JobID(1)]
        #expect(runs?.state == .succeeded)
    }

    /// A bound that is taken away no longer counts, though the job is looked at; one that is set later does.
    @Test func boundsThatAreChangedCountAsTheyAre() {
        var harness = ClusterHarness()
        for _ in 0..<2 {
            var job = Build.job()
            job.maxPending = .seconds(60)
            _ = harness.submit(job)
        }
        _ = harness.perform(.updateJob(JobID(1), JobUpdate(maxPending: JobUpdate.Change.none)))
        _ = harness.perform(.updateJob(JobID(2), JobUpdate(maxPending: .to(.seconds(30)))))
        harness.pass(.seconds(31))
        harness.settle()
        #expect(harness.loop.core.liveJobIDs == [JobID(1)])
        harness.pass(.seconds(100))
        harness.settle()
        #expect(harness.loop.core.liveJobIDs == [JobID(1)])
    }

    @Test func causesHaveLimitsAndWaitsOfTheirOwn() {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 1))
        var job = Build.job()
        job.retry = RetryPolicy(
            limit: 5, causes: [.exitCode, .oom], limits: [RetryPolicy.CauseLimit(cause: .oom, limit: 1)], backoff: .seconds(20))
        _ = harness.submit(job)
        harness.fail(JobID(1), on: node, .outOfMemory)
        #expect(harness.liveTasks().isEmpty)
        harness.pass(.seconds(19))
        harness.settle()
        #expect(harness.liveTasks().isEmpty, "twenty seconds, not one")
        harness.pass(.seconds(2))
        harness.settle()
        harness.fail(JobID(1), on: node, .exited, exitCode: 3)
        harness.pass(.seconds(41))
        harness.settle()
        #expect(harness.liveTasks().map(\.attempt.number) == [3], "another cause has the whole limit")
        _ = harness.restart()
        _ = harness.register(node, Build.node("n1", cpus: 1), attempts: harness.running())
        harness.fail(JobID(1), on: node, .outOfMemory)
        let finished = harness.finished()[JobID(1)]
        #expect(finished?.state == .failed && finished?.reason == .oom, "once out of memory was one time too many already")
    }
}

extension ClusterHarness {
    fileprivate func finished() -> [JobID: FinishedJob] {
        var finished: [JobID: FinishedJob] = [:]
        for case .jobFinished(let job) in journal { finished[job.id] = job }
        return finished
    }

    fileprivate mutating func fail(_ job: JobID, on node: NodeID, _ cause: AttemptEnd.Cause, exitCode: Int32 = 137) {
        guard let task = liveTasks().first(where: { $0.job == job }) else { return }
        let end = AttemptEnd(cause: cause, exitCode: exitCode, elapsed: .seconds(1))
        _ = report(task.attempt, on: node, fence: task.fence, .ended(end))
    }

    fileprivate func running() -> [AttemptStatus] {
        liveTasks().map { AttemptStatus(attempt: $0.attempt, fence: $0.fence, phase: .running(elapsed: .seconds(1)), age: .zero) }
    }
}
