// The tables (Protocols/journal.md, "Tables"). `journal` is the truth; the others are written in its transactions.

import ClusterPorts
import GRDB

enum JournalSchema {
    /// Rises with every change of the tables below; a database of a newer one is refused.
    static let version: Int64 = 1

    /// Rows that every finished task leaves behind are kept small: integers, no text, no index without a query.
    private static let tables = """
        CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;

        CREATE TABLE journal ("index" INTEGER PRIMARY KEY, record BLOB NOT NULL) STRICT;

        -- A snapshot is there when its row is: the row is written after the last part.
        CREATE TABLE snapshot (
            "index" INTEGER PRIMARY KEY, digest BLOB NOT NULL, parts INTEGER NOT NULL) STRICT;
        CREATE TABLE snapshot_part (
            id INTEGER PRIMARY KEY, snapshot INTEGER NOT NULL, part INTEGER NOT NULL, bytes BLOB NOT NULL,
            UNIQUE (snapshot, part)) STRICT;

        -- Tenants, projects and users, each text once.
        CREATE TABLE names (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;

        CREATE TABLE jobs (
            id INTEGER PRIMARY KEY,
            tenant INTEGER NOT NULL, project INTEGER NOT NULL, user INTEGER NOT NULL, name TEXT NOT NULL,
            kind INTEGER NOT NULL, queue TEXT NOT NULL, priority INTEGER NOT NULL, submitted INTEGER NOT NULL,
            state INTEGER NOT NULL, reason INTEGER NOT NULL,
            queued INTEGER NOT NULL, starting INTEGER NOT NULL, running INTEGER NOT NULL, stopping INTEGER NOT NULL,
            succeeded INTEGER NOT NULL, failed INTEGER NOT NULL, cancelled INTEGER NOT NULL,
            started INTEGER, finished INTEGER, exit_code INTEGER, retry_of INTEGER,
            idempotency_key TEXT, request_digest BLOB,
            spec BLOB NOT NULL) STRICT;
        CREATE INDEX job_of_tenant ON jobs (tenant);
        CREATE INDEX job_live ON jobs (id) WHERE state < 5;
        CREATE TABLE job_label (
            name TEXT NOT NULL, text TEXT NOT NULL, job INTEGER NOT NULL,
            PRIMARY KEY (name, text, job)) STRICT, WITHOUT ROWID;

        CREATE TABLE attempts (
            job INTEGER NOT NULL, task INTEGER NOT NULL, number INTEGER NOT NULL,
            state INTEGER NOT NULL, reason INTEGER NOT NULL,
            node INTEGER NOT NULL, fence INTEGER NOT NULL, placed INTEGER NOT NULL, started INTEGER, ended INTEGER,
            allocation BLOB NOT NULL, "end" BLOB,
            PRIMARY KEY (job, task, number)) STRICT, WITHOUT ROWID;

        CREATE TABLE usage (
            sequence INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, job INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
        CREATE INDEX usage_of_tenant ON usage (tenant);
        CREATE INDEX usage_of_job ON usage (job);
        CREATE TRIGGER usage_is_never_changed BEFORE UPDATE ON usage
            BEGIN SELECT RAISE(ABORT, 'usage is append-only'); END;
        CREATE TRIGGER usage_is_never_deleted BEFORE DELETE ON usage
            BEGIN SELECT RAISE(ABORT, 'usage is append-only'); END;

        CREATE TABLE topology (id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, xml BLOB NOT NULL) STRICT;
        """

    /// Creates the tables of an empty database, or checks that they are of this version. Always writes: readers cannot
    /// open a database whose write-ahead log is not there yet.
    static func prepare(_ database: Database, at path: String) throws {
        try database.inTransaction(.immediate) {
            if try Int64.fetchOne(database, sql: "SELECT count(*) FROM sqlite_schema") == 0 {
                try database.execute(sql: tables)
            } else {
                try check(database, at: path)
            }
            try database.execute(sql: "INSERT OR REPLACE INTO meta VALUES ('schema', ?)", arguments: [version])
            return .commit
        }
    }

    static func check(_ database: Database, at path: String) throws {
        guard try database.tableExists("meta"),
            let found = try Int64.fetchOne(database, sql: "SELECT value FROM meta WHERE name = 'schema'")
        else { throw JournalError(.unreadable, "\(path) is a database, but not a journal; name another data directory") }
        guard found == version else {
            throw JournalError(
                .unreadable,
                "\(path) has tables of version \(found), this build reads version \(version); "
                    + "start the newer release again, or restore the backup from before the upgrade")
        }
    }
}
