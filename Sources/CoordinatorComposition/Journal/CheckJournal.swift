import ArgumentParser
import ClusterPorts
import DaemonKit
import Foundation
import JournalSQLite
import LedgerHashing

/// What `suanpan doctor journal` becomes: the way out when a start has refused a journal.
struct CheckJournal: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-journal", abstract: "Check a data directory's journal, and say what can be done about damage.",
        discussion: """
            Reads every byte as a start does and more, beside a running coordinator too. Changes nothing without --set-aside-snapshot, \
            which takes a damaged newest snapshot out, keeps its bytes in a file, and loses nothing: the one before it and every \
            batch since are there.

            Example: suanpan-coordinator check-journal --data-dir /var/lib/suanpan
            """)

    @Option(help: "The data directory.")
    var dataDir: String?
    @Flag(help: "Take a damaged newest snapshot out; no coordinator may run.")
    var setAsideSnapshot = false

    func run() async throws {
        let directory = dataDir ?? CoordinatorSettings.defaultDataDirectory
        try await BackupProgram.run {
            if setAsideSnapshot {
                let (index, file) = try JournalRepair.setAsideDamagedSnapshot(in: directory, digest: sha256)
                BackupProgram.say("Snapshot \(index) is now \(file); a start uses the one before it, and the batches since.\n")
            }
            let journal: JournalVerification
            do {
                journal = try await JournalVerification.run(directory)
            } catch {
                throw StartError(
                    "\(error)\n" + Self.waysOut(of: directory, newestSnapshotIsDamaged: Self.newestSnapshotIsDamaged(directory)))
            }
            BackupProgram.say(Self.summary(of: journal))
        }
    }

    private static func newestSnapshotIsDamaged(_ directory: String) -> Bool {
        guard let reader = try? SQLiteJournalReader(directory: directory, digest: sha256) else { return false }
        do {
            _ = try reader.loadSnapshot()
            return false
        } catch { return error.code == .unreadable }
    }

    private static func waysOut(of directory: String, newestSnapshotIsDamaged: Bool) -> String {
        let copy = "First of all keep a copy: cp -a \(directory) \(directory).damaged, with no coordinator running.\n"
        if newestSnapshotIsDamaged {
            return copy + "The newest snapshot is damaged, and can be set aside without a loss:\n"
                + "  suanpan doctor journal --data-dir \(directory) --set-aside-snapshot\n"
        }
        return copy + "Then put the newest sound backup in its place; what happened since it was made is lost to the cluster:\n"
            + "  suanpan backup verify FILE\n  suanpan backup restore FILE --data-dir \(directory) --replace --keys KEYS\n"
            + "Nodes keep what they run meanwhile. What the damaged journal still holds can be exported from the copy.\n"
    }

    private static func summary(of journal: JournalVerification) -> String {
        let facts = journal.facts
        let snapshots = facts.snapshots.isEmpty ? "none" : facts.snapshots.map(String.init).joined(separator: ", ")
        return """
            Journal of cluster \(Hex.text(facts.clusterID)), tables of version \(facts.schema)
            Batches \(facts.firstIndex) to \(facts.lastIndex), snapshots after \(snapshots), usage to record \(facts.ledgerSequence)
            Sound: every batch, the usage ledger, the snapshots in use and the recovered state.

            """
    }
}
