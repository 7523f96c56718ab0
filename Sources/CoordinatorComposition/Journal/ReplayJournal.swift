import ArgumentParser
import DaemonKit
import Foundation
import JournalSQLite
import LedgerHashing

/// What `suanpan simulate replay` becomes.
struct ReplayJournal: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Fold a coordinator's own journal again, and compare what comes out with what it wrote.",
        discussion: """
            From its first batch, or the older of the two snapshots that are kept, every snapshot and every usage record must come out bit for bit, \
            or the exit code is 1. Reads only, beside a running coordinator too. --trace writes the jobs that ran as a trace for `suanpan simulate`.

            Example: suanpan-coordinator replay --data-dir /var/lib/suanpan --trace month.csv
            """)

    @Option(help: "The data directory.")
    var dataDir: String?
    @Option(help: "Write the jobs that ran and ended, as CSV job_id,submit_s,duration_s,num_gpus,vc.")
    var trace: String?
    @Option(help: "What a line of the trace counts: devices or cores (default: devices).")
    var unit: String = "devices"

    func validate() throws {
        guard RunTrace.Unit(rawValue: unit) != nil else { throw ValidationError("--unit '\(unit)': expected devices or cores") }
    }

    func run() async throws {
        let directory = dataDir ?? CoordinatorSettings.defaultDataDirectory
        try await BackupProgram.run {
            BackupProgram.say(try await JournalReplay.run(directory).text)
            guard let trace, let unit = RunTrace.Unit(rawValue: unit) else { return }
            let reader = try SQLiteJournalReader(directory: directory, digest: sha256)
            var runs = RunTrace(unit)
            try reader.runs { job, specification, submitted, found in runs.add(job, specification, submitted: submitted, found) }
            try Data(runs.text.utf8).write(to: URL(filePath: trace))
            BackupProgram.say("\(runs.lines) jobs written to \(trace); \(runs.left) that ran hold no \(unit.rawValue), or were stopped\n")
        }
    }
}
