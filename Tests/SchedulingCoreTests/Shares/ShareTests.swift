import ClusterModel
import SchedulerTestKit
import SimulationKit
import Testing

@testable import SchedulingCore

@Suite struct ShareTests {
    /// Two tenants that always have work, of weights 2 and 1: in one half-life two thirds and one third of what was used are theirs, and so they
    /// are again when it is forgotten that one of them was alone.
    @Test(arguments: [false, true]) func saturatingTenantsShareByTheirWeights(oneWasAlone: Bool) {
        var harness = ClusterHarness()
        let halfLife = Span.seconds(4 * 3600)
        harness.set(.queue(QueueRecord(name: QueueRecord.rootName, halfLife: halfLife)))
        harness.set(.tenant(TenantRecord(name: "red", weight: 2)))
        harness.set(.tenant(TenantRecord(name: "blue")))
        _ = harness.addNode(Build.node("n1", cpus: 24, memory: 1 << 40))
        func work(_ tenant: String) -> JobSpecification {
            var job = Build.job(tenant, memory: 1 << 20, array: ArrayRange(first: 0, last: 99_999))
            job.tenant = tenant
            return job
        }
        var chance = SeededGenerator(seed: 7)
        var ends: [AttemptID: LogicalTime] = [:]
        var used: [String: Int64] = [:]
        func run(for span: Span, counting: Bool) {
            let end = harness.now + span
            while harness.now < end {
                harness.pass(.seconds(10))
                for live in harness.liveTasks() {
                    let tenant = harness.loop.core.jobs[live.job]?.specification.tenant ?? ""
                    if counting { used[tenant, default: 0] += 10 }
                    let due = ends[live.attempt] ?? live.since + .seconds(Int64(60 + chance.below(600)))
                    ends[live.attempt] = due
                    guard due <= harness.now else { continue }
                    ends[live.attempt] = nil
                    _ = harness.report(
                        live.attempt, on: live.node, fence: live.fence,
                        .ended(AttemptEnd(cause: .exited, exitCode: 0, elapsed: harness.now - live.since)))
                }
            }
        }
        _ = harness.submit(work("blue"))
        if oneWasAlone { run(for: halfLife, counting: false) }
        _ = harness.submit(work("red"))
        // Who was alone has used more than its part, and gets less until that is forgotten.
        if oneWasAlone { for _ in 0..<3 { run(for: halfLife, counting: false) } }
        run(for: halfLife, counting: true)
        let (red, blue) = (Double(used["red"] ?? 0), Double(used["blue"] ?? 0))
        let part = red / (red + blue)
        #expect(abs(part - 2.0 / 3) < 0.02 * 2 / 3, "\(part)")
        let violations = harness.violations
        #expect(violations.isEmpty, "\(violations.prefix(3))")
    }

    /// Priority is within a tenant: no tenant goes before another by calling its work important.
    @Test func priorityIsWithinATenant() {
        var harness = ClusterHarness()
        for name in ["red", "blue"] { harness.set(.tenant(TenantRecord(name: name))) }
        let (node, _) = harness.addNode(Build.node("n1", cpus: 2))
        for (tenant, priority) in [("red", Int32(0)), ("red", 900), ("red", 1000), ("blue", 0), ("blue", 5)] {
            var job = Build.job("\(tenant)-\(priority)", cpuMilli: 2000, priority: priority)
            job.tenant = tenant
            _ = harness.submit(job)
        }
        var order: [JobID] = []
        while let live = harness.liveTasks().first {
            order.append(live.job)
            harness.pass(.seconds(60))
            harness.end(live.job, on: node, after: .seconds(60))
        }
        // The first came alone; then blue, which had nothing, then by turns.
        #expect(order.map(\.value) == [1, 5, 3, 4, 2])
    }

    /// Users of a project share it as tenants share the cluster.
    @Test func usersShareTheirProject() {
        var harness = ClusterHarness()
        _ = harness.addNode(Build.node("n1", cpus: 4))
        _ = harness.submit(Build.job("many", array: ArrayRange(first: 0, last: 99)), user: "ada")
        _ = harness.submit(Build.job("few", array: ArrayRange(first: 0, last: 99)), user: "bob")
        for _ in 0..<40 {
            harness.pass(.seconds(30))
            guard let live = harness.liveTasks().min(by: { $0.since < $1.since }) else { break }
            _ = harness.report(
                live.attempt, on: live.node, fence: live.fence, .ended(AttemptEnd(cause: .exited, exitCode: 0, elapsed: .seconds(30))))
        }
        let byJob = Dictionary(grouping: harness.liveTasks(), by: \.job).mapValues(\.count)
        #expect(byJob == [JobID(1): 2, JobID(2): 2])
    }

    /// Slots of short tasks are handed on within a job only while no sibling is owed them.
    @Test func slotsAreNotHandedOnPastASiblingThatHasLess() throws {
        var harness = ClusterHarness()
        for name in ["red", "blue"] { harness.set(.tenant(TenantRecord(name: name))) }
        let (node, _) = harness.addNode(Build.node("n1", cpus: 2))
        func work(_ tenant: String) -> JobSpecification {
            var job = Build.job(tenant, array: ArrayRange(first: 0, last: 999))
            job.tenant = tenant
            return job
        }
        _ = harness.submit(work("red"))
        for _ in 0..<4 {
            let live = try #require(harness.liveTasks().first)
            harness.pass(.milliseconds(5))
            _ = harness.report(
                live.attempt, on: node, fence: live.fence, .ended(AttemptEnd(cause: .exited, exitCode: 0, elapsed: .milliseconds(5))))
        }
        #expect(harness.linedUp(JobID(1)) > 0, "nobody else waits")
        _ = harness.submit(work("blue"))
        var held: [JobID: Int] = [:]
        for _ in 0..<600 {
            harness.pass(.milliseconds(5))
            let live = harness.liveTasks()
            for task in live { held[task.job, default: 0] += 1 }
            _ = harness.report(
                on: node,
                live.map {
                    let end = AttemptEnd(cause: .exited, exitCode: 0, elapsed: .milliseconds(5))
                    return AttemptStatus(attempt: $0.attempt, fence: $0.fence, phase: .ended(end), age: .zero)
                })
        }
        let part = Double(held[JobID(2)] ?? 0) / Double(held.values.reduce(0, +))
        #expect(part > 0.4 && part < 0.6, "\(held)")
        let violations = harness.violations
        #expect(violations.isEmpty, "\(violations.prefix(3))")
    }

    /// What was used is a part of the state, and use without work is forgotten.
    @Test func useIsRememberedAndForgotten() throws {
        var harness = ClusterHarness()
        harness.set(.queue(QueueRecord(name: QueueRecord.rootName, halfLife: .seconds(60))))
        let (node, _) = harness.addNode(Build.node("n1", cpus: 4))
        _ = harness.submit(Build.job())
        harness.pass(.seconds(90))
        harness.end(JobID(1), on: node, after: .seconds(90))
        let before = harness.loop.core.snapshot()
        let restored = try SchedulerCore(snapshot: before)
        #expect(restored.snapshot() == before)
        #expect(restored.accounts.remembered.contains { $0.level == .user && $0.average.amounts[0] > 600 })
        // After twenty half-lives a millionth is left, and the hour's end sweeps.
        harness.pass(.seconds(7200))
        harness.settle()
        let left = harness.loop.core.accounts.all.count
        #expect(left == 1, "the root alone")
    }

    /// Without its description the root forgets at the usual pace again, here and after a restart.
    @Test func theHalfLifeGoesWithTheDescriptionOfTheRoot() throws {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 4))
        harness.set(.queue(QueueRecord(name: QueueRecord.rootName, halfLife: .seconds(60))))
        _ = harness.submit(Build.job())
        harness.pass(.seconds(90))
        #expect(harness.perform(.removeShareObject(ShareObjectID(.queue, "root"), if: .none)).result != nil)
        harness.pass(.seconds(90))
        harness.end(JobID(1), on: node, after: .seconds(180))
        let restored = try SchedulerCore(snapshot: harness.loop.core.snapshot())
        #expect(restored.accounts.halfLife == QueueRecord.usualHalfLife)
        #expect(harness.loop.core.accounts.halfLife == QueueRecord.usualHalfLife)
    }

    /// An exact exponential, however often it is looked at.
    @Test func averagesDoNotDependOnWhenTheyAreLookedAt() {
        let held = RoomAmounts(cpuMilli: 1000)
        var (once, often) = (DecayingAverage(), DecayingAverage())
        let start = LogicalTime(nanoseconds: 1_700_000_000_000_000_000)
        once.settle(at: start, holding: held, halfLife: .seconds(100))
        often = once
        once.settle(at: start + .seconds(250), holding: .zero, halfLife: .seconds(100))
        for step in 1...250 { often.settle(at: start + .seconds(Int64(step)), holding: .zero, halfLife: .seconds(100)) }
        #expect(abs(once.amounts[0] - often.amounts[0]) < 1e-4)
        #expect(abs(once.amounts[0] / 1000 - 0.17677669) < 1e-6, "2^-2.5")
    }
}

extension ClusterHarness {
    /// - Returns: why not.
    @discardableResult
    mutating func set(_ object: ShareObject, if condition: ShareObjectCondition = .none) -> Rejection? {
        guard case .failure(let rejection)? = perform(.setShareObject(object, if: condition)).result else { return nil }
        return rejection
    }
}
