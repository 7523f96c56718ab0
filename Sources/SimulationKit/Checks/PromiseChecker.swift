// Independent of the code under test: it reads what was made durable and what really ran, and knows only the promises.

import AgentCore
import ClusterModel
import Metering
import SchedulingCore

struct PromiseChecker {
    private var preemptible: Set<JobID> = []
    private var held: Set<JobID> = []
    private var deadlines: [JobID: LogicalTime] = [:]
    private var expired: [JobID: Reason] = [:]
    /// With the tenant of each.
    private var accepted: [JobID: String] = [:]
    private var finished: [JobID: JobState] = [:]
    /// Jobs that depend on no lease.
    private var waiting: Set<JobID> = []
    private var placed: [AttemptID: LogicalTime] = [:]
    /// Who comes next in a slot, by the fence that the slot was placed with.
    private var linedUp: [Fence: [AttemptID]] = [:]
    private var slotOf: [AttemptID: Fence] = [:]
    private var endedAttempts: Set<AttemptID> = []
    private var segments: [AttemptID: [UsageSegment]] = [:]
    private struct Grant: Hashable {
        var attempt: AttemptID
        var fence: Fence
    }

    /// What each grant holds. A successor holds what the slot was placed with.
    private var holdings: [Grant: Allocation] = [:]
    private var slotAllocations: [Fence: Allocation] = [:]
    private struct Run: Equatable {
        var wire: Int
        /// On the machine's own clock.
        var startedAt: Int64?
    }

    /// Where and when what was granted has run.
    private var runs: [Grant: Run] = [:]
    /// Which key each job was submitted with.
    private var jobOfKey: [String: JobID] = [:]
    private var nodeUse = NodeUseChecker()
    private var series = SeriesChecker()
    private var violations: [String] = []
    /// False once an older state was put back: what happened since is no part of it.
    private var compares = true
    private var looks = true
    /// True while an older state leads and nobody has noticed: it gives what was given before once more.
    private var givesAgain = false
    private var givenAgain: Set<Grant> = []

    var endedJobs: Int { finished.count }
    var attempts: Int { placed.count }
    private(set) var endedAttemptCount = 0
    private(set) var handOvers = 0
    private(set) var preemptions = 0

    /// The cluster goes on from an older time: what was promised since then was lost with it, by an administrator's decision.
    mutating func stopComparing() {
        compares = false
        looks = false
        givesAgain = true
        violations = []
    }

    /// From here on the older state is known for what it is.
    ///
    /// - Parameter looks: whether what processes hold can still be told from their grants.
    mutating func lookAgain(_ looks: Bool) {
        self.looks = looks
        givesAgain = false
    }

    mutating func found(_ violation: String) { violations.append(violation) }

    mutating func note(_ batch: Batch) {
        for event in batch.events {
            noteHoldings(event)
            if case .attemptEnded = event { endedAttemptCount += 1 }
        }
        if givesAgain { noteGivenAgain(batch.effects) }
        guard compares else { return }
        violations += nodeUse.note(batch)
        violations += series.note(batch)
        for event in batch.events {
            switch event {
            case .jobAccepted(let job):
                let tenant = job.specification.tenant
                if job.specification.isPreemptible { preemptible.insert(job.id) }
                if job.specification.isHeld { held.insert(job.id) }
                deadlines[job.id] = job.specification.deadline
                if accepted.updateValue(tenant, forKey: job.id) != nil { violations.append("S1 job \(job.id) accepted twice") }
                if job.specification.onNodeLost == .wait { waiting.insert(job.id) }
                if let key = job.key.map({ "\($0.text) of \(tenant)" }), let other = jobOfKey.updateValue(job.id, forKey: key) {
                    violations.append("S1 key \(key) made job \(other) and job \(job.id)")
                }
            case .jobFinished(let job):
                if let earlier = finished[job.id] { violations.append("S6 job \(job.id) was \(earlier), now \(job.state)") }
                finished[job.id] = job.state
                if let reason = expired[job.id], job.state != .succeeded,
                    job.state != .failed || job.reason != reason || job.exitCode != 124
                {
                    violations.append("job \(job.id) expired by \(reason), and ends \(job.state) \(job.reason) \(job.exitCode)")
                }
            case .jobUpdated(let job, let update, _):
                if update.isHeld == true { held.insert(job) }
                if update.isHeld == false { held.remove(job) }
                switch update.deadline {
                case .to(let deadline)?: deadlines[job] = deadline
                case JobUpdate.Change.none?: deadlines[job] = nil
                case nil: break
                }
            case .jobExpired(let job, let reason, _): expired[job] = reason
            case .unitsPlaced(let units):
                if held.contains(units.job) { violations.append("job \(units.job) is held, and starts") }
                if let deadline = deadlines[units.job], deadline <= units.at {
                    violations.append("job \(units.job) starts after its deadline")
                }
                notePlaced(units)
            case .successorsGranted(let granted):
                for slot in granted.slots {
                    let attempts = slot.tasks.map { AttemptID(job: granted.job, index: $0.ordinal, number: granted.attempt) }
                    linedUp[slot.slot, default: []] += attempts
                    for attempt in attempts { slotOf[attempt] = slot.slot }
                }
            case .successorReturned(let attempt, _, _):
                guard let slot = slotOf.removeValue(forKey: attempt) else { break }
                linedUp[slot]?.removeAll { $0 == attempt }
            case .gangsPreempted(let preemption):
                for gang in preemption.gangs where !preemptible.contains(gang.job) {
                    violations.append("job \(gang.job), which is not preemptible, is stopped for job \(preemption.job)")
                }
            case .attemptEnded(let ended):
                if !endedAttempts.insert(ended.attempt).inserted { violations.append("S6 attempt \(ended.attempt) ended twice") }
                if ended.reason == .preempted { preemptions += 1 }
                if ended.end.cause == .leaseExpired, waiting.contains(ended.attempt.task.job) {
                    violations.append("S2 attempt \(ended.attempt) ended with a lease, and its job waits for lost nodes")
                }
                noteHandOver(ended)
            default: break
            }
        }
        for case .usage(let segment) in batch.rows { note(segment) }
    }

    private mutating func noteGivenAgain(_ effects: [Effect]) {
        for case .command(_, _, .start(let batch)) in effects {
            for order in batch.starts { givenAgain.insert(Grant(attempt: order.attempt, fence: order.fence)) }
        }
    }

    private mutating func noteHoldings(_ event: Event) {
        switch event {
        case .unitsPlaced(let placed):
            for unit in placed.units {
                for (rank, place) in unit.places.enumerated() {
                    let index = unit.ordinal * UInt32(unit.places.count) + UInt32(rank)
                    let attempt = AttemptID(job: placed.job, index: index, number: unit.attempt)
                    holdings[Grant(attempt: attempt, fence: place.fence)] = place.allocation
                    slotAllocations[place.fence] = place.allocation
                }
            }
        case .successorsGranted(let granted):
            for slot in granted.slots {
                for task in slot.tasks {
                    let attempt = AttemptID(job: granted.job, index: task.ordinal, number: granted.attempt)
                    holdings[Grant(attempt: attempt, fence: task.fence)] = slotAllocations[slot.slot]
                }
            }
        default: break
        }
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

    /// Everything found since the last call, and what the machines show now.
    mutating func check(agents: [SimulatedAgent], clients: SimulatedClients, at now: Int64) -> [String] {
        defer { violations = [] }
        for agent in agents {
            checkRuns(agent)
            if looks { checkHoldings(agent) }
        }
        guard compares else { return violations }
        for told in clients.acknowledged where accepted[told.job] != told.tenant {
            violations.append(
                accepted[told.job].map { "S7 \(told.tenant) was told of job \(told.job), which is \($0)'s" }
                    ?? "S1 job \(told.job) was acknowledged and is not durable")
        }
        var running: [TaskID: Int] = [:]
        for agent in agents {
            for attempt in agent.launcher.running {
                if placed[attempt] == nil, slotOf[attempt] == nil { violations.append("S4 \(attempt) runs without a durable grant") }
                // What was sent SIGKILL, or stands still with its machine, executes nothing; it still holds what it has.
                guard agent.isRunning(at: now), agent.launcher.processes[attempt]?.isDoomed == false else { continue }
                if let other = running[attempt.task] {
                    violations.append("S3b task \(attempt.task) runs on machines \(other) and \(agent.wire)")
                }
                running[attempt.task] = agent.wire
            }
        }
        return violations
    }

    /// What was granted once runs at most once.
    private mutating func checkRuns(_ agent: SimulatedAgent) {
        for attempt in agent.launcher.running {
            guard let process = agent.launcher.processes[attempt] else { continue }
            let run = Run(wire: agent.wire, startedAt: process.startedAt)
            let grant = Grant(attempt: attempt, fence: process.order.fence)
            if runs[grant, default: run] != run, !givenAgain.contains(grant) {
                violations.append("S3b what was granted to \(attempt) once runs a second time, on machine \(agent.wire)")
            }
            runs[grant] = run
        }
    }

    /// What the processes of a machine hold together, by what they were granted.
    private mutating func checkHoldings(_ agent: SimulatedAgent) {
        var slots: Set<Fence> = []
        var cpuMilli: Int64 = 0
        var memoryBytes: Int64 = 0
        var shares = [UInt32: Int64]()
        var partitions = [UInt32: UInt64]()
        var processors: Set<UInt32> = []
        var doubled = false
        for attempt in agent.launcher.running {
            guard let order = agent.launcher.processes[attempt]?.order,
                let allocation = holdings[Grant(attempt: attempt, fence: order.fence)]
            else { continue }
            if !slots.insert(order.slot).inserted {
                violations.append("S5 two tasks run in one slot of machine \(agent.wire), one of them \(attempt)")
            }
            cpuMilli += allocation.cpuMilli
            memoryBytes += allocation.memoryBytes
            for grant in allocation.devices {
                shares[grant.index, default: 0] += grant.shareMilli
                guard let partition = grant.partition else { continue }
                doubled = doubled || partitions[grant.index, default: 0] & partition.slots != 0
                partitions[grant.index, default: 0] |= partition.slots
            }
            doubled = doubled || !processors.isDisjoint(with: allocation.processors)
            processors.formUnion(allocation.processors)
        }
        if cpuMilli > agent.inventory.cpuMilli || memoryBytes > agent.inventory.memoryBytes {
            violations.append("S5 the processes of machine \(agent.wire) hold more than it has: \(agent.launcher.running)")
        }
        if doubled {
            violations.append("S3a a core or a partition of machine \(agent.wire) is held by more than one: \(agent.launcher.running)")
        }
        for index in shares.keys.sorted() where shares[index]! > 1000 {
            violations.append("S3a device \(index) of machine \(agent.wire) is held by more than one: \(agent.launcher.running)")
        }
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
