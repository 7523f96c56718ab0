// A cluster in one process under one seed: the production loop, agents, a network and disks that fail, virtual time.

import AgentCore
import ClusterModel
import Metering
public import SchedulingCore

public struct Simulation {
    let plan: SimulationPlan
    var chance: SeededGenerator
    var now: Int64 = 1_000_000_000
    /// By which the coordinator's wall clock is wrong.
    var wallError: Int64 = 0
    var step = 0
    var faultsLast = true

    var disk = SimulatedDisk()
    /// Batches until the nodes had joined.
    private var foundation = 0
    private var checkedRevision: UInt64 = 0
    /// nil while the coordinator is down.
    var coordinator: SimulatedCoordinator?
    var coordinatorReturnsAt: Int64 = 0
    var coordinatorPausedUntil: Int64 = 0
    var agents: [SimulatedAgent] = []
    /// What was on each agent's disk when somebody made an image of it.
    var images: [Int: KeptLease] = [:]
    var network: SimulatedNetwork
    var clients: SimulatedClients
    var nodeOperator: SimulatedOperator
    var checker = PromiseChecker()
    var faults = FaultCounts()
    var digest = TraceDigest()
    let log = SimulationLog()

    /// What the coordinator made durable, in order.
    public var durableBatches: [Batch] { disk.batches }
    /// The last faults and decisions before a failure, oldest first.
    public var trace: [String] { log.lines }

    public init(seed: UInt64) { self.init(plan: SimulationPlan(seed: seed)) }

    /// - Parameter traceLines: how many lines `trace` keeps; keeping any costs time, so it is for a seed that failed.
    public init(plan: SimulationPlan, traceLines: Int = 0) {
        self.plan = plan
        log.limit = traceLines
        chance = SeededGenerator(seed: plan.seed, stream: 2)
        network = SimulatedNetwork(chance: SeededGenerator(seed: plan.seed, stream: 3))
        clients = SimulatedClients(plan: plan)
        nodeOperator = SimulatedOperator(plan: plan)
        startCoordinator()
        for index in 0..<plan.nodes { agents.append(SimulatedAgent(index: index, plan: plan, at: now)) }
        enroll()
        foundation = disk.batches.count
    }

    private var wall: Int64 { 1_700_000_000_000_000_000 + now + wallError }

    mutating func startCoordinator(acceptingLoss: Bool = false) {
        // Now and then both ways of recovering, while there is something to recover.
        if chance.chance(milli: 100), disk.recover().snapshot() != disk.replay().snapshot() {
            checker.found("a start from a snapshot differs from one from the first batch")
        }
        let started = SimulatedCoordinator(recovering: disk, wall: wall, boot: now, acceptingLoss: acceptingLoss)
        coordinator = started
        for batch in started.firstBatches { keep(batch) }
    }

    private mutating func enroll() {
        guard let coordinator else { return }
        let token = JoinTokenRecord(
            id: [UInt8](repeating: 1, count: 16), verifier: [UInt8](repeating: 2, count: 32), expiresAt: .distantFuture, usesLeft: 100,
            namePrefix: "")
        // Agents' commands go first, so the token must be known before they come.
        coordinator.offer(.createJoinToken(token))
        for object in SimulatedClients.shareObjects { coordinator.offer(.setShareObject(object, if: .absent)) }
        for batch in coordinator.steps(at: coordinator.time(wall: wall, boot: now)) { keep(batch) }
        for agent in agents {
            coordinator.offer(.enroll(tokenID: token.id, publicKey: agent.publicKey, nodeName: agent.name))
        }
        for batch in coordinator.steps(at: coordinator.time(wall: wall, boot: now)) { keep(batch) }
    }

    /// A batch is durable.
    mutating func keep(_ batch: Batch) {
        disk.append(batch)
        for event in batch.events {
            digest.mix(event)
            log.note(step, now, "\(event)")
        }
        checker.note(batch)
    }

    // MARK: A run

    /// Runs faults, then healing, and checks every promise after every step.
    public mutating func run() throws(SimulationFailure) -> SimulationOutcome {
        for _ in 0..<plan.faultySteps { try advance() }
        heal()
        if plan.endsWithOldState {
            try returnToOldState()
        } else {
            try finish(clients.unfinished(in: disk))
            try settle()
        }
        faults.messagesLost = network.lost
        faults.messagesLate = network.late
        for agent in agents {
            faults.unkillable += agent.launcher.unkillable
            faults.leasesEnded += agent.launcher.leasesEnded
        }
        return SimulationOutcome(
            digest: digest.value, events: disk.eventCount, steps: step, jobsEnded: checker.endedJobs, attempts: checker.attempts,
            handOvers: checker.handOvers, preemptions: checker.preemptions, faults: faults)
    }

    private mutating func heal() {
        faultsLast = false
        network.heal()
        wallError = 0
        coordinatorPausedUntil = now
        for agent in agents {
            agent.heal(at: now)
            agent.turnDisk(full: false)
        }
        // Somebody finds out about copies and switches them off.
        for copy in agents[plan.nodes...] { network.dropDown(copy.wire) }
        agents.removeSubrange(plan.nodes...)
        if plan.losesMachine { loseMachine() }
    }

    /// Until everything has ended. Nothing that can go on may stand still for long.
    private mutating func finish(_ context: [String]) throws(SimulationFailure) {
        var progress = (attempts: 0, step: step)
        while !isDone {
            if checker.endedAttemptCount != progress.attempts { progress = (checker.endedAttemptCount, step) }
            guard step < progress.step + 10_000 else { throw .liveness(step: step, context + [describe()]) }
            try advance()
        }
    }

    /// It never comes back. What its jobs said about lost nodes must be enough, or else the operator's word for it.
    private mutating func loseMachine() {
        faults.lostMachines += 1
        let lost = agents.removeLast()
        log.note(step, now, "machine \(lost.wire) is gone for good")
        network.cut(lost.wire, at: now)
        coordinator?.disconnected(lost.node, wire: lost.wire)
        nodeOperator.lost = lost.node
        // Whoever leads next has never heard of it.
        if chance.chance(milli: 500) { crashCoordinator() }
    }

    private func settle() throws(SimulationFailure) {
        let unsettled = checker.checkSettled()
        if !unsettled.isEmpty { throw .correctness(step: step, unsettled) }
        try checkRecovery()
    }

    /// An older copy of the data directory is started. It must be noticed as soon as a node that knows better speaks, and from
    /// then on nothing is taken in or placed until the loss is accepted; then everything goes on.
    private mutating func returnToOldState() throws(SimulationFailure) {
        faults.oldStates += 1
        crashCoordinator()
        // As often from shortly before as from anywhere: then much of the lost time still runs.
        let span = disk.batches.count - foundation
        let lost = 1 + chance.below(chance.chance(milli: 500) ? min(40, span) : span)
        disk.cut(after: disk.batches.count - lost)
        let old = disk.recover().revision
        log.note(step, now, "an older state is put back: \(disk.batches.count) batches")
        checker.stopComparing()
        clients.forgetUnanswered()
        startCoordinator()
        let putBack = disk.batches.count
        let known = agents.filter { SeenState(of: $0.kept).revision > old }
        nodeOperator.lost = plan.losesMachine ? NodeID(UInt64(plan.nodes)) : nil
        let deadline = step + 2_000
        while coordinator?.loop.core.isOutdated != true, !agents.allSatisfy(\.isRegistered) || !known.isEmpty {
            guard step < deadline else { throw .correctness(step: step, ["an older state was put back, and nobody noticed"]) }
            try advance()
        }
        if coordinator?.loop.core.isOutdated != true {
            return try finish(["on an older state that nobody can tell"])
        }
        // Until it is noticed, an old state gives numbers that it gave before: two grants of one number may meet on a node.
        checker.lookAgain(!hasGranted(since: putBack))
        let frozen = disk.batches.count
        for _ in 0..<50 { try advance() }
        if hasGranted(since: frozen) { throw .correctness(step: step, ["something was placed by an outdated state"]) }
        crashCoordinator()
        startCoordinator(acceptingLoss: true)
        try finish(["after an accepted loss"])
        try checkRecovery()
    }

    private func hasGranted(since count: Int) -> Bool {
        disk.batches[count...].contains { batch in
            batch.events.contains { event in
                switch event {
                case .unitsPlaced, .successorsGranted: true
                default: false
                }
            }
        }
    }

    private var isDone: Bool {
        // What waits for the disk has been decided and is not in the journal yet.
        clients.isDone && coordinator?.waiting == nil && coordinator?.loop.core.liveJobCount == 0
            && agents.allSatisfy { $0.isRegistered && $0.core.attemptIDs.isEmpty }
    }

    func describe() -> String {
        let nodes = agents.map { agent in
            let standing = coordinator?.loop.core.standing(of: agent.node)
            return
                "\(agent.name): registered \(agent.isRegistered), attempts \(agent.core.attemptIDs), condition \(standing?.condition.name ?? "?"), "
                + "left behind \(standing?.leftBehind ?? []), cordoned \(standing?.isCordoned == true), quarantined \(standing?.isQuarantined == true)"
        }
        let jobs = (coordinator?.loop.core.liveJobIDs ?? []).map { id in
            "job \(id): " + (coordinator?.loop.core.liveStanding(of: id).map { "\($0.standing), \($0.explanation)" } ?? "gone")
        }
        return (nodes + jobs).joined(separator: "; ")
    }

    // MARK: One step

    private mutating func advance() throws(SimulationFailure) {
        step += 1
        now = nextInstant()
        beginFaults()
        reviveCoordinator()
        deliver()
        for index in agents.indices { runAgent(agents[index]) }
        if isAwake {
            runClients()
            runCoordinator()
        }
        digest.mix(UInt64(bitPattern: now))
        var violations = checker.check(agents: agents, clients: clients, at: now)
        // What was decided and is not durable yet is checked too; what did not change need not be.
        if let coordinator, coordinator.loop.core.revision != checkedRevision {
            checkedRevision = coordinator.loop.core.revision
            violations += coordinator.loop.core.check().map(\.description)
        }
        if !violations.isEmpty { throw .correctness(step: step, violations) }
    }

    private func nextInstant() -> Int64 {
        var next = now + 1_000_000_000
        if let due = network.nextDue { next = min(next, due) }
        for agent in agents { next = min(next, agent.nextEvent(after: now)) }
        return max(next, now + 1)
    }

    /// It runs and is not stopped.
    private var isAwake: Bool { coordinator != nil && coordinatorPausedUntil <= now }

    mutating func crashCoordinator() {
        faults.coordinatorCrashes += 1
        log.note(step, now, "coordinator crashes")
        coordinator = nil
        coordinatorReturnsAt = now + chance.between(1_000_000, 40_000_000_000)
        // What the kernel had been given before still arrives, or not.
        for packet in network.cutAll() {
            guard case .toAgent(let message) = packet.payload, let agent = agents.first(where: { $0.wire == packet.wire }),
                agent.busyUntil(at: now) == nil, chance.chance(milli: 500)
            else { continue }
            perform(agent.receive(message, at: now), for: agent)
        }
        clients.connectionLost()
        for agent in agents where agent.isConnected { perform(agent.handle(.disconnected, at: now), for: agent) }
    }

    private mutating func reviveCoordinator() {
        guard coordinator == nil, now >= coordinatorReturnsAt || !faultsLast else { return }
        startCoordinator()
    }

    private mutating func deliver() {
        for packet in network.takeDue(at: now) {
            guard let agent = agents.first(where: { $0.wire == packet.wire }) else { continue }
            switch packet.payload {
            case .toCoordinator(let message):
                guard let coordinator else { continue }
                guard isAwake else {
                    network.postpone(packet, until: coordinatorPausedUntil)
                    continue
                }
                let time = coordinator.time(wall: wall, boot: now)
                send(coordinator.receive(message, from: agent.node, wire: agent.wire, at: time))
            case .toAgent(let message):
                if let until = agent.busyUntil(at: now) {
                    network.postpone(packet, until: until)
                } else {
                    perform(agent.receive(message, at: now), for: agent)
                }
            }
        }
    }

    private mutating func runAgent(_ agent: SimulatedAgent) {
        perform(agent.advance(at: now, canConnect: coordinator != nil && !network.isParted(agent.wire)), for: agent)
    }

    private mutating func runClients() {
        if !faultsLast { cancelUnsatisfiable() }
        let time = coordinator!.time(wall: wall, boot: now)
        for command in clients.next(at: time, chance: &chance) { coordinator!.offer(command.command, token: command.token) }
        for command in nodeOperator.next(nodes: agents.map(\.node), core: coordinator!.loop.core, step: step, faultsLast: faultsLast) {
            coordinator!.offer(command)
        }
    }

    /// Accepted while no node was known, and nothing that came can hold them, or what it would grant is more than they may have though
    /// nothing else runs: their owners give up.
    private mutating func cancelUnsatisfiable() {
        guard step % 64 == 0, let coordinator else { return }
        let jobs = coordinator.loop.core.liveJobIDs
        let standings = jobs.map { coordinator.loop.core.liveStanding(of: $0)?.standing }
        let isIdle = standings.allSatisfy { $0?.state == .queued }
        for (id, standing) in zip(jobs, standings) {
            if standing?.reason == .unsatisfiable || isIdle && standing?.reason == .quota { coordinator.offer(.cancel(id)) }
            // Whoever holds a job remembers it some time.
            if standing?.reason == .hold { coordinator.offer(.updateJob(id, JobUpdate(isHeld: false))) }
            // Nothing would ever be done otherwise.
            if coordinator.loop.core.isRunToCome(id) { coordinator.offer(.cancel(id)) }
        }
    }

    private mutating func runCoordinator() {
        guard let coordinator else { return }
        let time = coordinator.time(wall: wall, boot: now)
        coordinator.expireLeases(at: time, boot: now)
        if let batch = coordinator.waiting {
            guard commit(batch, coordinator, at: time) else { return }
            coordinator.waiting = nil
        }
        while let batch = coordinator.loop.step(at: time) {
            guard commit(batch, coordinator, at: time) else { return }
        }
    }

    /// Append, then release. False: the coordinator decides nothing more for now.
    private mutating func commit(_ batch: Batch, _ coordinator: SimulatedCoordinator, at time: LogicalTime) -> Bool {
        // The instants at which a process may die: before the append, in it, after it.
        if crashesNow() { return false }
        switch appendOutcome() {
        case .kept: keep(batch)
        case .full:
            log.note(step, now, "the disk is full")
            coordinator.waiting = batch
            return false
        case .failed:
            log.note(step, now, "a sync fails")
            if chance.chance(milli: 500) { keep(batch) }
            crashCoordinator()
            return false
        }
        if crashesNow() { return false }
        send(coordinator.release(batch, at: time))
        for case .reply(let reply) in batch.effects { clients.answered(reply) }
        if faultsLast, chance.chance(milli: plan.disk.snapshotMilli) { disk.keepSnapshot(coordinator.loop.core.snapshot()) }
        return true
    }

    private mutating func crashesNow() -> Bool {
        guard faultsLast, chance.chance(milli: plan.machines.coordinatorCrashMilli) else { return false }
        crashCoordinator()
        return true
    }

    private mutating func appendOutcome() -> SimulatedDisk.Outcome {
        guard faultsLast else { return .kept }
        if chance.chance(milli: plan.disk.fullMilli) {
            faults.diskFull += 1
            return .full
        }
        guard chance.chance(milli: plan.disk.errorMilli) else { return .kept }
        faults.diskErrors += 1
        return .failed
    }

    // MARK: Messages

    private mutating func send(_ outgoing: [SimulatedCoordinator.Outgoing]) {
        for sent in outgoing {
            if case .refuse(let refusal) = sent.message { log.note(step, now, "machine \(sent.wire) is refused: \(refusal.message)") }
            transmit(.toAgent(sent.message), wire: sent.wire)
        }
    }

    mutating func perform(_ messages: [AgentMessage], for agent: SimulatedAgent) {
        guard coordinator != nil, agent.isConnected else { return }
        for message in messages { transmit(.toCoordinator(message), wire: agent.wire) }
    }

    private mutating func transmit(_ payload: SimulatedNetwork.Payload, wire: Int) {
        network.send(payload, wire: wire, at: now, faultsLast ? plan.network : SimulationPlan.NetworkFaults())
    }

    /// Replaying the whole journal, recovering from a snapshot, and reading one back lead to the very state that decided.
    private func checkRecovery() throws(SimulationFailure) {
        guard let live = coordinator?.loop.core.snapshot() else { return }
        if disk.replay().snapshot() != live { throw .correctness(step: step, ["replay differs from the deciding state"]) }
        if disk.recover().snapshot() != live {
            throw .correctness(step: step, ["recovery from a snapshot differs from the deciding state"])
        }
        let reread = try? SchedulerCore(snapshot: live).snapshot()
        if reread != live { throw .correctness(step: step, ["a snapshot read back differs"]) }
    }
}
