import ArgumentParser
import DaemonKit
import JournalSQLite
import LedgerHashing
import SchedulerEngine
import SchedulingCore

/// The child of `SnapshotMaker`: recovers like a starting coordinator, writes what it got, and ends.
struct MakeSnapshot: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "make-snapshot", abstract: "Recover the state from the journal and write it to a file.", shouldDisplay: false)

    @Option(help: "The coordinator's data directory.")
    var dataDir: String
    @Option(help: "The last batch to include.")
    var through: UInt64
    @Option(help: "The file to write, mode 0600.")
    var out: String

    func run() async throws {
        let source = try SQLiteJournalReader(directory: dataDir, digest: sha256)
        let recovered = try await Recovery.run(source, through: through)
        guard recovered.index == through else { throw StartError("the journal ends at batch \(recovered.index), not \(through)") }
        try PrivateFile.write(recovered.core.snapshot(), to: out)
    }
}
