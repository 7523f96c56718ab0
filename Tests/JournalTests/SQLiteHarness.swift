import ClusterPorts
import FoundationEssentials
import LedgerHashing

@testable import JournalSQLite

/// A data directory of its own, removed with the value.
final class SQLiteBackend: JournalBackend {
    let directory: String

    init() {
        directory = FileManager.default.temporaryDirectory.appending(path: "journal-\(UUID().uuidString)").path()
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    var database: String { "\(directory)/journal.sqlite" }

    func open() async throws -> SQLiteJournal { try SQLiteJournal(directory: directory, digest: sha256) }
    func reads() async throws -> any ReadModel { try SQLiteReadModel(directory: directory) }

    /// The files as a crash at this instant leaves them; the write-ahead log cut after `logBytes`.
    func crashed(logBytes: Int? = nil) throws -> SQLiteBackend {
        let copy = SQLiteBackend()
        try FileManager.default.createDirectory(atPath: copy.directory, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: database, toPath: copy.database)
        var log = try Data(contentsOf: URL(filePath: database + "-wal"))
        if let logBytes { log = log.prefix(logBytes) }
        try log.write(to: URL(filePath: copy.database + "-wal"))
        return copy
    }

    var logSize: Int {
        get throws { try Data(contentsOf: URL(filePath: database + "-wal")).count }
    }
}

/// The error that `body` ends with.
func failure(of body: () async throws -> Void) async -> JournalError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? JournalError
    }
}
