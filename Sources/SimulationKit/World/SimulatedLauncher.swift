import AgentCore
import ClusterModel

/// A launcher in virtual time: it outlives its agent, keeps ended attempts until released, and its own death ends
/// everything it ran. It records every process start, so that a checker can see two of one task.
struct SimulatedLauncher {
    struct Process {
        var order: LaunchOrder
        var startedAt: Int64
        /// When it would end by itself, and how.
        var endsAt: Int64
        var exitCode: Int32
        var end: ProcessEnd?
    }

    /// For look-up; iterate sorted keys.
    private(set) var processes: [AttemptID: Process] = [:]
    private(set) var starts: [AttemptID] = []
    private var chance: SeededGenerator

    init(chance: SeededGenerator) { self.chance = chance }

    var running: [AttemptID] { processes.keys.sorted().filter { processes[$0]?.end == nil } }

    mutating func launch(_ order: LaunchOrder, at now: Int64) -> [DriverEvent] {
        guard processes[order.attempt] == nil else { return [] }
        starts.append(order.attempt)
        let duration = chance.between(1_000_000, 20_000_000_000)
        let exitCode: Int32 = chance.chance(milli: 150) ? 1 : 0
        processes[order.attempt] = Process(order: order, startedAt: now, endsAt: now + duration, exitCode: exitCode, end: nil)
        return [.started(order.attempt, processID: 1, at: now)]
    }

    mutating func signal(_ attempt: AttemptID, _ number: Int32, at now: Int64) {
        guard processes[attempt]?.end == nil else { return }
        // A process minds SIGTERM after a while, SIGKILL at once.
        let endsAt = now + (number == 9 ? 1 : chance.between(1, 5_000_000_000))
        guard var process = processes[attempt] else { return }
        process.endsAt = min(process.endsAt, endsAt)
        process.exitCode = -number
        processes[attempt] = process
    }

    mutating func release(_ attempts: [AttemptID]) {
        for attempt in attempts where processes[attempt]?.end != nil { processes[attempt] = nil }
    }

    /// Processes whose time has come.
    mutating func advance(to now: Int64) -> [DriverEvent] {
        var events: [DriverEvent] = []
        for id in processes.keys.sorted() {
            guard let process = processes[id], process.end == nil, process.endsAt <= now else { continue }
            let manner: ProcessEnd.Manner = process.exitCode < 0 ? .signalled(-process.exitCode) : .exited(code: process.exitCode)
            let end = ProcessEnd(manner: manner, startedAt: process.startedAt, endedAt: now, cpuNanoseconds: 1_000)
            processes[id]!.end = end
            events.append(.ended(id, end))
        }
        return events
    }

    var nextEnd: Int64? { processes.values.filter { $0.end == nil }.map(\.endsAt).min() }

    var recovered: [RecoveredAttempt] {
        processes.keys.sorted().map { id in
            let process = processes[id]!
            return RecoveredAttempt(
                attempt: id, fence: process.order.fence, note: process.order.note, startedAt: process.startedAt, end: process.end)
        }
    }

    /// Dies with everything it runs; its successor finds the table and reports the loss.
    mutating func crash(at now: Int64) {
        for id in running {
            let process = processes[id]!
            processes[id]!.end = ProcessEnd(manner: .driverLost, startedAt: process.startedAt, endedAt: now)
        }
    }
}
