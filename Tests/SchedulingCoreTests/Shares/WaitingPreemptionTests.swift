import ClusterModel
import SchedulerTestKit
import Testing

@testable import SchedulingCore

/// What writes checkpoints gives way, now and then, to what has waited long and is soon over.
@Suite struct WaitingPreemptionTests {
    private static let interval = Span.seconds(1800)

    /// One that holds two of four devices and gives way, one that holds two and does not.
    private func world(estimate: Span = .seconds(20 * 3600), devices: UInt32 = 2, interval: Span? = Self.interval) -> ClusterHarness {
        var harness = ClusterHarness()
        harness.set(.tenant(TenantRecord(name: "other")))
        _ = harness.addNode(Build.node("n1", cpus: 16, memory: 1 << 40, gpus: 4))
        var yielding = job(devices: devices, estimate)
        yielding.isPreemptible = true
        yielding.checkpointInterval = interval
        _ = harness.submit(yielding)
        if devices < 4 { _ = harness.submit(job(devices: 4 - devices, .seconds(90 * 3600))) }
        return harness
    }

    private func job(devices: UInt32, _ estimate: Span) -> JobSpecification {
        var job = Build.job(devices: DeviceRequest(kind: .gpu, count: devices))
        job.estimate = estimate
        return job
    }

    private func newcomer(_ estimate: Span = .seconds(3600)) -> JobSpecification {
        var job = job(devices: 2, estimate)
        job.tenant = "other"
        return job
    }

    /// In steps shorter than what may be lost: nobody sees more than a look.
    private func look(_ harness: inout ClusterHarness, after span: Span) -> [Preemption] {
        let end = harness.now + span
        let known = harness.journal.count
        while harness.now < end {
            harness.pass(min(.seconds(60), end - harness.now))
            harness.settle()
        }
        return harness.journal[known...].compactMap { if case .gangsPreempted(let preemption) = $0 { preemption } else { nil } }
    }

    @Test func itIsStoppedRightAfterACheckpointAndGoesOnFromThere() throws {
        var harness = world()
        _ = look(&harness, after: .seconds(3600))
        _ = harness.submit(newcomer())
        #expect(look(&harness, after: .seconds(3590)).isEmpty, "it runs for two hours at least")
        let taken = try #require(look(&harness, after: .seconds(60)).first)
        #expect(taken.job == JobID(3) && taken.gangs.map(\.job) == [JobID(1)])
        let task = try #require(harness.liveTasks().first { $0.job == JobID(1) })
        let ran = harness.now - task.since
        let end = AttemptEnd(cause: .stopped, exitCode: 143, elapsed: ran)
        _ = harness.report(task.attempt, on: task.node, fence: task.fence, .ended(end))
        #expect(harness.liveTasks().map(\.job).sorted() == [JobID(2), JobID(3)])
        let row = try #require(harness.loop.core.jobs[JobID(1)])
        #expect(row.history.progress == [0: .seconds(7200)], "up to its last checkpoint")
        #expect(harness.loop.core.outlook(of: row).mean == .seconds(18 * 3600))
        _ = harness.restart()
        let again = try #require(harness.loop.core.jobs[JobID(1)])
        #expect(again.history == row.history)
    }

    /// Between two checkpoints too much would be lost.
    @Test func itIsLeftAloneUntilItHasWrittenTheNext() throws {
        var harness = world()
        _ = look(&harness, after: .seconds(7200 + 400))
        _ = harness.submit(newcomer())
        #expect(look(&harness, after: .seconds(1380)).isEmpty)
        #expect(look(&harness, after: .seconds(60)).count == 1)
    }

    @Test(arguments: ["shorter", "whole node", "silent", "more important"])
    func nobodyIsStoppedFor(_ what: String) {
        var harness: ClusterHarness
        switch what {
        // Less than three times as long as what waits.
        case "shorter": harness = world(estimate: .seconds(4 * 3600))
        case "whole node": harness = world(devices: 4)
        case "silent": harness = world(interval: nil)
        default:
            harness = world()
            _ = harness.perform(.updateJob(JobID(1), JobUpdate(priority: 5)))
        }
        // Later it would have room set aside, where nobody is stopped.
        _ = look(&harness, after: .seconds(3600))
        var waiting = newcomer()
        if what == "more important" { waiting.tenant = "default" }
        _ = harness.submit(waiting)
        #expect(look(&harness, after: .seconds(5000)).isEmpty)
    }

    /// It has given way for four hours in all: it is done with that.
    @Test func whoHasWaitedLongItselfGivesWayNoMore() {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 16, memory: 1 << 40, gpus: 4))
        _ = harness.submit(job(devices: 4, .seconds(3600)))
        var yielding = job(devices: 2, .seconds(40 * 3600))
        yielding.isPreemptible = true
        yielding.checkpointInterval = Self.interval
        _ = harness.submit(yielding)
        harness.pass(.seconds(5 * 3600))
        harness.end(JobID(1), on: node, after: .seconds(5 * 3600))
        _ = harness.submit(job(devices: 2, .seconds(90 * 3600)))
        _ = look(&harness, after: .seconds(3600))
        _ = harness.submit(job(devices: 2, .seconds(3600)))
        #expect(look(&harness, after: .seconds(5000)).isEmpty)
    }
}
