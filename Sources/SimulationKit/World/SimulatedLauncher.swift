import AgentCore
import ClusterModel

/// A launcher in virtual time: it outlives its agent, keeps ended attempts until released, ends what depends on a lease that
/// nobody holds, and its own death ends everything it ran. All instants are those of its machine's clock.
struct SimulatedLauncher {
    struct Process {
        var order: LaunchOrder
        /// nil while it waits in its slot.
        var startedAt: Int64?
        /// When it would end by itself, and how.
        var endsAt: Int64
        var manner: ProcessEnd.Manner
        var end: ProcessEnd?
        /// SIGKILL does not reach it before so long: it hangs in the kernel.
        var hangs: Int64 = 0
        /// It was sent SIGKILL: it executes nothing more, and still holds what it has.
        var isDoomed = false
        /// When it last said that it had written a checkpoint.
        var checkpointAt: Int64?
    }

    /// For look-up; iterate sorted keys.
    private(set) var processes: [AttemptID: Process] = [:]
    /// The attempt that runs in a slot, and after it those that wait.
    private var slots: [Fence: [AttemptID]] = [:]
    private var chance: SeededGenerator
    private let durationMax: Int64
    private let unkillableMilli: Int
    private var leaseEnd = Int64.min
    /// It died, and its successor waits until everything that it left is dead: it hears nobody meanwhile.
    private(set) var isRecovering = false
    private(set) var unkillable = 0
    private(set) var leasesEnded = 0

    init(chance: SeededGenerator, plan: SimulationPlan) {
        self.chance = chance
        durationMax = plan.durationMax
        unkillableMilli = plan.machines.unkillableMilli
    }

    /// Everything that holds something.
    var running: [AttemptID] {
        var running: [AttemptID] = []
        for (id, process) in processes where process.end == nil && process.startedAt != nil { running.append(id) }
        return running.sorted()
    }

    /// Those that wait as well.
    private var live: [AttemptID] {
        var live: [AttemptID] = []
        for (id, process) in processes where process.end == nil { live.append(id) }
        return live.sorted()
    }

    func slot(of attempt: AttemptID) -> Fence? { processes[attempt]?.order.slot }

    mutating func launch(_ order: LaunchOrder, at now: Int64) -> [DriverEvent] {
        guard !isRecovering, processes[order.attempt] == nil else { return [] }
        processes[order.attempt] = Process(order: order, endsAt: .max, manner: .notStarted, end: nil)
        slots[order.slot, default: []].append(order.attempt)
        return slots[order.slot]?.count == 1 ? [start(order.attempt, at: now)] : []
    }

    private mutating func start(_ attempt: AttemptID, at now: Int64) -> DriverEvent {
        processes[attempt]!.startedAt = now
        // Now and then one takes far longer than those before it: what waits behind it is given back.
        let isStraggler = chance.chance(milli: 50)
        let length = isStraggler ? chance.between(1_000_000_000, 8_000_000_000) : chance.between(1_000_000, durationMax)
        processes[attempt]!.endsAt = now + length
        processes[attempt]!.manner = .exited(code: chance.chance(milli: 150) ? 1 : 0)
        if chance.chance(milli: unkillableMilli) { processes[attempt]!.hangs = chance.between(1_000_000_000, 60_000_000_000) }
        return .started(attempt, processID: 1, at: now)
    }

    mutating func withdraw(_ attempts: [AttemptID], at now: Int64) -> [DriverEvent] {
        isRecovering
            ? []
            : attempts.filter { processes[$0] != nil && processes[$0]?.startedAt == nil && processes[$0]?.end == nil }
                .flatMap { end($0, .notStarted, at: now) }
    }

    mutating func signal(_ attempt: AttemptID, _ number: Int32, at now: Int64) -> [DriverEvent] {
        guard !isRecovering, let process = processes[attempt], process.end == nil, !process.isDoomed else { return [] }
        guard process.startedAt != nil else { return end(attempt, .notStarted, at: now) }
        if number == 9 {
            kill(attempt, .signalled(9), at: now)
        } else if number != 15 {
            // Asked to write a checkpoint, most do.
            if chance.chance(milli: 700) { processes[attempt]!.checkpointAt = now + chance.between(1, 1_000_000_000) }
        } else {
            // A process minds SIGTERM after a while.
            let endsAt = now + chance.between(1, 5_000_000_000)
            if endsAt < process.endsAt {
                processes[attempt]!.endsAt = endsAt
                processes[attempt]!.manner = .signalled(number)
            }
        }
        return []
    }

    private mutating func kill(_ attempt: AttemptID, _ manner: ProcessEnd.Manner, at now: Int64) {
        guard var process = processes[attempt] else { return }
        if process.hangs > 0 { unkillable += 1 }
        process.isDoomed = true
        process.endsAt = now + max(1, process.hangs)
        process.manner = manner
        processes[attempt] = process
    }

    /// What its tasks have said of checkpoints; some write one now and then by themselves.
    mutating func checkpoints(of attempts: [AttemptID], at now: Int64) -> [TaskMail.Read] {
        attempts.compactMap { attempt in
            guard let process = processes[attempt], let startedAt = process.startedAt else { return nil }
            if process.end == nil, chance.chance(milli: 200) { processes[attempt]!.checkpointAt = chance.between(startedAt, now) }
            guard process.order.environment.contains(where: { $0.hasPrefix("SUANPAN_CHECKPOINT_FILE=") }) else { return nil }
            guard let at = processes[attempt]!.checkpointAt, at <= now else { return TaskMail.Read(attempt: attempt, stamp: 0, age: 0) }
            return TaskMail.Read(attempt: attempt, stamp: at + 1, age: now - at)
        }
    }

    mutating func holdLease(until instant: Int64) { leaseEnd = instant }

    mutating func release(_ attempts: [AttemptID]) {
        for attempt in attempts where !isRecovering && processes[attempt]?.end != nil { processes[attempt] = nil }
    }

    /// Processes whose time has come, and what starts in their slots; before that, those that nobody holds a lease for.
    mutating func advance(to now: Int64) -> [DriverEvent] {
        var events: [DriverEvent] = []
        for id in live where now >= leaseEnd {
            guard let process = processes[id], process.order.dependsOnLease, !process.isDoomed else { continue }
            leasesEnded += 1
            if process.startedAt == nil { events += end(id, .notStarted, at: now) } else { kill(id, .leaseEnded, at: now) }
        }
        for id in live {
            guard let process = processes[id], process.end == nil, process.endsAt <= now else { continue }
            events += end(id, process.manner, at: now)
        }
        guard isRecovering else { return events }
        isRecovering = !running.isEmpty
        return isRecovering ? [] : [.recovered(recovered)]
    }

    private mutating func end(_ attempt: AttemptID, _ manner: ProcessEnd.Manner, at now: Int64) -> [DriverEvent] {
        guard let process = processes[attempt] else { return [] }
        let end = ProcessEnd(manner: manner, startedAt: process.startedAt ?? now, endedAt: now, cpuNanoseconds: 1_000)
        processes[attempt]!.end = end
        let slot = process.order.slot
        slots[slot]?.removeAll { $0 == attempt }
        guard let next = slots[slot]?.first else {
            slots[slot] = nil
            return [.ended(attempt, end)]
        }
        return processes[next]?.startedAt == nil ? [.ended(attempt, end), start(next, at: now)] : [.ended(attempt, end)]
    }

    /// On the machine's clock; nil when nothing is bound to happen.
    var nextEnd: Int64? {
        if isRecovering, running.isEmpty { return .min }
        let live = processes.values.filter { $0.end == nil && $0.startedAt != nil }
        let lease = live.contains { $0.order.dependsOnLease && !$0.isDoomed } ? leaseEnd : .max
        let earliest = min(live.map(\.endsAt).min() ?? .max, lease)
        return earliest == .max ? nil : earliest
    }

    var recovered: [RecoveredAttempt] {
        processes.keys.sorted().map { id in
            let process = processes[id]!
            return RecoveredAttempt(
                attempt: id, fence: process.order.fence, slot: process.order.slot, note: process.order.note, startedAt: process.startedAt,
                end: process.end)
        }
    }

    /// Dies with everything it runs; its successor finds the table, kills what is left, and reports the loss of each once all
    /// groups are empty. Until a lease is held again, nothing that depends on one lives.
    mutating func crash(at now: Int64) {
        slots = [:]
        leaseEnd = .min
        isRecovering = true
        for id in processes.keys.sorted() where processes[id]?.end == nil {
            if processes[id]?.startedAt == nil {
                processes[id]!.end = ProcessEnd(manner: .notStarted, startedAt: now, endedAt: now)
            } else {
                if processes[id]?.isDoomed == false { kill(id, .driverLost, at: now) }
                processes[id]!.manner = .driverLost
            }
        }
    }

    /// The machine restarted: no process is left, whatever it hung in.
    mutating func reboot(at now: Int64) {
        slots = [:]
        leaseEnd = .min
        isRecovering = false
        for id in processes.keys.sorted() where processes[id]?.end == nil {
            let manner: ProcessEnd.Manner = processes[id]?.startedAt == nil ? .notStarted : .driverLost
            processes[id]!.end = ProcessEnd(manner: manner, startedAt: now, endedAt: now)
        }
    }
}
