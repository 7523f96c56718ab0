import ClusterModel
import ClusterPorts
import DaemonKit
import Foundation
import JournalSQLite
import LedgerHashing
import SchedulerEngine
import SchedulingCore

/// Makes a data directory of a backup: whole beside the target, then put in its place by one rename. A crash leaves
/// either the old state or the new one, and at worst a directory named `.restoring-…` to remove.
struct BackupRestorer {
    var reader: BackupReader
    var target: String
    /// Moves what is there aside.
    var replaces: Bool
    var keyFile: String?
    var takesNewKeys: Bool

    /// - Returns: what to tell.
    func run() async throws -> String {
        let path = URL(filePath: target).standardizedFileURL.path
        let state = try Standing(of: path)
        if case .occupied = state, !replaces {
            throw StartError("\(path) is not empty; nothing was changed. Give --replace to move it aside, or name another directory")
        }
        // Held until the rename: a coordinator that starts meanwhile is refused.
        let lock: DirectoryLock? = if case .occupied = state { try DirectoryLock(ofJournalIn: path) } else { nil }
        defer { withExtendedLifetime(lock) {} }
        let keys = try keys(oldDirectory: lock == nil ? nil : path)
        let identity = takesNewKeys ? nil : try identity(oldDirectory: lock == nil ? nil : path)
        let parent = URL(filePath: path).deletingLastPathComponent().path
        let staging = try BackupProgram.makeDirectory(
            "\(parent)/.restoring-\(URL(filePath: path).lastPathComponent)-\(Hex.text(KeyFile.random(4)))")
        do {
            try reader.extract(into: staging) { $0 != BackupReader.sumsName }
            let journal = try await JournalVerification.run(staging)
            try reader.manifest.check(journal, in: reader.path)
            let id = try await beginNewTime(in: staging)
            for (name, key) in keys { try PrivateFile.write(key, to: "\(staging)/\(name)") }
            if let identity { try write(identity, into: staging) }
            try adopt(staging, ownerOf: path, parent: parent)
            let aside = try put(staging, at: path, parent: parent, state)
            return told(cluster: id, path, aside: aside, keys: keys.keys.sorted(), hasIdentity: identity != nil)
        } catch {
            try? FileManager.default.removeItem(atPath: staging)
            throw error
        }
    }

    /// What is at the target now.
    private enum Standing {
        case absent, empty, occupied

        init(of path: String) throws {
            var status = stat()
            guard lstat(path, &status) == 0 else {
                guard errno == ENOENT else { throw StartError("\(path): \(String(cString: strerror(errno)))") }
                self = .absent
                return
            }
            guard status.st_mode & S_IFMT == S_IFDIR else { throw StartError("\(path) is there and no directory; name another") }
            self = try FileManager.default.contentsOfDirectory(atPath: path).isEmpty ? .empty : .occupied
        }
    }

    // MARK: Keys

    /// The keys that the backup names: of the file, else of the directory that is replaced.
    private func keys(oldDirectory: String?) throws -> [String: [UInt8]] {
        if takesNewKeys { return [:] }
        let given = try keyFile.map(KeyBundle.read)
        var keys: [String: [UInt8]] = [:]
        for (name, fingerprint) in reader.manifest.keys.sorted(by: { $0.key < $1.key }) where BackupKeys.names.contains(name) {
            let candidates = [given?[name], try oldDirectory.flatMap { try KeyFile.read("\($0)/\(name)") }].compactMap { $0 }
            guard let key = candidates.first(where: { BackupKeys.fingerprint(of: $0, named: name) == fingerprint }) else {
                let found = candidates.first.map { "; the one found is \(BackupKeys.fingerprint(of: $0, named: name))" } ?? ""
                throw StartError(
                    "the backup needs the key \(name) with fingerprint \(fingerprint)\(found). Give the file of `backup create --keys` with "
                        + "--keys, or --without-keys to go on with new ones. Nothing was changed")
            }
            keys[name] = key
        }
        return keys
    }

    /// Certificate and key of the interface, by name: of the file, else of the directory that is replaced; nil where one is missing.
    private func identity(oldDirectory: String?) throws -> [String: [UInt8]]? {
        let given = try keyFile.map(KeyBundle.read) ?? [:]
        var files: [String: [UInt8]] = [:]
        for name in BackupKeys.identity {
            files[name] = given[name] ?? oldDirectory.flatMap { FileManager.default.contents(atPath: "\($0)/\(name)").map(Array.init) }
        }
        return files.count == BackupKeys.identity.count ? files : nil
    }

    private func write(_ identity: [String: [UInt8]], into directory: String) throws {
        guard mkdir("\(directory)/tls", 0o711) == 0 else { throw StartError("\(directory)/tls cannot be made") }
        for (name, bytes) in identity { try PrivateFile.write(bytes, to: "\(directory)/\(name)") }
        // No secret, as where it was made.
        chmod("\(directory)/tls/certificate.pem", 0o644)
    }

    // MARK: Steps

    /// The journal's next batch: a new identity, and numbers that no one has seen (Protocols/journal.md, "Restoring").
    private func beginNewTime(in directory: String) async throws -> [UInt8] {
        let journal = try SQLiteJournal(directory: directory, digest: sha256)
        let recovered = try await Recovery.run(journal)
        var loop = SchedulerLoop(core: recovered.core, index: recovered.index)
        let batch = loop.restore(cluster: KeyFile.random(16), at: LogicalTime(nanoseconds: SystemClocks().wall()))
        try await journal.append([JournalBatch(index: batch.index, events: batch.events, rows: batch.rows, usage: [], at: batch.at)])
        await journal.close()
        return loop.core.clusterID
    }

    /// As root: everything belongs to whom the directory belonged to before, or its parent.
    private func adopt(_ staging: String, ownerOf path: String, parent: String) throws {
        chmod(staging, 0o711)
        var status = stat()
        guard geteuid() == 0, stat(path, &status) == 0 || stat(parent, &status) == 0, status.st_uid != 0 else { return }
        let below = FileManager.default.enumerator(atPath: staging)?.compactMap { $0 as? String } ?? []
        for name in [""] + below where lchown("\(staging)/\(name)", status.st_uid, status.st_gid) != 0 {
            throw StartError("\(staging)/\(name) cannot be given to user \(status.st_uid): \(String(cString: strerror(errno)))")
        }
    }

    /// - Returns: where the old directory is now.
    private func put(_ staging: String, at path: String, parent: String, _ state: Standing) throws -> String? {
        try Self.synchronizeAll(below: staging)
        var aside: String?
        switch state {
        case .absent: break
        case .empty:
            guard rmdir(path) == 0 else { throw Self.notReplaceable(path) }
        case .occupied:
            let name = "\(path).before-restore-\(Int(Date().timeIntervalSince1970))"
            guard rename(path, name) == 0 else { throw Self.notReplaceable(path) }
            aside = name
        }
        guard rename(staging, path) == 0 else {
            let code = errno
            // Nothing may be lost by a failed attempt.
            if let aside { rename(aside, path) }
            throw StartError("\(path) cannot be put in place: \(String(cString: strerror(code)))")
        }
        try Self.synchronize(parent)
        return aside
    }

    private static func notReplaceable(_ path: String) -> StartError {
        let said = String(cString: strerror(errno))
        return StartError(
            "\(path) cannot be moved: \(said). Is it a mount point? Then unmount it, or name a directory below it. Nothing was changed")
    }

    private static func synchronizeAll(below directory: String) throws {
        try synchronize(directory)
        for name in FileManager.default.enumerator(atPath: directory)?.compactMap({ $0 as? String }) ?? [] {
            var status = stat()
            if lstat("\(directory)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFDIR { try synchronize("\(directory)/\(name)") }
        }
    }

    private static func synchronize(_ directory: String) throws {
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StartError("\(directory): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw StartError("\(directory) cannot be made durable: \(String(cString: strerror(errno)))") }
    }

    private func told(cluster: [UInt8], _ path: String, aside: String?, keys: [String], hasIdentity: Bool) -> String {
        var text = reader.manifest.summary + "Restored to \(path) as cluster \(Hex.text(cluster)).\n"
        if let aside { text += "What was there is now \(aside).\n" }
        text +=
            keys.isEmpty
            ? "New keys will be made at the start: every node must join again.\n" : "With the keys \(keys.joined(separator: ", ")).\n"
        if !hasIdentity { text += "Where the interface made its own certificate, it makes another: clients need a copy of the new one.\n" }
        text += """
            Before users come back:
              - jobs, API keys and nodes from after the backup are unknown here; nodes among them must join again
              - API keys that were revoked after the backup are valid again: `suanpan key ls`, then revoke them
              - usage records after number \(reader.manifest.ledgerSequence) in exports are of a time that this cluster does not know

            """
        return text
    }
}

/// The file of `backup create --keys`: a line `<name> <hexadecimal digits>` for each file, keys of 32 bytes and the identity of the
/// interface; mode 0600.
enum KeyBundle {
    static func read(_ path: String) throws -> [String: [UInt8]] {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { throw StartError("\(path) cannot be read") }
        var keys: [String: [UInt8]] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: " ").map(String.init)
            guard parts.count == 2, let key = Hex.bytes(parts[1]),
                BackupKeys.names.contains(parts[0]) && key.count == 32 || BackupKeys.identity.contains(parts[0])
            else {
                throw StartError("\(path) is no key file: expected lines such as `secrets.key <64 hexadecimal digits>`")
            }
            keys[parts[0]] = key
        }
        return keys
    }
}
