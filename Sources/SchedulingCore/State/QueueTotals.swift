// What waits and what lives, summed for operators. Read in pieces: there may be very many jobs.

public import ClusterModel

/// Sums over live jobs.
public struct QueueTotals: Sendable {
    /// Why a task does not start. Coarser than `Reason`, since found without a look at any node.
    public enum Cause: Int, CaseIterable, Sendable {
        /// It would start if there were room.
        case capacity
        /// As many elements of its array run as its owner allows.
        case arrayLimit
        case beginTime
        case dependency
        /// Its account holds as much as it may.
        case quota
        /// Its owner holds it.
        case hold

        public var name: String {
            switch self {
            case .capacity: "capacity"
            case .arrayLimit: "array_limit"
            case .beginTime: "begin_time"
            case .dependency: "dependency"
            case .quota: "quota"
            case .hold: "hold"
            }
        }
    }

    public struct Waiting: Hashable, Sendable {
        public var tasks: UInt64 = 0
        /// The earliest instant since which a job among them waits: its submission, its release, or the begin time it asked for.
        public var oldest: LogicalTime?
    }

    private var waiting = [Waiting](repeating: Waiting(), count: Cause.allCases.count)
    private var jobs = [UInt64](repeating: 0, count: Int(JobState.cancelled.rawValue) + 1)
    public private(set) var starting: UInt64 = 0
    public private(set) var running: UInt64 = 0
    public private(set) var stopping: UInt64 = 0

    public init() {}

    public subscript(cause: Cause) -> Waiting { waiting[cause.rawValue] }
    /// Live jobs in a state.
    public subscript(state: JobState) -> UInt64 { jobs[Int(state.rawValue)] }
    public var queued: UInt64 { waiting.reduce(0) { $0 + $1.tasks } }

    mutating func add(_ row: borrowing JobRow, of id: JobID, isLimited: Bool, at now: LogicalTime) {
        jobs[Int(row.standing(of: id).state.rawValue)] += 1
        starting += UInt64(row.counts.starting)
        running += UInt64(row.counts.running)
        stopping += UInt64(row.counts.stopping)
        let queued = UInt64(row.counts.queued)
        guard queued > 0 else { return }
        let since = row.waitingSince
        if row.specification.isHeld { return note(queued, .hold, since: since) }
        if !row.unmetDependencies.isEmpty { return note(queued, .dependency, since: since) }
        let later = row.waiting.reduce(into: UInt64(0)) { sum, set in
            if set.notBefore > now { sum += set.units.count * UInt64(row.gangSize) }
        }
        note(min(later, queued), .beginTime, since: since)
        note(queued - min(later, queued), row.startAllowance == 0 ? .arrayLimit : isLimited ? .quota : .capacity, since: since)
    }

    private mutating func note(_ tasks: UInt64, _ cause: Cause, since: LogicalTime) {
        guard tasks > 0 else { return }
        waiting[cause.rawValue].tasks += tasks
        waiting[cause.rawValue].oldest = min(waiting[cause.rawValue].oldest ?? since, since)
    }
}

extension SchedulerCore {
    /// Pages of 64 jobs that are summed in one piece.
    private static let totalsPages = 16

    /// Adds the jobs from `first` on, about a thousand of them.
    ///
    /// - Returns: where the next piece begins; nil after the last.
    public func addTotals(from first: JobID, at now: LogicalTime, to totals: inout QueueTotals) -> JobID? {
        jobs.forEach(from: first, pages: Self.totalsPages) { id, row in
            totals.add(row, of: id, isLimited: quotaMiss(of: row) != nil, at: now)
        }
    }

    /// Asked before an event is folded: for how long the task that it starts for the first time had waited since it was
    /// submitted, let go, or since the begin time it asked for. Of a task that ended before its start was told, the end tells.
    public func waitEnded(by event: Event) -> Span? {
        switch event {
        case .attemptStarted(let attempt, let elapsed, let at):
            return wait(of: attempt, until: at.nanoseconds - elapsed.nanoseconds)
        case .attemptEnded(let ended):
            guard ended.end.elapsed > .zero, let (_, _, rank, unit) = liveTask(ended.attempt), unit.tasks[rank].phase == .starting else {
                return nil
            }
            return wait(of: ended.attempt, until: ended.at.nanoseconds - ended.end.elapsed.nanoseconds)
        default: return nil
        }
    }

    /// Asked before an event is folded: how many tasks it places for the first time, and how long each had waited.
    public func placement(by event: Event) -> (tasks: UInt64, waited: Span)? {
        switch event {
        case .unitsPlaced(let placed):
            let fresh = placed.units.reduce(UInt64(0)) { $1.attempt == 1 ? $0 + UInt64($1.places.count) : $0 }
            return fresh == 0 ? nil : since(placed.job, placed.at.nanoseconds).map { (fresh, $0) }
        case .successorsGranted(let granted):
            guard granted.attempt == 1 else { return nil }
            let tasks = granted.slots.reduce(UInt64(0)) { $0 + UInt64($1.tasks.count) }
            return since(granted.job, granted.at.nanoseconds).map { (tasks, $0) }
        default: return nil
        }
    }

    private func wait(of attempt: AttemptID, until instant: Int64) -> Span? {
        attempt.number == 1 ? since(attempt.task.job, instant) : nil
    }

    private func since(_ job: JobID, _ instant: Int64) -> Span? {
        guard let row = jobs[job] else { return nil }
        return Span(nanoseconds: instant - row.waitingSince.nanoseconds)
    }
}
