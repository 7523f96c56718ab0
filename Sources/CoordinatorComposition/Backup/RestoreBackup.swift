// What `suanpan backup verify` and `suanpan backup restore` run: it takes the coordinator's half to read a journal.

import ArgumentParser
import ClusterModel
import ClusterPorts
import DaemonKit
import Foundation
import JournalSQLite
import LedgerHashing
import SchedulerEngine
import SchedulingCore

struct VerifyBackup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify-backup", abstract: "Check a backup: every byte, every record, and that a state can be recovered from it.",
        discussion: "Example: suanpan-coordinator verify-backup suanpan.backup")

    @Argument(help: "The backup file.")
    var file: String
    @Option(help: "Where to unpack the journal for a moment (default: beside the file).")
    var scratch: String?

    func run() async throws {
        try await BackupProgram.run {
            let reader = try BackupReader(file)
            let directory = try BackupProgram.makeDirectory(
                "\(scratch ?? URL(filePath: file).deletingLastPathComponent().path)/.suanpan-verify-\(Hex.text(KeyFile.random(4)))")
            defer { try? FileManager.default.removeItem(atPath: directory) }
            try reader.extract(into: directory) { $0 == BackupReader.journalName }
            let journal = try await JournalVerification.run(directory)
            try reader.manifest.check(journal, in: file)
            BackupProgram.say(reader.manifest.summary + "Sound: every digest, every batch, the usage ledger and the recovered state.\n")
        }
    }
}

struct RestoreBackup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore-backup", abstract: "Make a data directory of a backup, with no coordinator running in it.",
        discussion: """
            The cluster goes on with a new identity, in a higher epoch and with higher numbers of jobs. What happened after the backup \
            is not known to it: jobs that waited or ran then run again unless their node still has them, and newer jobs are stopped.

            Example: suanpan-coordinator restore-backup suanpan.backup --data-dir /var/lib/suanpan --keys suanpan.keys
            """)

    @Argument(help: "The backup file.")
    var file: String
    @Option(help: "The data directory to make: absent or empty.")
    var dataDir: String
    @Flag(help: "Move a data directory that is there aside, to <dir>.before-restore-<time>.")
    var replace = false
    @Option(help: "The file that `backup create --keys` wrote.")
    var keys: String?
    @Flag(
        help: "Go on with new keys: environment values of jobs from the backup are lost to them, and every node must join again.")
    var withoutKeys = false

    func validate() throws {
        guard keys == nil || !withoutKeys else { throw ValidationError("--keys and --without-keys exclude each other") }
    }

    func run() async throws {
        try await BackupProgram.run {
            let restorer = BackupRestorer(
                reader: try BackupReader(file), target: dataDir, replaces: replace, keyFile: keys, takesNewKeys: withoutKeys)
            BackupProgram.say(try await restorer.run())
        }
    }
}

enum BackupProgram {
    static func run(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch {
            FileHandle.standardError.write(Data("suanpan: \(error)\n".utf8))
            throw ExitCode(1)
        }
    }

    static func say(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }

    static func makeDirectory(_ path: String) throws -> String {
        guard mkdir(path, 0o700) == 0 else { throw StartError("\(path) cannot be made: \(String(cString: strerror(errno)))") }
        return path
    }
}

extension BackupManifest {
    var summary: String {
        let needed = keys.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        return """
            Backup of cluster \(clusterId), made \(createdAt) by release \(programVersion)
            Journal to batch \(journalIndex), usage to record \(ledgerSequence)\(folders.isEmpty ? "" : ", with \(folders.joined(separator: ", "))")
            Keys it needs: \(needed)

            """
    }
}
