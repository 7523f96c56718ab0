import ClusterModel
import Placement
import SchedulerTestKit
import Testing

@testable import SchedulingCore

/// Every reason that the scheduler can have not to start something, each in a situation of its own: its code and its sentence.
@Suite struct RefusalTests {
    /// What a situation shows. The switches below do not compile when the scheduler learns a new one.
    enum Cause: String, CaseIterable {
        case notConnected, quarantined, cordoned, leftovers, diskFull
        case simulated, tainted, constraint, cpu, memory, devices, noSuchDevice, noSuchTemplate, computeUnits, wholeCores, topology
        case quota, queueCeiling, queueBorrowing, guaranteesOfOthers
        case hold, dependency, beginTime, arrayLimit, reservation, gang, noNode

        init(_ misfit: Misfit) {
            switch misfit {
            case .outOfService(let outage): self = Cause(outage)
            case .simulated: self = .simulated
            case .tainted: self = .tainted
            case .constraint: self = .constraint
            case .cpu: self = .cpu
            case .memory: self = .memory
            case .devices: self = .devices
            case .noSuchDevice: self = .noSuchDevice
            case .noSuchTemplate: self = .noSuchTemplate
            case .computeUnits: self = .computeUnits
            case .wholeCores: self = .wholeCores
            case .topology: self = .topology
            }
        }

        init(_ outage: Outage) {
            switch outage {
            case .notConnected: self = .notConnected
            case .quarantined: self = .quarantined
            case .cordoned: self = .cordoned
            case .leftovers: self = .leftovers
            case .diskFull: self = .diskFull
            }
        }

        init(_ limit: QuotaMiss.Limit) {
            switch limit {
            case .quota: self = .quota
            case .queueCeiling: self = .queueCeiling
            case .queueBorrowing: self = .queueBorrowing
            case .guarantees: self = .guaranteesOfOthers
            }
        }
    }

    struct Situation: Sendable, CustomTestStringConvertible {
        var cause: Cause
        var code: Reason
        var sentence: String
        /// Makes a world in which the last job that is submitted waits.
        var make: @Sendable (inout ClusterHarness) -> Void

        init(_ cause: Cause, _ code: Reason, _ sentence: String, _ make: @escaping @Sendable (inout ClusterHarness) -> Void) {
            (self.cause, self.code, self.sentence, self.make) = (cause, code, sentence, make)
        }

        var testDescription: String { cause.rawValue }
    }

    private static func add(
        _ harness: inout ClusterHarness, cpus: Int64 = 4, gpus: Int = 0, _ change: (inout NodeInventory) -> Void = { _ in }
    ) {
        var node = Build.node("n\(harness.loop.core.nodeIDs.count + 1)", cpus: cpus, gpus: gpus)
        change(&node)
        _ = harness.addNode(node)
    }

    private static func submit(
        _ harness: inout ClusterHarness, _ job: JobSpecification = Build.job(), _ change: (inout JobSpecification) -> Void = { _ in }
    ) {
        var job = job
        change(&job)
        _ = harness.submit(job)
    }

    private static func gpu(_ count: UInt32, model: String = "") -> DeviceRequest {
        DeviceRequest(kind: .gpu, count: count, modelPattern: model)
    }

    /// Something that would hold it comes first, so that it may wait, and then goes out of service.
    private static func leaving(
        _ harness: inout ClusterHarness, _ change: (inout JobSpecification) -> Void, large: (inout NodeInventory) -> Void
    ) {
        add(&harness)
        add(&harness, cpus: 8, large)
        _ = harness.perform(.setNodeCordon(NodeID(2), isCordoned: true))
        submit(&harness, Build.job(), change)
    }

    static let ofNodes: [Situation] = [
        Situation(.noNode, .capacity, "no node has registered yet") { submit(&$0) },
        Situation(.cordoned, .capacity, "1 of 1 nodes: cordoned") {
            add(&$0)
            _ = $0.perform(.setNodeCordon(NodeID(1), isCordoned: true))
            submit(&$0)
        },
        Situation(.notConnected, .capacity, "1 of 1 nodes: out of service (not connected)") {
            add(&$0)
            _ = $0.perform(.disconnected(NodeID(1)))
            submit(&$0)
        },
        Situation(.diskFull, .capacity, "1 of 1 nodes: out of service (its disk is full)") {
            add(&$0)
            let registration = Registration(
                instance: 1, bootID: [UInt8](repeating: 9, count: 16), inventory: Build.node("n1"), attempts: [], condition: .diskFull)
            _ = $0.perform(.register(NodeID(1), registration))
            submit(&$0)
        },
        Situation(.simulated, .unsatisfiable, "1 of 1 nodes: simulated (only for jobs with --constraint simulated)") {
            submit(&$0)
            add(&$0) { $0.isSimulated = true }
        },
        Situation(.tainted, .unsatisfiable, "1 of 1 nodes: kept for jobs with --constraint team") {
            submit(&$0)
            add(&$0) { $0.taints = ["team"] }
        },
        Situation(.constraint, .unsatisfiable, "1 of 1 nodes: constraint 'rack=r1' not met") {
            submit(&$0, Build.job(constraints: [Constraint(key: "rack", comparison: .equals, value: "r1")]))
            add(&$0)
        },
        Situation(.cpu, .capacity, "1 of 1 nodes: 4 cores requested, 3 cores free") {
            add(&$0)
            submit(&$0)
            submit(&$0, Build.job(cpuMilli: 4000))
        },
        Situation(.memory, .capacity, "1 of 1 nodes: 8 GiB of memory requested, 7 GiB free") {
            add(&$0)
            submit(&$0)
            submit(&$0, Build.job(memory: 8 << 30))
        },
        Situation(.devices, .capacity, "1 of 1 nodes: 2 gpu requested, 1 free") {
            add(&$0, gpus: 2)
            submit(&$0, Build.job(devices: gpu(1)))
            submit(&$0, Build.job(devices: gpu(2)))
        },
        Situation(.noSuchDevice, .capacity, "1 of 2 nodes: no gpu like 'A100' that is large enough; 1 of 2 nodes: cordoned") {
            leaving(&$0) {
                $0.groups[0].resources.devices = gpu(1, model: "A100")
            } large: {
                $0.devices = Build.node("x", gpus: 1).devices
            }
        },
        Situation(.noSuchTemplate, .unsatisfiable, "1 of 1 nodes: no device is divided into partitions '1g.10gb'") {
            submit(&$0, Build.job(devices: .partitions("1g.10gb", kind: .gpu)))
            add(&$0, gpus: 1)
        },
        Situation(.computeUnits, .unsatisfiable, "1 of 1 nodes: 400 compute units requested, 312 there on devices of one strength") {
            submit(&$0, Build.job(devices: .computeUnits(milli: 400_000)))
            add(&$0, gpus: 1) { $0.devices[0].model = "NVIDIA A100-SXM4-80GB" }
        },
        Situation(.devices, .capacity, "1 of 1 nodes: 2 devices for the compute units requested, 1 free") {
            add(&$0, gpus: 2) { for index in $0.devices.indices { $0.devices[index].model = "NVIDIA A100-SXM4-80GB" } }
            submit(&$0, Build.job(devices: gpu(1)))
            submit(&$0, Build.job(devices: .computeUnits(milli: 400_000)))
        },
        Situation(.wholeCores, .capacity, "1 of 1 nodes: 3 whole cores requested, 2 free") {
            // Of eight cores' time, four cores are known.
            add(&$0, cpus: 8) { $0.numaNodes = [NUMANode(osIndex: 0, processors: [0, 1, 2, 3])] }
            for cpus in [2, 3] as [Int64] {
                submit(&$0, Build.job(cpuMilli: 1000 * cpus)) { $0.groups[0].resources.hasWholeCores = true }
            }
        },
        Situation(.topology, .capacity, "1 of 1 nodes: not enough that is free at the level 'pcie'") {
            add(&$0, cpus: 8, gpus: 4) { for index in $0.devices.indices { $0.devices[index].pcieSwitch = UInt32(index / 2) } }
            // One device of each pair stays taken.
            submit(&$0, Build.job(devices: gpu(2)))
            for _ in 0..<2 { submit(&$0, Build.job(devices: gpu(1))) }
            $0.end(JobID(1), on: NodeID(1), after: .zero)
            submit(&$0, Build.job(devices: gpu(1)))
            $0.end(JobID(2), on: NodeID(1), after: .zero)
            submit(&$0, Build.job(devices: gpu(2))) { $0.groups[0].resources.topology = TopologyRequest([.pcie: .require]) }
        },
        Situation(
            .gang, .capacity,
            "2 of 3 nodes: room for a task, not for all 3 of the gang at once; 1 of 3 nodes: 4 cores requested, 3 cores free"
        ) {
            for _ in 0..<3 { add(&$0) }
            submit(&$0)
            submit(&$0, Build.job(cpuMilli: 4000, tasks: 3))
        },
    ]

    static let ofOthers: [Situation] = [
        Situation(.quota, .quota, "the quota 'cap' allows 1 running tasks, 1 held, 1 more requested") {
            add(&$0)
            _ = $0.set(.quota(QuotaRecord(name: "cap", tenant: "default", runningTasks: 1)))
            submit(&$0)
            submit(&$0)
        },
        Situation(.queueCeiling, .quota, "the queue 'lab' has a ceiling of 1 core, 1 core held, 1 core more requested") {
            add(&$0)
            _ = $0.set(.queue(QueueRecord(name: "lab", ceiling: RoomBounds(cpuMilli: 1000))))
            for _ in 0..<2 { submit(&$0) { $0.queue = "lab" } }
        },
        Situation(
            .queueBorrowing, .quota,
            "the queue 'lab' may hold 2 cores, its guarantee and what it borrows, 2 cores held, 1 core more requested"
        ) {
            add(&$0)
            _ = $0.set(.queue(QueueRecord(name: "lab", guarantee: RoomBounds(cpuMilli: 1000), borrow: RoomBounds(cpuMilli: 1000))))
            for _ in 0..<3 { submit(&$0) { $0.queue = "lab" } }
        },
        Situation(
            .guaranteesOfOthers, .quota,
            "only 1 core are not kept for the guarantees of other queues, 2 cores requested; a job that is preemptible may use them"
        ) {
            add(&$0)
            submit(&$0)
            _ = $0.set(.queue(QueueRecord(name: "lab", guarantee: RoomBounds(cpuMilli: 2000))))
            submit(&$0, Build.job(cpuMilli: 2000))
        },
        Situation(.hold, .hold, "held; it goes on when it is released") {
            add(&$0)
            submit(&$0) { $0.isHeld = true }
        },
        Situation(.dependency, .dependency, "waits for job 1 to succeed") {
            add(&$0)
            submit(&$0)
            submit(&$0) { $0.dependencies = [Dependency(job: JobID(1), condition: .ok)] }
        },
        Situation(.beginTime, .beginTime, "waits for its begin time") {
            add(&$0)
            let later = $0.now + .hour
            submit(&$0) { $0.beginAt = later }
        },
        Situation(.arrayLimit, .none, "the array's limit of running elements is reached") {
            add(&$0)
            submit(&$0, Build.job(array: ArrayRange(first: 0, last: 3, concurrencyLimit: 1)))
        },
    ]

    @Test(arguments: ofNodes + ofOthers) func itSaysWhyWithItsCodeAndItsNumbers(situation: Situation) {
        var harness = ClusterHarness()
        situation.make(&harness)
        let last = harness.loop.core.liveJobIDs.last ?? JobID(0)
        let standing = harness.loop.core.liveStanding(of: last)
        #expect(standing?.standing.reason == situation.code)
        #expect(standing?.explanation == situation.sentence)
        let violations = harness.violations
        #expect(violations.isEmpty, "\(violations.prefix(3))")
    }

    /// Those that need a longer story have tests of their own: two machines with one identity (`IdentityTests`), what is left behind
    /// (`LeaseTests`), room that is set aside (`ReservationTests`).
    @Test func noneIsForgotten() {
        let shown = Set((Self.ofNodes + Self.ofOthers).map(\.cause)).union([.quarantined, .leftovers, .reservation])
        #expect(Set(Cause.allCases).subtracting(shown).isEmpty)
        let misfits: [Misfit] = [.simulated, .tainted("x"), .constraint("x"), .cpu(requested: 1, free: 0), .outOfService(.diskFull)]
        #expect(misfits.map(Cause.init) == [.simulated, .tainted, .constraint, .cpu, .diskFull])
        #expect(Cause(QuotaMiss.Limit.queueCeiling("x")) == .queueCeiling)
    }
}
