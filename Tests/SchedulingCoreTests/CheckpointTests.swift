import ClusterModel
import SchedulerTestKit
import Testing

@testable import SchedulingCore

/// What tasks say of their checkpoints.
@Suite struct CheckpointTests {
    private func yielding(_ change: (inout JobSpecification) -> Void = { _ in }) -> JobSpecification {
        var job = Build.job()
        job.isPreemptible = true
        job.checkpointSignal = .user1
        change(&job)
        return job
    }

    /// Two jobs that may be stopped fill a node for an hour; one has said that it wrote a checkpoint a moment ago.
    private func world(writer: JobID = JobID(1)) -> ClusterHarness {
        var harness = ClusterHarness()
        _ = harness.addNode(Build.node("n1", cpus: 2))
        for _ in 0..<2 { _ = harness.submit(yielding()) }
        harness.pass(.seconds(3600))
        harness.say(writer, checkpointAge: .seconds(10))
        return harness
    }

    @Test func whoeverHasJustWrittenOneLosesLeast() throws {
        // The second, since the first comes first where nothing tells them apart.
        var harness = world(writer: JobID(2))
        let (batches, _) = harness.submit(Build.job(priority: 5))
        harness.pass(PreemptionContract.interval(nodes: 1))
        let events = (batches + harness.settle()).flatMap(\.events)
        let taken = events.compactMap { if case .gangsPreempted(let preemption) = $0 { preemption.gangs.map(\.job) } else { nil } }
        #expect(taken == [[JobID(2)]], "the other has an hour to lose, though it began no earlier")
    }

    @Test func itIsAskedToWriteOneWhenItHasToGiveWayAndNotWhenItIsCancelled() throws {
        var harness = world()
        _ = harness.submit(Build.job(priority: 5))
        harness.pass(PreemptionContract.interval(nodes: 1))
        let asked = harness.settle().stops
        #expect(asked.map(\.checkpointSignal) == [.user1] && asked.map(\.reason) == [.preempted])
        let cancelled = harness.perform(.cancel(JobID(2))).batches.stops
        #expect(cancelled.map(\.checkpointSignal) == [nil] && cancelled.map(\.reason) == [.user])
    }

    @Test func whatItSaidIsWhatItHasDone() throws {
        var harness = world()
        let (node, _) = harness.addNode(Build.node("n2", cpus: 2))
        _ = harness.perform(.drainNode(try #require(harness.liveTasks().first?.node), within: .zero))
        let task = try #require(harness.liveTasks().first { $0.job == JobID(1) })
        harness.pass(.seconds(20))
        let end = AttemptEnd(cause: .stopped, exitCode: 143, elapsed: harness.now - task.since)
        _ = harness.report(task.attempt, on: task.node, fence: task.fence, .ended(end))
        let row = try #require(harness.loop.core.jobs[JobID(1)])
        #expect(row.history.progress == [0: .seconds(3590)], "up to its checkpoint, not its end")
        #expect(row.history.checkpoints.isEmpty, "the next attempt has written none")
        #expect(harness.liveTasks().first { $0.job == JobID(1) }?.node == node)
    }

    /// One rank writes for all.
    @Test func onceOneOfAGangHasAnsweredTheOthersAreToldToEnd() throws {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 2))
        _ = harness.submit(yielding { $0.groups[0].count = 2 })
        harness.pass(.seconds(60))
        let asked = harness.perform(.drainNode(node, within: .zero)).batches.stops
        #expect(asked.map(\.checkpointSignal) == [.user1, .user1])
        let first = try #require(harness.liveTasks().first)
        let answer = AttemptStatus(
            attempt: first.attempt, fence: first.fence, phase: .running(elapsed: .seconds(60)), checkpointAge: .zero, isAnswer: true)
        let told = harness.report(on: node, [answer]).stops
        #expect(told.map(\.attempt.task.index) == [1] && told.map(\.checkpointSignal) == [nil])
    }

    /// Between the end of its process and the word of it, its outputs were kept for half an hour.
    @Test func whatComesAfterItsEndIsNoLoss() throws {
        var harness = world()
        _ = harness.addNode(Build.node("n2", cpus: 2))
        _ = harness.perform(.drainNode(NodeID(1), within: .zero))
        let task = try #require(harness.liveTasks().first { $0.job == JobID(2) })
        harness.pass(.seconds(1800))
        let end = AttemptEnd(cause: .stopped, exitCode: 143, elapsed: .seconds(3600))
        let status = AttemptStatus(
            attempt: task.attempt, fence: task.fence, phase: .ended(end), age: .seconds(1800), checkpointAge: .seconds(1860))
        _ = harness.report(on: task.node, [status])
        #expect(harness.loop.core.jobs[JobID(2)]?.history.progress == [0: .seconds(3540)])
    }

    @Test func nodesAreBelievedWithinWhatCanBe() throws {
        var harness = world()
        let written = harness.loop.core.jobs[JobID(1)]?.history.checkpoints[0]?.written
        let now = harness.now
        #expect(written == now - Span.seconds(10))
        let known = harness.journal.count
        harness.say(JobID(1), checkpointAge: .seconds(10))
        harness.say(JobID(1), checkpointAge: .seconds(2000))
        let later = harness.journal.count
        #expect(later == known, "what is known, or older, is no news")
        harness.say(JobID(2), checkpointAge: .seconds(1_000_000))
        let second = harness.loop.core.jobs[JobID(2)]?.history.checkpoints[0]?.written
        #expect(second == now - Span.seconds(3600), "not before it began")
        harness.say(JobID(2), checkpointAge: .seconds(-50))
        let third = harness.loop.core.jobs[JobID(2)]?.history.checkpoints[0]?.written
        #expect(third == now, "nor in the future")
        let before = harness.loop.core.snapshot()
        #expect(try SchedulerCore(snapshot: before).snapshot() == before)
    }
}

extension LogicalTime {
    fileprivate static func - (later: LogicalTime, span: Span) -> LogicalTime {
        LogicalTime(nanoseconds: later.nanoseconds - span.nanoseconds)
    }
}

extension ClusterHarness {
    fileprivate mutating func say(_ job: JobID, checkpointAge: Span) {
        guard let task = liveTasks().first(where: { $0.job == job }) else { return }
        let elapsed = now - task.since
        _ = report(
            on: task.node,
            [AttemptStatus(attempt: task.attempt, fence: task.fence, phase: .running(elapsed: elapsed), checkpointAge: checkpointAge)])
    }
}

extension [Batch] {
    fileprivate var stops: [StopOrder] {
        flatMap(\.effects).flatMap { effect -> [StopOrder] in
            guard case .command(_, _, .stop(let orders)) = effect else { return [] }
            return orders
        }
    }
}
