// What `up` does when: a value without I/O. The shell (`LocalCluster`) tells it what happened and carries out what it
// answers, in order.

/// A daemon that `up` keeps.
enum DaemonRole: String, Hashable, Sendable, CaseIterable {
    case coordinator
    case agent
    /// One process with all simulated nodes.
    case simulated

    /// How people read it.
    var title: String {
        switch self {
        case .coordinator: "coordinator"
        case .agent: "agent"
        case .simulated: "simulated nodes"
        }
    }
}

struct UpMachine: Sendable {
    enum Event: Hashable, Sendable {
        case start
        /// The daemon serves; a coordinator's line says where.
        case ready(DaemonRole)
        case ended(DaemonRole, code: Int32)
        case restartDue(DaemonRole)
        /// Ctrl-C.
        case interrupt
        /// SIGTERM or SIGHUP: stop the daemons, jobs stay with the launcher.
        case terminate
        /// All jobs have ended, or their time to do so has.
        case jobsStopped(left: Int)
        /// The daemons had their time to end.
        case stopOverdue
    }

    enum Action: Hashable, Sendable {
        case launch(DaemonRole)
        /// After a pause, `restartDue`.
        case restart(DaemonRole, after: Duration)
        case announce
        case say(String)
        case showLog(DaemonRole)
        /// Cancel all jobs and wait for their end.
        case stopJobs
        case signal(DaemonRole, Signal)
        /// After a while, `stopOverdue`.
        case watchStop
        case finish(Int32)
    }

    enum Signal: Hashable, Sendable {
        case terminate
        /// To an agent: kill its jobs, then end.
        case interrupt
        case kill
    }

    private enum Phase: Hashable {
        /// Leads to `running` when all daemons are ready, to `stopping` when one fails.
        case starting
        /// Leads to `stoppingJobs` on Ctrl-C, to `stopping` on SIGTERM or when the coordinator cannot be kept up.
        case running
        /// Leads to `stopping` when the jobs have ended, or on a second Ctrl-C.
        case stoppingJobs
        /// Agents end first, then the coordinator. Leads to the end.
        case stopping(code: Int32)
    }

    /// Restarts of the coordinator within a minute before `up` gives up.
    static let coordinatorRestartsMax = 5
    static let restartWindow = Duration.seconds(60)

    private let roles: [DaemonRole]
    private var phase = Phase.starting
    private var alive: Set<DaemonRole> = []
    private var ready: Set<DaemonRole> = []
    /// When each role was restarted, seconds since the start of `up`.
    private var restarts: [DaemonRole: [Duration]] = [:]

    init(hasSimulatedNodes: Bool) {
        roles = hasSimulatedNodes ? [.coordinator, .agent, .simulated] : [.coordinator, .agent]
    }

    /// `now` counts from any fixed instant.
    mutating func handle(_ event: Event, at now: Duration) -> [Action] {
        switch event {
        case .start: return launch(.coordinator)
        case .ready(let role): return becameReady(role)
        case .ended(let role, let code): return ended(role, code: code, at: now)
        case .restartDue(let role): return isStopping ? [] : launch(role)
        case .interrupt: return interrupted()
        case .terminate: return isStopping ? [] : stop(code: 0, agents: .terminate)
        case .jobsStopped(let left):
            guard phase == .stoppingJobs else { return [] }
            let words =
                left == 0
                ? [] : [Action.say("\(Humanized.count(left, "job")) did not end in time; the next `suanpan up` finds them again.")]
            return words + stop(code: 0, agents: .terminate)
        case .stopOverdue:
            return alive.isEmpty ? [] : roles.filter(alive.contains).map { .signal($0, .kill) }
        }
    }

    private var isStopping: Bool {
        if case .stopping = phase { return true }
        return false
    }

    private mutating func launch(_ role: DaemonRole) -> [Action] {
        alive.insert(role)
        return [.launch(role)]
    }

    private mutating func becameReady(_ role: DaemonRole) -> [Action] {
        guard alive.contains(role) else { return [] }
        let isFirst = ready.insert(role).inserted
        guard phase == .starting else { return isFirst ? [.say("The \(role.title) is back.")] : [] }
        if role == .coordinator { return roles.filter { $0 != .coordinator }.flatMap { launch($0) } }
        guard ready.isSuperset(of: roles) else { return [] }
        phase = .running
        return [.announce]
    }

    private mutating func ended(_ role: DaemonRole, code: Int32, at now: Duration) -> [Action] {
        guard alive.remove(role) != nil else { return [] }
        ready.remove(role)
        switch phase {
        case .starting: return [.say("The \(role.title) did not start:"), .showLog(role)] + stop(code: 1, agents: .terminate)
        case .running, .stoppingJobs: return restart(role, code: code, at: now)
        case .stopping(let code): return nextStop(code: code)
        }
    }

    private mutating func restart(_ role: DaemonRole, code: Int32, at now: Duration) -> [Action] {
        let recent = (restarts[role] ?? []).filter { now - $0 < Self.restartWindow }
        let ending = code >= 128 ? "by signal \(code - 128)" : "with code \(code)"
        guard role != .coordinator || recent.count < Self.coordinatorRestartsMax else {
            return [.say("The coordinator ended \(recent.count + 1) times within a minute, last \(ending):"), .showLog(role)]
                + stop(code: 1, agents: .terminate)
        }
        restarts[role] = recent + [now]
        let delay = min(Duration.milliseconds(200) * (1 << min(recent.count, 5)), .seconds(5))
        return [.say("The \(role.title) ended \(ending); starting it again."), .restart(role, after: delay)]
    }

    private mutating func interrupted() -> [Action] {
        switch phase {
        case .starting: return stop(code: 130, agents: .terminate)
        case .running:
            phase = .stoppingJobs
            return [.stopJobs]
        case .stoppingJobs: return [.say("Killing the jobs.")] + stop(code: 130, agents: .interrupt)
        // Once more: nobody is asked any longer.
        case .stopping: return roles.filter(alive.contains).map { .signal($0, .kill) }
        }
    }

    private mutating func stop(code: Int32, agents signal: Signal) -> [Action] {
        phase = .stopping(code: code)
        let agents = roles.filter { $0 != .coordinator && alive.contains($0) }
        guard !agents.isEmpty else { return [.watchStop] + nextStop(code: code) }
        return [.watchStop] + agents.map { .signal($0, signal) }
    }

    /// The coordinator goes last: agents tell it how their jobs ended.
    private func nextStop(code: Int32) -> [Action] {
        if alive.isEmpty { return [.finish(code)] }
        return alive == [.coordinator] ? [.signal(.coordinator, .terminate)] : []
    }
}
