import ClusterModel
import SchedulerTestKit
import SimulationKit
import Testing

@testable import SchedulingCore

@Suite struct QuotaTests {
    @Test func aQuotaOfDevicesIsNeverExceededAndSaysSo() throws {
        var harness = ClusterHarness()
        harness.set(.quota(QuotaRecord(name: "cap", tenant: "default", room: RoomBounds(deviceMilli: 2000))))
        let (node, _) = harness.addNode(Build.node("n1", cpus: 8, gpus: 4))
        for _ in 0..<3 { _ = harness.submit(Build.job(devices: DeviceRequest(kind: .gpu, count: 1))) }
        #expect(harness.liveTasks().map(\.job.value) == [1, 2])
        let waiting = harness.loop.core.liveStanding(of: JobID(3))
        #expect(waiting?.standing.reason == .quota)
        #expect(waiting?.explanation == "the quota 'cap' allows 2 devices, 2 devices held, 1 device more requested")
        harness.end(JobID(1), on: node, after: .seconds(10))
        #expect(harness.liveTasks().map(\.job.value) == [2, 3])
    }

    /// What could never run is refused when it comes, with the number; what a quota leaves no place to wait for, too.
    @Test func whatAQuotaForbidsForEverIsRefused() {
        var harness = ClusterHarness()
        harness.set(
            .quota(QuotaRecord(name: "cap", tenant: "default", isForEachUser: true, room: RoomBounds(cpuMilli: 4000), queuedJobs: 1)))
        guard case .failure(let rejection)? = harness.submit(Build.job(cpuMilli: 2000, tasks: 3)).result else {
            Issue.record("it was accepted")
            return
        }
        #expect(rejection.code == "quota")
        guard case .quota(let miss) = rejection else { return }
        #expect(miss.sentence == "the quota 'cap' allows 4 cores to 'ada', 6 cores more requested")
        #expect(harness.submit(Build.job()).result.isSuccess)
        guard case .failure(.quota(let second))? = harness.submit(Build.job()).result else {
            Issue.record("a second was accepted")
            return
        }
        #expect(second.sentence == "the quota 'cap' allows 1 queued job to 'ada', 1 held, 1 more requested")
        #expect(harness.submit(Build.job(), user: "bob").result.isSuccess, "another user has a quota of his own")
        // What has begun is not queued any more.
        _ = harness.addNode(Build.node("n1"))
        #expect(harness.submit(Build.job()).result.isSuccess)
    }

    @Test func modelsAreCountedByWhatWasGiven() {
        var harness = ClusterHarness()
        harness.set(.quota(QuotaRecord(name: "cap", queue: "default", models: [.init(pattern: "*a100*", deviceMilli: 1500)])))
        _ = harness.addNode(Build.node("n1", cpus: 8, gpus: 4))
        for _ in 0..<4 { _ = harness.submit(Build.job(devices: DeviceRequest(kind: .gpu, count: 1, shareMilli: 500))) }
        #expect(harness.liveTasks().count == 3)
        harness.set(.quota(QuotaRecord(name: "cap", queue: "default", models: [.init(pattern: "*a100*", deviceMilli: 2000)])))
        #expect(harness.liveTasks().count == 4, "a larger quota is felt at once")
    }

    /// What a tenant may not have of what it likes best, it gets of what it likes less.
    @Test func alternativesAndOtherModelsAreTriedUnderAQuota() {
        var harness = ClusterHarness()
        harness.set(
            .quota(
                QuotaRecord(
                    name: "cap", tenant: "default", room: RoomBounds(deviceMilli: 3000), models: [.init(pattern: "A100", deviceMilli: 1000)]
                )))
        _ = harness.addNode(Build.node("n1", cpus: 8, gpus: 4))
        var other = Build.node("n2", cpus: 8, gpus: 4)
        for index in other.devices.indices { other.devices[index].model = "H100" }
        _ = harness.addNode(other)
        for _ in 0..<2 { _ = harness.submit(Build.job(devices: DeviceRequest(kind: .gpu, count: 1, modelPattern: "A100|H100"))) }
        #expect(harness.liveTasks().map(\.node.value) == [1, 2], "one of each model")
        var job = Build.job(devices: DeviceRequest(kind: .gpu, count: 2))
        job.groups[0].resources.alternatives = [DeviceRequest(kind: .gpu, count: 1)]
        _ = harness.submit(job)
        #expect(harness.liveTasks().count == 3, "two would be too many, one is not")
    }

    /// Who was refused one model is tried again when another becomes free, though nothing of its own account ended.
    @Test func aLaneThatWasOfferedTheWrongModelIsTriedAgain() throws {
        var harness = ClusterHarness()
        harness.set(.tenant(TenantRecord(name: "red")))
        harness.set(.quota(QuotaRecord(name: "cap", tenant: "red", models: [.init(pattern: "A100", deviceMilli: 0)])))
        _ = harness.addNode(Build.node("n1", cpus: 8, gpus: 1))
        var other = Build.node("n2", cpus: 8, gpus: 1)
        other.devices[0].model = "H100"
        let (second, _) = harness.addNode(other)
        _ = harness.submit(Build.job(devices: DeviceRequest(kind: .gpu, count: 1, modelPattern: "H100")))
        var red = Build.job(devices: DeviceRequest(kind: .gpu, count: 1))
        red.tenant = "red"
        _ = harness.submit(red)
        #expect(harness.liveTasks().map(\.job.value) == [1])
        harness.end(JobID(1), on: second, after: .seconds(9))
        #expect(harness.liveTasks().map(\.node) == [second], "the H100 is free")
    }

    /// A smaller quota stops nothing, but it does not keep slots for a job of short tasks either.
    @Test func slotsAreNotHandedOnBeyondALimit() throws {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 4))
        _ = harness.submit(Build.job(array: ArrayRange(first: 0, last: 999)))
        func run(_ rounds: Int) {
            for _ in 0..<rounds {
                harness.pass(.milliseconds(5))
                _ = harness.report(
                    on: node,
                    harness.liveTasks().map {
                        let end = AttemptEnd(cause: .exited, exitCode: 0, elapsed: .milliseconds(5))
                        return AttemptStatus(attempt: $0.attempt, fence: $0.fence, phase: .ended(end), age: .zero)
                    })
            }
        }
        run(5)
        try #require(harness.linedUp(JobID(1)) > 0 && harness.liveTasks().count == 4)
        harness.set(.quota(QuotaRecord(name: "cap", tenant: "default", runningTasks: 1)))
        run(60)
        #expect(harness.liveTasks().count == 1)
    }

    /// Whoever needs a name that does not exist is told how to make it.
    @Test func namesMustExist() {
        var harness = ClusterHarness()
        var job = Build.job()
        (job.tenant, job.project, job.queue) = ("lab", "eyes", "night")
        guard case .failure(.invalid(let errors))? = harness.submit(job).result else {
            Issue.record("it was accepted")
            return
        }
        #expect(errors.map(\.field) == ["tenant", "project", "queue"])
        #expect(errors.last?.message == "the queue 'night' does not exist: make it with 'suanpan queue create night'")
        harness.set(.tenant(TenantRecord(name: "lab")))
        harness.set(.project(ProjectRecord(tenant: "lab", name: "eyes")))
        harness.set(.queue(QueueRecord(name: "night")))
        #expect(harness.submit(job).result.isSuccess)
        for id in [ShareObjectID(.tenant, "lab"), ShareObjectID(.project, "lab/eyes"), ShareObjectID(.queue, "night")] {
            guard case .failure(.conflict)? = harness.perform(.removeShareObject(id, if: .none)).result else {
                Issue.record("\(id) was removed under its job")
                continue
            }
        }
    }

    @Test func changesAreJudgedAgainstWhatTheirAuthorSaw() {
        var harness = ClusterHarness()
        let (old, new) = (ShareObject.tenant(TenantRecord(name: "lab")), ShareObject.tenant(TenantRecord(name: "lab", weight: 3)))
        #expect(harness.set(old, if: .present)?.code == "not_found")
        #expect(harness.set(old, if: .absent) == nil)
        #expect(harness.set(new, if: .absent)?.code == "conflict")
        #expect(harness.set(new, if: .equals(old)) == nil)
        #expect(harness.set(old, if: .equals(old))?.code == "changed")
        #expect(harness.loop.core.shareObject(new.id) == new)
    }

    /// Firm work leaves what is guaranteed to others; work that can be taken away may use it, but for what is not lent.
    @Test func guaranteesAreKeptFromFirmWork() {
        var harness = ClusterHarness()
        harness.set(.queue(QueueRecord(name: "lab", guarantee: RoomBounds(cpuMilli: 6000), lend: RoomBounds(cpuMilli: 4000))))
        _ = harness.addNode(Build.node("n1", cpus: 10))
        func submit(_ queue: String, isPreemptible: Bool) -> JobID? {
            var job = Build.job(memory: 1 << 20)
            job.queue = queue
            job.isPreemptible = isPreemptible
            guard case .success(.job(let id, _))? = harness.submit(job).result else { return nil }
            return id
        }
        for _ in 0..<10 { _ = submit("default", isPreemptible: false) }
        #expect(harness.liveTasks().count == 4, "10 less 6 that are guaranteed")
        let waiting = harness.loop.core.liveStanding(of: JobID(5))
        #expect(waiting?.standing.reason == .quota)
        #expect(
            waiting?.explanation
                == "only 0 cores are not kept for the guarantees of other queues, 1 core requested; a job that is preemptible may use them")
        for _ in 0..<10 { _ = submit("default", isPreemptible: true) }
        #expect(harness.liveTasks().count == 8, "4 more that are lent, 2 are not")
        for _ in 0..<10 { _ = submit("lab", isPreemptible: false) }
        #expect(harness.liveTasks().count == 10, "its own, at once")
        let violations = harness.violations
        #expect(violations.isEmpty, "\(violations.prefix(3))")
    }

    /// Any jobs under any limits, ending in any order: no limit is ever exceeded, counted apart from the product.
    @Test(arguments: 1...12) func noInterleavingExceedsALimit(seed: UInt64) {
        var world = LimitedWorld(seed: seed)
        for _ in 0..<400 { world.step() }
        let (faults, placed) = (world.faults, world.placed)
        #expect(faults.isEmpty, "seed \(seed): \(faults.prefix(3))")
        #expect(placed > 100, "seed \(seed): \(placed) placed")
    }
}

extension Result<Answer, Rejection>? {
    var isSuccess: Bool {
        if case .success? = self { return true }
        return false
    }
}

/// Three tenants with two users each in a tree of queues, all with limits drawn from a seed.
private struct LimitedWorld: ~Copyable {
    var harness = ClusterHarness()
    var chance: SeededGenerator
    var queues: [QueueRecord] = []
    var quotas: [QuotaRecord] = []
    var faults: [String] = []
    var placed = 0
    static let capacity: [Int64] = [32_000, 32 << 30, 16_000]

    init(seed: UInt64) {
        chance = SeededGenerator(seed: seed, stream: 61)
        for name in ["red", "blue", "green"] { harness.set(.tenant(TenantRecord(name: name, weight: UInt32(1 + chance.below(3))))) }
        queues = [
            QueueRecord(name: "lab", guarantee: RoomBounds(cpuMilli: 12_000, deviceMilli: 4000)),
            QueueRecord(
                name: "lab-a", parent: "lab", guarantee: RoomBounds(cpuMilli: 1000 * chance.between(1, 8)),
                borrow: RoomBounds(cpuMilli: 1000 * chance.between(0, 6))),
            QueueRecord(name: "lab-b", parent: "lab", ceiling: RoomBounds(deviceMilli: 1000 * chance.between(1, 5))),
            QueueRecord(
                name: "shop", guarantee: RoomBounds(cpuMilli: 8000), ceiling: RoomBounds(cpuMilli: 1000 * chance.between(8, 20)),
                lend: RoomBounds(cpuMilli: 1000 * chance.between(0, 8))),
        ]
        for queue in queues { harness.set(.queue(queue)) }
        quotas = [
            QuotaRecord(name: "red", tenant: "red", room: RoomBounds(deviceMilli: 1000 * chance.between(1, 6)), runningTasks: 9),
            QuotaRecord(name: "each", isForEachUser: true, room: RoomBounds(cpuMilli: 1000 * chance.between(4, 10))),
            QuotaRecord(name: "shop-blue", tenant: "blue", queue: "shop", room: RoomBounds(memoryBytes: chance.between(1, 6) << 30)),
        ]
        for quota in quotas { harness.set(.quota(quota)) }
        for number in 0..<4 { _ = harness.addNode(Build.node("n\(number)", cpus: 8, memory: 8 << 30, gpus: 4)) }
    }

    mutating func step() {
        harness.pass(.seconds(Int64(chance.below(60))))
        let live = harness.liveTasks()
        if !live.isEmpty, chance.chance(milli: 500) {
            let task = live[chance.below(live.count)]
            let end = AttemptEnd(cause: .exited, exitCode: 0, elapsed: harness.now - task.since)
            _ = harness.report(task.attempt, on: task.node, fence: task.fence, .ended(end))
        } else {
            var job = Build.job(
                cpuMilli: 500 * chance.between(1, 8), memory: chance.between(1, 2048) << 20,
                devices: chance.chance(milli: 400) ? DeviceRequest(kind: .gpu, count: 1, shareMilli: 500 * chance.between(1, 2)) : nil,
                tasks: chance.chance(milli: 200) ? UInt32(chance.between(2, 4)) : 1,
                array: chance.chance(milli: 200) ? ArrayRange(first: 0, last: UInt32(chance.below(12))) : nil,
                priority: Int32(chance.below(3)))
            job.tenant = ["red", "blue", "green"][chance.below(3)]
            job.queue = ["default", "lab-a", "lab-b", "shop"][chance.below(4)]
            job.isPreemptible = chance.chance(milli: 300)
            _ = harness.submit(job, user: chance.chance(milli: 500) ? "ada" : "bob")
        }
        placed = harness.journal.reduce(0) { if case .unitsPlaced = $1 { $0 + 1 } else { $0 } }
        faults += harness.violations.map(\.description)
        judge()
    }

    /// From the rows of the jobs alone.
    private mutating func judge() {
        var byQueue: [String: [Int64]] = [:]
        var firmByQueue: [String: [Int64]] = [:]
        var byQuota: [String: [Int64]] = [:]
        for id in harness.loop.core.liveJobIDs {
            guard let row = harness.loop.core.jobs[id] else { continue }
            let job = row.specification
            for unit in row.live.values {
                for task in unit.tasks where task.isLive {
                    let amounts = [
                        task.allocation.cpuMilli, task.allocation.memoryBytes, task.allocation.devices.reduce(0) { $0 + $1.shareMilli }, 1,
                    ]
                    for queue in [job.queue, job.queue.hasPrefix("lab") ? "lab" : "", "root"] where !queue.isEmpty {
                        Self.add(amounts, to: &byQueue[queue, default: [0, 0, 0, 0]])
                        if !job.isPreemptible { Self.add(amounts, to: &firmByQueue[queue, default: [0, 0, 0, 0]]) }
                    }
                    if job.tenant == "red" { Self.add(amounts, to: &byQuota["red", default: [0, 0, 0, 0]]) }
                    if job.tenant == "blue", job.queue == "shop" { Self.add(amounts, to: &byQuota["shop-blue", default: [0, 0, 0, 0]]) }
                    Self.add(amounts, to: &byQuota["each \(row.user)", default: [0, 0, 0, 0]])
                }
            }
        }
        let quotas = quotas
        require(byQuota["red"]?[2] ?? 0, atMost: quotas[0].room.deviceMilli, "devices of red")
        require(byQuota["red"]?[3] ?? 0, atMost: 9, "tasks of red")
        for user in ["ada", "bob"] { require(byQuota["each \(user)"]?[0] ?? 0, atMost: quotas[1].room.cpuMilli, "cores of \(user)") }
        require(byQuota["shop-blue"]?[1] ?? 0, atMost: quotas[2].room.memoryBytes, "memory of blue in shop")
        let queues = queues
        for queue in queues {
            let held = byQueue[queue.name] ?? [0, 0, 0, 0]
            require(held[0], atMost: queue.ceiling.cpuMilli, "cores of \(queue.name)")
            require(held[2], atMost: queue.ceiling.deviceMilli, "devices of \(queue.name)")
            if let borrow = queue.borrow.cpuMilli {
                require(held[0], atMost: (queue.guarantee.cpuMilli ?? 0) + borrow, "borrowed cores of \(queue.name)")
            }
        }
        // Firm work and what is guaranteed beyond it fit; all work and what is not lent fit.
        for (kind, guarantee) in [(0, \RoomBounds.cpuMilli), (2, \RoomBounds.deviceMilli)] {
            func left(_ name: String, _ held: [String: [Int64]], _ most: (QueueRecord) -> Int64) -> Int64 {
                guard let queue = queues.first(where: { $0.name == name }) else { return 0 }
                return max(0, most(queue) - (held[name]?[kind] ?? 0))
            }
            let guaranteed = { (queue: QueueRecord) in queue.guarantee[keyPath: guarantee] ?? 0 }
            let owed = { (name: String) in left(name, firmByQueue, guaranteed) }
            let firm = (firmByQueue["root"]?[kind] ?? 0) + max(owed("lab"), owed("lab-a") + owed("lab-b")) + owed("shop")
            require(firm, atMost: Self.capacity[kind], "firm \(kind)")
            let kept = left("shop", byQueue) { queue in
                queue.lend[keyPath: guarantee].map { max(0, guaranteed(queue) - $0) } ?? 0
            }
            require((byQueue["root"]?[kind] ?? 0) + kept, atMost: Self.capacity[kind], "held \(kind)")
        }
    }

    private static func add(_ amounts: [Int64], to sums: inout [Int64]) {
        for index in sums.indices { sums[index] += amounts[index] }
    }

    private mutating func require(_ amount: Int64, atMost most: Int64?, _ what: String) {
        if let most, amount > most { faults.append("\(what): \(amount) of \(most)") }
    }
}
