import ClusterModel
import GRDB
import GRDBSQLite

/// Writes rows through one cached statement, its values bound in the order of its question marks.
///
/// GRDB prepares and caches the statement; the values go to SQLite directly, since GRDB's list of arguments costs
/// several times what the row itself does.
struct RowWriter: ~Copyable {
    /// Keeps the pointer below alive.
    private let owner: Statement
    private let statement: OpaquePointer
    private var column: CInt = 0
    /// The first refusal of a value.
    private var code = SQLITE_OK
    /// SQLITE_TRANSIENT: SQLite copies what it is given.
    private let copies = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    init(_ database: Database, _ sql: String) throws {
        owner = try database.cachedStatement(sql: sql)
        statement = owner.sqliteStatement
    }

    private mutating func bind(_ body: (OpaquePointer, CInt) -> CInt) {
        column += 1
        let result = body(statement, column)
        if code == SQLITE_OK { code = result }
    }

    mutating func integer(_ value: Int64) { bind { sqlite3_bind_int64($0, $1, value) } }

    /// Counters never come near 2^63.
    mutating func integer(_ value: UInt64) { integer(Int64(clamping: value)) }

    mutating func optional(_ value: Int64?) {
        if let value { integer(value) } else { bind { sqlite3_bind_null($0, $1) } }
    }

    mutating func bytes(_ value: [UInt8]?) {
        guard let value else { return bind { sqlite3_bind_null($0, $1) } }
        let copies = copies
        // Without a pointer SQLite would bind null.
        guard !value.isEmpty else { return bind { sqlite3_bind_zeroblob($0, $1, 0) } }
        bind { statement, column in
            value.withUnsafeBytes { sqlite3_bind_blob64(statement, column, $0.baseAddress, UInt64($0.count), copies) }
        }
    }

    mutating func text(_ value: String?) {
        guard var value else { return bind { sqlite3_bind_null($0, $1) } }
        let copies = copies
        bind { statement, column in
            value.withUTF8 {
                $0.withMemoryRebound(to: CChar.self) { sqlite3_bind_text(statement, column, $0.baseAddress, CInt($0.count), copies) }
            }
        }
    }

    /// Writes the row that was bound; the next value is the first of the next row.
    mutating func write() throws {
        if code == SQLITE_OK { code = sqlite3_step(statement) }
        defer {
            sqlite3_reset(statement)
            column = 0
            code = SQLITE_OK
        }
        guard code == SQLITE_DONE else {
            let message = String(cString: sqlite3_errmsg(sqlite3_db_handle(statement)))
            throw DatabaseError(resultCode: ResultCode(rawValue: code), message: message, sql: owner.sql)
        }
    }
}
