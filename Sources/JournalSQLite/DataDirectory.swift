// The directory that a journal lives in: who may read it, and that only one coordinator has it open.

import ClusterPorts
import Glibc

/// An open data directory. Holding one is holding its lock; the kernel gives it up with the process, however that ends.
final class DataDirectory: Sendable {
    static let databaseName = "journal.sqlite"
    static let lockName = "journal.lock"

    let path: String
    private let lock: DirectoryLock

    var databasePath: String { "\(path)/\(Self.databaseName)" }

    /// Creates what is missing, readable by the owner alone, and takes the lock.
    init(path: String) throws(JournalError) {
        self.path = path
        try Self.createDirectories(upTo: path)
        lock = try DirectoryLock(path)
        // Made here and not by SQLite, whose files are readable for all; its WAL copies the mode of the database.
        try Self.createDatabaseFile(in: path)
    }

    private static func createDirectories(upTo path: String) throws(JournalError) {
        var ancestor = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            ancestor += (ancestor.isEmpty || ancestor.hasSuffix("/") ? "" : "/") + part
            guard mkdir(ancestor, 0o700) != 0, errno != EEXIST else { continue }
            // A parent that may not be written is no fault as long as it is there.
            let code = errno
            guard access(ancestor, F_OK) != 0 else { continue }
            throw failure(code, doing: "create the directory", at: ancestor)
        }
    }

    /// The descriptor that holds the lock; closing it gives the lock up.
    static func lock(_ directory: String) throws(JournalError) -> Int32 {
        let path = "\(directory)/\(lockName)"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(errno, doing: "open the lock file", at: path) }
        // A child between fork and exec holds a copy of a closed lock for a moment: that is not another coordinator.
        var looksLeft = 20
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            if code == EINTR { continue }
            if code == EWOULDBLOCK, looksLeft > 0 {
                looksLeft -= 1
                usleep(25_000)
                continue
            }
            defer { Glibc.close(descriptor) }
            guard code == EWOULDBLOCK else { throw failure(code, doing: "lock", at: path) }
            throw JournalError(
                .locked,
                "another coordinator\(holder(of: descriptor)) has \(directory) open; "
                    + "stop it first, or give this one another data directory")
        }
        let note = "\(getpid())\n"
        // Only a hint for the message above: what it says is not relied upon.
        _ = ftruncate(descriptor, 0)
        _ = pwrite(descriptor, note, note.utf8.count, 0)
        return descriptor
    }

    /// ` (process 123)`, as the holder wrote it down.
    private static func holder(of descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 20)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        let digits = bytes.prefix(max(0, count)).prefix { $0 >= 0x30 && $0 <= 0x39 }
        return digits.isEmpty ? "" : " (process \(String(decoding: digits, as: UTF8.self)))"
    }

    private static func createDatabaseFile(in directory: String) throws(JournalError) {
        let path = "\(directory)/\(databaseName)"
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            let code = errno
            if code == EEXIST { return }
            throw failure(code, doing: "create", at: path)
        }
        Glibc.close(descriptor)
        try synchronize(directory)
        try synchronize("\(directory)/..")
    }

    /// Makes the names in a directory durable.
    private static func synchronize(_ directory: String) throws(JournalError) {
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            // A parent that may be passed through and not listed was not changed by us.
            if errno == EACCES { return }
            throw failure(errno, doing: "open", at: directory)
        }
        defer { Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure(errno, doing: "sync", at: directory) }
    }

    /// What was tried, where, what the system said and what to do about it.
    private static func failure(_ code: Int32, doing action: String, at path: String) -> JournalError {
        let said = "cannot \(action) \(path): \(String(cString: strerror(code)))"
        switch code {
        case EACCES, EPERM:
            return JournalError(
                .unreadable, "\(said); it must belong to the user that the coordinator runs as (uid \(geteuid())): chown it")
        case EROFS: return JournalError(.unreadable, "\(said); mount it writable, or name another data directory")
        case ENOSPC, EDQUOT: return JournalError(.full, "\(said); free space there")
        case ENOTDIR, EEXIST: return JournalError(.unreadable, "\(said); the data directory must be a directory")
        default: return JournalError(.io, said)
        }
    }
}
