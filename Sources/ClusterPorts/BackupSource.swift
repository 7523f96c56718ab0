/// Makes backups of the coordinator that serves (Protocols/journal.md, "Backups").
public protocol BackupSource: Sendable {
    /// Returns once the first bytes are there, which is after everything that a backup can fail for was done.
    func begin(includesLogs: Bool) async throws(BackupRefusal) -> any BackupStream
}

/// The bytes of one backup. Whoever lets go of it early ends it.
public protocol BackupStream: Sendable {
    /// The next bytes; nil when that was all and all of it is sound.
    func next() async throws -> [UInt8]?
}

public enum BackupRefusal: Error, Hashable, Sendable {
    /// Another is being made.
    case busy
    /// What happened, and the remedy.
    case failed(String)
}
