import GRDB

/// Numbers for texts that stand in millions of rows: tenants, projects, users. The writer keeps all of them in memory.
struct NameTable {
    private var ids: [String: Int64] = [:]

    init() {}

    init(loading database: Database) throws {
        let rows = try Row.fetchCursor(database, sql: "SELECT id, text FROM names")
        while let row = try rows.next() { ids[row[1]] = row[0] }
    }

    mutating func id(of text: String, in database: Database) throws -> Int64 {
        if let id = ids[text] { return id }
        var writer = try RowWriter(database, "INSERT INTO names (text) VALUES (?)")
        writer.text(text)
        try writer.write()
        let id = database.lastInsertedRowID
        ids[text] = id
        return id
    }
}
