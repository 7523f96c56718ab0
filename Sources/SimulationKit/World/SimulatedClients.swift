import ClusterModel
import SchedulingCore

/// People: they submit with idempotency keys, ask again when an answer is lost, and cancel now and then.
struct SimulatedClients {
    private struct Request {
        var submission: Submission
        var token: RequestToken?
        var job: JobID?
        var isRefused = false
    }

    private var requests: [Request] = []
    private var next = 0
    private var lastToken: UInt64 = 0
    /// Spread over the faults: what has ended already, nothing can be done to.
    private let submissionMilli: Int
    struct Acknowledgement {
        var job: JobID
        /// Who was told.
        var tenant: String
    }

    /// Who they are, as an administrator has it.
    static let shareObjects: [ShareObject] = [
        .tenant(TenantRecord(name: "red", weight: 2)), .tenant(TenantRecord(name: "blue")), SimulatedOperator.lab(guaranteed: 4000),
        .quota(QuotaRecord(name: "cap", tenant: "blue", room: RoomBounds(cpuMilli: 12_000, deviceMilli: 4000), runningTasks: 24)),
    ]

    private(set) var acknowledged: [Acknowledgement] = []

    init(plan: SimulationPlan) {
        var chance = SeededGenerator(seed: plan.seed, stream: 4)
        submissionMilli = max(10, 1_500 * plan.jobs / max(1, plan.faultySteps))
        for number in 0..<plan.jobs {
            let specification = Self.specification(number, plan, &chance)
            // Two tenants use the same keys for the same requests, as they would where a script is handed on.
            let pair = number / 2
            let key = Submission.Key(text: "key-\(pair)", requestDigest: [UInt8](repeating: UInt8(pair & 0xFF), count: 16))
            requests.append(Request(submission: Submission(specification: specification, user: "ada", key: key)))
        }
    }

    private static func specification(_ number: Int, _ plan: SimulationPlan, _ chance: inout SeededGenerator) -> JobSpecification {
        // Short tasks are those of sweeps: large arrays of tasks alone, for which slots are handed on.
        let isSweep = plan.durationMax < 1_000_000_000 && chance.chance(milli: 600)
        let resources = resources(&chance)
        let isGang = !isSweep && chance.chance(milli: 250)
        let group = TaskGroup(name: "main", count: isGang ? UInt32(2 + chance.below(3)) : 1, resources: resources, command: ["work"])
        let elements = UInt32(chance.below(plan.arrayElementsMax * (isSweep ? 3 : 1)))
        let isArray = isSweep || chance.chance(milli: 400)
        let limit: UInt32 = chance.chance(milli: isSweep ? 0 : 300) ? 2 : 0
        let digest = ContentDigest(bytes: [UInt8](repeating: 7, count: ContentDigest.byteCount))
        let input = digest.map { JobInput(source: .tree($0), path: "") }
        let isStaged = !isSweep && chance.chance(milli: 250)
        let policies: [NodeLossPolicy] = [.wait, .replace, .replace, .fail]
        var job = JobSpecification(
            name: "job-\(number)", tenant: number % 2 == 0 ? "red" : "blue", queue: chance.chance(milli: 300) ? "lab" : "default",
            priority: Int32(chance.below(3)), isPreemptible: chance.chance(milli: 300), groups: [group],
            array: isArray ? ArrayRange(first: 0, last: elements, concurrencyLimit: limit) : nil,
            dependencies: number > 2 && chance.chance(milli: 150)
                ? [Dependency(job: JobID(1), condition: [.any, .ok, .fail][chance.below(3)])] : [],
            timeLimit: chance.chance(milli: 200) ? .seconds(5) : nil, grace: .seconds(2),
            retry: RetryPolicy(limit: UInt32(chance.below(3))), onNodeLost: policies[chance.below(policies.count)],
            inputs: isStaged ? [input].compactMap { $0 } : [], outputs: isStaged ? [JobOutput(path: "results", destination: "")] : [])
        if chance.chance(milli: 300) { job.checkpointInterval = .seconds(chance.between(1, 3)) }
        if chance.chance(milli: 200) { job.checkpointSignal = .user1 }
        if chance.chance(milli: 60) {
            job.recurrence = Recurrence(rule: .every(.seconds(chance.between(10, 40))), mayOverlap: chance.chance(milli: 300))
        }
        job.isHeld = chance.chance(milli: 50)
        if chance.chance(milli: 100) { job.maxPending = .seconds(chance.between(1, 60)) }
        if chance.chance(milli: 200) {
            job.retry.limits = [RetryPolicy.CauseLimit(cause: .exitCode, limit: UInt32(chance.below(Int(job.retry.limit) + 1)))]
            job.retry.backoff = .seconds(chance.between(0, 4))
        }
        return job
    }

    private static func resources(_ chance: inout SeededGenerator) -> ResourceRequest {
        var resources = ResourceRequest(cpuMilli: 250 * (1 + Int64(chance.below(8))), memoryBytes: 1 << 28)
        if chance.chance(milli: 150) {
            resources.cpuMilli = 1000 * (1 + Int64(chance.below(2)))
            resources.hasWholeCores = true
        }
        let ways: [DeviceRequest] = [
            DeviceRequest(kind: .gpu, count: 1), DeviceRequest(kind: .gpu, count: 1, shareMilli: 250),
            DeviceRequest(kind: .gpu, count: 2), .partitions("3g.40gb", kind: .gpu), .partitions("1g.10gb", kind: .gpu),
            .computeUnits(milli: 100_000),
        ]
        if chance.chance(milli: 400) { resources.devices = ways[chance.below(ways.count)] }
        if resources.devices != nil, chance.chance(milli: 300) { resources.alternatives = [ways[chance.below(ways.count)]] }
        let levels: [TopologyLevel] = [.pcie, .numa, .node, .rack]
        if chance.chance(milli: 200) {
            resources.topology = TopologyRequest([levels[chance.below(levels.count)]: chance.chance(milli: 500) ? .require : .none])
        } else if chance.chance(milli: 100) {
            resources.topology.sharing = .spread
        }
        return resources
    }

    var isDone: Bool { requests.allSatisfy { $0.job != nil || $0.isRefused } }

    /// What clients send in this step.
    ///
    /// - Parameter time: cluster time, about.
    mutating func next(at time: LogicalTime, chance: inout SeededGenerator) -> [OfferedCommand] {
        var commands: [OfferedCommand] = []
        for index in requests.indices where requests[index].job == nil && requests[index].token == nil && !requests[index].isRefused {
            guard index <= next else { break }
            lastToken += 1
            requests[index].token = RequestToken(lastToken)
            commands.append(OfferedCommand(.submit(requests[index].submission), token: requests[index].token))
        }
        if next < requests.count, chance.chance(milli: submissionMilli) { next += 1 }
        if chance.chance(milli: 10), let last = acknowledged.last { commands.append(OfferedCommand(.cancel(last.job))) }
        if !acknowledged.isEmpty, chance.chance(milli: 20) {
            let job = acknowledged[chance.below(acknowledged.count)].job
            commands.append(OfferedCommand(.updateJob(job, Self.update(at: time, &chance))))
        }
        return commands
    }

    private static func update(at time: LogicalTime, _ chance: inout SeededGenerator) -> JobUpdate {
        switch chance.below(5) {
        case 0: JobUpdate(isHeld: true)
        case 1: JobUpdate(isHeld: false)
        case 2: JobUpdate(priority: Int32(chance.below(3)), labels: [NamedText("changed", "yes")])
        case 3: JobUpdate(timeLimit: chance.chance(milli: 500) ? .to(.seconds(4)) : JobUpdate.Change.none)
        default: JobUpdate(deadline: .to(time + .seconds(chance.between(1, 120))), maxPending: JobUpdate.Change.none)
        }
    }

    mutating func answered(_ reply: Reply) {
        guard let index = requests.firstIndex(where: { $0.token == reply.token }) else { return }
        requests[index].token = nil
        switch reply.result {
        case .success(.job(let job, _)):
            requests[index].job = job
            acknowledged.append(Acknowledgement(job: job, tenant: requests[index].submission.specification.tenant))
        case .success: break
        case .failure(.unsatisfiable), .failure(.invalid), .failure(.quota): requests[index].isRefused = true
        case .failure: break
        }
    }

    /// The state that they spoke with is gone: they ask for nothing more.
    mutating func forgetUnanswered() {
        for index in requests.indices where requests[index].job == nil { requests[index].isRefused = true }
        acknowledged = []
    }

    /// Whoever waits for an answer will never get it.
    mutating func connectionLost() {
        for index in requests.indices { requests[index].token = nil }
    }

    func unfinished(in disk: SimulatedDisk) -> [String] {
        let open = requests.enumerated().filter { $0.element.job == nil && !$0.element.isRefused }.map { "request \($0.offset) unanswered" }
        return open
    }
}
