import ClusterModel
import DaemonKit
import Foundation
import JournalSQLite
import LedgerHashing
import SchedulerEngine
import SchedulingCore

/// Whether the journal in a directory is whole: everything that a start relies on, and what it does not look at.
struct JournalVerification {
    var facts: JournalFacts
    /// Canonical bytes of the state.
    var state: [UInt8]
    var time: LogicalTime
    var epoch: Epoch

    private static let usagePage = 10_000

    /// Reads every byte. Recovers the state as a start does; the process that calls this has nothing else to lose.
    static func run(_ directory: String) async throws -> JournalVerification {
        let reader = try SQLiteJournalReader(directory: directory, digest: sha256)
        let damage = try reader.damage()
        guard damage.isEmpty else {
            throw StartError("the database is damaged: \(damage.prefix(3).joined(separator: "; "))")
        }
        let facts = try reader.facts()
        try await checkRecords(reader, facts)
        try checkLedger(reader, facts)
        let recovered = try await Recovery.run(reader)
        guard recovered.index == facts.lastIndex else {
            throw StartError("the state can be recovered up to batch \(recovered.index) of \(facts.lastIndex) only")
        }
        return JournalVerification(
            facts: facts, state: recovered.core.snapshot(), time: recovered.core.time, epoch: recovered.core.epoch)
    }

    var stateDigest: String { Hex.text(sha256(state)) }

    /// Every record's checksum, in order and without a gap, back to the older snapshot or to the beginning.
    private static func checkRecords(_ reader: SQLiteJournalReader, _ facts: JournalFacts) async throws {
        let firstNeeded = (facts.snapshots.first ?? 0) + 1
        guard facts.lastIndex < firstNeeded || (facts.firstIndex > 0 && facts.firstIndex <= firstNeeded) else {
            throw StartError("batches \(firstNeeded) to \(facts.firstIndex - 1) are missing")
        }
        guard facts.firstIndex > 0 else { return }
        var last = facts.firstIndex - 1
        try await reader.replay(after: last, through: facts.lastIndex) { index, _ in last = index }
        guard last == facts.lastIndex else { throw StartError("the batches after \(last) are missing") }
    }

    private static func checkLedger(_ reader: SQLiteJournalReader, _ facts: JournalFacts) throws {
        var verifier = LedgerVerifier()
        while true {
            let records = try reader.usageRecords(after: verifier.head.sequence, limit: usagePage)
            if records.isEmpty { break }
            do throws(LedgerFault) {
                for record in records { _ = try verifier.check(record) }
            } catch {
                switch error {
                case .gap(let last, let found): throw StartError("usage records \(last + 1) to \(found - 1) are missing")
                case .brokenChain(let sequence): throw StartError("usage record \(sequence) does not follow the one before it")
                case .unreadable(let sequence): throw StartError("usage record \(sequence) cannot be read")
                }
            }
        }
        guard verifier.head.sequence == facts.ledgerSequence else {
            throw StartError("the usage ledger ends at record \(verifier.head.sequence), not \(facts.ledgerSequence)")
        }
    }
}

extension BackupManifest {
    /// Whether a journal is the one that this manifest tells of.
    func check(_ journal: JournalVerification, in path: String) throws {
        guard Hex.text(journal.facts.clusterID) == clusterId, journal.facts.lastIndex == journalIndex,
            journal.facts.ledgerSequence == ledgerSequence
        else { throw StartError("\(path) is damaged: its journal is not the one that the manifest names; use another backup") }
        // The form of the state may have changed since; then recovery without a fault is what there is to compare.
        guard stateLevel != SchedulerCore.snapshotLevel || stateDigest == journal.stateDigest else {
            throw StartError("\(path): the state that its journal recovers to is not the one that was backed up; keep it and report this")
        }
    }
}
