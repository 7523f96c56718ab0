// A data directory as a coordinator leaves it: journal, keys, output.

import ClusterModel
import ClusterPorts
import DaemonKit
import Foundation
import Glibc
import JournalSQLite
import LedgerHashing
import Metering

@testable import CoordinatorComposition
@testable import SchedulingCore

/// Decides with the real loop and keeps every batch in a real journal.
final class RecordedCluster {
    let root = FileManager.default.temporaryDirectory.appending(path: "backup-\(UUID().uuidString)").path()
    var directory: String { "\(root)/data" }
    private(set) var journal: SQLiteJournal
    private var loop = SchedulerLoop(core: SchedulerCore(), index: 0)
    private var ledger: UsageLedger
    private(set) var now = LogicalTime(nanoseconds: 1_700_000_000_000_000_000)
    let cluster = [UInt8](repeating: 7, count: 16)
    private(set) var node = NodeID(0)

    init() async throws {
        try FileManager.default.createDirectory(atPath: "\(root)/data", withIntermediateDirectories: true)
        journal = try SQLiteJournal(directory: "\(root)/data", digest: sha256)
        ledger = UsageLedger(cluster: cluster, head: LedgerHead())
        for name in BackupKeys.names { _ = try KeyFile.load("\(root)/data/\(name)") { KeyFile.random() } }
        let first = loop.lead(cluster: cluster, at: now)
        try await keep(first)
        let token = JoinTokenRecord(
            id: [1], verifier: [UInt8](repeating: 2, count: 32), expiresAt: .distantFuture, usesLeft: 10, namePrefix: "")
        try await perform(.createJoinToken(token))
        try await perform(.enroll(tokenID: [1], publicKey: [UInt8](repeating: 3, count: 32), nodeName: "n1"))
        node = loop.core.nodeIDs[0]
        try await register()
    }

    /// Goes on where a simulation stopped, with its batches in the journal and a snapshot from the middle of them.
    init(simulated batches: [Batch]) async throws {
        try FileManager.default.createDirectory(atPath: "\(root)/data", withIntermediateDirectories: true)
        journal = try SQLiteJournal(directory: "\(root)/data", digest: sha256)
        ledger = UsageLedger(cluster: cluster, head: LedgerHead())
        var core = SchedulerCore()
        var changes = Changes(recording: false)
        for batch in batches {
            try await keep(batch)
            for event in batch.events { core.evolve(event, &changes) }
            guard batch.index == UInt64(batches.count / 2) else { continue }
            let state = core.snapshot()
            try await journal.storeSnapshot(JournalSnapshot(index: batch.index, state: state, digest: sha256(state)))
        }
        now = core.time
        loop = SchedulerLoop(core: core, index: UInt64(batches.count))
    }

    var nodeCount: Int { loop.core.nodeIDs.count }
    var liveJobCount: Int { loop.core.liveJobCount }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    private func keep(_ batch: Batch) async throws {
        guard !batch.events.isEmpty else { return }
        var usage: [(record: UsageRecord, bytes: [UInt8])] = []
        for case .usage(let segment) in batch.rows { usage.append(ledger.append(segment)) }
        // As whoever starts after a restore does.
        for case .clusterRestored(let restored) in batch.events { ledger = UsageLedger(cluster: restored.id, head: ledger.head) }
        try await journal.append([JournalBatch(index: batch.index, events: batch.events, rows: batch.rows, usage: usage, at: batch.at)])
    }

    func perform(_ command: Command) async throws {
        now = now + .seconds(1)
        _ = loop.offer(OfferedCommand(command))
        while let batch = loop.step(at: now) { try await keep(batch) }
    }

    var lastJob: UInt64 { loop.core.lastJob }

    /// The node comes, or comes back.
    func register() async throws {
        let inventory = NodeInventory(name: "n1", address: "10.0.0.1", cpuMilli: 2000, memoryBytes: 8 << 30)
        try await perform(
            .register(node, Registration(instance: 1, bootID: [UInt8](repeating: 9, count: 16), inventory: inventory, attempts: [])))
    }

    func restore() async throws {
        now = now + .seconds(1)
        try await keep(loop.restore(cluster: [UInt8](repeating: 8, count: 16), at: now))
    }

    func submit(_ name: String) async throws {
        let group = TaskGroup(
            name: "main", resources: ResourceRequest(cpuMilli: 1000, memoryBytes: 1 << 30), command: ["true"])
        try await perform(
            .submit(Submission(specification: JobSpecification(name: name, groups: [group]), user: "ada", key: nil)))
    }

    /// Ends the first task of a job, as its agent reports it.
    func finish(_ job: UInt64) async throws {
        let attempt = AttemptID(job: JobID(job), index: 0, number: 1)
        guard let fence = loop.core.fence(of: attempt) else { return }
        let status = AttemptStatus(attempt: attempt, fence: fence, phase: .ended(AttemptEnd(cause: .exited, exitCode: 0)))
        try await perform(.report(node, AttemptReport(session: loop.core.session(of: node)!, statuses: [status])))
    }

    /// Starts the first task of a job and ends it so much later.
    func run(_ job: UInt64, for span: Span) async throws {
        let attempt = AttemptID(job: JobID(job), index: 0, number: 1)
        guard let fence = loop.core.fence(of: attempt), let session = loop.core.session(of: node) else { return }
        let end = AttemptEnd(cause: .exited, exitCode: 0, elapsed: span)
        let started = AttemptStatus(attempt: attempt, fence: fence, phase: .running(elapsed: .zero))
        try await perform(.report(node, AttemptReport(session: session, statuses: [started])))
        now = now + Span(nanoseconds: span.nanoseconds - 1_000_000_000)
        let ended = AttemptStatus(attempt: attempt, fence: fence, phase: .ended(end))
        try await perform(.report(node, AttemptReport(session: session, statuses: [ended])))
    }

    func writeOutput(_ text: String, job: UInt64) throws {
        let folder = "\(directory)/logs/\(job % 1000)/\(job)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: "\(folder)/0.1.out"))
    }

    /// A backup of the running journal, as the child makes it.
    func backUp(to name: String = "backup", folders: [String] = ["logs"]) async throws -> String {
        let file = "\(root)/\(name)"
        let scratch = "\(root)/scratch-\(name)"
        try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        defer { Glibc.close(descriptor) }
        try await MakeBackup.write(of: directory, scratch: scratch, folders: folders, to: descriptor)
        return file
    }

    func close() async { await journal.close() }
}

/// What an operation said when it refused.
func refusal(of body: () async throws -> Void) async -> String {
    do {
        try await body()
        return ""
    } catch { return "\(error)" }
}
