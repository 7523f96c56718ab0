import ClusterModel
import ClusterPorts
import Metering
import SchedulingCore
import Synchronization

/// A journal that makes a batch durable only when the test says so.
actor HeldJournal: Journal {
    private var permits = 0
    private var attempts = 0
    private var failure: JournalError?
    private var held: [CheckedContinuation<Void, Never>] = []
    private var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    private var index: UInt64 = 0

    func allow(batches: Int) {
        permits += batches
        wake()
    }

    func fail(_ error: JournalError) {
        failure = error
        wake()
    }

    /// Returns once so many appends have been begun.
    func awaitAttempts(_ count: Int) async {
        if attempts >= count { return }
        await withCheckedContinuation { watchers.append((count, $0)) }
    }

    private func wake() {
        let waiting = held
        held = []
        for continuation in waiting { continuation.resume() }
    }

    func append(_ batches: [JournalBatch]) async throws(JournalError) {
        attempts += 1
        let ready = watchers.filter { $0.count <= attempts }
        watchers.removeAll { $0.count <= attempts }
        for watcher in ready { watcher.continuation.resume() }
        while permits == 0, failure == nil { await withCheckedContinuation { held.append($0) } }
        if let failure { throw failure }
        permits -= 1
        index = batches.last?.index ?? index
    }

    func loadSnapshot() async throws(JournalError) -> JournalSnapshot? { nil }
    nonisolated func replay(
        after index: UInt64, through end: UInt64, _ body: (UInt64, [Event]) throws -> Void
    ) async throws(JournalError) {}
    func storeSnapshot(_ snapshot: JournalSnapshot) async throws(JournalError) {}
    func close() async {}

    func head() async throws(JournalError) -> JournalHead {
        JournalHead(index: 0, time: .zero, ledgerSequence: 0, ledgerHash: [UInt8](repeating: 0, count: 32))
    }
}

struct SilentServer: AgentServer {
    func start(handler: any AgentServerHandler) async throws(TransportError) -> AgentEndpoints {
        AgentEndpoints(agents: "", enrollment: "", logs: "", publicKey: [])
    }

    func send(_ messages: [AddressedMessage]) {}
    func disconnect(_ node: NodeID) {}
    func stop() async {}
}

final class CountingClocks: TimeSource {
    private let ticks = Atomic<Int64>(1_700_000_000_000_000_000)

    func wall() -> Int64 { ticks.add(1000, ordering: .relaxed).newValue }
    func boot() -> Int64 { ticks.add(1000, ordering: .relaxed).newValue }
}

struct PlainSealer: SecretSealer {
    func seal(_ value: String, tenant: String) -> [UInt8] { Array(value.utf8) }
    func open(_ sealed: [UInt8], tenant: String) -> [UInt8]? { sealed }
    func pass(for attempt: AttemptID, _ fence: Fence) -> [UInt8] { Array("\(attempt) \(fence)".utf8) }
    func proof(of seen: SeenState, toldTo node: NodeID) -> [UInt8] { [UInt8](repeating: UInt8(truncatingIfNeeded: node.value), count: 16) }
}

struct NoFiles: FileStore {
    private let refusal = FileStoreError(.io, "there are no files")

    func standing(of digest: ContentDigest, tenant: String) async throws(FileStoreError) -> UploadStanding { throw refusal }
    func receive(
        _ digest: ContentDigest, tenant: String, from offset: Int64, total: Int64, next: @Sendable () async throws -> [UInt8]?
    ) async throws(FileStoreError) -> UploadStanding { throw refusal }
    func keepTree(_ digest: ContentDigest, tenant: String, text: [UInt8]) async throws(FileStoreError) -> [ContentDigest] { throw refusal }
    func tree(_ digest: ContentDigest, tenant: String) async throws(FileStoreError) -> FileTree? { throw refusal }
    func location(of digest: ContentDigest, tenant: String) async throws(FileStoreError) -> (path: String, size: Int64)? { throw refusal }
    func keepOutputs(_ tree: ContentDigest, of attempt: AttemptID, tenant: String) async throws(FileStoreError) { throw refusal }
    func outputs(of job: JobID, tenant: String) async throws(FileStoreError) -> [(attempt: AttemptID, tree: ContentDigest)] {
        throw refusal
    }
}

struct NoBackups: BackupSource {
    func begin(includesLogs: Bool) async throws(BackupRefusal) -> any BackupStream { throw .busy }
}

struct NoLogs: LogStore {
    func read(
        _ attempt: AttemptID, _ stream: LogStream, offset: Int64, limit: Int, follow: Bool
    ) async throws(JournalError) -> LogSlice {
        LogSlice(bytes: [], isComplete: true)
    }

    func append(_ chunk: LogChunk) -> LogAck? { nil }
    func expect(_ attempt: AttemptID, stdoutBytes: Int64, stderrBytes: Int64) {}
}

struct NoReads: ReadModel {
    func job(_ id: JobID, _ visibility: Visibility) async throws(JournalError) -> JobRecord? { nil }
    func jobs(_ query: JobQuery, _ visibility: Visibility) async throws(JournalError) -> [JobRecord] { [] }
    func attempts(
        of job: JobID, task: UInt32?, after: AttemptID?, limit: Int, _ visibility: Visibility
    ) async throws(JournalError) -> [AttemptRecord] { [] }
    func lastAttempts(of job: JobID, indices: Range<UInt32>, _ visibility: Visibility) async throws(JournalError) -> [AttemptRecord] { [] }
    func usage(after sequence: UInt64, limit: Int, job: JobID?, _ visibility: Visibility) async throws(JournalError) -> [UsageRecord] { [] }
    func usageSummary(
        by grouping: UsageGrouping, from: LogicalTime?, to: LogicalTime?, _ visibility: Visibility
    ) async throws(JournalError) -> [UsageSummaryRow] { [] }
    func topology(digest: [UInt8]) async throws(JournalError) -> [UInt8]? { nil }
}
