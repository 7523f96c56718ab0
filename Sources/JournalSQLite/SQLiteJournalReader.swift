public import ClusterPorts
import GRDB
public import SchedulingCore

/// Reads snapshots and batches of a journal that a coordinator has open, without its lock: what makes snapshots in a
/// process of its own, and what inspects a journal.
public final class SQLiteJournalReader: JournalSource {
    private let database: DatabaseQueue
    let path: String
    let digest: @Sendable ([UInt8]) -> [UInt8]

    /// `digest`: SHA-256. Blocks.
    public init(directory: String, digest: @escaping @Sendable ([UInt8]) -> [UInt8]) throws(JournalError) {
        path = "\(directory)/\(DataDirectory.databaseName)"
        self.digest = digest
        var configuration = Configuration.steady
        configuration.label = "journal reader"
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        do {
            database = try DatabaseQueue(path: path, configuration: configuration)
            try database.read { [path] database in try JournalSchema.check(database, at: path) }
        } catch {
            throw JournalError(error, doing: "open", at: path)
        }
    }

    /// The newest snapshot, nil when there is none.
    public func loadSnapshot() throws(JournalError) -> JournalSnapshot? {
        try read { [path, digest] database in try StoredRecords.snapshot(in: database, at: path, digest: digest) }
    }

    /// Batches after `index` up to and with `end`, in order. Blocks page by page, so it belongs into a process or thread
    /// that has nothing else to do.
    public func replay(
        after index: UInt64, through end: UInt64, _ body: (UInt64, [Event]) throws -> Void
    ) async throws(JournalError) {
        try await StoredRecords.replay(after: index, through: end, path: path, body) { position throws(JournalError) in
            try read { database in try StoredRecords.page(after: position, in: database) }
        }
    }

    func read<Result>(_ body: (Database) throws -> Result) throws(JournalError) -> Result {
        do {
            return try database.read(body)
        } catch {
            throw JournalError(error, doing: "read", at: path)
        }
    }
}
