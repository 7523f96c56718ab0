import ClusterModel
import SchedulerTestKit
import Testing

@testable import SchedulingCore

/// What operators see of the queue.
@Suite struct QueueTotalsTests {
    private func totals(_ harness: borrowing ClusterHarness) -> (totals: QueueTotals, pieces: Int) {
        var totals = QueueTotals()
        var pieces = 0
        var next: JobID? = JobID(0)
        while let first = next {
            next = harness.loop.core.addTotals(from: first, at: harness.now, to: &totals)
            pieces += 1
        }
        return (totals, pieces)
    }

    @Test func tasksAreSortedByWhyTheyWait() {
        var harness = ClusterHarness()
        _ = harness.addNode(Build.node("n1", cpus: 2))
        let submittedAt = harness.now
        _ = harness.submit(Build.job(array: ArrayRange(first: 0, last: 4, concurrencyLimit: 1)))
        harness.pass(.seconds(10))
        _ = harness.submit(Build.job(cpuMilli: 2000))
        var later = Build.job()
        later.beginAt = harness.now + .hour
        _ = harness.submit(later)
        var after = Build.job(array: ArrayRange(first: 0, last: 2))
        after.dependencies = [Dependency(job: JobID(1), condition: .ok)]
        _ = harness.submit(after)
        var held = Build.job(array: ArrayRange(first: 0, last: 6))
        held.isHeld = true
        _ = harness.submit(held)
        let (totals, _) = totals(harness)
        #expect(totals[.arrayLimit] == QueueTotals.Waiting(tasks: 4, oldest: submittedAt))
        #expect(totals[.capacity] == QueueTotals.Waiting(tasks: 1, oldest: submittedAt + .seconds(10)))
        #expect(totals[.beginTime] == QueueTotals.Waiting(tasks: 1, oldest: later.beginAt))
        #expect(totals[.dependency].tasks == 3)
        #expect(totals[.hold].tasks == 7, "nobody has to make room for them")
        #expect(totals.queued == 16 && totals.starting == 1 && totals.running == 0)
        #expect(totals[JobState.starting] == 1 && totals[JobState.queued] == 4)
    }

    @Test func manyJobsAreSummedInPieces() {
        var harness = ClusterHarness()
        for _ in 0..<2500 { _ = harness.submit(Build.job()) }
        let (totals, pieces) = totals(harness)
        #expect(totals[.capacity].tasks == 2500 && totals[JobState.queued] == 2500)
        #expect(pieces == 3, "about a thousand jobs each")
    }

    /// Waits are counted once for each task, from submission or begin time, whether its start was told or only its end.
    @Test func waitsEndWithTheFirstPlaceAndTheFirstInstruction() throws {
        var harness = ClusterHarness()
        _ = harness.submit(Build.job(array: ArrayRange(first: 0, last: 1)))
        harness.pass(.seconds(60))
        let (node, _) = harness.addNode(Build.node("n1", cpus: 2))
        harness.pass(.seconds(5))
        let (first, second) = (AttemptID(job: JobID(1), index: 0, number: 1), AttemptID(job: JobID(1), index: 1, number: 1))
        let (placeFirst, placeSecond) = (harness.place(of: first), harness.place(of: second))
        let fences = (try #require(placeFirst).fence, try #require(placeSecond).fence)
        let end = AttemptEnd(cause: .exited, exitCode: 0, elapsed: .seconds(2))
        _ = harness.report(first, on: node, fence: fences.0, .running(elapsed: .seconds(1)))
        _ = harness.report(first, on: node, fence: fences.0, .ended(end))
        _ = harness.report(second, on: node, fence: fences.1, .ended(end))
        var core = SchedulerCore()
        var changes = Changes(recording: false)
        var placed: [Span] = []
        var started: [Span] = []
        for event in harness.journal {
            if let (tasks, waited) = core.placement(by: event) { placed += Array(repeating: waited, count: Int(tasks)) }
            if let waited = core.waitEnded(by: event) { started.append(waited) }
            core.evolve(event, &changes)
        }
        #expect(placed == [.seconds(60), .seconds(60)])
        #expect(started == [.seconds(64), .seconds(63)])
    }
}
