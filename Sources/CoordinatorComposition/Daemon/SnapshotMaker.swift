import ClusterPorts
import DaemonKit
import Foundation
import JournalSQLite
import LedgerHashing
import Logging
import SchedulerEngine
import ServiceLifecycle
import Telemetry

/// Makes snapshots in a short-lived child: it loads the last snapshot, folds the tail, and writes what it got; only what
/// equals the follower's own state is kept. So recovery is exercised every time, and the deciding task never pauses.
struct SnapshotMaker: Service {
    let engine: SchedulerEngine
    let journal: SQLiteJournal
    let directory: String
    let instruments: SnapshotInstruments
    let logger: Logger

    /// Batches since the last snapshot that make another worth while.
    private static let batchesMin: UInt64 = 5_000
    private static let interval = Duration.seconds(60)

    func run() async throws {
        let newest = (try? await journal.loadSnapshot()?.index) ?? 0
        instruments.index.set(Int64(clamping: newest))
        await cancelWhenGracefulShutdown {
            var last = newest
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                let (index, state) = engine.followerSnapshot()
                guard index >= last + Self.batchesMin, !Task.isCancelled else { continue }
                do {
                    try await make(index: index, digest: sha256(state))
                    last = index
                } catch {
                    instruments.failures.add()
                    logger.error("no snapshot was made", metadata: ["error": "\(error)"])
                }
            }
        }
    }

    private func make(index: UInt64, digest: [UInt8]) async throws {
        let file = "\(directory)/snapshot-\(index).tmp"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let process = Process()
        process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["make-snapshot", "--data-dir", directory, "--through", "\(index)", "--out", file]
        try process.run()
        while process.isRunning { try await Task.sleep(for: .milliseconds(50)) }
        guard process.terminationStatus == 0 else { throw StartError("the child ended with \(process.terminationStatus)") }
        let state = try [UInt8](Data(contentsOf: URL(filePath: file)))
        guard sha256(state) == digest else {
            throw StartError(
                "the child's state after batch \(index) differs from the follower's: recovery would not be faithful. Report this.")
        }
        try await journal.storeSnapshot(JournalSnapshot(index: index, state: state, digest: digest))
        instruments.index.set(Int64(clamping: index))
        instruments.keptAt.set(SystemClocks().wall())
        logger.info("snapshot kept", metadata: ["index": "\(index)", "bytes": "\(state.count)"])
    }
}
