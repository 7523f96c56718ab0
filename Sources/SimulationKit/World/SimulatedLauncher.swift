import AgentCore
import ClusterModel

/// A launcher in virtual time: it outlives its agent, keeps ended attempts until released, and its own death ends
/// everything it ran. It records every process start, so that a checker can see two of one task.
struct SimulatedLauncher {
    struct Process {
        var order: LaunchOrder
        /// nil while it waits in its slot.
        var startedAt: Int64?
        /// When it would end by itself, and how.
        var endsAt: Int64
        var exitCode: Int32
        var end: ProcessEnd?
    }

    /// For look-up; iterate sorted keys.
    private(set) var processes: [AttemptID: Process] = [:]
    private(set) var starts: [AttemptID] = []
    /// The attempt that runs in a slot, and after it those that wait.
    private var slots: [Fence: [AttemptID]] = [:]
    private var chance: SeededGenerator
    private let durationMax: Int64

    init(chance: SeededGenerator, durationMax: Int64) {
        self.chance = chance
        self.durationMax = durationMax
    }

    var running: [AttemptID] {
        processes.keys.sorted().filter { processes[$0]?.end == nil && processes[$0]?.startedAt != nil }
    }

    func slot(of attempt: AttemptID) -> Fence? { processes[attempt]?.order.slot }

    mutating func launch(_ order: LaunchOrder, at now: Int64) -> [DriverEvent] {
        guard processes[order.attempt] == nil else { return [] }
        processes[order.attempt] = Process(order: order, endsAt: .max, exitCode: 0, end: nil)
        slots[order.slot, default: []].append(order.attempt)
        return slots[order.slot]?.count == 1 ? [start(order.attempt, at: now)] : []
    }

    private mutating func start(_ attempt: AttemptID, at now: Int64) -> DriverEvent {
        starts.append(attempt)
        processes[attempt]!.startedAt = now
        // Now and then one takes far longer than those before it: what waits behind it is given back.
        let isStraggler = chance.chance(milli: 50)
        processes[attempt]!.endsAt =
            now + (isStraggler ? chance.between(1_000_000_000, 8_000_000_000) : chance.between(1_000_000, durationMax))
        processes[attempt]!.exitCode = chance.chance(milli: 150) ? 1 : 0
        return .started(attempt, processID: 1, at: now)
    }

    mutating func withdraw(_ attempts: [AttemptID], at now: Int64) -> [DriverEvent] {
        attempts.filter { processes[$0] != nil && processes[$0]?.startedAt == nil && processes[$0]?.end == nil }
            .flatMap { end($0, .notStarted, at: now) }
    }

    mutating func signal(_ attempt: AttemptID, _ number: Int32, at now: Int64) -> [DriverEvent] {
        guard let process = processes[attempt], process.end == nil else { return [] }
        guard process.startedAt != nil else { return end(attempt, .notStarted, at: now) }
        // A process minds SIGTERM after a while, SIGKILL at once.
        let endsAt = now + (number == 9 ? 1 : chance.between(1, 5_000_000_000))
        processes[attempt]!.endsAt = min(process.endsAt, endsAt)
        processes[attempt]!.exitCode = -number
        return []
    }

    mutating func release(_ attempts: [AttemptID]) {
        for attempt in attempts where processes[attempt]?.end != nil { processes[attempt] = nil }
    }

    /// Processes whose time has come, and what starts in their slots.
    mutating func advance(to now: Int64) -> [DriverEvent] {
        var events: [DriverEvent] = []
        for id in processes.keys.sorted() {
            guard let process = processes[id], process.end == nil, process.endsAt <= now else { continue }
            events += end(id, process.exitCode < 0 ? .signalled(-process.exitCode) : .exited(code: process.exitCode), at: now)
        }
        return events
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

    var nextEnd: Int64? { processes.values.filter { $0.end == nil && $0.startedAt != nil }.map(\.endsAt).min() }

    var recovered: [RecoveredAttempt] {
        processes.keys.sorted().map { id in
            let process = processes[id]!
            return RecoveredAttempt(
                attempt: id, fence: process.order.fence, slot: process.order.slot, note: process.order.note, startedAt: process.startedAt,
                end: process.end)
        }
    }

    /// Dies with everything it runs; its successor finds the table and reports the loss.
    mutating func crash(at now: Int64) {
        for id in processes.keys.sorted() where processes[id]?.end == nil {
            let startedAt = processes[id]?.startedAt
            processes[id]!.end = ProcessEnd(manner: startedAt == nil ? .notStarted : .driverLost, startedAt: startedAt ?? now, endedAt: now)
        }
        slots = [:]
    }
}
