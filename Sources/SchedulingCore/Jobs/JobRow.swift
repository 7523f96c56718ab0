// A job in memory: its specification once, waiting gangs as interval sets, a row for each live gang only.

import ClusterModel

/// Gangs that wait, alike in attempt and in the earliest instant they may start.
struct WaitingUnits: Hashable, Sendable {
    /// The number that their next attempt will have.
    var attempt: UInt32
    /// A whole second, or zero for at once: buckets keep an array that failed everywhere small.
    var notBefore: LogicalTime
    /// Why they start again; `none` for the first attempt.
    var reason: Reason
    var units: IntervalSet
}

/// One task of a live gang.
struct LiveTask: Hashable, Sendable {
    enum Phase: Hashable, Sendable {
        /// Placed; leads to running or ended.
        case starting
        case running
        /// Its own processes are gone; others of the gang may live.
        case ended(JobState, Reason)
    }

    var node: NodeID
    var fence: Fence
    /// The fence that its slot was placed with: its own, unless it took the slot over.
    var slot: Fence
    var allocation: Allocation
    var phase: Phase
    /// Since when it holds its slot.
    var heldSince: LogicalTime
    var segmentStart: LogicalTime
    var segmentNumber: UInt32

    var isLive: Bool {
        if case .ended = phase { return false }
        return true
    }
}

/// A gang that holds resources.
struct LiveUnit: Hashable, Sendable {
    var attempt: UInt32
    var restartReason: Reason
    /// Rank order.
    var tasks: [LiveTask]
    /// Set when all of it was told to stop.
    var stopReason: Reason?
    /// The first task that ended other than in success, and how.
    var firstFailure: FirstFailure?

    struct FirstFailure: Hashable, Sendable {
        var state: JobState
        var reason: Reason
        var exitCode: Int32
    }
}

struct JobHistory: Hashable, Sendable {
    /// Its time was up: that is how it ends, not as cancelled.
    var expiry: Reason?
    /// When it was let go that had been held.
    var releasedAt: LogicalTime?
    /// By gang; for look-up. How often it lost its place to something else: tries that count against no limit.
    var preemptions: [UInt32: UInt32] = [:]
    /// What gangs that were preempted had done, up to the last checkpoint that can be told.
    var progress: [UInt32: Span] = [:]
    /// When living gangs said that they had last written a checkpoint.
    var checkpoints: [UInt32: KnownCheckpoint] = [:]
    /// How often gangs ended by causes that have limits of their own.
    var causes: [UInt32: [Reason: UInt32]] = [:]
}

struct JobRow: Hashable, Sendable {
    var specification: JobSpecification
    let user: String
    let submittedAt: LogicalTime
    let retryOf: JobID?
    let shape: RequestClassID
    let gangSize: UInt32
    /// Its number in the table of accounts; not a part of what is written.
    var account: AccountID
    var lane: LaneID {
        LaneID(
            priority: specification.priority, account: account, shape: shape, length: LaneID.length(of: specification),
            isPreemptible: specification.isPreemptible)
    }
    var waiting: [WaitingUnits]
    /// By gang ordinal. For look-up; iterate `liveOrdinals`.
    var live: [UInt32: LiveUnit] = [:]
    /// Tasks that wait behind live ones; they count as queued.
    var successors = SuccessorTable()
    /// Of a task's run, for run-ahead: a moving average over those that exited by themselves. nil before the first.
    var expectedLength: Span?
    var isCancelling = false
    /// Something of it has been placed, once at least.
    var hasBegun = false
    /// Jobs that must end first and have not yet.
    var unmetDependencies: [Dependency]
    var startedAt: LogicalTime?
    var counts: TaskCounts
    /// Largest exit code so far, in the contract's sense.
    var exitCode: Int32 = 0
    /// What the first failed or cancelled gang ended with.
    var firstFailure: Reason = .none
    var rare = Rare.none

    /// Most rows have none: then it takes a word, since rows are copied wherever they are looked at.
    indirect enum Rare: Hashable, Sendable {
        case none
        case some(JobHistory)
    }

    var hasHistory: Bool { if case .some = rare { true } else { false } }

    /// A gang has ended for good.
    mutating func forgetHistory(of ordinal: UInt32) {
        guard hasHistory else { return }
        history.preemptions[ordinal] = nil
        history.progress[ordinal] = nil
        history.causes[ordinal] = nil
        history.checkpoints[ordinal] = nil
    }

    /// What has become of it that does not become of most jobs.
    var history: JobHistory {
        get { if case .some(let history) = rare { history } else { JobHistory() } }
        set { rare = newValue == JobHistory() ? .none : .some(newValue) }
    }

    func isWaiting(_ ordinal: UInt32) -> Bool { waiting.contains { $0.units.contains(UInt64(ordinal)) } }
    var liveOrdinals: [UInt32] { live.keys.sorted() }
    var liveUnitCount: Int { live.count }

    /// The first waiting set that may start at `now`, if the job may start anything.
    func readySet(at now: LogicalTime) -> Int? {
        guard unmetDependencies.isEmpty, !isCancelling, !specification.isHeld else { return nil }
        if let deadline = specification.deadline, deadline <= now { return nil }
        return waiting.firstIndex { $0.notBefore <= now }
    }

    /// The next instant at which something that waits for time becomes ready.
    var nextReadyTime: LogicalTime? {
        waiting.lazy.map(\.notBefore).filter { $0 > .zero }.min()
    }

    /// Gangs that may still be started now under the array's limit.
    var startAllowance: Int {
        guard let limit = specification.array?.concurrencyLimit, limit > 0 else { return .max }
        return max(0, Int(limit) - live.count)
    }

    mutating func learn(_ end: AttemptEnd) {
        guard end.cause == .exited, end.elapsed > .zero else { return }
        let difference = end.elapsed.nanoseconds - (expectedLength ?? end.elapsed).nanoseconds
        expectedLength = Span(nanoseconds: end.elapsed.nanoseconds - difference + difference / RunAhead.smoothing)
    }

    mutating func wait(_ unit: UInt32, attempt: UInt32, notBefore: LogicalTime, reason: Reason) {
        let index = waiting.firstIndex { $0.attempt == attempt && $0.notBefore == notBefore && $0.reason == reason }
        if let index {
            waiting[index].units.insert(UInt64(unit))
        } else {
            let set = WaitingUnits(
                attempt: attempt, notBefore: notBefore, reason: reason, units: IntervalSet(first: UInt64(unit), last: UInt64(unit)))
            let place = waiting.firstIndex { ($0.notBefore, $0.attempt) > (notBefore, attempt) } ?? waiting.count
            waiting.insert(set, at: place)
        }
    }

    /// Takes a gang out of the set it waits in.
    mutating func unwait(_ unit: UInt32, attempt: UInt32) -> Reason {
        for index in waiting.indices where waiting[index].attempt == attempt {
            guard waiting[index].units.remove(UInt64(unit)) else { continue }
            let reason = waiting[index].reason
            if waiting[index].units.isEmpty { waiting.remove(at: index) }
            return reason
        }
        return .none
    }

    /// State and reason as people see them, while the job lives.
    func standing(of id: JobID) -> JobStanding {
        let state: JobState =
            if isCancelling && !live.isEmpty { .stopping } else if counts.running > 0 { .running } else if counts.starting > 0 {
                .starting
            } else if counts.stopping > 0 { .stopping } else { .queued }
        let reason: Reason =
            switch state {
            case .queued where specification.isHeld: .hold
            case .queued where !unmetDependencies.isEmpty: .dependency
            case .queued where waiting.allSatisfy { $0.notBefore > .zero }: .beginTime
            case .queued: .capacity
            case .stopping where isCancelling: history.expiry ?? .user
            case .stopping: liveOrdinals.lazy.compactMap { live[$0]?.stopReason }.first ?? .user
            default: .none
            }
        return JobStanding(
            id: id, state: state, reason: reason, counts: counts, startedAt: startedAt, finishedAt: nil, exitCode: nil)
    }
}
