import ClusterModel
public import ClusterPorts
import LedgerHashing
public import SchedulingCore
import Synchronization

/// Snapshot and tail to a state: the start of the engine, and the child process that makes snapshots.
public enum Recovery {
    @frozen public struct Recovered: ~Copyable, Sendable {
        public var core: SchedulerCore
        /// The last batch that it includes.
        public var index: UInt64
    }

    /// - Parameter through: the last batch to include.
    public static func run(_ journal: any JournalSource, through: UInt64 = .max) async throws -> Recovered {
        let base = try await Base(journal)
        let folder = Folder(core: try base.core(), index: base.index)
        try await journal.replay(after: base.index, through: through) { folder.fold($0, $1) }
        return folder.finish()
    }

    /// The same state twice: to decide with, and to read from. Reading a snapshot takes longest, so both are read at a time.
    static func runTwice(_ journal: any JournalSource) async throws -> (first: Folder, second: Folder) {
        let base = try await Base(journal)
        async let other = Folder(core: base.core(), index: base.index)
        let first = Folder(core: try base.core(), index: base.index)
        let second = try await other
        try await journal.replay(after: base.index, through: .max) { index, events in
            first.fold(index, events)
            second.fold(index, events)
        }
        return (first, second)
    }

    /// The newest snapshot, whole; nothing where there is none.
    private struct Base {
        var state: [UInt8]?
        var index: UInt64 = 0

        init(_ journal: any JournalSource) async throws {
            guard let snapshot = try await journal.loadSnapshot() else { return }
            guard sha256(snapshot.state) == snapshot.digest else {
                throw EngineError(
                    "the snapshot after batch \(snapshot.index) does not match its digest; restore a backup. Nothing was changed.")
            }
            (state, index) = (snapshot.state, snapshot.index)
        }

        func core() throws -> SchedulerCore { try state.map { try SchedulerCore(snapshot: $0) } ?? SchedulerCore() }
    }

    /// Holds a core while batches arrive one at a time.
    final class Folder: Sendable {
        private let state: Mutex<Recovered>

        init(core: consuming sending SchedulerCore, index: UInt64) { state = Mutex(Recovered(core: core, index: index)) }

        func fold(_ index: UInt64, _ events: [Event]) {
            state.withLock { state in
                var changes = Changes(recording: false)
                for event in events { state.core.evolve(event, &changes) }
                state.index = index
            }
        }

        /// What was folded; the folder is empty then.
        func finish() -> Recovered {
            state.withLock { state in
                let recovered = state
                state = Recovered(core: SchedulerCore(), index: 0)
                return recovered
            }
        }
    }
}
