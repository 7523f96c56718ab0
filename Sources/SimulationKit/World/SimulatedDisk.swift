import ClusterModel
import SchedulingCore

/// Batches that are durable, and snapshots of what they lead to.
struct SimulatedDisk {
    private(set) var batches: [Batch] = []
    private(set) var eventCount = 0
    private var snapshots: [(index: Int, state: [UInt8])] = []

    enum Outcome {
        case kept
        /// Nothing of it is there; the same batch may be tried again.
        case full
        /// Whether it is there is not known to whoever wrote it.
        case failed
    }

    mutating func append(_ batch: Batch) {
        guard !batch.events.isEmpty else { return }
        precondition(batch.index == UInt64(batches.count) + 1, "batch \(batch.index) after \(batches.count)")
        batches.append(batch)
        eventCount += batch.events.count
    }

    var lastInstant: LogicalTime { batches.last?.at ?? .zero }

    mutating func keepSnapshot(_ state: [UInt8]) { snapshots.append((batches.count, state)) }

    /// Everything after a batch is gone, as when an older copy was put back.
    mutating func cut(after count: Int) {
        batches.removeSubrange(count...)
        eventCount = batches.reduce(0) { $0 + $1.events.count }
        snapshots.removeAll { $0.index > count }
    }

    /// As a start does: the newest snapshot, and the batches after it.
    func recover() -> SchedulerCore {
        guard let snapshot = snapshots.last, let core = try? SchedulerCore(snapshot: snapshot.state) else { return replay() }
        return Self.fold(batches[snapshot.index...], into: core)
    }

    /// From the first batch.
    func replay() -> SchedulerCore { Self.fold(batches[...], into: SchedulerCore()) }

    private static func fold(_ batches: ArraySlice<Batch>, into start: consuming SchedulerCore) -> SchedulerCore {
        var core = start
        var changes = Changes(recording: false)
        for batch in batches {
            for event in batch.events { core.evolve(event, &changes) }
        }
        return core
    }
}
