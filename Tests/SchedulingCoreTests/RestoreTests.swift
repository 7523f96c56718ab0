import ClusterModel
import SchedulerTestKit
import Testing

@testable import SchedulingCore

/// A state out of a backup meets a node that has lived on.
@Suite struct RestoreTests {
    private let node = NodeID(1)
    private let attempt = AttemptID(job: JobID(1), index: 0, number: 1)

    /// A cluster of one node whose state was restored and whose coordinator leads again.
    private func restored(_ prepare: (inout ClusterHarness) -> Void) -> ClusterHarness {
        var harness = ClusterHarness()
        _ = harness.addNode(Build.node("n1", cpus: 1))
        prepare(&harness)
        harness.pass(.seconds(100))
        _ = harness.loop.restore(cluster: [UInt8](repeating: 8, count: 16), at: harness.now)
        _ = harness.loop.lead(cluster: [], at: harness.now)
        return harness
    }

    private func orders(_ batches: [Batch]) -> (starts: [StartOrder], stops: [AttemptID]) {
        var starts: [StartOrder] = []
        var stops: [AttemptID] = []
        for case .command(_, _, let body) in batches.flatMap(\.effects) {
            switch body {
            case .start(let batch): starts += batch.starts
            case .stop(let orders): stops += orders.map(\.attempt)
            case .release: break
            }
        }
        return (starts, stops)
    }

    @Test func identityAndEveryCounterAreNew() throws {
        var harness = restored { harness in _ = harness.submit(Build.job()) }
        let (identity, epoch) = (harness.loop.core.clusterID, harness.loop.core.epoch)
        #expect(identity == [UInt8](repeating: 8, count: 16))
        #expect(epoch.value > 1_700_000_000)
        let result = harness.submit(Build.job()).result
        guard case .success(.job(let job, _)) = result else {
            Issue.record("\(String(describing: result))")
            return
        }
        #expect(job.value > 1_700_000_000_000)
        let bytes = harness.loop.core.snapshot()
        let again = try SchedulerCore(snapshot: bytes).snapshot()
        #expect(again == bytes)
    }

    @Test func whatStillRunsRunsOn() throws {
        var fence = Fence(0)
        var harness = restored { harness in
            _ = harness.submit(Build.job())
            fence = harness.place(of: attempt)!.fence
            _ = harness.report(attempt, on: node, fence: fence, .running(elapsed: .seconds(1)))
        }
        let status = AttemptStatus(attempt: attempt, fence: fence, phase: .running(elapsed: .seconds(90)))
        let (starts, stops) = orders(harness.register(node, Build.node("n1", cpus: 1), attempts: [status]))
        #expect(starts.isEmpty && stops.isEmpty)
        let live = harness.loop.core.liveJobIDs
        #expect(live == [JobID(1)])
    }

    @Test func whatTheNodeNoLongerHasEndsAndSaysWhy() throws {
        var harness = restored { harness in
            _ = harness.submit(Build.job())
            let fence = harness.place(of: attempt)!.fence
            _ = harness.report(attempt, on: node, fence: fence, .running(elapsed: .seconds(1)))
        }
        let batches = harness.register(node, Build.node("n1", cpus: 1))
        let ends = batches.flatMap(\.events).compactMap { event -> EndedAttempt? in
            guard case .attemptEnded(let ended) = event else { return nil }
            return ended
        }
        #expect(ends.count == 1 && ends[0].reason == .infrastructure)
        #expect(ends[0].end.detail.contains("restored from a backup"))
    }

    /// The lost time placed a job that the backup knows as waiting: two grants of one attempt number meet on the node.
    @Test func anAttemptOfTheLostTimeIsStoppedAndItsNamesakeHasAnotherFence() throws {
        var harness = restored { harness in
            _ = harness.submit(Build.job())
            _ = harness.submit(Build.job())
        }
        let second = AttemptID(job: JobID(2), index: 0, number: 1)
        let lost = AttemptStatus(attempt: second, fence: Fence(2), phase: .running(elapsed: .seconds(5)))
        let (starts, stops) = orders(harness.register(node, Build.node("n1", cpus: 2), attempts: [lost]))
        #expect(stops == [second])
        // What it holds is not known, so the node gets nothing before it has said that this is gone.
        #expect(!starts.contains { $0.attempt == second })
        _ = harness.report(second, on: node, fence: Fence(2), .ended(AttemptEnd(cause: .stopped, exitCode: 143)))
        let placed = harness.place(of: second)
        let again = try #require(placed)
        #expect(again.fence > Fence(1_000_000_000))
        // The node hands it back; it is tried under the next number.
        let end = AttemptEnd(cause: .returned, exitCode: 125)
        _ = harness.report(second, on: node, fence: again.fence, .ended(end))
        harness.pass(.seconds(3))
        _ = harness.perform(.tick)
        let place = harness.place(of: AttemptID(job: JobID(2), index: 0, number: 2))
        #expect(place?.node == node)
        let violations = harness.violations
        #expect(violations.isEmpty)
    }
}
