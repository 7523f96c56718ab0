public import ClusterPorts
import FoundationEssentials
import GRDB

/// The one repair that loses nothing: a start needs a snapshot and every batch after it, and two snapshots are kept.
public enum JournalRepair {
    /// Takes a damaged newest snapshot out of the journal in `directory`, which no coordinator may have open. Its bytes go to a file
    /// beside the journal first.
    ///
    /// - Returns: the snapshot's index and the file.
    public static func setAsideDamagedSnapshot(
        in directory: String, digest: ([UInt8]) -> [UInt8]
    ) throws(JournalError) -> (index: UInt64, file: String) {
        let lock = try DirectoryLock(ofJournalIn: directory)
        defer { withExtendedLifetime(lock) {} }
        let path = "\(directory)/\(DataDirectory.databaseName)"
        do {
            let database = try DatabaseQueue(path: path, configuration: .steady)
            return try database.write { database in
                guard let index = try UInt64.fetchOne(database, sql: #"SELECT max("index") FROM snapshot"#) else {
                    throw JournalError(.order, "\(path) has no snapshot")
                }
                let kept = try Int.fetchOne(database, sql: "SELECT count(*) FROM snapshot") ?? 0
                let isWhole = (try? StoredRecords.snapshot(in: database, at: path, digest: digest)) != nil
                guard !isWhole else { throw JournalError(.order, "snapshot \(index) of \(path) is sound: nothing is to be set aside") }
                let first = try UInt64.fetchOne(database, sql: #"SELECT min("index") FROM journal"#) ?? 0
                guard kept > 1 || first <= 1 else {
                    throw JournalError(
                        .order, "snapshot \(index) of \(path) is the only one, and batches before it are not kept: restore a backup")
                }
                let file = "\(directory)/snapshot-\(index).damaged"
                let parts = try Data.fetchAll(
                    database, sql: "SELECT bytes FROM snapshot_part WHERE snapshot = ? ORDER BY part", arguments: [index.column])
                let bytes = parts.reduce(into: Data()) { $0.append($1) }
                guard FileManager.default.createFile(atPath: file, contents: bytes, attributes: [.posixPermissions: 0o600]) else {
                    throw JournalError(.io, "\(file) cannot be written; nothing was changed")
                }
                try database.execute(sql: #"DELETE FROM snapshot WHERE "index" = ?"#, arguments: [index.column])
                return (index, file)
            }
        } catch {
            throw JournalError(error, doing: "repair", at: path)
        }
    }
}
