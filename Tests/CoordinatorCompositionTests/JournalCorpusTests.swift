// Journals that earlier releases wrote, kept for ever: every later one must start from them.

import ClusterModel
import ClusterPorts
import Foundation
import JournalSQLite
import LedgerHashing
import Metering
import SchedulerEngine
import SimulationKit
import Testing

@testable import CoordinatorComposition
@testable import SchedulingCore

/// A file of the corpus and what the release that wrote it knew about it.
struct OldJournal: Sendable, CustomTestStringConvertible {
    var name: String
    var batches: UInt64
    var usageRecords: UInt64
    var snapshots: [UInt64]
    var nodes: Int
    var liveJobs: Int

    var testDescription: String { name }

    static let all = [
        /// State level 3, schema 1, before leases were hardened.
        OldJournal(name: "2026-11-state3", batches: 168, usageRecords: 119, snapshots: [77], nodes: 4, liveJobs: 2),
        /// State level 5, schema 1, before run times were learned.
        OldJournal(name: "2026-11-state5", batches: 166, usageRecords: 104, snapshots: [76], nodes: 4, liveJobs: 2),
        /// State level 6, schema 1, before anything was shared by weight.
        OldJournal(name: "2026-11-state6", batches: 316, usageRecords: 211, snapshots: [151], nodes: 4, liveJobs: 2),
        /// State level 7, schema 1, before jobs could be held, changed or given up in time.
        OldJournal(name: "2026-11-state7", batches: 609, usageRecords: 485, snapshots: [298], nodes: 4, liveJobs: 2),
        /// State level 8, schema 1, before jobs recurred, nodes moved between pools, and tasks told of their checkpoints.
        OldJournal(name: "2026-11-state8", batches: 526, usageRecords: 363, snapshots: [256], nodes: 4, liveJobs: 2),
    ]

    private static let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Corpus").path()

    /// A data directory with a copy of it.
    func unpacked() throws -> String {
        let directory = FileManager.default.temporaryDirectory.appending(path: "corpus-\(UUID().uuidString)").path()
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try Self.shell("gzip -dc '\(Self.directory)/\(name).sqlite.gz' > '\(directory)/journal.sqlite'")
        return directory
    }

    static func pack(_ directory: String, as name: String) throws {
        try shell("gzip -9nc '\(directory)/journal.sqlite' > '\(Self.directory)/\(name).sqlite.gz'")
    }

    private static func shell(_ line: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", line]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }
}

@Suite struct JournalCorpusTests {
    @Test(arguments: OldJournal.all) func aJournalOfAnEarlierReleaseIsReadWhole(old: OldJournal) async throws {
        let directory = try old.unpacked()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let whole = try await JournalVerification.run(directory)
        #expect(whole.facts.lastIndex == old.batches)
        #expect(whole.facts.ledgerSequence == old.usageRecords)
        #expect(whole.facts.snapshots == old.snapshots)
        let core = try SchedulerCore(snapshot: whole.state)
        #expect(core.check() == [])
        #expect(core.nodeIDs.count == old.nodes)
        #expect(core.liveJobCount == old.liveJobs)
    }

    /// Snapshots of an older level and the batches themselves, folded from the first, must say the same, once somebody leads: what an
    /// older level did not say, the beginning of a leadership says.
    @Test(arguments: OldJournal.all) func itsBatchesLeadToTheStateOfItsSnapshots(old: OldJournal) async throws {
        let directory = try old.unpacked()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let reader = try SQLiteJournalReader(directory: directory, digest: sha256)
        let snapshot = try #require(try reader.loadSnapshot())
        var core = SchedulerCore()
        var changes = Changes(recording: false)
        try await reader.replay(after: 0, through: snapshot.index) { _, events in
            for event in events { core.evolve(event, &changes) }
        }
        var restored = try SchedulerCore(snapshot: snapshot.state)
        core.evolve(.leadershipBegan(Epoch(1 << 40), rules: 1, at: core.time), &changes)
        restored.evolve(.leadershipBegan(Epoch(1 << 40), rules: 1, at: restored.time), &changes)
        #expect(core.snapshot() == restored.snapshot())
    }

    @Test(arguments: OldJournal.all) func aCoordinatorGoesOnWithIt(old: OldJournal) async throws {
        let directory = try old.unpacked()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let journal = try SQLiteJournal(directory: directory, digest: sha256)
        let recovered = try await Recovery.run(journal)
        let index = recovered.index
        var loop = SchedulerLoop(core: recovered.core, index: index)
        let batch = loop.lead(cluster: loop.core.clusterID, at: loop.core.time + .seconds(1))
        try await journal.append([JournalBatch(index: batch.index, events: batch.events, rows: batch.rows, usage: [], at: batch.at)])
        await journal.close()
        #expect(try await JournalVerification.run(directory).facts.lastIndex == old.batches + 1)
    }

    /// `SUANPAN_WRITE_CORPUS=NAME` adds what this release writes: before each change of a format that a release had.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["SUANPAN_WRITE_CORPUS"] != nil)) func write() async throws {
        let name = try #require(ProcessInfo.processInfo.environment["SUANPAN_WRITE_CORPUS"])
        var plan = SimulationPlan(seed: 7)
        (plan.nodes, plan.jobs, plan.faultySteps, plan.durationMax) = (4, 40, 900, 20_000_000)
        var simulation = Simulation(plan: plan)
        _ = try simulation.run()
        let cluster = try await RecordedCluster(simulated: simulation.durableBatches)
        try await cluster.performEverythingElse()
        await cluster.close()
        try OldJournal.pack(cluster.directory, as: name)
        let facts = try await JournalVerification.run(cluster.directory).facts
        print(name, facts, "nodes \(cluster.nodeCount), live jobs \(cluster.liveJobCount)")
    }
}

extension RecordedCluster {
    /// What no simulated client asks for: access, holdings, removal, a job that waits, a restore.
    func performEverythingElse() async throws {
        try await perform(
            .createKey(AccessKey(id: "0a0b0c0d", secretDigest: sha256([1]), tenant: "t", user: "ada", role: .user, createdAt: now)))
        try await perform(
            .createKey(AccessKey(id: "1a1b1c1d", secretDigest: sha256([2]), tenant: "t", user: "bob", role: .viewer, createdAt: now)))
        try await perform(.revokeKey("1a1b1c1d"))
        try await perform(.setShareObject(.user(UserRecord(name: "ada", account: UserAccount(userID: 1000, groupID: 1000))), if: .none))
        for name in ["token", "old"] {
            try await perform(.setSecret(SecretRecord(tenant: "t", name: name, sealedValue: [1, 2, 3], setAt: now)))
        }
        try await perform(.removeSecret(tenant: "t", name: "old"))
        let tree = try #require(ContentDigest(bytes: sha256([3])))
        for version in ["1", "2"] {
            try await perform(
                .createDataset(
                    DatasetVersion(tenant: "t", name: "mnist", version: version, tree: tree, fileCount: 3, size: 9, createdAt: now)))
        }
        try await perform(.removeDataset(tenant: "t", name: "mnist", version: "1"))
        try await submit("waits")
        try await restore()
        try await submit("after-the-restore")
    }
}
