import ClusterModel
import ClusterPorts
import Foundation
import JournalSQLite
import LedgerHashing
import SimulationKit
import Testing

@testable import CoordinatorComposition
@testable import SchedulingCore

/// A coordinator's own history, folded again.
@Suite struct ReplayTests {
    @Test(arguments: [12, 77, 1085] as [UInt64]) func aHistoryUnderFaultsComesOutBitForBit(seed: UInt64) async throws {
        let batches = try Self.batches(seed: seed)
        let cluster = try await RecordedCluster(simulated: batches)
        let replay = try await JournalReplay.run(cluster.directory)
        #expect(replay.first == 1 && replay.last == UInt64(batches.count))
        #expect(replay.snapshots == [UInt64(batches.count / 2)], "and what was written in between")
        let segments = batches.flatMap(\.rows).count { if case .usage = $0 { true } else { false } }
        #expect(segments > 0 && replay.usageRecords == segments)
        let whole = try await JournalVerification.run(cluster.directory)
        #expect(replay.stateDigest == whole.stateDigest)
        await cluster.close()
    }

    /// Under another identity from then on: so are its usage records.
    @Test func aRestoredClusterComesOutAsWell() async throws {
        let cluster = try await RecordedCluster()
        try await cluster.submit("a")
        try await cluster.run(1, for: .seconds(10))
        try await cluster.restore()
        try await cluster.register()
        try await cluster.submit("b")
        try await cluster.run(cluster.lastJob, for: .seconds(10))
        #expect(try await JournalReplay.run(cluster.directory).usageRecords == 2)
        await cluster.close()
    }

    @Test(arguments: [
        ("UPDATE usage SET body = (SELECT body FROM usage WHERE sequence = 1) WHERE sequence = 3", "usage record 3 is not the one"),
        ("DELETE FROM usage WHERE sequence = (SELECT max(sequence) FROM usage)", "the batches lead to"),
    ]) func aUsageRecordThatIsNotWhatFollowsIsNamed(statement: String, expected: String) async throws {
        let cluster = try await RecordedCluster(simulated: try Self.batches(seed: 12))
        await cluster.close()
        try Self.tamper(cluster.directory, "DROP TRIGGER usage_is_never_changed; DROP TRIGGER usage_is_never_deleted; \(statement)")
        let said = await refusal { _ = try await JournalReplay.run(cluster.directory) }
        #expect(said.contains(expected), "\(said)")
    }

    /// Sound by its own digest, and another state than the batches lead to.
    @Test func aSnapshotThatIsNotWhatFollowsIsNamed() async throws {
        let batches = try Self.batches(seed: 12)
        let cluster = try await RecordedCluster(simulated: batches)
        let reader = try SQLiteJournalReader(directory: cluster.directory, digest: sha256)
        let snapshot = try #require(try reader.loadSnapshot())
        let last = try reader.facts().lastIndex
        await cluster.close()
        let bytes = snapshot.state.map { String(format: "%02x", $0) }.joined()
        let digest = snapshot.digest.map { String(format: "%02x", $0) }.joined()
        try Self.tamper(
            cluster.directory,
            "INSERT INTO snapshot_part (snapshot, part, bytes) VALUES (\(last), 0, x'\(bytes)'); INSERT INTO snapshot VALUES (\(last), x'\(digest)', 1)"
        )
        let said = await refusal { _ = try await JournalReplay.run(cluster.directory) }
        #expect(said.contains("the state after batch \(last) is not the one that was written as a snapshot then"), "\(said)")
    }

    @Test func whatRanIsATraceForTheSimulation() async throws {
        let cluster = try await RecordedCluster()
        for name in ["a", "b", "c"] { try await cluster.submit(name) }
        for job in 1...2 { try await cluster.run(UInt64(job), for: .seconds(Int64(10 * job))) }
        var trace = RunTrace(.cores)
        let reader = try SQLiteJournalReader(directory: cluster.directory, digest: sha256)
        try reader.runs { trace.add($0, $1, submitted: $2, $3) }
        let lines = trace.text.split(separator: "\n")
        #expect(lines.first == "job_id,submit_s,duration_s,num_gpus,vc" && trace.lines == 2, "\(trace.text)")
        #expect(
            lines.dropFirst().map { $0.split(separator: ",").dropFirst(2).joined(separator: ",") } == [
                "10.000,1,default", "20.000,1,default",
            ])
        var none = RunTrace(.devices)
        try reader.runs { none.add($0, $1, submitted: $2, $3) }
        #expect(none.lines == 0 && none.left == 2)
        await cluster.close()
    }

    private static func batches(seed: UInt64) throws -> [Batch] {
        var plan = SimulationPlan(seed: seed)
        (plan.nodes, plan.jobs, plan.faultySteps, plan.durationMax, plan.endsWithOldState) = (3, 20, 300, 20_000_000, false)
        var simulation = Simulation(plan: plan)
        _ = try simulation.run()
        return simulation.durableBatches
    }

    private static func tamper(_ directory: String, _ statements: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "python3", "-c", "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(sys.stdin.read())",
            "\(directory)/journal.sqlite",
        ]
        let input = Pipe()
        process.standardInput = input
        try process.run()
        input.fileHandleForWriting.write(Data(statements.utf8))
        try input.fileHandleForWriting.close()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }
}
