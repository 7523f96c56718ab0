import ClusterModel
import ClusterPorts
import FileStorage
import FileTestKit
import Metering
import SchedulingCore
import Synchronization

/// A coordinator in memory: takes every command, remembers it, and shows what tests put in.
final class FakeControlPlane: ControlPlane {
    struct State {
        var commands: [Command] = []
        var records: [JobID: JobRecord] = [:]
        var live: [JobID: LiveJobView] = [:]
        var forecasts: [JobID: WaitingForecast] = [:]
        var updates: [JobUpdate] = []
        var attempts: [AttemptRecord] = []
        var nodes: [NodeView] = []
        var keys: [String: AccessKey] = [:]
        var secrets: [SecretRecord] = []
        var datasets: [DatasetVersion] = []
        var shares: [ShareObject] = []
        /// Live attempts with their tenants and passes.
        var passes: [AttemptID: (tenant: String, pass: [UInt8])] = [:]
        var usage: [UsageRecord] = []
        var topologies: [[UInt8]: [UInt8]] = [:]
        var jobsByKey: [String: (job: JobID, digest: [UInt8])] = [:]
        var revision: UInt64 = 40
        var reachable: UInt64 = .max
        var failure: ControlError?
        var readFailure: JournalError?
        var forgottenJobs: Set<JobID> = []
        var backupFailure: BackupRefusal?
        var isReady = true
        var time = Fixture.now
    }

    let state = Mutex(State())
    let logStore = FakeLogStore()
    /// A real one, in a directory that goes with the fake.
    let files: any FileStore
    private let directory = try! TemporaryDirectory()

    init() {
        files = try! DiskFileStore(directory: directory.path + "/files", bootID: "boot")
        state.withLock { state in
            for key in Fixture.keys { state.keys[key.id] = key }
            state.nodes = [Fixture.node]
        }
    }

    func change(_ body: (inout sending State) -> Void) { state.withLock { body(&$0) } }

    func perform(_ command: Command) async throws(ControlError) -> Decision {
        let result: Result<Decision, ControlError> = state.withLock { state in
            if let failure = state.failure { return .failure(failure) }
            state.commands.append(command)
            state.revision += 1
            return state.apply(command).map { Decision(answer: $0, revision: state.revision, at: state.time) }
        }
        return try result.get()
    }

    func reach(revision: UInt64) async throws(ControlError) {
        if revision > state.withLock({ $0.reachable }) { throw .unavailable }
    }

    func cluster() -> ClusterView {
        state.withLock { state in
            ClusterView(
                clusterID: Array(repeating: 0xAB, count: 16), epoch: Epoch(3), revision: state.revision, nodesRegistered: 1, nodesReady: 1,
                cpuMilliTotal: 8000, cpuMilliAllocated: 500, memoryBytesTotal: 16 << 30, memoryBytesAllocated: 1 << 30,
                devices: [DeviceTotal(kind: .gpu, model: "NVIDIA H200", isSimulated: false, count: 1, shareMilliAllocated: 250)],
                jobsLive: UInt64(state.live.count), tasksQueued: 0, tasksLive: 1)
        }
    }

    func nodes() -> [NodeView] { state.withLock { $0.nodes } }
    func centers() -> [CenterView] { Set(nodes().compactMap(\.membership.center)).map { CenterView(center: $0) } }
    func node(_ id: NodeID) -> NodeView? { nodes().first { $0.id == id } }
    func node(named name: String) -> NodeView? { nodes().first { $0.name == name } }
    func liveJob(_ id: JobID) -> LiveJobView? { state.withLock { $0.live[id] } }
    func forecast(of id: JobID) -> WaitingForecast? { state.withLock { $0.forecasts[id] } }
    func plan(_ submission: Submission) -> Plan { state.withLock { $0.plan(submission) } }
    func hasEnded(_ id: JobID) -> Bool {
        state.withLock { $0.forgottenJobs.contains(id) || $0.records[id]?.standing.state.isTerminal == true }
    }
    func accessKey(id: String) -> AccessKey? { state.withLock { $0.keys[id] } }
    func accessKeys() -> [AccessKey] { state.withLock { Array($0.keys.values) } }
    func secrets(of tenant: String?) -> [SecretRecord] { state.withLock { $0.secrets.filter { tenant == nil || $0.tenant == tenant } } }
    func jobsAtTheirQuota(among jobs: [JobID]) -> Set<JobID> { [] }
    func isOpen(pool: String, to tenant: String) -> Bool {
        state.withLock { state in
            for case .pool(let record) in state.shares where record.name == pool { return record.isOpen(to: tenant) }
            return true
        }
    }

    func shares(of kind: ShareObject.Kind) -> [ShareView] {
        state.withLock { $0.shares.filter { $0.id.kind == kind }.sorted { $0.id < $1.id }.map { ShareView(object: $0, uses: []) } }
    }
    func share(_ id: ShareObjectID) -> ShareView? {
        state.withLock { $0.shares.first { $0.id == id }.map { ShareView(object: $0, uses: []) } }
    }
    func datasets(of tenant: String?) -> [DatasetVersion] { state.withLock { $0.datasets.filter { tenant == nil || $0.tenant == tenant } } }
    func dataset(_ name: String, version: String, tenant: String) -> ContentDigest? {
        datasets(of: tenant).first { $0.name == name && $0.version == version }?.tree
    }
    func tenant(ofLive attempt: AttemptID, pass: [UInt8]) -> String? {
        state.withLock { $0.passes[attempt].flatMap { $0.pass == pass ? $0.tenant : nil } }
    }
    func now() -> LogicalTime { state.withLock { $0.time } }
    func seal(_ value: String, tenant: String) -> [UInt8] { Array("\(tenant):".utf8) + value.utf8.reversed() }

    var endpoints: AgentEndpoints {
        AgentEndpoints(
            agents: "tcp://127.0.0.1:8471", enrollment: "tcp://127.0.0.1:8472", logs: "tcp://127.0.0.1:8473",
            publicKey: Array(repeating: 7, count: 32))
    }
    var isReady: Bool { state.withLock { $0.isReady } }
    var reads: any ReadModel { self }
    var logs: any LogStore { logStore }
    var backups: any BackupSource { FakeBackupSource(failure: state.withLock { $0.backupFailure }) }
}

extension FakeControlPlane.State {
    /// Of a cluster without a node, in which all tenants are known that have a key.
    func plan(_ submission: Submission) -> Plan {
        var core = SchedulerCore()
        var changes = Changes(recording: false)
        for tenant in Set(keys.values.map(\.tenant)).sorted() {
            core.evolve(.shareObjectSet(.tenant(TenantRecord(name: tenant)), at: time), &changes)
        }
        var foresight = Foresight()
        return foresight.plan(submission, &core, at: time)
    }

    mutating func apply(_ command: Command) -> Result<Answer, ControlError> {
        switch command {
        case .submit(let submission): return submit(submission, retryOf: nil)
        case .retry(let id, let submission):
            guard records[id]?.standing.state.isTerminal == true else {
                return .failure(.rejected(.conflict("Job \(id) has not ended.")))
            }
            return submit(submission, retryOf: id)
        case .updateJob(let id, let update):
            updates.append(update)
            return .success(.job(id, isReplay: false))
        case .cancel(let id):
            end(id, .cancelled, .user, exitCode: nil)
            return .success(.job(id, isReplay: false))
        case .setNodeCordon(let id, let isCordoned):
            guard let index = nodes.firstIndex(where: { $0.id == id }) else { return .failure(.rejected(.nodeNotFound(id))) }
            nodes[index].state = isCordoned ? .cordoned : .ready
            return .success(.node(id))
        case .drainNode(let id, let span):
            guard let index = nodes.firstIndex(where: { $0.id == id }) else { return .failure(.rejected(.nodeNotFound(id))) }
            nodes[index].state = .draining
            nodes[index].drain = NodeView.Drain(deadline: span.map { time + $0 }, isDone: false)
            return .success(.node(id))
        case .removeNode(let id):
            nodes.removeAll { $0.id == id }
            return .success(.node(id))
        case .createKey(let key):
            keys[key.id] = key
            return .success(.done)
        case .revokeKey(let id):
            keys[id] = nil
            return .success(.done)
        case .setSecret(let secret):
            secrets.removeAll { $0.tenant == secret.tenant && $0.name == secret.name }
            secrets.append(secret)
            return .success(.done)
        case .removeSecret(let tenant, let name):
            guard secrets.contains(where: { $0.tenant == tenant && $0.name == name }) else {
                return .failure(.rejected(.notFound("Secret '\(name)'")))
            }
            secrets.removeAll { $0.tenant == tenant && $0.name == name }
            return .success(.done)
        case .createDataset(let dataset):
            datasets.append(dataset)
            return .success(.done)
        case .removeDataset(let tenant, let name, let version):
            datasets.removeAll { $0.tenant == tenant && $0.name == name && $0.version == version }
            return .success(.done)
        case .setShareObject(let object, let condition):
            let known = shares.first { $0.id == object.id }
            switch condition {
            case .absent where known != nil: return .failure(.rejected(.conflict("it exists")))
            case .equals(let seen) where known != seen: return .failure(.rejected(.changed("It")))
            default: break
            }
            shares.removeAll { $0.id == object.id }
            shares.append(object)
            return .success(.done)
        case .removeShareObject(let id, _):
            shares.removeAll { $0.id == id }
            return .success(.done)
        default: return .success(.done)
        }
    }

    private mutating func submit(_ submission: Submission, retryOf: JobID?) -> Result<Answer, ControlError> {
        let tenant = submission.specification.tenant
        if let key = submission.key, let known = jobsByKey["\(tenant)/\(key.text)"] {
            guard known.digest == key.requestDigest else { return .failure(.rejected(.keyReused(key.text))) }
            return .success(.job(known.job, isReplay: true))
        }
        let id = JobID(UInt64(records.count) + 1)
        if let key = submission.key { jobsByKey["\(tenant)/\(key.text)"] = (id, key.requestDigest) }
        let accepted = AcceptedJob(
            id: id, specification: submission.specification, user: submission.user, key: submission.key, retryOf: retryOf, at: time)
        let standing = JobStanding(
            id: id, state: .queued, reason: .capacity, counts: TaskCounts(queued: submission.specification.taskCount), startedAt: nil,
            finishedAt: nil, exitCode: nil)
        records[id] = JobRecord(accepted: accepted, standing: standing)
        live[id] = LiveJobView(standing: standing, waitingExplanation: "needs 1 core; no node is known")
        return .success(.job(id, isReplay: false))
    }

    mutating func end(_ id: JobID, _ state: JobState, _ reason: Reason, exitCode: Int32?) {
        records[id]?.standing.state = state
        records[id]?.standing.reason = reason
        records[id]?.standing.exitCode = exitCode
        records[id]?.standing.finishedAt = time
        live[id] = nil
        revision += 1
    }
}

// MARK: - Reads

extension FakeControlPlane: ReadModel {
    private func rows<Row>(
        _ visibility: Visibility, _ body: (State, (String) -> Bool) -> Row
    ) throws(JournalError) -> Row {
        let result: Result<Row, JournalError> = state.withLock { state in
            if let failure = state.readFailure { return .failure(failure) }
            return .success(
                body(state) { tenant in
                    switch visibility {
                    case .all: true
                    case .tenant(let own): own == tenant
                    }
                })
        }
        return try result.get()
    }

    func job(_ id: JobID, _ visibility: Visibility) async throws(JournalError) -> JobRecord? {
        try rows(visibility) { state, sees in state.records[id].flatMap { sees($0.accepted.specification.tenant) ? $0 : nil } }
    }

    func jobs(_ query: JobQuery, _ visibility: Visibility) async throws(JournalError) -> [JobRecord] {
        try rows(visibility) { state, sees in
            let matching = state.records.values.filter { record in
                let specification = record.accepted.specification
                return sees(specification.tenant) && (query.states.isEmpty || query.states.contains(record.standing.state))
                    && query.name.map { $0 == specification.name } ?? true && query.user.map { $0 == record.accepted.user } ?? true
                    && query.labels.allSatisfy(specification.labels.contains) && query.before.map { record.accepted.id < $0 } ?? true
            }
            return Array(matching.sorted { $0.accepted.id > $1.accepted.id }.prefix(query.limit))
        }
    }

    private func attempts(_ job: JobID, _ visibility: Visibility) throws(JournalError) -> [AttemptRecord] {
        try rows(visibility) { state, sees in
            guard let record = state.records[job], sees(record.accepted.specification.tenant) else { return [] }
            return state.attempts.filter { $0.placement.attempt.task.job == job }
                .sorted { $0.placement.attempt < $1.placement.attempt }
        }
    }

    func attempts(
        of job: JobID, task: UInt32?, after: AttemptID?, limit: Int, _ visibility: Visibility
    ) async throws(JournalError) -> [AttemptRecord] {
        let rows = try attempts(job, visibility).filter { record in
            let attempt = record.placement.attempt
            return task.map { $0 == attempt.task.index } ?? true && after.map { $0 < attempt } ?? true
        }
        return Array(rows.prefix(limit))
    }

    func lastAttempts(of job: JobID, indices: Range<UInt32>, _ visibility: Visibility) async throws(JournalError) -> [AttemptRecord] {
        let rows = try attempts(job, visibility).filter { indices.contains($0.placement.attempt.task.index) }
        let last = Dictionary(rows.map { ($0.placement.attempt.task.index, $0) }) { $1 }
        return last.values.sorted { $0.placement.attempt < $1.placement.attempt }
    }

    func usage(
        after sequence: UInt64, limit: Int, job: JobID?, _ visibility: Visibility
    ) async throws(JournalError) -> [UsageRecord] {
        try rows(visibility) { state, sees in
            Array(
                state.usage.filter {
                    $0.sequence > sequence && sees($0.segment.tenant) && (job == nil || $0.segment.attempt.task.job == job)
                }.prefix(limit))
        }
    }

    func usageSummary(
        by grouping: UsageGrouping, from: LogicalTime?, to: LogicalTime?, _ visibility: Visibility
    ) async throws(JournalError) -> [UsageSummaryRow] {
        try rows(visibility) { state, sees in
            Dictionary(grouping: state.usage.filter { sees($0.segment.tenant) }, by: \.segment.tenant).sorted { $0.key < $1.key }.map {
                UsageSummaryRow(
                    group: $0.key, isSimulated: false, records: UInt64($0.value.count), cpuMilliSeconds: 10, memoryMiBSeconds: 20,
                    deviceMilliSeconds: 30,
                    measuredCPUSeconds: 4)
            }
        }
    }

    func topology(digest: [UInt8]) async throws(JournalError) -> [UInt8]? { state.withLock { $0.topologies[digest] } }
}
