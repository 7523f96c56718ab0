import ClusterModel
import ControlAPI
import Glibc
import JournalSQLite
import SchedulerEngine
import Telemetry

/// Everything of `GET /metrics` that the REST interface does not count itself.
struct CoordinatorMetrics: Sendable {
    private static let build = MetricFamily(.info, "suanpan_build", help: "Always 1; the label has the version.")
    private static let appended = MetricFamily(
        .counter, "suanpan_journal_appended_bytes", unit: .bytes, help: "Bytes of the records appended, without the tables.")
    private static let size = MetricFamily(
        .gauge, "suanpan_journal_size_bytes", unit: .bytes, help: "The journal's database and its write-ahead log on the disk.")
    private static let diskFree = MetricFamily(
        .gauge, "suanpan_data_disk_free_bytes", unit: .bytes, help: "Left for the coordinator on the data directory's disk.")
    private static let diskSize = MetricFamily(
        .gauge, "suanpan_data_disk_size_bytes", unit: .bytes, help: "The data directory's disk as a whole.")
    private static let snapshotIndex = MetricFamily(
        .gauge, "suanpan_snapshot_index", help: "The last batch in the newest snapshot; 0 without one.")
    private static let snapshotTime = MetricFamily(
        .gauge, "suanpan_snapshot_timestamp_seconds", unit: .seconds, help: "When this process last kept a snapshot, since 1970.")
    private static let snapshotFailures = MetricFamily(
        .counter, "suanpan_snapshot_failures", help: "Snapshots that could not be made or kept.")

    let engine: SchedulerEngine
    let journal: SQLiteJournal
    let snapshots: SnapshotInstruments
    let directory: String
    private let process = ProcessFigures()

    init(engine: SchedulerEngine, journal: SQLiteJournal, snapshots: SnapshotInstruments, directory: String) {
        self.engine = engine
        self.journal = journal
        self.snapshots = snapshots
        self.directory = directory
    }

    var source: MetricsSource { MetricsSource { write(to: &$0) } }

    private func write(to text: inout MetricsText) {
        text.family(Self.build) { $0.add(1, ("version", Release.version)) }
        engine.writeMetrics(to: &text)
        writeDisk(to: &text)
        writeSnapshots(to: &text)
        process.write(to: &text)
    }

    private func writeDisk(to text: inout MetricsText) {
        text.family(Self.appended, journal.appendedBytes)
        text.family(Self.size, Self.fileSize(journal.path) + Self.fileSize(journal.path + "-wal"))
        var status = statvfs()
        let isKnown = statvfs(directory, &status) == 0
        text.family(Self.diskFree) { if isKnown { $0.add(UInt64(status.f_bavail) * UInt64(status.f_frsize)) } }
        text.family(Self.diskSize) { if isKnown { $0.add(UInt64(status.f_blocks) * UInt64(status.f_frsize)) } }
    }

    private static func fileSize(_ path: String) -> Int64 {
        var status = stat()
        return stat(path, &status) == 0 ? Int64(status.st_size) : 0
    }

    private func writeSnapshots(to text: inout MetricsText) {
        text.family(Self.snapshotIndex, snapshots.index.value)
        text.family(Self.snapshotTime) { samples in
            let nanoseconds = snapshots.keptAt.value
            if nanoseconds > 0 { samples.add(Double(nanoseconds) / 1e9) }
        }
        text.family(Self.snapshotFailures, snapshots.failures)
    }
}

/// What the maker of snapshots tells of itself.
struct SnapshotInstruments: Sendable {
    let index = Gauge()
    /// Wall clock, nanoseconds; 0 before the first.
    let keptAt = Gauge()
    let failures = Counter()
}
