// The one layer between a reader and rows that belong to tenants. Every query over jobs, attempts or usage is built
// here, and none can be built without saying whose rows it may see.

import ClusterModel
import ClusterPorts
import GRDB

struct TenantQuery {
    enum Source {
        case jobs
        /// Attempts belong to the tenant of their job.
        case attempts(of: JobID)
        case usage
    }

    private(set) var sql: String
    private var arguments: [DatabaseValue] = []

    init(select columns: String, from source: Source, _ visibility: Visibility) {
        let tenant = "(SELECT id FROM names WHERE text = ?)"
        switch source {
        case .jobs:
            sql = "SELECT \(columns) FROM jobs WHERE \(visibility == .all ? "TRUE" : "jobs.tenant = \(tenant)")"
            restrict(to: visibility)
        case .attempts(let job):
            sql = "SELECT \(columns) FROM attempts WHERE job = ?"
            arguments.append(job.column)
            guard visibility != .all else { return }
            sql += " AND (SELECT tenant FROM jobs WHERE id = ?) = \(tenant)"
            arguments.append(job.column)
            restrict(to: visibility)
        case .usage:
            sql = "SELECT \(columns) FROM usage WHERE \(visibility == .all ? "TRUE" : "tenant = \(tenant)")"
            restrict(to: visibility)
        }
    }

    private mutating func restrict(to visibility: Visibility) {
        switch visibility {
        case .all: break
        case .tenant(let name): arguments.append(name.databaseValue)
        }
    }

    /// A further condition; `condition` is text of this module, values travel as arguments.
    mutating func require(_ condition: String, _ values: DatabaseValue...) {
        sql += " AND \(condition)"
        arguments += values
    }

    /// Order and bound; nothing may be required after it.
    mutating func finish(_ clauses: String, limit: Int) {
        sql += " \(clauses) LIMIT ?"
        arguments.append(max(0, limit).databaseValue)
    }

    func firstRow(in database: Database) throws -> Row? {
        try Row.fetchOne(database.cachedStatement(sql: sql), arguments: StatementArguments(arguments))
    }

    /// The rows one by one; each is gone when the next is asked for.
    func rows(in database: Database) throws -> RowCursor {
        try Row.fetchCursor(database.cachedStatement(sql: sql), arguments: StatementArguments(arguments))
    }
}
