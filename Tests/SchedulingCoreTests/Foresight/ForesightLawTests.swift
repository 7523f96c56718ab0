import ClusterModel
import SchedulerTestKit
import SimulationKit
import Testing

@testable import SchedulingCore

/// Foresight is true: whatever it says of a moment is done in that moment, and comes out so.
@Suite struct ForesightLawTests {
    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func whatIsForeseenComesTrue(seed: UInt64) {
        var world = ForeseenWorld(seed: seed)
        for _ in 0..<600 where world.faults.isEmpty { world.step() }
        #expect(world.faults == [], "seed \(seed)")
        #expect(world.plansThatStart > 8 && world.plansThatWait > 20 && world.plansThatNever > 2, "seed \(seed): \(world.counts)")
        #expect(world.alterationsApplied > 10, "seed \(seed): \(world.counts)")
    }
}

/// Nodes of several kinds, two tenants, a quota, a guarantee; jobs of all kinds.
private struct ForeseenWorld: ~Copyable {
    var harness = ClusterHarness()
    var chance: SeededGenerator
    var faults: [String] = []
    var (plansThatStart, plansThatWait, plansThatNever, alterationsApplied) = (0, 0, 0, 0)
    var counts: String { "\(plansThatStart) start, \(plansThatWait) wait, \(plansThatNever) never, \(alterationsApplied) altered" }
    private var foresight = Foresight()
    private var core: SchedulerCore
    private var followed = 0

    init(seed: UInt64) {
        chance = SeededGenerator(seed: seed, stream: 63)
        for name in ["red", "blue"] { harness.set(.tenant(TenantRecord(name: name))) }
        harness.set(.queue(QueueRecord(name: "lab", guarantee: RoomBounds(deviceMilli: 3000))))
        harness.set(.quota(QuotaRecord(name: "cap", tenant: "red", room: RoomBounds(cpuMilli: 20_000, deviceMilli: 6000))))
        for number in 0..<6 {
            var node = Build.node(
                "n\(number)", cpus: 8, memory: 64 << 30, gpus: number < 4 ? 4 : 0, labels: [NamedText("zone", number % 2 == 0 ? "a" : "b")])
            if number == 3 { for index in node.devices.indices { node.devices[index].model = "H100" } }
            _ = harness.addNode(node)
        }
        core = SchedulerCore()
        follow()
    }

    /// One state that is fed with events, as readers have it: the index over it is brought up, not made anew.
    private mutating func follow() {
        var changes = Changes(recording: false)
        for event in harness.journal[followed...] { core.evolve(event, &changes) }
        followed = harness.journal.count
        foresight.follow(harness.loop.reservedRooms)
        foresight.relax(&core)
    }

    mutating func step() {
        harness.pass(.seconds(Int64(chance.below(50))))
        harness.settle()
        let live = harness.liveTasks()
        if !live.isEmpty, chance.chance(milli: 350) {
            let task = live[chance.below(live.count)]
            let end = AttemptEnd(cause: .exited, exitCode: 0, elapsed: harness.now - task.since)
            _ = harness.report(task.attempt, on: task.node, fence: task.fence, .ended(end))
        } else if chance.chance(milli: 600) {
            compareWithPlan(drawJob())
        } else {
            applyAlteration()
        }
        faults += harness.violations.map(\.description)
    }

    private mutating func drawJob() -> JobSpecification {
        let device = chance.chance(milli: 600)
        var request: DeviceRequest?
        if device {
            request = DeviceRequest(kind: .gpu, count: UInt32(chance.between(1, 5)))
            if chance.chance(milli: 250) { request?.modelPattern = chance.chance(milli: 500) ? "A100" : "H100" }
            if chance.chance(milli: 250) { request = DeviceRequest(kind: .gpu, count: 1, shareMilli: 50 * chance.between(1, 19)) }
        }
        let zone = Constraint(key: "zone", comparison: .equals, value: chance.chance(milli: 500) ? "a" : "b")
        var job = Build.job(
            cpuMilli: chance.chance(milli: 300) ? 100 * chance.between(1, 9) : 1000 * chance.between(1, 9),
            memory: chance.between(1, 40) << 30, devices: request, tasks: chance.chance(milli: 300) ? UInt32(chance.between(2, 5)) : 1,
            array: chance.chance(milli: 150) ? ArrayRange(first: 0, last: UInt32(chance.between(1, 9))) : nil,
            priority: Int32(chance.below(2)), constraints: chance.chance(milli: 250) ? [zone] : [])
        job.tenant = chance.chance(milli: 500) ? "red" : "blue"
        job.queue = chance.chance(milli: 250) ? "lab" : "default"
        job.isPreemptible = chance.chance(milli: 400)
        if chance.chance(milli: 300) { job.timeLimit = .seconds(chance.between(20, 400)) }
        if chance.chance(milli: 200) {
            job.groups[0].resources.topology = TopologyRequest([[.node, .center][chance.below(2)]: .require])
        }
        if chance.chance(milli: 50) { job.beginAt = harness.now + .seconds(100) }
        if chance.chance(milli: 80), let other = harness.loop.core.liveJobIDs.last {
            job.dependencies = [Dependency(job: other, condition: .any)]
        }
        return job
    }

    private mutating func compareWithPlan(_ job: JobSpecification) {
        follow()
        let before = core.snapshot()
        let submission = Submission(specification: job, user: "ada", key: nil)
        let plan = foresight.plan(submission, &core, at: harness.now)
        if core.snapshot() != before { faults.append("a plan changed the state") }
        let (batches, result) = harness.perform(.submit(submission))
        guard case .success(.job(let id, _))? = result else {
            plansThatNever += 1
            if plan.verdict != .never { faults.append("planned \(plan.verdict), and was refused: \(String(describing: result))") }
            return
        }
        let placed = batches.flatMap(\.events).reduce(0) { sum, event in
            guard case .unitsPlaced(let units) = event, units.job == id else { return sum }
            return sum + units.units.count
        }
        switch plan.verdict {
        case .never: faults.append("\(id) should have been refused")
        case .starts:
            plansThatStart += 1
            if placed != plan.gangs.count { faults.append("\(id): planned \(plan.gangs.count) starts, there were \(placed)") }
        case .waits:
            plansThatWait += 1
            if placed > 0 { faults.append("\(id) started, which was planned to wait: \(plan.explanation)") }
            // Those are stopped with the next look, which may be now.
            guard plan.victims.isEmpty else { return }
            var known: SchedulerCore.Explanations = [:]
            guard let standing = harness.loop.core.liveStanding(of: id, &known, rooms: harness.loop.reservedRooms) else { return }
            if standing.standing.reason != plan.reason || standing.explanation != plan.explanation {
                faults.append("\(id): planned '\(plan.reason) \(plan.explanation)', waits for '\(standing.explanation)'")
            }
        }
    }

    /// One of the ways in which some job would start now is taken: it does.
    private mutating func applyAlteration() {
        follow()
        let waiting = harness.loop.core.liveJobIDs.filter { harness.loop.core.jobs[$0]?.waiting.isEmpty == false }
        guard !waiting.isEmpty else { return }
        let id = waiting[chance.below(waiting.count)]
        guard let row = harness.loop.core.jobs[id] else { return }
        var known: SchedulerCore.Explanations = [:]
        guard let forecast = foresight.forecast(of: id, &core, known: &known, at: harness.now), !forecast.alterations.isEmpty else {
            return
        }
        if let start = forecast.start, start.latest < start.earliest || start.earliest < harness.now {
            faults.append("\(id) starts \(start)")
        }
        let alteration = forecast.alterations[chance.below(forecast.alterations.count)]
        let (batches, result) = harness.submit(alteration.applied(to: row.specification), user: row.user)
        guard case .success(.job(let altered, _))? = result else {
            faults.append("\(id) \(alteration): \(String(describing: result))")
            return
        }
        alterationsApplied += 1
        let hasStarted = batches.flatMap(\.events).contains { event in
            if case .unitsPlaced(let units) = event { units.job == altered } else { false }
        }
        if !hasStarted { faults.append("\(id) with \(alteration) does not start") }
        _ = harness.perform(.cancel(id))
    }
}
