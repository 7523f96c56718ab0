import ClusterModel

/// What one seed stands for: sizes, rates of faults, workload. Drawn whole at the start, so that it can be printed.
public struct SimulationPlan: Sendable, CustomStringConvertible {
    public var seed: UInt64
    public var nodes: Int
    public var jobs: Int
    /// Thousandths of messages lost while faults last.
    public var lossMilli: Int
    public var duplicationMilli: Int
    /// Longest delay of a message.
    public var delayMax: Int64
    /// Thousandths of steps at which a component crashes.
    public var coordinatorCrashMilli: Int
    public var agentCrashMilli: Int
    public var launcherCrashMilli: Int
    /// Steps with faults; a healing phase follows.
    public var faultySteps: Int
    /// A task at a fixed shape of the workload.
    public var arrayElementsMax: Int
    /// Longest run of a process. Short ones make the coordinator line up successors.
    public var durationMax: Int64

    public init(seed: UInt64) {
        var chance = SeededGenerator(seed: seed, stream: 1)
        self.seed = seed
        nodes = 1 + chance.below(5)
        jobs = 3 + chance.below(20)
        lossMilli = chance.below(300)
        duplicationMilli = chance.below(500)
        delayMax = chance.between(1_000_000, 3_000_000_000)
        coordinatorCrashMilli = chance.below(12)
        agentCrashMilli = chance.below(12)
        launcherCrashMilli = chance.below(4)
        faultySteps = 300 + chance.below(600)
        arrayElementsMax = 1 + chance.below(40)
        durationMax = chance.chance(milli: 500) ? 20_000_000 : 20_000_000_000
    }

    public var description: String {
        "seed \(seed): \(nodes) nodes, \(jobs) jobs, loss \(lossMilli)‰, duplication \(duplicationMilli)‰, delay ≤ \(delayMax / 1_000_000) ms, "
            + "tasks ≤ \(durationMax / 1_000_000) ms, "
            + "crashes coordinator \(coordinatorCrashMilli)‰ agent \(agentCrashMilli)‰ launcher \(launcherCrashMilli)‰"
    }
}

/// How a run ended. The cases are told apart by exit code: crash, liveness, correctness.
public enum SimulationFailure: Error, Sendable, CustomStringConvertible {
    case correctness(step: Int, [String])
    case liveness(step: Int, [String])

    public var description: String {
        switch self {
        case .correctness(let step, let texts): "correctness at step \(step): " + texts.joined(separator: "; ")
        case .liveness(let step, let texts): "liveness after step \(step): " + texts.joined(separator: "; ")
        }
    }
}

/// What a run that held every promise did.
public struct SimulationOutcome: Hashable, Sendable {
    /// Hash of the final state and of every decision on the way: equal for equal seeds in any process.
    public var digest: UInt64
    public var events: Int
    public var steps: Int
    public var jobsEnded: Int
    public var attempts: Int
    /// Slots that went from one task to its successor.
    public var handOvers: Int
    /// Attempts that ended since their node was to be empty.
    public var preemptions: Int
    public var coordinatorCrashes: Int
    public var agentCrashes: Int
    public var launcherCrashes: Int
    public var messagesLost: Int
}
