import ArgumentParser
import ClusterModel
import DaemonKit
import Foundation
import JournalSQLite
import LedgerHashing
import SchedulerEngine
import SchedulingCore

/// The child of `BackupService`: copies the journal beside the running coordinator, recovers the copy, and writes the
/// archive to standard output. Nothing is written before the copy has proved to be sound.
struct MakeBackup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "make-backup", abstract: "Write a backup of a running coordinator to standard output.", shouldDisplay: false)

    @Option(help: "The coordinator's data directory.")
    var dataDir: String
    @Option(help: "An empty directory for the copy, removed by the caller.")
    var scratch: String
    @Option(help: "A folder to include; may be repeated.")
    var folder: [String] = []

    func run() async throws {
        do {
            // Whatever the coordinator and its jobs want of this machine comes first.
            setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
            try await Self.write(of: dataDir, scratch: scratch, folders: folder, to: STDOUT_FILENO)
        } catch {
            FileHandle.standardError.write(Data("\(error)\n".utf8))
            throw ExitCode(1)
        }
    }

    static func write(of directory: String, scratch: String, folders names: [String], to descriptor: Int32) async throws {
        let folders = try names.map { name in
            guard let folder = BackupFolder(rawValue: name) else { throw StartError("there is no folder '\(name)' in a backup") }
            return folder
        }
        try JournalCopy.make(of: directory, into: scratch) { step in
            let rest = timespec(tv_sec: Int(step.components.seconds), tv_nsec: Int(step.components.attoseconds / 1_000_000_000))
            withUnsafePointer(to: rest) { _ = nanosleep($0, nil) }
        }
        let journal = try await JournalVerification.run(scratch)
        var writer = BackupWriter(to: descriptor)
        try writer.add(file: "\(scratch)/\(BackupReader.journalName)", as: BackupReader.journalName)
        for folder in folders { try writer.add(folder: "\(directory)/\(folder.rawValue)", as: folder.rawValue) }
        let now = Date()
        let sums = writer.sums
        let manifest = BackupManifest(
            createdAt: now.formatted(.iso8601), clusterId: Hex.text(journal.facts.clusterID), epoch: journal.epoch.value,
            schema: journal.facts.schema, journalIndex: journal.facts.lastIndex, journalTime: journal.time.nanoseconds,
            ledgerSequence: journal.facts.ledgerSequence, stateLevel: SchedulerCore.snapshotLevel, stateDigest: journal.stateDigest,
            folders: folders.map(\.rawValue), memberCount: writer.memberCount, sumsDigest: Hex.text(sha256(sums)),
            keys: try BackupKeys.fingerprints(in: directory))
        let modified = Int64(now.timeIntervalSince1970)
        try writer.add(sums, as: BackupReader.sumsName, modified: modified)
        try writer.add(try manifest.bytes, as: BackupReader.manifestName, modified: modified)
        try writer.finish()
    }
}
