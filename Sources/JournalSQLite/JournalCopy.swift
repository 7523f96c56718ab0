// A copy of a journal that a coordinator has open, as it is at one instant.

public import ClusterPorts
import GRDB
import Glibc

/// Copies the database beside a running coordinator, in a process of its own.
///
/// One read transaction spans the copy, so that it is of one instant however long it takes; a writer never waits for a
/// reader. What is appended meanwhile stays in the write-ahead log until the copy is done.
public enum JournalCopy {
    /// Pages copied between two pauses: 4 MiB.
    private static let pagesPerStep: CInt = 1024
    /// Room that is left for the coordinator itself.
    private static let reserveBytes: Int64 = 256 << 20

    /// Writes `journal.sqlite` into the directory `target`, which must be there and empty. Blocks.
    ///
    /// - Parameter pause: called between steps with how long the last one took; whoever waits as long leaves half of the
    ///   disk to others.
    public static func make(of directory: String, into target: String, pause: @escaping (Duration) -> Void) throws(JournalError) {
        let path = "\(target)/\(DataDirectory.databaseName)"
        do {
            // Before SQLite makes it with whatever mode the process gives; the mask belongs to all threads and stays as it is.
            let descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw JournalError(.io, "\(path) cannot be made: \(String(cString: strerror(errno)))") }
            close(descriptor)
            var reading = Configuration.steady
            reading.readonly = true
            reading.busyMode = .timeout(5)
            let source = try DatabaseQueue(path: "\(directory)/\(DataDirectory.databaseName)", configuration: reading)
            // Thrown away when anything fails, so nothing of it need survive that.
            var writing = Configuration.steady
            writing.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY") }
            let copy = try DatabaseQueue(path: path, configuration: writing)
            try source.read { source in
                try JournalSchema.check(source, at: directory)
                try checkRoom(for: source, at: target)
                try copy.writeWithoutTransaction { copy in
                    var begun = ContinuousClock.now
                    try source.backup(to: copy, pagesPerStep: pagesPerStep) { _ in
                        pause(.now - begun)
                        begun = .now
                    }
                    // A database in WAL mode cannot be read from a directory that may not be written.
                    try copy.execute(sql: "PRAGMA journal_mode = DELETE")
                }
            }
            try copy.close()
        } catch {
            throw JournalError(error, doing: "copy", at: directory)
        }
    }

    private static func checkRoom(for source: Database, at target: String) throws {
        let size = try Int64.fetchOne(source, sql: "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size") ?? 0
        var space = statvfs()
        guard statvfs(target, &space) == 0 else { return }
        let free = Int64(clamping: UInt64(space.f_bavail) * UInt64(space.f_frsize))
        guard free >= size + reserveBytes else {
            throw JournalError(
                .full,
                "a backup needs \((size + reserveBytes) >> 20) MiB for a moment and \(target) has \(free >> 20) MiB; free space there")
        }
    }
}
