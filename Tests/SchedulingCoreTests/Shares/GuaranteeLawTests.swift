import ClusterModel
import SchedulerTestKit
import SimulationKit
import Testing

@testable import SchedulingCore

/// Whoever brings its machines into a cluster and is guaranteed as much loses nothing by it.
@Suite struct GuaranteeLawTests {
    /// A look at everything each so often.
    private static let tick = Span.seconds(5)
    /// Until what is lent is back: the lease of what has just begun, a look, and what is seen a tick late.
    private static let late = PreemptionContract.lease + PreemptionContract.patience + tick + tick

    private struct Work {
        var at: Span
        var run: Span
    }

    /// Jobs of one core, in bursts: so that the guarantee is idle, and lent, in between.
    private static func work(seed: UInt64) -> [Work] {
        var chance = SeededGenerator(seed: seed, stream: 64)
        var at: Int64 = 60
        return (0..<60).map { _ in
            at += chance.chance(milli: 150) ? chance.between(100, 900) : chance.between(0, 20)
            return Work(at: .seconds(at / 5 * 5), run: .seconds(chance.between(4, 80) * 5))
        }
    }

    /// When each job starts on eight cores of its own.
    private static func alone(_ work: [Work]) -> [Span] {
        var harness = ClusterHarness()
        _ = harness.addNode(Build.node("own", cpus: 8, memory: 1 << 40))
        return starts(of: work, queue: "default", in: &harness) { _, _ in }
    }

    /// The same on sixteen, of which eight are guaranteed, beside others that ask for more than there is for ever.
    private static func together(_ work: [Work], seed: UInt64) -> [Span] {
        var harness = ClusterHarness()
        var chance = SeededGenerator(seed: seed, stream: 65)
        harness.set(.queue(QueueRecord(name: "lab", guarantee: RoomBounds(cpuMilli: 8000))))
        harness.set(.tenant(TenantRecord(name: "other", weight: 10)))
        for name in ["n1", "n2"] { _ = harness.addNode(Build.node(name, cpus: 8, memory: 1 << 40)) }
        return starts(of: work, queue: "lab", in: &harness) { harness, waiting in
            guard waiting < 30 else { return }
            for _ in 0..<10 {
                var job = Build.job("other", cpuMilli: 1000, memory: 1 << 20, priority: 1000)
                job.tenant = "other"
                job.isPreemptible = chance.chance(milli: 700)
                job.estimate = .seconds(chance.between(1, 100) * 5)
                _ = harness.submit(job)
            }
        }
    }

    private static func starts(
        of work: [Work], queue: String, in harness: inout ClusterHarness, crowd: (inout ClusterHarness, _ waiting: Int) -> Void
    ) -> [Span] {
        let beginning = harness.now
        var (next, jobs, starts) = (0, [JobID: Int](), [Int: Span]())
        for _ in 0..<4000 where starts.count < work.count {
            crowd(&harness, harness.loop.core.liveJobCount - harness.liveTasks().count)
            while next < work.count, beginning + work[next].at <= harness.now {
                var job = Build.job("own", cpuMilli: 1000, memory: 1 << 20)
                job.queue = queue
                if case .success(.job(let id, _))? = harness.submit(job).result { jobs[id] = next }
                next += 1
            }
            harness.settle()
            for task in harness.liveTasks() {
                if let index = jobs[task.job], starts[index] == nil { starts[index] = harness.now - beginning }
                let row = harness.loop.core.jobs[task.job]
                let run = jobs[task.job].map { work[$0].run } ?? row?.specification.estimate ?? .zero
                let isStopped = row?.live[0]?.stopReason != nil
                guard isStopped || harness.now - task.since >= run else { continue }
                let end = AttemptEnd(
                    cause: isStopped ? .stopped : .exited, exitCode: isStopped ? 143 : 0, elapsed: harness.now - task.since)
                _ = harness.report(task.attempt, on: task.node, fence: task.fence, .ended(end))
            }
            harness.pass(tick)
        }
        return work.indices.map { starts[$0] ?? Span(nanoseconds: .max) }
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func nobodyStartsLaterThanOnMachinesOfItsOwn(seed: UInt64) {
        let work = Self.work(seed: seed)
        let (alone, together) = (Self.alone(work), Self.together(work, seed: seed))
        let later = work.indices.filter { together[$0] > alone[$0] + Self.late }
        #expect(
            later.isEmpty,
            "seed \(seed): \(later.map { "job \($0) at \(alone[$0].wholeSeconds) s alone, \(together[$0].wholeSeconds) s together" })")
        let sooner = work.indices.count { together[$0] < alone[$0] }
        let delayed = work.indices.count { together[$0] > alone[$0] }
        // Neither is empty: it borrows too, and what is lent is not there at once.
        #expect(sooner + delayed > 0, "seed \(seed)")
    }
}
