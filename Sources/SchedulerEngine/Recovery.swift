public import ClusterModel
public import ClusterPorts
import LedgerHashing
import SchedulingCore

/// Snapshot and tail to a state: the start of the engine, and the child process that makes snapshots.
public enum Recovery {
    public struct Recovered: Sendable {
        /// Canonical bytes of the state.
        public var state: [UInt8]
        /// The last batch that it includes.
        public var index: UInt64
        public var time: LogicalTime
        public var epoch: Epoch
    }

    /// - Parameter through: the last batch to include.
    public static func run(_ journal: any JournalSource, through: UInt64 = .max) async throws -> Recovered {
        let snapshot = try await journal.loadSnapshot()
        if let snapshot, sha256(snapshot.state) != snapshot.digest {
            throw EngineError(
                "the snapshot after batch \(snapshot.index) does not match its digest; restore a backup. Nothing was changed.")
        }
        let folder = Folder(
            core: try snapshot.map { try SchedulerCore(snapshot: $0.state) } ?? SchedulerCore(), index: snapshot?.index ?? 0)
        try await journal.replay(after: folder.index, through: through) { folder.fold($0, $1) }
        return folder.finish()
    }

    /// Holds the core while batches arrive one at a time.
    private final class Folder {
        private var core: SchedulerCore
        private(set) var index: UInt64
        private var changes = Changes(recording: false)

        init(core: consuming SchedulerCore, index: UInt64) {
            self.core = core
            self.index = index
        }

        func fold(_ newIndex: UInt64, _ events: [Event]) {
            for event in events { core.evolve(event, &changes) }
            index = newIndex
        }

        func finish() -> Recovered {
            Recovered(state: core.snapshot(), index: index, time: core.time, epoch: core.epoch)
        }
    }
}
