// The embedded journal: one SQLite file in WAL mode, written by one connection on its own serial queue.
// Protocols/journal.md is the specification.

import ClusterModel
public import ClusterPorts
import GRDB
import SchedulingCore
import Synchronization
public import Telemetry

/// Events and tables in one SQLite database (`journal.sqlite` in the data directory), with one transaction for each append.
///
/// Nothing here is cancelled half-way: a task that is cancelled while it waits for an append still learns its outcome.
public final class SQLiteJournal: Journal {
    /// What the next batch must follow. Touched on the database's queue only; the lock says so to the compiler.
    struct Position {
        var index: UInt64 = 0
        var time = LogicalTime.zero
        var ledgerSequence: UInt64 = 0
        var names = NameTable()
        /// Set once, by `close` or by a failure whose outcome is unknown; every later call throws it.
        var fault: JournalError?
    }

    private let directory: Mutex<DataDirectory?>
    private let database: DatabaseQueue
    private let position: Mutex<Position>
    public let path: String
    /// Of the records that became durable, without what the tables take.
    public let appendedBytes = Counter()
    let digest: @Sendable ([UInt8]) -> [UInt8]

    /// Opens or creates the journal in `directory`, which one coordinator at a time may have open. Blocks.
    ///
    /// - Parameter digest: SHA-256, as the usage ledger and the makers of snapshots use it.
    public init(directory: String, digest: @escaping @Sendable ([UInt8]) -> [UInt8]) throws(JournalError) {
        let held = try DataDirectory(path: directory)
        let path = held.databasePath
        do {
            let database = try DatabaseQueue(path: path, configuration: Self.configuration)
            let position = try database.writeWithoutTransaction { database in
                try JournalSchema.prepare(database, at: path)
                return try Self.position(in: database, at: path)
            }
            self.database = database
            self.position = Mutex(position)
        } catch {
            throw JournalError(error, doing: "open", at: path)
        }
        self.directory = Mutex(held)
        self.path = path
        self.digest = digest
    }

    private static var configuration: Configuration {
        var configuration = Configuration.steady
        configuration.label = "journal"
        configuration.foreignKeysEnabled = false
        // Only a tool that someone runs on the file by hand makes it busy.
        configuration.busyMode = .timeout(5)
        // GRDB's own WAL mode would set synchronous to NORMAL, which forgets the last commits when power fails.
        configuration.prepareDatabase { database in
            guard try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL") == "wal" else {
                throw JournalError(.io, "SQLite cannot keep a write-ahead log there; use a local file system")
            }
            try database.execute(
                sql: """
                    PRAGMA synchronous = FULL;
                    PRAGMA wal_autocheckpoint = 4000;
                    PRAGMA journal_size_limit = 67108864;
                    PRAGMA cache_size = -32768;
                    PRAGMA cell_size_check = ON;
                    PRAGMA secure_delete = FAST;
                    PRAGMA trusted_schema = OFF;
                    """)
        }
        return configuration
    }

    private static func position(in database: Database, at path: String) throws -> Position {
        var position = Position()
        position.names = try NameTable(loading: database)
        position.ledgerSequence = UInt64(try Int64.fetchOne(database, sql: "SELECT max(sequence) FROM usage") ?? 0)
        guard let row = try Row.fetchOne(database, sql: #"SELECT "index", record FROM journal ORDER BY "index" DESC LIMIT 1"#) else {
            return position
        }
        var columns = ColumnReader(row, of: "journal")
        position.index = try columns.integer()
        let record = try columns.bytes()
        do throws(EventRecordError) {
            position.time = try EventRecord.header(of: record, expecting: position.index).at
        } catch {
            throw JournalError(unreadable: position.index, error, at: path)
        }
        return position
    }

    /// Runs `body` on the database's queue, alone, and waits for it whether or not the calling task is cancelled.
    func onQueue<Result: Sendable>(
        _ action: String, _ body: @escaping @Sendable (Database, inout Position) throws -> Result
    ) async throws(JournalError) -> Result {
        let outcome: Swift.Result<Result, JournalError> = await withCheckedContinuation { continuation in
            database.asyncWriteWithoutTransaction { database in
                continuation.resume(returning: self.perform(action, database, body))
            }
        }
        return try outcome.get()
    }

    /// As `onQueue`, on the thread of the caller, who waits for whatever the queue does before.
    func onThisThread<Result: Sendable>(
        _ action: String, _ body: @Sendable (Database, inout Position) throws -> Result
    ) throws(JournalError) -> Result {
        try database.writeWithoutTransaction { database in self.perform(action, database, body) }.get()
    }

    private func perform<Result: Sendable>(
        _ action: String, _ database: Database, _ body: (Database, inout Position) throws -> Result
    ) -> Swift.Result<Result, JournalError> {
        position.withLock { position in
            if let fault = position.fault { return .failure(fault) }
            do {
                return .success(try body(database, &position))
            } catch {
                let failure = JournalError(error, doing: action, at: path)
                // What reached the disk is not known, so nothing may be built upon it.
                if failure.code == .io { position.fault = failure }
                return .failure(failure)
            }
        }
    }

    /// Runs SQL by itself and returns its first integer: for the tests, which look behind the port.
    func run(_ sql: String) async throws(JournalError) -> Int64? {
        try await onQueue("run a statement in") { database, _ in try Int64.fetchOne(database, sql: sql) }
    }

    public func close() async {
        position.withLock { $0.fault = $0.fault ?? JournalError(.io, "the journal \(path) is closed") }
        // Waits for the access under way; the last connection moves the write-ahead log into the database.
        try? database.close()
        directory.withLock { $0 = nil }
    }
}
