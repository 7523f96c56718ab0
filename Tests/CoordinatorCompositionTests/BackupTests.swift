import ClusterModel
import ClusterPorts
import DaemonKit
import Foundation
import LedgerHashing
import SchedulerEngine
import SchedulingCore
import Testing

@testable import CoordinatorComposition
@testable import JournalSQLite

@Suite struct BackupTests {
    /// Reads a backup as `verify-backup` does.
    private func verify(_ file: String, in root: String) async throws {
        let reader = try BackupReader(file)
        let directory = try BackupProgram.makeDirectory("\(root)/verify-\(UUID().uuidString)")
        try reader.extract(into: directory) { $0 == BackupReader.journalName }
        try reader.manifest.check(try await JournalVerification.run(directory), in: file)
    }

    private func restore(
        _ file: String, to target: String, replaces: Bool = false, keyFile: String? = nil, takesNewKeys: Bool = true
    ) async throws -> String {
        try await BackupRestorer(
            reader: try BackupReader(file), target: target, replaces: replaces, keyFile: keyFile, takesNewKeys: takesNewKeys
        ).run()
    }

    private func manifest(_ file: String) throws -> BackupManifest { try BackupReader(file).manifest }

    @Test func aBackupOfARunningClusterIsSoundAndHoldsNoKey() async throws {
        let cluster = try await RecordedCluster()
        try await cluster.submit("first")
        try await cluster.finish(1)
        try cluster.writeOutput("said", job: 1)
        let file = try await cluster.backUp()
        try await cluster.submit("later")
        try await verify(file, in: cluster.root)
        let manifest = try manifest(file)
        #expect(manifest.clusterId == Hex.text(cluster.cluster) && manifest.ledgerSequence == 1 && manifest.folders == ["logs"])
        let bytes = try Data(contentsOf: URL(filePath: file))
        for name in BackupKeys.names {
            let key = try #require(try KeyFile.read("\(cluster.directory)/\(name)"))
            #expect(bytes.firstRange(of: Data(key)) == nil)
            #expect(manifest.keys[name] == BackupKeys.fingerprint(of: key, named: name))
        }
    }

    @Test func systemsToolsOpenIt() async throws {
        let cluster = try await RecordedCluster()
        try cluster.writeOutput("said", job: 1)
        let file = try await cluster.backUp()
        let folder = try BackupProgram.makeDirectory("\(cluster.root)/opened")
        for command in [["tar", "-xf", file], ["sha256sum", "--quiet", "-c", "SHA256SUMS"]] {
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = command
            process.currentDirectoryURL = URL(filePath: folder)
            try process.run()
            process.waitUntilExit()
            #expect(process.terminationStatus == 0, "\(command)")
        }
        #expect(try String(contentsOfFile: "\(folder)/logs/1/1/0.1.out", encoding: .utf8) == "said")
    }

    /// One byte anywhere is noticed, and so is a file that ends early.
    @Test func damageIsFound() async throws {
        let cluster = try await RecordedCluster()
        try await cluster.submit("first")
        try cluster.writeOutput(String(repeating: "said ", count: 500), job: 1)
        let file = try await cluster.backUp()
        let whole = try Data(contentsOf: URL(filePath: file))
        for place in stride(from: 100, to: whole.count - 1024, by: whole.count / 23) {
            var damaged = whole
            damaged[place] ^= 0x20
            try damaged.write(to: URL(filePath: file))
            // Filling after a member's last byte is nobody's.
            guard damaged[place] != 0x20 else { continue }
            #expect(await !refusal { try await verify(file, in: cluster.root) }.isEmpty, "byte \(place) of \(whole.count)")
        }
        for length in [whole.count / 3, whole.count - 2048] {
            try whole.prefix(length).write(to: URL(filePath: file))
            let said = await refusal { _ = try await restore(file, to: "\(cluster.root)/restored") }
            #expect(said.contains("cut short") || said.contains("not whole"), "\(said)")
        }
        #expect(!FileManager.default.fileExists(atPath: "\(cluster.root)/restored"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: cluster.root).filter { $0.hasPrefix(".restoring") } == [])
    }

    /// Digests that fit do not make a journal sound: what a start would stumble over is looked for too.
    @Test(arguments: [
        ("DELETE FROM journal WHERE \"index\" = 3", "batches 3 to 3"),
        ("DROP TRIGGER usage_is_never_deleted; DELETE FROM usage WHERE sequence = 1", "usage records 1 to 1"),
        ("UPDATE journal SET record = zeroblob(20) WHERE \"index\" = 2", "batch 2"),
    ])
    func aJournalThatLacksSomethingIsNotBackedUp(_ statement: String, _ expected: String) async throws {
        let cluster = try await RecordedCluster()
        for job in 1...2 {
            try await cluster.submit("job")
            try await cluster.finish(UInt64(job))
        }
        for part in statement.split(separator: ";") { _ = try await cluster.journal.run(String(part)) }
        let said = await refusal { _ = try await cluster.backUp() }
        #expect(said.contains(expected), "\(said)")
    }

    @Test func aNewerFormatIsRefusedByName() throws {
        let text = #"{"format": 2, "programVersion": "9.1.0", "surprise": true}"#
        let error = #expect(throws: StartError.self) { try BackupManifest(parsing: Array(text.utf8)) }
        #expect(error?.description.contains("9.1.0") == true)
    }

    @Test func aRestoredClusterIsAnotherOneWithTheSameJobs() async throws {
        let cluster = try await RecordedCluster()
        for name in ["ended", "running", "waiting"] { try await cluster.submit(name) }
        try await cluster.finish(1)
        try cluster.writeOutput("said", job: 1)
        let file = try await cluster.backUp()
        await cluster.close()
        let target = "\(cluster.root)/restored"
        _ = try await restore(file, to: target)
        let journal = try SQLiteJournal(directory: target, digest: sha256)
        let head = try await journal.head()
        let recovered = try await Recovery.run(journal)
        #expect(head.index == (try manifest(file)).journalIndex + 1 && head.ledgerSequence == 1)
        let core = recovered.core
        let identity = core.clusterID
        #expect(identity.count == 16 && identity != cluster.cluster)
        let epoch = core.epoch.value
        #expect(epoch > 1_700_000_000)
        let live = core.liveJobIDs
        #expect(live == [JobID(2), JobID(3)])
        #expect(try String(contentsOfFile: "\(target)/logs/1/1/0.1.out", encoding: .utf8) == "said")
        let reads = try SQLiteReadModel(directory: target)
        #expect(try await reads.job(JobID(1), .all)?.standing.state == .succeeded)
        await journal.close()
    }

    @Test func whatIsThereIsNeitherOverwrittenNorLost() async throws {
        let cluster = try await RecordedCluster()
        let file = try await cluster.backUp()
        let running = await refusal { _ = try await restore(file, to: cluster.directory, replaces: true, takesNewKeys: false) }
        #expect(running.contains("another coordinator"))
        await cluster.close()
        #expect(await refusal { _ = try await restore(file, to: cluster.directory) }.contains("not empty"))
        let before = try KeyFile.read("\(cluster.directory)/server.key")
        // The keys that the backup names lie in the directory that is replaced.
        _ = try await restore(file, to: cluster.directory, replaces: true, takesNewKeys: false)
        #expect(try KeyFile.read("\(cluster.directory)/server.key") == before)
        let aside = try FileManager.default.contentsOfDirectory(atPath: cluster.root).filter { $0.hasPrefix("data.before-restore-") }
        #expect(aside.count == 1)
        #expect(FileManager.default.fileExists(atPath: "\(cluster.root)/\(aside[0])/journal.sqlite"))
    }

    @Test func keysAreAskedForByFingerprint() async throws {
        let cluster = try await RecordedCluster()
        let file = try await cluster.backUp()
        let target = "\(cluster.root)/restored"
        let needed = try #require(try manifest(file).keys["secrets.key"])
        #expect(await refusal { _ = try await restore(file, to: target, takesNewKeys: false) }.contains(needed))
        let bundle = "\(cluster.root)/keys"
        var text = "# keys\n"
        for name in BackupKeys.names { text += "\(name) \(Hex.text(try KeyFile.read("\(cluster.directory)/\(name)")!))\n" }
        try Data(text.replacing("server.key ", with: "server.key 00").utf8).write(to: URL(filePath: bundle))
        #expect(await refusal { _ = try await restore(file, to: target, keyFile: bundle, takesNewKeys: false) }.contains("no key file"))
        try Data(text.utf8).write(to: URL(filePath: bundle))
        _ = try await restore(file, to: target, keyFile: bundle, takesNewKeys: false)
        #expect(try KeyFile.read("\(target)/secrets.key") == KeyFile.read("\(cluster.directory)/secrets.key"))
    }

    /// Clients trust one certificate: a restored coordinator that made another would turn them all away.
    @Test func theInterfaceIsWhoItWas() async throws {
        let cluster = try await RecordedCluster()
        let file = try await cluster.backUp()
        try FileManager.default.createDirectory(atPath: "\(cluster.directory)/tls", withIntermediateDirectories: true)
        let contents = ["tls/certificate.pem": "a certificate\n", "tls/key.pem": "a key\n"]
        var text = ""
        for name in BackupKeys.names { text += "\(name) \(Hex.text(try KeyFile.read("\(cluster.directory)/\(name)")!))\n" }
        for (name, content) in contents {
            try PrivateFile.write(Array(content.utf8), to: "\(cluster.directory)/\(name)")
            text += "\(name) \(Hex.text(Array(content.utf8)))\n"
        }
        let bundle = "\(cluster.root)/keys"
        try PrivateFile.write(Array(text.utf8), to: bundle)
        await cluster.close()
        let target = "\(cluster.root)/restored"
        _ = try await restore(file, to: target, keyFile: bundle, takesNewKeys: false)
        _ = try await restore(file, to: cluster.directory, replaces: true, takesNewKeys: false)
        for directory in [target, cluster.directory] {
            for (name, content) in contents { #expect(try String(contentsOfFile: "\(directory)/\(name)", encoding: .utf8) == content) }
        }
        let mode = try FileManager.default.attributesOfItem(atPath: "\(target)/tls/key.pem")[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let other = "\(cluster.root)/other"
        #expect(try await restore(file, to: other, takesNewKeys: true).contains("clients need a copy of the new one"))
        #expect(!FileManager.default.fileExists(atPath: "\(other)/tls"))
    }

    /// Numbers from the time that the backup does not know must never come again, also when it is restored twice.
    @Test func twoRestoresOfOneBackupShareNoNumber() {
        var first = SchedulerLoop(core: SchedulerCore(), index: 0)
        var second = SchedulerLoop(core: SchedulerCore(), index: 0)
        let now = LogicalTime(nanoseconds: 1_800_000_000_000_000_000)
        _ = first.restore(cluster: [1], at: now)
        _ = second.restore(cluster: [2], at: now + .seconds(60))
        let jobs = { (batch: Batch) -> UInt64 in
            guard case .clusterRestored(let cluster) = batch.events[0] else { return 0 }
            return cluster.job.value
        }
        let again = jobs(second.restore(cluster: [3], at: now + .seconds(120)))
        let before = jobs(first.restore(cluster: [4], at: now + .seconds(60)))
        #expect(again - before == 60_000, "a thousand jobs in each second between")
        let epochs = (first.core.epoch.value, second.core.epoch.value)
        #expect(epochs.1 > epochs.0)
    }
}

@Suite struct TarFormatTests {
    @Test(arguments: [0, 1, 511, 512, 1 << 32, (1 << 33) - 1, 1 << 33, 1 << 40] as [Int64])
    func sizesComeBack(_ size: Int64) throws {
        let member = TarFormat.Member(name: "logs/7/1795207189007/0.1.out", size: size, modified: 1_795_207_189)
        #expect(try TarFormat.member(header: try TarFormat.header(of: member)) == member)
    }

    @Test func headersThatWereChangedAreRefused() throws {
        let block = try TarFormat.header(of: .init(name: "journal.sqlite", size: 7, modified: 0))
        for place in [0, 124, 130, 156, 257] {
            var changed = block
            changed[place] ^= 1
            #expect(throws: StartError.self) { try TarFormat.member(header: changed) }
        }
    }

    @Test(arguments: ["../etc/passwd", "/etc/passwd", "logs/../x", "logs//x", "other/x", "logs/a b", "journal.sqlite/x"])
    func namesThatLeadElsewhereAreRefused(_ name: String) throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "names-\(UUID().uuidString)").path()
        defer { try? FileManager.default.removeItem(atPath: file) }
        let bytes = try TarFormat.header(of: .init(name: name, size: 0, modified: 0)) + [UInt8](repeating: 0, count: 1024)
        try Data(bytes).write(to: URL(filePath: file))
        let error = #expect(throws: StartError.self) { try BackupReader(file) }
        #expect(error?.description.contains("which no backup has") == true)
    }
}
