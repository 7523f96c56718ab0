// Independent of the code under test: it reads what was made durable and what really ran, and knows only the promises.

import ClusterModel
import Metering
import SchedulingCore

struct PromiseChecker {
    private var accepted: Set<JobID> = []
    private var finished: [JobID: JobState] = [:]
    private var placed: [AttemptID: LogicalTime] = [:]
    /// Who comes next in a slot, by the fence that the slot was placed with.
    private var linedUp: [Fence: [AttemptID]] = [:]
    private var slotOf: [AttemptID: Fence] = [:]
    private var endedAttempts: Set<AttemptID> = []
    private var segments: [AttemptID: [UsageSegment]] = [:]
    private var violations: [String] = []

    var endedJobs: Int { finished.count }
    var attempts: Int { placed.count }
    private(set) var handOvers = 0
    private(set) var preemptions = 0

    mutating func note(_ batch: Batch) {
        for event in batch.events {
            switch event {
            case .jobAccepted(let job):
                if !accepted.insert(job.id).inserted { violations.append("S1 job \(job.id) accepted twice") }
            case .jobFinished(let job):
                if let earlier = finished[job.id] { violations.append("S6 job \(job.id) was \(earlier), now \(job.state)") }
                finished[job.id] = job.state
            case .unitsPlaced(let units): notePlaced(units)
            case .successorsGranted(let granted):
                for slot in granted.slots {
                    let attempts = slot.tasks.map { AttemptID(job: granted.job, index: $0.ordinal, number: granted.attempt) }
                    linedUp[slot.slot, default: []] += attempts
                    for attempt in attempts { slotOf[attempt] = slot.slot }
                }
            case .successorReturned(let attempt, _, _):
                guard let slot = slotOf.removeValue(forKey: attempt) else { break }
                linedUp[slot]?.removeAll { $0 == attempt }
            case .attemptEnded(let ended):
                if !endedAttempts.insert(ended.attempt).inserted { violations.append("S6 attempt \(ended.attempt) ended twice") }
                if ended.reason == .preempted { preemptions += 1 }
                noteHandOver(ended)
            default: break
            }
        }
        for case .usage(let segment) in batch.rows { note(segment) }
    }

    private mutating func notePlaced(_ units: PlacedUnits) {
        for unit in units.units {
            for rank in unit.places.indices {
                let index = unit.ordinal * UInt32(unit.places.count) + UInt32(rank)
                let attempt = AttemptID(job: units.job, index: index, number: unit.attempt)
                notePlaced(attempt, at: units.at)
                slotOf[attempt] = unit.places[rank].fence
            }
        }
    }

    private mutating func notePlaced(_ attempt: AttemptID, at: LogicalTime) {
        if placed[attempt] != nil { violations.append("S3b attempt \(attempt) placed twice") }
        placed[attempt] = at
    }

    /// The next in the slot holds it from that very instant: no gap between their bills, and no overlap.
    private mutating func noteHandOver(_ ended: EndedAttempt) {
        guard let slot = slotOf[ended.attempt], linedUp[slot]?.isEmpty == false, let next = linedUp[slot]?.removeFirst() else { return }
        notePlaced(next, at: ended.at)
        handOvers += 1
    }

    private mutating func note(_ segment: UsageSegment) {
        let earlier = segments[segment.attempt] ?? []
        guard let grant = placed[segment.attempt] else {
            violations.append("S4 usage without a grant: \(segment.attempt)")
            return
        }
        if segment.number != UInt32(earlier.count) {
            violations.append("S4 segment \(segment.number) of \(segment.attempt) after \(earlier.count)")
        }
        if segment.start != (earlier.last?.end ?? grant) { violations.append("S4 usage of \(segment.attempt) has a gap or an overlap") }
        if earlier.last?.endReason != nil, earlier.last?.endReason != .cut {
            violations.append("S4 usage of \(segment.attempt) after its end")
        }
        segments[segment.attempt, default: []].append(segment)
    }

    /// Everything found since the last call, and what the nodes show now.
    mutating func check(agents: [SimulatedAgent], clients: SimulatedClients) -> [String] {
        defer { violations = [] }
        for job in clients.acknowledged where !accepted.contains(job) {
            violations.append("S1 job \(job) was acknowledged and is not durable")
        }
        var running: [TaskID: String] = [:]
        for agent in agents {
            var slots: Set<Fence> = []
            for attempt in agent.launcher.running {
                if let slot = agent.launcher.slot(of: attempt), !slots.insert(slot).inserted {
                    violations.append("S5 two tasks run in one slot of \(agent.name), one of them \(attempt)")
                }
                if let other = running[attempt.task] { violations.append("S3b task \(attempt.task) runs on \(other) and \(agent.name)") }
                running[attempt.task] = agent.name
                if placed[attempt] == nil, slotOf[attempt] == nil { violations.append("S4 \(attempt) runs without a durable grant") }
            }
        }
        return violations
    }

    /// At the end: every grant was used up by contiguous segments, the last of which says how it ended.
    func checkSettled() -> [String] {
        placed.keys.sorted().compactMap { attempt in
            guard let last = segments[attempt]?.last else { return "S4 attempt \(attempt) was placed and has no usage" }
            return last.endReason == .cut ? "S4 usage of \(attempt) has no end" : nil
        }
    }
}

/// FNV-1a over everything decided: one number that two processes must agree on.
struct TraceDigest {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func mix(_ word: UInt64) {
        for shift in stride(from: 0, to: 64, by: 8) { mix(byte: UInt8(truncatingIfNeeded: word >> UInt64(shift))) }
    }

    mutating func mix(_ event: Event) {
        for byte in event.canonicalBytes { mix(byte: byte) }
    }

    private mutating func mix(byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
}
