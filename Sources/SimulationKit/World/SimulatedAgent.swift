import AgentCore
import ClusterModel

/// A node. A class, since its core cannot be copied into an array: the production agent machine over a launcher in virtual time.
final class SimulatedAgent {
    let name: String
    let node: NodeID
    let publicKey: [UInt8]
    private let inventory: NodeInventory
    private(set) var core: AgentCore
    private(set) var launcher: SimulatedLauncher
    private(set) var stager: SimulatedStager
    private(set) var isConnected = false
    private var instance: UInt64
    private var keptLease: Int64?

    init(index: Int, plan: SimulationPlan, at now: Int64) {
        name = "node-\(index + 1)"
        node = NodeID(UInt64(index + 1))
        publicKey = [UInt8](repeating: UInt8(index + 1), count: 32)
        var chance = SeededGenerator(seed: plan.seed, stream: 100 + UInt64(index))
        let devices = (0..<chance.below(5)).map { position in
            Device(
                index: UInt32(position), kind: .gpu, vendor: "nvidia", model: "A100", uuid: "gpu-\(index)-\(position)", pciAddress: "",
                memoryBytes: 80 << 30, numaNode: nil)
        }
        inventory = NodeInventory(
            name: name, address: "10.0.0.\(index + 1)", cpuMilli: 1000 * (1 + Int64(chance.below(8))), memoryBytes: 16 << 30,
            devices: devices)
        instance = UInt64(index) << 32
        launcher = SimulatedLauncher(chance: chance, durationMax: plan.durationMax)
        stager = SimulatedStager(chance: SeededGenerator(seed: plan.seed, stream: 200 + UInt64(index)))
        core = AgentCore(configuration: Self.configuration(inventory, instance: instance), leaseStart: nil, at: now)
        _ = core.handle(.driver([.recovered([])]), at: now)
    }

    private static func configuration(_ inventory: NodeInventory, instance: UInt64) -> AgentConfiguration {
        AgentConfiguration(
            instance: instance, bootID: [UInt8](repeating: 9, count: 16), inventory: inventory,
            defaultAccount: UserAccount(userID: 65534, groupID: 65534), isRoot: true, allowsRootJobs: false, workRoot: "/w",
            secretsRoot: "/s",
            movesFiles: true)
    }

    var isRegistered: Bool { core.isRegistered }

    /// Takes an input; what concerns the launcher happens at once, what is left goes to the coordinator.
    func handle(_ input: AgentInput, at now: Int64) -> [AgentMessage] {
        switch input {
        case .connected: isConnected = true
        case .disconnected: isConnected = false
        default: break
        }
        var messages: [AgentMessage] = []
        perform(core.handle(input, at: now), at: now, &messages)
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
            case .keepLease(let start): keptLease = start
            case .stage(let orders): stager.stage(orders, at: now)
            case .collect(let attempt, let fence): stager.collect(attempt, fence, at: now)
            case .abandonFiles(let attempt, _): stager.abandon(attempt)
            case .discardFiles, .sweepFiles, .useFiles, .shipOutput, .sendTopology, .giveUp, .note: break
            }
        }
    }

    /// When its launcher or its stager has news.
    var nextEnd: Int64? { [launcher.nextEnd, stager.nextEnd].compactMap { $0 }.min() }

    func advance(at now: Int64) -> [AgentMessage] {
        let ends = launcher.advance(to: now)
        let files = stager.advance(to: now)
        return (ends.isEmpty ? [] : handle(.driver(ends), at: now)) + (files.isEmpty ? [] : handle(.staging(files), at: now))
    }

    /// The agent process dies and comes back; its launcher never noticed.
    func restartAgent(at now: Int64) {
        instance += 1
        core = AgentCore(configuration: Self.configuration(inventory, instance: instance), leaseStart: keptLease, at: now)
        isConnected = false
        stager.crash()
        let effects = core.handle(.driver([.recovered(launcher.recovered)]), at: now)
        var unsent: [AgentMessage] = []
        perform(effects, at: now, &unsent)
    }

    func crashLauncher(at now: Int64) -> [AgentMessage] {
        launcher.crash(at: now)
        return handle(.driver([.lost, .recovered(launcher.recovered)]), at: now)
    }
}
