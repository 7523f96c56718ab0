import ClusterModel
import SchedulingCore
import Telemetry

/// What the engine counts while it works. Everything is an atomic that one thread writes, mostly the deciding one.
struct EngineInstruments: Sendable {
    // MARK: Work
    let jobsSubmitted = Counter()
    let tasksSubmitted = Counter()
    let jobsFinished = EndCounters()
    let attemptsPlaced = Counter()
    let attemptsStarted = Counter()
    let attemptsEnded = EndCounters()
    let rejections = Counter.array(count: CountedRejection.allCases.count)
    let refusals = Counter.array(count: CommandRefusal.allCases.count)
    let placementWait = Histogram.seconds(Self.waits)
    let startWait = Histogram.seconds(Self.waits)

    // MARK: The loop
    let busyNanoseconds = Counter()
    let step = Histogram.seconds(Self.latencies)
    let lag = Histogram.seconds(Self.latencies)
    let batchEvents = Histogram(bounds: (0...12).map { 1 << $0 })
    let inbox = Gauge()

    // MARK: Journal
    let append = Histogram.seconds(Self.latencies)
    let appendErrors = Counter()
    let lastIndex = Gauge()

    // MARK: Agents
    let heartbeats = Counter()
    let leaseMargin = Histogram.seconds([0, 1, 2, 5, 10, 15, 20, 25, 30, 60, 120])
    let leasesHeldBack = Gauge()
    let queueOverflows = Counter()

    private static let latencies = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]
    private static let waits = [0.01, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400]

    /// Counts what has become durable.
    func count(_ events: [Event]) {
        for event in events {
            switch event {
            case .jobAccepted(let job):
                jobsSubmitted.add()
                tasksSubmitted.add(UInt64(job.specification.taskCount))
            case .unitsPlaced(let placed): attemptsPlaced.add(placed.units.reduce(0) { $0 + UInt64($1.places.count) })
            case .successorsGranted(let granted): attemptsPlaced.add(granted.slots.reduce(0) { $0 + UInt64($1.tasks.count) })
            case .attemptStarted: attemptsStarted.add()
            case .attemptEnded(let ended): attemptsEnded[ended.state, ended.reason]?.add()
            case .jobFinished(let job): jobsFinished[job.state, job.reason]?.add()
            default: break
            }
        }
    }

    func refused(_ cause: CommandRefusal) { refusals[cause.rawValue].add() }
    func rejected(_ rejection: Rejection) { rejections[CountedRejection(rejection).rawValue].add() }
}

/// Ends by state and reason.
struct EndCounters: Sendable {
    static let states: [JobState] = [.succeeded, .failed, .cancelled]

    private static let reasonCount = Int(Reason.allCases.map(\.rawValue).max() ?? 0) + 1
    private let counters = Counter.array(count: Self.states.count * Self.reasonCount)

    /// nil for a state that is no end.
    subscript(state: JobState, reason: Reason) -> Counter? {
        guard state.isTerminal else { return nil }
        return counters[Int(state.rawValue - JobState.succeeded.rawValue) * Self.reasonCount + Int(reason.rawValue)]
    }
}

/// Why a command was turned away before anything was decided about it.
enum CommandRefusal: Int, CaseIterable, Sendable {
    case inboxFull, diskFull, stopping

    var name: String {
        switch self {
        case .inboxFull: "inbox_full"
        case .diskFull: "disk_full"
        case .stopping: "stopping"
        }
    }
}

/// Rejections as they are counted: by their code, those of an enrolment under one.
enum CountedRejection: Int, CaseIterable, Sendable {
    case invalid, unsatisfiable, notFound, conflict, changed, moved, quota
    case keyReused, tooManyKeys, enrollment, registration, outdated, stale

    init(_ rejection: Rejection) {
        self =
            switch rejection {
            case .invalid: .invalid
            case .unsatisfiable: .unsatisfiable
            case .jobNotFound, .nodeNotFound, .keyNotFound, .notFound: .notFound
            case .conflict: .conflict
            case .changed: .changed
            case .moved: .moved
            case .quota: .quota
            case .keyReused: .keyReused
            case .tooManyKeys: .tooManyKeys
            case .enrollment: .enrollment
            case .registration: .registration
            case .outdated: .outdated
            case .stale: .stale
            }
    }

    var code: String {
        switch self {
        case .invalid: "invalid"
        case .unsatisfiable: "unsatisfiable"
        case .notFound: "not_found"
        case .conflict: "conflict"
        case .changed: "changed"
        case .moved: "state_moved"
        case .quota: "quota"
        case .keyReused: "idempotency_key_reused"
        case .tooManyKeys: "too_many_idempotency_keys"
        case .enrollment: "enrollment"
        case .registration: "registration"
        case .outdated: "state_outdated"
        case .stale: "stale"
        }
    }
}
