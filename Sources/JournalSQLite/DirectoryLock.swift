public import ClusterPorts
import Glibc

/// Keeps coordinators out of a data directory for as long as it lives.
public final class DirectoryLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock of a directory that is there; refused while a coordinator runs in it.
    public convenience init(ofJournalIn directory: String) throws(JournalError) { try self.init(directory) }

    init(_ directory: String) throws(JournalError) { descriptor = try DataDirectory.lock(directory) }

    deinit { Glibc.close(descriptor) }
}
