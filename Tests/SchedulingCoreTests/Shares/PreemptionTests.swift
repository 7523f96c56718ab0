import ClusterModel
import Placement
import SchedulerTestKit
import SimulationKit
import Testing

@testable import SchedulingCore

@Suite struct PreemptionTests {
    private static let lab = ShareObject.queue(QueueRecord(name: "lab", guarantee: RoomBounds(cpuMilli: 6000)))

    /// Ten preemptible tasks of one core that have run for a minute, four of them on what the queue lab is guaranteed.
    private func borrowers(_ harness: inout ClusterHarness) -> NodeID {
        harness.set(Self.lab)
        let (node, _) = harness.addNode(Build.node("n1", cpus: 10))
        for _ in 0..<10 { _ = harness.submit(job(isPreemptible: true)) }
        #expect(harness.liveTasks().count == 10)
        harness.pass(PreemptionContract.lease)
        return node
    }

    private func job(_ queue: String = "default", cpus: Int64 = 1, isPreemptible: Bool = false, priority: Int32 = 0) -> JobSpecification {
        var job = Build.job("\(queue)-\(cpus)", cpuMilli: cpus * 1000, memory: 1 << 20, priority: priority)
        (job.queue, job.isPreemptible) = (queue, isPreemptible)
        return job
    }

    /// What is guaranteed comes back when it is asked for: as much as is needed, whole gangs, kept for whom it was taken.
    @Test func aGuaranteeIsTakenBackAndKept() throws {
        var harness = ClusterHarness()
        let node = borrowers(&harness)
        _ = harness.submit(job("lab", cpus: 2))
        let batches = harness.look()
        let taken = try #require(harness.preemptions(in: batches).first)
        #expect(taken.job == JobID(11) && taken.gangs.count == 2 && taken.nodes == [node])
        #expect(batches.stops == 2, "they are told")
        // The room of the first that ends is not everybody's, though others wait and fit.
        _ = harness.submit(job())
        harness.stopped(taken.gangs[0], on: node)
        #expect(harness.liveTasks().count == 9)
        // Nor is it after a restart.
        _ = harness.restart()
        _ = harness.register(node, Build.node("n1", cpus: 10), attempts: harness.listed())
        #expect(!harness.liveTasks().contains { $0.job == JobID(12) })
        harness.stopped(taken.gangs[1], on: node)
        #expect(harness.liveTasks().contains { $0.job == JobID(11) })
        let waiting = harness.loop.core.jobs[taken.gangs[0].job]?.waiting.first
        #expect(waiting?.attempt == 2 && waiting?.reason == .preempted, "it goes on later, as no retry")
        #expect(harness.loop.core.preemptionClaims.count == 0)
        let violations = harness.violations
        #expect(violations.isEmpty, "\(violations.prefix(3))")
    }

    /// Who has just begun runs for a minute at least.
    @Test func nobodyIsStoppedBeforeItsLeaseHasEnded() {
        var harness = ClusterHarness()
        harness.set(Self.lab)
        _ = harness.addNode(Build.node("n1", cpus: 10))
        for _ in 0..<10 { _ = harness.submit(job(isPreemptible: true)) }
        harness.pass(.seconds(30))
        _ = harness.submit(job("lab"))
        #expect(harness.preemptions(in: harness.look()).isEmpty)
        // The loop asks to be woken in time.
        var taken: [Preemption] = []
        for _ in 0..<20 where taken.isEmpty {
            guard let wake = harness.loop.nextWake else { break }
            harness.pass(wake - harness.now)
            taken = harness.preemptions(in: harness.settle())
        }
        #expect(taken.count == 1)
        let since = harness.liveTasks().first?.since ?? .zero
        let waited = harness.now - since
        #expect(waited >= PreemptionContract.lease && waited <= .seconds(71), "\(waited)")
    }

    /// Of a queue that others borrow from nothing is taken below its own guarantee.
    @Test func nobodyFallsBelowItsGuarantee() {
        var harness = ClusterHarness()
        harness.set(Self.lab)
        harness.set(.queue(QueueRecord(name: "shop", guarantee: RoomBounds(cpuMilli: 4000))))
        _ = harness.addNode(Build.node("n1", cpus: 10))
        for _ in 0..<5 { _ = harness.submit(job("shop", isPreemptible: true)) }
        for _ in 0..<5 { _ = harness.submit(job(isPreemptible: true)) }
        harness.pass(PreemptionContract.lease)
        for _ in 0..<8 { _ = harness.submit(job("lab")) }
        _ = harness.look()
        var stopped: [String: Int] = [:]
        for preemption in harness.preemptions(in: harness.journal) {
            for gang in preemption.gangs { stopped[harness.loop.core.jobs[gang.job]?.specification.queue ?? "", default: 0] += 1 }
        }
        #expect(stopped == ["default": 5, "shop": 1], "six are guaranteed to lab")
    }

    /// Priority takes from the tenant's own less important work, if that may be taken, and from nobody else's.
    @Test func priorityTakesFromTheTenantsOwnWork() throws {
        var harness = ClusterHarness()
        harness.set(.tenant(TenantRecord(name: "red")))
        let (node, _) = harness.addNode(Build.node("n1", cpus: 3))
        var red = job(isPreemptible: true)
        red.tenant = "red"
        _ = harness.submit(red)
        _ = harness.submit(job())
        _ = harness.submit(job(isPreemptible: true, priority: 1))
        harness.pass(.seconds(90))
        _ = harness.submit(job(priority: 1))
        #expect(harness.preemptions(in: harness.look()).isEmpty, "as important as what runs")
        _ = harness.submit(job(priority: 2))
        let batches = harness.look()
        let taken = try #require(harness.preemptions(in: batches).first)
        #expect(taken.gangs.map(\.job) == [JobID(3)] && taken.job == JobID(5))
        harness.stopped(taken.gangs[0], on: node)
        #expect(harness.liveTasks().map(\.job.value) == [1, 2, 5])
        // What was stopped stops nobody.
        harness.pass(.seconds(90))
        harness.settle()
        #expect(harness.preemptions(in: harness.journal).count == 1)
    }

    /// Nobody is stopped for what may not start.
    @Test func limitsHoldForWhoTakesRoomToo() {
        var harness = ClusterHarness()
        harness.set(Self.lab)
        harness.set(.quota(QuotaRecord(name: "cap", queue: "lab", room: RoomBounds(cpuMilli: 2000))))
        _ = harness.addNode(Build.node("n1", cpus: 10))
        for _ in 0..<10 { _ = harness.submit(job(isPreemptible: true)) }
        harness.pass(PreemptionContract.lease)
        var array = job("lab")
        array.array = ArrayRange(first: 0, last: 63)
        _ = harness.submit(array)
        _ = harness.submit(job("lab"))
        let taken = harness.preemptions(in: harness.look())
        #expect(taken.map(\.units) == [2] && taken[0].gangs.count == 2)
    }

    /// A gang is stopped whole, also where only a part of it is in the way.
    @Test func aGangIsStoppedWhole() throws {
        var harness = ClusterHarness()
        harness.set(Self.lab)
        for name in ["n1", "n2"] { _ = harness.addNode(Build.node(name, cpus: 4)) }
        var gang = job(cpus: 4, isPreemptible: true)
        gang.groups[0].count = 2
        _ = harness.submit(gang)
        harness.pass(PreemptionContract.lease)
        _ = harness.submit(job("lab", cpus: 3))
        let batches = harness.look()
        #expect(harness.preemptions(in: batches).first?.gangs.count == 1)
        #expect(batches.stops == 2)
    }

    /// Any mix of jobs under guarantees and priorities: the laws hold for everything that is ever stopped.
    @Test(arguments: 1...12) func theLawsHold(seed: UInt64) throws {
        var world = PreemptedWorld(seed: seed)
        for _ in 0..<500 { world.step() }
        let (faults, preemptions) = (world.faults, world.preemptions)
        #expect(faults.isEmpty, "seed \(seed): \(faults.prefix(3))")
        #expect(preemptions > 3, "seed \(seed): \(preemptions)")
    }
}

extension [Batch] {
    /// Tasks that are told to stop.
    fileprivate var stops: Int {
        flatMap(\.effects).reduce(0) { sum, effect in
            guard case .command(_, _, .stop(let orders)) = effect else { return sum }
            return sum + orders.count
        }
    }
}

extension ClusterHarness {
    fileprivate func preemptions(in batches: [Batch]) -> [Preemption] { preemptions(in: batches.flatMap(\.events)) }

    fileprivate func preemptions(in events: [Event]) -> [Preemption] {
        events.compactMap { event in
            guard case .gangsPreempted(let preemption) = event else { return nil }
            return preemption
        }
    }

    /// Goes on to the next look for somebody to stop.
    fileprivate mutating func look() -> [Batch] {
        pass(PreemptionContract.interval(nodes: 1))
        return settle()
    }

    fileprivate mutating func stopped(_ gang: Preemption.Gang, on node: NodeID) {
        for live in liveTasks() where live.job == gang.job {
            let end = AttemptEnd(cause: .stopped, exitCode: 143, elapsed: now - live.since)
            _ = report(live.attempt, on: live.node, fence: live.fence, .ended(end))
        }
    }

    /// Everything that lives, as a node lists it.
    fileprivate func listed() -> [AttemptStatus] {
        liveTasks().map { AttemptStatus(attempt: $0.attempt, fence: $0.fence, phase: .running(elapsed: .seconds(1)), age: .zero) }
    }
}

/// Two tenants, two queues with guarantees, four nodes; what is stopped ends some time later.
private struct PreemptedWorld: ~Copyable {
    var harness = ClusterHarness()
    var chance: SeededGenerator
    var faults: [String] = []
    var preemptions = 0
    private var judged = 0
    private let guarantees: [String: Int64]

    init(seed: UInt64) {
        chance = SeededGenerator(seed: seed, stream: 62)
        guarantees = ["lab": 1000 * chance.between(6, 16), "shop": 1000 * chance.between(4, 10)]
        for name in ["red", "blue"] { harness.set(.tenant(TenantRecord(name: name))) }
        for (name, amount) in guarantees.sorted(by: { $0.key < $1.key }) {
            harness.set(.queue(QueueRecord(name: name, guarantee: RoomBounds(cpuMilli: amount))))
        }
        for number in 0..<4 { _ = harness.addNode(Build.node("n\(number)", cpus: 8, memory: 1 << 40)) }
    }

    mutating func step() {
        harness.pass(.seconds(Int64(chance.below(40))))
        let live = harness.liveTasks()
        let told = live.filter {
            harness.loop.core.jobs[$0.job]?.live[$0.attempt.task.index / (harness.loop.core.jobs[$0.job]?.gangSize ?? 1)]?.stopReason != nil
        }
        if let task = told.first, chance.chance(milli: 700) {
            end(task, .stopped)
        } else if !live.isEmpty, chance.chance(milli: 250) {
            end(live[chance.below(live.count)], .exited)
        } else {
            var job = Build.job(
                cpuMilli: 1000 * chance.between(1, 6), memory: 1 << 20, tasks: chance.chance(milli: 250) ? 2 : 1,
                array: chance.chance(milli: 150) ? ArrayRange(first: 0, last: 3) : nil, priority: Int32(chance.below(3)))
            job.tenant = chance.chance(milli: 500) ? "red" : "blue"
            job.queue = ["default", "default", "lab", "shop"][chance.below(4)]
            job.isPreemptible = chance.chance(milli: 600)
            _ = harness.submit(job)
        }
        harness.settle()
        if chance.chance(milli: 20), let restored = try? SchedulerCore(snapshot: harness.loop.core.snapshot()),
            restored.snapshot() != harness.loop.core.snapshot()
        {
            faults.append("a snapshot that is read back is another")
        }
        faults += harness.violations.map(\.description)
        judge()
    }

    private mutating func end(_ task: ClusterHarness.LiveTaskView, _ cause: AttemptEnd.Cause) {
        let end = AttemptEnd(cause: cause, exitCode: cause == .exited ? 0 : 143, elapsed: harness.now - task.since)
        _ = harness.report(task.attempt, on: task.node, fence: task.fence, .ended(end))
    }

    /// Of each preemption since the last look, with the state as it is right after.
    private mutating func judge() {
        let events = harness.journal[judged...]
        judged = harness.journal.count
        for case .gangsPreempted(let preemption) in events {
            preemptions += 1
            judge(preemption)
        }
    }

    private func heldBy(_ queue: String) -> (held: Int64, told: Int64) {
        var (held, told): (Int64, Int64) = (0, 0)
        for id in harness.loop.core.liveJobIDs {
            guard let row = harness.loop.core.jobs[id], row.specification.queue == queue else { continue }
            for unit in row.live.values {
                let amount = unit.tasks.filter(\.isLive).reduce(0) { $0 + $1.allocation.cpuMilli }
                held += amount
                if unit.stopReason == .preempted { told += amount }
            }
        }
        return (held, told)
    }

    private mutating func judge(_ preemption: Preemption) {
        guard let row = harness.loop.core.jobs[preemption.job] else { return }
        let isWithinGuarantee = row.specification.queue != "default"
        for gang in preemption.gangs {
            guard let victim = harness.loop.core.jobs[gang.job], let unit = victim.live[gang.ordinal] else { continue }
            if !victim.specification.isPreemptible { faults.append("\(gang.job) is firm") }
            if unit.stopReason != .preempted { faults.append("\(gang.job) is not stopped whole") }
            if unit.tasks.contains(where: { preemption.at - $0.heldSince < PreemptionContract.lease }) {
                faults.append("\(gang.job) had not had its lease")
            }
            let isOwn = victim.specification.tenant == row.specification.tenant && victim.specification.queue == row.specification.queue
            if isOwn, victim.specification.priority >= row.specification.priority {
                faults.append("\(gang.job) is as important as \(preemption.job)")
            }
            if victim.specification.queue != row.specification.queue, let guaranteed = guarantees[victim.specification.queue] {
                let (held, told) = heldBy(victim.specification.queue)
                if held - told < guaranteed { faults.append("\(victim.specification.queue) is left \(held - told) of \(guaranteed)") }
            }
            if !isOwn, !isWithinGuarantee { faults.append("\(preemption.job) takes from \(gang.job) of others") }
        }
        judgeNeed(preemption, row)
    }

    /// Were one of them left where it is, there would be too few cores on the nodes that were chosen.
    private mutating func judgeNeed(_ preemption: Preemption, _ row: JobRow) {
        guard row.gangSize == 1, preemption.nodes.count == 1, let node = preemption.nodes.first, preemption.units == 1,
            let offer = harness.loop.core.offers[node]
        else { return }
        let freed = preemption.gangs.compactMap { gang -> Int64? in
            harness.loop.core.jobs[gang.job]?.live[gang.ordinal]?.tasks.filter { $0.node == node && $0.isLive }.reduce(0) {
                $0 + $1.allocation.cpuMilli
            }
        }
        let needed = row.specification.groups[0].resources.cpuMilli
        for less in freed where offer.room.cpuMilliFree + freed.reduce(0, +) - less >= needed {
            faults.append("\(preemption.job) needs \(needed), \(offer.room.cpuMilliFree) are free and \(freed) are taken")
        }
    }
}
