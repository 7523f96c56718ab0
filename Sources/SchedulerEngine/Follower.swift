import ClusterModel
import ClusterPorts
import SchedulingCore
import Synchronization
import Telemetry

/// A second core, fed by committed events: everything that reads asks it, so that nothing but the deciding task ever
/// holds the deciding core. Readers see a state no older than any reply they were given.
final class Follower: Sendable {
    private struct State: ~Copyable {
        var core: SchedulerCore
        /// The last batch applied.
        var index: UInt64
        var explanations: SchedulerCore.Explanations = [:]
        /// What the deciding loop has set aside. Not in any event: it follows from state and time.
        var rooms: [ReservedRoom] = []
        var foresight = Foresight()
        var waiters: [Waiter] = []
        var lastWaiter: UInt64 = 0
    }

    private struct Waiter {
        var number: UInt64
        var revision: UInt64
        var continuation: CheckedContinuation<Bool, Never>
    }

    private let state: Mutex<State>

    init(core: consuming sending SchedulerCore, index: UInt64) {
        state = Mutex(State(core: core, index: index))
    }

    func apply(_ batch: Batch, _ instruments: EngineInstruments) {
        let ready = state.withLock { state -> [CheckedContinuation<Bool, Never>] in
            var changes = Changes(recording: false)
            for event in batch.events {
                if let (tasks, waited) = state.core.placement(by: event) {
                    instruments.placementWait.observe(waited.nanoseconds, count: tasks)
                }
                if let waited = state.core.waitEnded(by: event) { instruments.startWait.observe(waited.nanoseconds) }
                state.core.evolve(event, &changes)
            }
            state.index = batch.index
            state.foresight.relax(&state.core)
            state.explanations.removeAll(keepingCapacity: true)
            let revision = state.core.revision
            let ready = state.waiters.filter { $0.revision <= revision }.map(\.continuation)
            if !ready.isEmpty { state.waiters.removeAll { $0.revision <= revision } }
            return ready
        }
        for continuation in ready { continuation.resume(returning: true) }
    }

    /// A short look at the core. The body must not keep what it sees.
    func read<Result: Sendable>(_ body: (borrowing SchedulerCore) -> Result) -> Result {
        state.withLock { body($0.core) }
    }

    func follow(_ rooms: [ReservedRoom]) {
        state.withLock { state in
            state.rooms = rooms
            state.foresight.follow(rooms)
            state.explanations.removeAll(keepingCapacity: true)
        }
    }

    func liveJob(_ id: JobID) -> LiveJobView? {
        state.withLock { state in
            let room = state.rooms.first { $0.job == id }
            return state.core.liveStanding(of: id, &state.explanations, rooms: state.rooms).map {
                LiveJobView(
                    standing: $0.standing, waitingExplanation: $0.explanation, firstExpectedStart: room?.firstStart)
            }
        }
    }

    func forecast(of id: JobID, at now: LogicalTime) -> WaitingForecast? {
        state.withLock { state in
            let time = max(now, state.core.time)
            return state.foresight.forecast(of: id, &state.core, known: &state.explanations, at: time)
        }
    }

    func plan(_ submission: Submission, at now: LogicalTime) -> Plan {
        state.withLock { state in
            let time = max(now, state.core.time)
            return state.foresight.plan(submission, &state.core, at: time)
        }
    }

    /// The state as canonical bytes, and the batch that it includes.
    func snapshot() -> (index: UInt64, state: [UInt8]) {
        state.withLock { ($0.index, $0.core.snapshot()) }
    }

    /// True when `revision` has been applied, false when it was not within the time.
    func reach(_ revision: UInt64, within patience: Duration) async -> Bool {
        await withCheckedContinuation { continuation in
            let number = state.withLock { state -> UInt64? in
                if state.core.revision >= revision { return nil }
                state.lastWaiter += 1
                state.waiters.append(Waiter(number: state.lastWaiter, revision: revision, continuation: continuation))
                return state.lastWaiter
            }
            guard let number else { return continuation.resume(returning: true) }
            Task {
                try? await Task.sleep(for: patience)
                self.giveUp(number)
            }
        }
    }

    private func giveUp(_ number: UInt64) {
        let waiter = state.withLock { state -> Waiter? in
            guard let index = state.waiters.firstIndex(where: { $0.number == number }) else { return nil }
            return state.waiters.remove(at: index)
        }
        waiter?.continuation.resume(returning: false)
    }
}
