import AgentCore
import ClusterModel

/// A machine with an agent and a launcher. A class, since its core cannot be copied into an array: the production agent machine
/// over a launcher, in virtual time on a clock of its own.
final class SimulatedAgent {
    let name: String
    let node: NodeID
    /// Tells it from a copy that has the same identity.
    let wire: Int
    let publicKey: [UInt8]
    let inventory: NodeInventory
    private(set) var core: AgentCore
    private(set) var launcher: SimulatedLauncher
    private(set) var stager: SimulatedStager
    private(set) var clock: SimulatedClock
    private(set) var isConnected = false
    private(set) var kept = KeptLease()
    /// The agent process does not run; nil when it does.
    private(set) var returnsAt: Int64?
    /// The process is stopped until then, its launcher goes on.
    private(set) var pausedUntil: Int64?
    /// The whole machine stands still until then.
    private(set) var frozenUntil: Int64?
    private var bootID: [UInt8]
    private var instance: UInt64
    private var isDiskFull = false

    init(index: Int, plan: SimulationPlan, at now: Int64) {
        name = "node-\(index + 1)"
        node = NodeID(UInt64(index + 1))
        wire = index
        publicKey = [UInt8](repeating: UInt8(index + 1), count: 32)
        var chance = SeededGenerator(seed: plan.seed, stream: 100 + UInt64(index))
        let devices = (0..<chance.below(5)).map { position in
            Device(
                index: UInt32(position), kind: .gpu, vendor: "nvidia", model: "NVIDIA A100-SXM4-80GB", uuid: "gpu-\(index)-\(position)",
                pciAddress: "", memoryBytes: 80 << 30, numaNode: UInt32(position / 2), pcieSwitch: UInt32(position / 2),
                isPartitionable: index % 2 == 1)
        }
        let cores = 1 + UInt32(chance.below(4))
        inventory = NodeInventory(
            name: name, address: "10.0.0.\(index + 1)", cpuMilli: 1000 * Int64(cores), memoryBytes: 16 << 30, devices: devices,
            numaNodes: [NUMANode(osIndex: 0, processors: Array(0..<cores / 2)), NUMANode(osIndex: 1, processors: Array(cores / 2..<cores))]
                .filter { !$0.processors.isEmpty },
            labels: [NamedText("rack", "r\(index / 2)")])
        clock = SimulatedClock(chance: &chance)
        bootID = [UInt8](repeating: UInt8(index + 1), count: 16)
        instance = UInt64(index) << 32
        launcher = SimulatedLauncher(chance: chance, plan: plan)
        stager = SimulatedStager(chance: SeededGenerator(seed: plan.seed, stream: 200 + UInt64(index)))
        core = AgentCore(
            configuration: Self.configuration(inventory, bootID, instance), kept: KeptLease(), at: clock.local(now))
        _ = core.handle(.driver([.recovered([])]), at: clock.local(now))
    }

    /// A machine that was made from an older copy of another's disk.
    init(copyOf original: SimulatedAgent, disk: KeptLease, wire: Int, plan: SimulationPlan, at now: Int64) {
        (name, node, publicKey, inventory) = (original.name, original.node, original.publicKey, original.inventory)
        self.wire = wire
        var chance = SeededGenerator(seed: plan.seed, stream: 300 + UInt64(wire))
        clock = SimulatedClock(chance: &chance)
        bootID = [UInt8](repeating: UInt8(128 + wire), count: 16)
        instance = UInt64(wire) << 40
        launcher = SimulatedLauncher(chance: chance, plan: plan)
        stager = SimulatedStager(chance: SeededGenerator(seed: plan.seed, stream: 400 + UInt64(wire)))
        kept = KeptLease(stateMark: disk.stateMark)
        core = AgentCore(configuration: Self.configuration(inventory, bootID, instance), kept: kept, at: clock.local(now))
        _ = core.handle(.driver([.recovered([])]), at: clock.local(now))
    }

    private static func configuration(_ inventory: NodeInventory, _ bootID: [UInt8], _ instance: UInt64) -> AgentConfiguration {
        AgentConfiguration(
            instance: instance, bootID: bootID, inventory: inventory,
            defaultAccount: UserAccount(userID: 65534, groupID: 65534), isRoot: true, allowsRootJobs: false, workRoot: "/w",
            secretsRoot: "/s", mailRoot: "/m", movesFiles: true)
    }

    var isRegistered: Bool { core.isRegistered }
    /// Its processes execute instructions.
    func isRunning(at now: Int64) -> Bool { frozenUntil.map { $0 <= now } ?? true }
    private func agentRuns(at now: Int64) -> Bool {
        isRunning(at: now) && returnsAt == nil && (pausedUntil.map { $0 <= now } ?? true)
    }

    // MARK: Inputs

    /// Takes an input; what concerns the launcher happens at once, what is left goes to the coordinator.
    func handle(_ input: AgentInput, at now: Int64) -> [AgentMessage] {
        switch input {
        case .connected: isConnected = true
        case .disconnected: isConnected = false
        default: break
        }
        var messages: [AgentMessage] = []
        perform(core.handle(input, at: clock.local(now)), at: clock.local(now), &messages)
        return messages
    }

    private func perform(_ effects: [AgentEffect], at now: Int64, _ messages: inout [AgentMessage]) {
        for effect in effects {
            switch effect {
            case .send(let message): messages.append(message)
            case .launch(let orders):
                let events = orders.flatMap { launcher.launch($0, at: now) }
                perform(core.handle(.driver(events), at: now), at: now, &messages)
            case .signal(let attempt, let number):
                let events = launcher.signal(attempt, number, at: now)
                perform(core.handle(.driver(events), at: now), at: now, &messages)
            case .withdraw(let attempts):
                let events = launcher.withdraw(attempts, at: now)
                perform(core.handle(.driver(events), at: now), at: now, &messages)
            case .release(let attempts): launcher.release(attempts)
            case .keepLease(let lease, _): kept = lease
            case .holdLease(let instant): launcher.holdLease(until: instant)
            case .stage(let orders): stager.stage(orders, at: now)
            case .collect(let attempt, let fence): stager.collect(attempt, fence, at: now)
            case .abandonFiles(let attempt, _): stager.abandon(attempt)
            case .readMail(let attempts):
                let reads = launcher.checkpoints(of: attempts, at: now)
                perform(core.handle(.mail(of: attempts, reads), at: now), at: now, &messages)
            case .openMail, .giveNotice, .removeMail, .sweepMail, .discardFiles, .sweepFiles, .useFiles, .shipOutput, .sendTopology,
                .giveUp, .note:
                break
            }
        }
    }

    /// Without a connection there is nobody to take it.
    func receive(_ message: CoordinatorMessage, at now: Int64) -> [AgentMessage] {
        guard agentRuns(at: now), isConnected else { return [] }
        return handle(.received(message), at: now)
    }

    // MARK: Time

    /// When its launcher, its stager or its agent has something to do.
    func nextEvent(after now: Int64) -> Int64 {
        if let frozenUntil, frozenUntil > now { return frozenUntil }
        let launched = launcher.nextEnd.map { clock.world($0) } ?? .max
        if let returnsAt { return min(returnsAt, launched) }
        if let pausedUntil, pausedUntil > now { return min(pausedUntil, launched) }
        let own = [stager.nextEnd, core.nextDeadline].compactMap { $0 }.min().map { clock.world($0) } ?? .max
        return min(own, launched)
    }

    /// Messages that come wait in its socket until then; nil when it takes them.
    func busyUntil(at now: Int64) -> Int64? {
        if let frozenUntil, frozenUntil > now { return frozenUntil }
        if let pausedUntil, pausedUntil > now, returnsAt == nil { return pausedUntil }
        return nil
    }

    func advance(at now: Int64, canConnect: Bool) -> [AgentMessage] {
        guard isRunning(at: now) else { return [] }
        frozenUntil = nil
        let local = clock.local(now)
        guard agentRuns(at: now) || returnsAt.map({ $0 <= now }) == true else {
            // The launcher goes on by itself; whoever comes back asks it.
            _ = launcher.advance(to: local)
            return []
        }
        pausedUntil = nil
        var messages: [AgentMessage] = []
        let wasAway = returnsAt != nil
        if wasAway { startAgent(at: now, &messages) }
        let ends = launcher.advance(to: local)
        // What the launcher told nobody is in its list.
        if !wasAway, missedEvents, !launcher.isRecovering { messages += handle(.driver([.lost, .recovered(launcher.recovered)]), at: now) }
        missedEvents = false
        if !ends.isEmpty { messages += handle(.driver(ends), at: now) }
        let files = stager.advance(to: local)
        if !files.isEmpty { messages += handle(.staging(files), at: now) }
        messages += handle(.diskFree(isDiskFull ? 0 : .max / 4), at: now)
        if canConnect, !isConnected { messages += handle(.connected, at: now) }
        if core.nextDeadline <= local { messages += handle(.tick, at: now) }
        return messages
    }

    private var missedEvents = false

    // MARK: Faults

    /// The agent process dies and comes back after a while; its launcher never noticed.
    func crashAgent(at now: Int64, for span: Int64) {
        guard returnsAt == nil else { return }
        isConnected = false
        stager.crash()
        returnsAt = now + span
    }

    private func startAgent(at now: Int64, _ messages: inout [AgentMessage]) {
        returnsAt = nil
        instance += 1
        core = AgentCore(configuration: Self.configuration(inventory, bootID, instance), kept: kept, at: clock.local(now))
        if launcher.isRecovering { return }
        messages += handle(.driver([.recovered(launcher.recovered)]), at: now)
    }

    func pauseAgent(until: Int64) {
        pausedUntil = until
        missedEvents = true
    }

    func freeze(until: Int64) { frozenUntil = until }

    func crashLauncher(at now: Int64) -> [AgentMessage] {
        launcher.crash(at: clock.local(now))
        return agentRuns(at: now) ? handle(.driver([.lost]), at: now) : []
    }

    /// Everything on the machine ends; it is back after a while, as another boot.
    func reboot(at now: Int64, for span: Int64) {
        launcher.reboot(at: clock.local(now))
        isConnected = false
        stager.crash()
        clock.restart(at: now)
        bootID[0] = bootID[0] &+ 17
        bootID[1] = bootID[1] &+ 1
        kept.start = nil
        (frozenUntil, pausedUntil) = (nil, nil)
        returnsAt = now + span
    }

    /// Its agent looks at the disk whenever it runs.
    func turnDisk(full: Bool) { isDiskFull = full }

    /// Whatever holds it up is over.
    func heal(at now: Int64) {
        returnsAt = returnsAt.map { min($0, now) }
        pausedUntil = pausedUntil.map { min($0, now) }
        frozenUntil = frozenUntil.map { min($0, now) }
    }
}

extension SeenState {
    /// What a simulated node was told last and kept.
    init(of kept: KeptLease) { self = (try? SeenState(canonicalBytes: kept.stateMark)) ?? SeenState() }
}
