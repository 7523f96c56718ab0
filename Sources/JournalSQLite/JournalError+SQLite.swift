import ClusterPorts
import GRDB

extension JournalError {
    /// What a failure of SQLite means to the engine. `doing` completes "cannot …".
    init(_ error: any Error, doing action: String, at path: String) {
        if let error = error as? JournalError {
            self = error
            return
        }
        guard let error = error as? DatabaseError else {
            self.init(.io, "cannot \(action) \(path): \(error)")
            return
        }
        let said = "cannot \(action) \(path): \(error.message ?? "no message") (SQLite code \(error.extendedResultCode.rawValue))"
        switch error.resultCode {
        case .SQLITE_FULL:
            self.init(.full, "\(said); nothing of it was kept; free space there and try again")
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT:
            self.init(.unreadable, "\(said); nothing was changed: `suanpan doctor journal` says what can be done")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self.init(.locked, "\(said); another program holds the database: close it")
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_READONLY, .SQLITE_AUTH:
            self.init(.unreadable, "\(said); the directory and its files must belong to the user that the coordinator runs as")
        case .SQLITE_CONSTRAINT:
            self.init(.order, "\(said); the tables do not allow it, and nothing of it was kept")
        default:
            self.init(.io, said)
        }
    }
}
