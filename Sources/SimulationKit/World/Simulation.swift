// A cluster in one process under one seed: the production loop, agents, a network and disks that fail, virtual time.

import AgentCore
import ClusterModel
import Metering
public import SchedulingCore

public struct Simulation {
    let plan: SimulationPlan
    var chance: SeededGenerator
    var now: Int64 = 1_000_000_000
    var step = 0
    var faultsLast = true

    var disk = SimulatedDisk()
    /// nil while the coordinator is down.
    var coordinator: SimulatedCoordinator?
    var coordinatorReturnsAt: Int64 = 0
    var agents: [SimulatedAgent] = []
    var network: SimulatedNetwork
    var clients: SimulatedClients
    var nodeOperator: SimulatedOperator
    var checker = PromiseChecker()
    var counts = (coordinator: 0, agent: 0, launcher: 0)
    var digest = TraceDigest()

    /// What the coordinator made durable, in order.
    public var durableBatches: [Batch] { disk.batches }

    public init(seed: UInt64) { self.init(plan: SimulationPlan(seed: seed)) }

    public init(plan: SimulationPlan) {
        self.plan = plan
        chance = SeededGenerator(seed: plan.seed, stream: 2)
        network = SimulatedNetwork(chance: SeededGenerator(seed: plan.seed, stream: 3))
        clients = SimulatedClients(plan: plan)
        nodeOperator = SimulatedOperator(plan: plan)
        coordinator = SimulatedCoordinator(recovering: disk, at: Self.clusterTime(now))
        disk.append(coordinator!.firstBatch)
        for index in 0..<plan.nodes { agents.append(SimulatedAgent(index: index, plan: plan, at: now)) }
        enroll()
    }

    /// Wall and boot clock run together here; clock steps are the concern of `ClusterClock`'s own tests.
    static func clusterTime(_ now: Int64) -> LogicalTime { LogicalTime(nanoseconds: 1_700_000_000_000_000_000 + now) }

    private mutating func enroll() {
        let token = JoinTokenRecord(
            id: [UInt8](repeating: 1, count: 16), verifier: [UInt8](repeating: 2, count: 32), expiresAt: .distantFuture, usesLeft: 100,
            namePrefix: "")
        // Agents' commands go first, so the token must be known before they come.
        coordinator!.offer(.createJoinToken(token))
        for batch in coordinator!.steps(at: Self.clusterTime(now)) { disk.append(batch) }
        for agent in agents {
            coordinator!.offer(.enroll(tokenID: token.id, publicKey: agent.publicKey, nodeName: agent.name))
        }
        for batch in coordinator!.steps(at: Self.clusterTime(now)) { disk.append(batch) }
    }

    /// Runs faults, then healing, and checks every promise after every step.
    public mutating func run() throws(SimulationFailure) -> SimulationOutcome {
        for _ in 0..<plan.faultySteps { try advance() }
        faultsLast = false
        let deadline = step + 20_000
        while !isDone {
            guard step < deadline else { throw .liveness(step: step, clients.unfinished(in: disk) + [describe()]) }
            try advance()
        }
        let unsettled = checker.checkSettled()
        if !unsettled.isEmpty { throw .correctness(step: step, unsettled) }
        try checkRecovery()
        return SimulationOutcome(
            digest: digest.value, events: disk.eventCount, steps: step, jobsEnded: checker.endedJobs, attempts: checker.attempts,
            handOvers: checker.handOvers, preemptions: checker.preemptions,
            coordinatorCrashes: counts.coordinator, agentCrashes: counts.agent, launcherCrashes: counts.launcher,
            messagesLost: network.lost)
    }

    private var isDone: Bool {
        clients.isDone && coordinator?.loop.core.liveJobCount == 0 && agents.allSatisfy { $0.isRegistered && $0.core.attemptIDs.isEmpty }
    }

    private func describe() -> String {
        let nodes = agents.map { "\($0.name): registered \($0.isRegistered), attempts \($0.core.attemptIDs)" }
        let jobs = (coordinator?.loop.core.liveJobIDs ?? []).map { id in
            "job \(id): " + (coordinator?.loop.core.liveStanding(of: id).map { "\($0.standing), \($0.explanation)" } ?? "gone")
        }
        return (nodes + jobs).joined(separator: "; ")
    }

    // MARK: One step

    private mutating func advance() throws(SimulationFailure) {
        step += 1
        now = nextInstant()
        crashSomething()
        reviveCoordinator()
        deliver()
        for index in agents.indices { runAgent(index) }
        runClients()
        runCoordinator()
        digest.mix(UInt64(bitPattern: now))
        var violations = checker.check(agents: agents, clients: clients)
        if let coordinator { violations += coordinator.loop.core.check().map(\.description) }
        if !violations.isEmpty { throw .correctness(step: step, violations) }
    }

    private func nextInstant() -> Int64 {
        var next = now + 500_000_000
        if let due = network.nextDue { next = min(next, due) }
        for agent in agents {
            next = min(next, agent.core.nextDeadline)
            if let end = agent.nextEnd { next = min(next, end) }
        }
        return max(next, now + 1)
    }

    private mutating func crashSomething() {
        guard faultsLast else { return }
        if coordinator != nil, chance.chance(milli: plan.coordinatorCrashMilli) { crashCoordinator() }
        for index in agents.indices {
            if chance.chance(milli: plan.agentCrashMilli) {
                counts.agent += 1
                agents[index].restartAgent(at: now)
                network.cut(agents[index].node)
                coordinator?.offer(.disconnected(agents[index].node))
            }
            if chance.chance(milli: plan.launcherCrashMilli) {
                counts.launcher += 1
                perform(agents[index].crashLauncher(at: now), for: index)
            }
        }
    }

    private mutating func crashCoordinator() {
        counts.coordinator += 1
        coordinator = nil
        coordinatorReturnsAt = now + chance.between(1_000_000, 10_000_000_000)
        network.cutAll()
        clients.connectionLost()
        for index in agents.indices { perform(agents[index].handle(.disconnected, at: now), for: index) }
    }

    private mutating func reviveCoordinator() {
        guard coordinator == nil, now >= coordinatorReturnsAt || !faultsLast else { return }
        coordinator = SimulatedCoordinator(recovering: disk, at: Self.clusterTime(now))
        disk.append(coordinator!.firstBatch)
    }

    private mutating func deliver() {
        for packet in network.takeDue(at: now) {
            switch packet.payload {
            case .toCoordinator(let message): coordinator?.receive(message, from: packet.node, at: Self.clusterTime(now), &outgoing)
            case .toAgent(let message):
                if let index = agents.firstIndex(where: { $0.node == packet.node }) {
                    perform(agents[index].handle(.received(message), at: now), for: index)
                }
            }
        }
        flush()
    }

    private mutating func runAgent(_ index: Int) {
        if coordinator != nil, !agents[index].isConnected { perform(agents[index].handle(.connected, at: now), for: index) }
        perform(agents[index].advance(at: now), for: index)
        if agents[index].core.nextDeadline <= now { perform(agents[index].handle(.tick, at: now), for: index) }
    }

    private mutating func runClients() {
        guard coordinator != nil else { return }
        if !faultsLast { cancelUnsatisfiable() }
        for command in clients.next(at: now, chance: &chance) { coordinator!.offer(command.command, token: command.token) }
        for command in nodeOperator.next(nodes: agents.map(\.node), core: coordinator!.loop.core, faultsLast: faultsLast) {
            coordinator!.offer(command)
        }
    }

    /// Accepted while no node was known, and nothing that came can hold them: their owners give up.
    private mutating func cancelUnsatisfiable() {
        guard step % 64 == 0, let coordinator else { return }
        for id in coordinator.loop.core.liveJobIDs {
            if coordinator.loop.core.liveStanding(of: id)?.standing.reason == .unsatisfiable { coordinator.offer(.cancel(id)) }
        }
    }

    private mutating func runCoordinator() {
        guard coordinator != nil else { return }
        let time = Self.clusterTime(now)
        coordinator!.expireLeases(at: time)
        for batch in coordinator!.steps(at: time) {
            // The instants at which a process may die: before the append, after it, in the middle of the release.
            if faultsLast, chance.chance(milli: plan.coordinatorCrashMilli) { return crashCoordinator() }
            disk.append(batch)
            for event in batch.events { digest.mix(event) }
            checker.note(batch)
            if faultsLast, chance.chance(milli: plan.coordinatorCrashMilli) { return crashCoordinator() }
            coordinator!.release(batch, at: time, &outgoing)
            for case .reply(let reply) in batch.effects { clients.answered(reply) }
        }
        flush()
    }

    // MARK: Messages

    private var outgoing: [(NodeID, SimulatedNetwork.Payload)] = []

    private mutating func flush() {
        for (node, payload) in outgoing { send(payload, node) }
        outgoing.removeAll()
    }

    private mutating func send(_ payload: SimulatedNetwork.Payload, _ node: NodeID) {
        network.send(
            payload, node: node, at: now, lossMilli: faultsLast ? plan.lossMilli : 0,
            duplicationMilli: faultsLast ? plan.duplicationMilli : 0, delayMax: faultsLast ? plan.delayMax : 1_000_000)
    }

    private mutating func perform(_ messages: [AgentMessage], for index: Int) {
        guard coordinator != nil else { return }
        for message in messages { send(.toCoordinator(message), agents[index].node) }
    }

    /// Replaying the whole journal, and reading a snapshot, lead to the very state that decided.
    private func checkRecovery() throws(SimulationFailure) {
        guard let live = coordinator?.loop.core.snapshot() else { return }
        let replayed = disk.replay().snapshot()
        if replayed != live { throw .correctness(step: step, ["replay differs from the deciding state"]) }
        let reread = try? SchedulerCore(snapshot: live).snapshot()
        if reread != live { throw .correctness(step: step, ["a snapshot read back differs"]) }
    }
}
