import SchedulingCore
import Synchronization

/// Batches between the deciding and the committing task. Bounded: while the disk works, the decider first fills this,
/// then waits; what piled up goes into one transaction.
final class CommitQueue: Sendable {
    private struct State {
        var batches: [Batch] = []
        var isClosed = false
        var taker: CheckedContinuation<Void, Never>?
        var putter: CheckedContinuation<Void, Never>?
    }

    /// Batches waiting before the decider is held up.
    private static let batchesMax = 16

    private let state = Mutex(State())

    init() {}

    /// Suspends while the queue is full.
    func put(_ batch: Batch) async {
        let (taker, isFull) = state.withLock { state in
            state.batches.append(batch)
            defer { state.taker = nil }
            return (state.taker, state.batches.count >= Self.batchesMax)
        }
        taker?.resume()
        guard isFull else { return }
        await withCheckedContinuation { continuation in
            let goesOn = state.withLock { state in
                if state.batches.count < Self.batchesMax || state.isClosed { return true }
                state.putter = continuation
                return false
            }
            if goesOn { continuation.resume() }
        }
    }

    /// Everything that waits; empty once the queue is closed and drained.
    func takeAll() async -> [Batch] {
        await withCheckedContinuation { continuation in
            let goesOn = state.withLock { state in
                if !state.batches.isEmpty || state.isClosed { return true }
                state.taker = continuation
                return false
            }
            if goesOn { continuation.resume() }
        }
        let (batches, putter) = state.withLock { state in
            defer {
                state.batches = []
                state.putter = nil
            }
            return (state.batches, state.putter)
        }
        putter?.resume()
        return batches
    }

    func close() {
        let (taker, putter) = state.withLock { state in
            state.isClosed = true
            defer {
                state.taker = nil
                state.putter = nil
            }
            return (state.taker, state.putter)
        }
        taker?.resume()
        putter?.resume()
    }
}
