// How fast the deciding loop places, alone: no journal, no network, one core. SUANPAN_BENCHMARKS=1 adds it to the package.
//
//   SUANPAN_CORE=1 SUANPAN_BENCHMARKS=1 swift run -c release --scratch-path .build-core placement-speed [NODES…]

import ClusterModel
import SchedulingCore

/// A cluster of equal machines, 8 devices each, with classes of tasks that wait.
struct Bench: ~Copyable {
    var loop = SchedulerLoop(core: SchedulerCore(), index: 0)
    let clock = ContinuousClock()
    var now = LogicalTime(nanoseconds: 1_700_000_000_000_000_000)
    var placed: [PlacedUnits] = []

    init(nodes: Int) {
        _ = loop.lead(cluster: [UInt8](repeating: 7, count: 16), at: now)
        let token = [UInt8](repeating: 1, count: 16)
        perform(
            .createJoinToken(
                JoinTokenRecord(
                    id: token, verifier: [UInt8](repeating: 2, count: 32), expiresAt: .distantFuture, usesLeft: UInt32(nodes),
                    namePrefix: "")))
        for number in 1...nodes {
            let key = withUnsafeBytes(of: number) { Array($0) } + [UInt8](repeating: 0, count: 24)
            perform(.enroll(tokenID: token, publicKey: key, nodeName: "node-\(number)"))
            let registration = Registration(
                instance: 1, bootID: [UInt8](repeating: 9, count: 16), inventory: Self.inventory(number), attempts: [])
            perform(.register(NodeID(UInt64(number)), registration))
        }
    }

    private static func inventory(_ number: Int) -> NodeInventory {
        NodeInventory(
            name: "node-\(number)", address: "10.0.0.1", cpuMilli: 128_000, memoryBytes: 1 << 40,
            devices: (0..<8).map {
                Device(
                    index: $0, kind: .gpu, vendor: "nvidia", model: "A100", uuid: "\(number)-\($0)", pciAddress: "", memoryBytes: 80 << 30,
                    numaNode: nil)
            })
    }

    mutating func perform(_ command: Command) {
        _ = loop.offer(OfferedCommand(command))
        step()
    }

    /// Until nothing is left to do.
    mutating func step() {
        while let batch = loop.step(at: now) {
            for case .unitsPlaced(let units) in batch.events { placed.append(units) }
        }
    }

    /// One class each: no two ask for the same.
    mutating func submit(classes: Int, tasks: UInt32, devices: Bool = true) {
        for number in 0..<classes {
            let share: Int64 = [1000, 1000, 500, 250][number % 4]
            let request = ResourceRequest(
                cpuMilli: 1000 + Int64(number), memoryBytes: 1 << 30,
                devices: devices ? DeviceRequest(kind: .gpu, count: 1, shareMilli: share) : nil)
            let group = TaskGroup(name: "main", resources: request, command: ["work"])
            perform(
                .submit(
                    Submission(
                        specification: JobSpecification(
                            name: "bench", groups: [group], array: ArrayRange(first: 0, last: tasks - 1)), user: "ada", key: nil)))
        }
    }

    /// Tasks for a whole device each, before all that waits.
    mutating func submit(gang count: UInt32) {
        let request = ResourceRequest(cpuMilli: 1000, memoryBytes: 1 << 30, devices: DeviceRequest(kind: .gpu, count: 1))
        let group = TaskGroup(name: "main", count: count, resources: request, command: ["work"])
        perform(
            .submit(
                Submission(specification: JobSpecification(name: "gang", priority: 1000, groups: [group]), user: "ada", key: nil)))
    }

    mutating func end(_ units: PlacedUnits, _ index: Int) {
        let unit = units.units[index]
        let attempt = AttemptID(job: units.job, index: unit.ordinal, number: unit.attempt)
        let node = unit.places[0].node
        let session = loop.core.session(of: node) ?? SessionID(0)
        // Long enough that nothing is lined up behind it.
        let end = AttemptEnd(cause: .exited, exitCode: 0, elapsed: .seconds(60))
        perform(
            .report(
                node,
                AttemptReport(
                    session: session, statuses: [AttemptStatus(attempt: attempt, fence: unit.places[0].fence, phase: .ended(end))])))
    }
}

func milliseconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) * 1000 + Double(duration.components.attoseconds) / 1e15
}

func text(_ value: Double) -> String { "\(Double(Int(value * 1000 + 0.5)) / 1000)" }

func measure(nodes: Int, classes: Int) {
    var bench = Bench(nodes: nodes)
    let before = bench.loop.candidatesExamined
    let filling = bench.clock.measure { bench.submit(classes: classes, tasks: 1_000_000 / UInt32(classes)) }
    let count = bench.placed.reduce(0) { $0 + $1.units.count }
    let rate = Double(count) / milliseconds(filling) * 1000
    let examined = bench.loop.candidatesExamined - before
    print("\(nodes) nodes: \(count) of 1000000 tasks in \(classes) classes placed, \(Int(rate)) a second; \(examined) groups judged")

    // Everything is blocked: what one more class and a round over all of them cost.
    bench.submit(classes: 1, tasks: 1)
    var spans: [Double] = []
    var cold: [Double] = []
    for index in 0..<200 {
        let units = bench.placed[index * bench.placed.count / 200]
        let place = bench.placed.count
        spans.append(milliseconds(bench.clock.measure { bench.end(units, 0) }))
        if bench.placed.count == place { cold.append(spans[spans.count - 1]) }
    }
    spans.sort()
    print(
        "  one task ends, what fits then is placed: median \(text(spans[100])) ms, 99 % within \(text(spans[197])) ms, worst \(text(spans[199])) ms; \(cold.count) of 200 placed nothing"
    )
    // A full node that comes back may have room for any of them: all are looked at, and none fits.
    bench.perform(.setNodeCordon(NodeID(1), isCordoned: true))
    let round = milliseconds(bench.clock.measure { bench.perform(.setNodeCordon(NodeID(1), isCordoned: false)) })
    print("  a round over \(classes) classes with everything blocked: \(text(round)) ms")
}

/// A gang that finds no room is looked at whenever a node may hold one of its tasks: here most nodes hold some, none alike.
func measureGang(nodes: Int, classes: Int) {
    var bench = Bench(nodes: nodes)
    bench.submit(classes: classes, tasks: UInt32(nodes * 113 / 10 / classes))
    bench.submit(gang: 4096)
    var spans: [Double] = []
    for index in 0..<200 {
        let units = bench.placed[index * bench.placed.count / 200]
        spans.append(milliseconds(bench.clock.measure { bench.end(units, 0) }))
    }
    spans.sort()
    print("  one task ends while a gang of 4096 waits for whole devices: median \(text(spans[100])) ms, 99 % within \(text(spans[197])) ms")
}

/// A million tasks of many tenants wait: what a round costs when something ends, and what it costs to say why they wait.
func measureTenants(nodes: Int, tenants: Int, jobs: Int, tasks: UInt32) throws {
    var bench = Bench(nodes: nodes)
    for tenant in 0..<tenants {
        bench.perform(.setShareObject(.tenant(TenantRecord(name: "tenant-\(tenant)", weight: UInt32(tenant % 4 + 1))), if: .none))
    }
    let filling = bench.clock.measure {
        for number in 0..<jobs {
            let request = ResourceRequest(
                cpuMilli: 1000, memoryBytes: Int64(1 + number % 20) << 28, devices: DeviceRequest(kind: .gpu, count: 1))
            let specification = JobSpecification(
                name: "job-\(number)", tenant: "tenant-\(number % tenants)", priority: Int32(number / tenants % 3),
                groups: [TaskGroup(name: "main", resources: request, command: ["work"])], array: ArrayRange(first: 0, last: tasks - 1))
            bench.perform(.submit(Submission(specification: specification, user: "user-\(number / tenants % 5)", key: nil)))
        }
    }
    let count = jobs * Int(tasks) - bench.placed.reduce(0) { $0 + $1.units.count }
    print(
        "\(nodes) nodes, \(tenants) tenants: \(count) tasks of \(jobs) jobs wait; \(text(milliseconds(filling) / Double(jobs) * 1000)) us a submission"
    )
    var spans: [Double] = []
    for index in 0..<200 {
        let units = bench.placed[index * bench.placed.count / 200]
        bench.now = bench.now + .milliseconds(10)
        spans.append(milliseconds(bench.clock.measure { bench.end(units, 0) }))
    }
    spans.sort()
    print(
        "  one task ends, the next is placed: median \(text(spans[100])) ms, 99 % within \(text(spans[197])) ms, worst \(text(spans[199])) ms"
    )
    bench.perform(.setNodeCordon(NodeID(1), isCordoned: true))
    let round = milliseconds(bench.clock.measure { bench.perform(.setNodeCordon(NodeID(1), isCordoned: false)) })
    print("  a round with everything blocked: \(text(round)) ms")
    try measureForesight(bench, job: JobID(UInt64(jobs)))
}

/// As readers have the state: of their own.
func measureForesight(_ bench: borrowing Bench, job: JobID) throws {
    var core = try SchedulerCore(snapshot: bench.loop.core.snapshot())
    var foresight = Foresight()
    foresight.follow(bench.loop.reservedRooms)
    var known: SchedulerCore.Explanations = [:]
    func time(_ body: () -> Void) -> String { text(milliseconds(bench.clock.measure(body))) }
    let standing = time { _ = core.liveStanding(of: job, &known, rooms: []) }
    let again = time { _ = core.liveStanding(of: job, &known, rooms: []) }
    var forecast: [String] = []
    for _ in 0..<2 { forecast.append(time { _ = foresight.forecast(of: job, &core, known: &known, at: bench.now) }) }
    let wish = ResourceRequest(cpuMilli: 1000, memoryBytes: 1 << 30, devices: DeviceRequest(kind: .gpu, count: 4))
    let specification = JobSpecification(name: "plan", groups: [TaskGroup(name: "main", resources: wish, command: ["work"])])
    let plan = time { _ = foresight.plan(Submission(specification: specification, user: "ada", key: nil), &core, at: bench.now) }
    print(
        "  why a blocked class waits: \(standing) ms, again \(again) ms; explained with position, start and changes: first \(forecast[0]) ms, then \(forecast[1]) ms; a plan \(plan) ms"
    )
}

let sizes = CommandLine.arguments.dropFirst().compactMap { Int($0) }
for nodes in sizes.isEmpty ? [1000, 10_000, 100_000] : sizes {
    measure(nodes: nodes, classes: 1000)
    measureGang(nodes: nodes, classes: 1000)
}
if sizes.isEmpty || sizes.contains(1000) {
    try measureTenants(nodes: 1000, tenants: 200, jobs: 10_000, tasks: 101)
    try measureTenants(nodes: 1000, tenants: 200, jobs: 100_000, tasks: 10)
}
