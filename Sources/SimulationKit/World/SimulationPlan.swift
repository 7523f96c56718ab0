import ClusterModel

/// What one seed stands for: sizes, rates of faults, workload. Drawn whole at the start, so that it can be printed.
public struct SimulationPlan: Sendable, CustomStringConvertible {
    public var seed: UInt64
    public var nodes: Int
    public var jobs: Int
    public var network = NetworkFaults()
    public var disk = DiskFaults()
    public var machines = MachineFaults()
    /// Steps with faults; a healing phase follows.
    public var faultySteps: Int
    /// A task at a fixed shape of the workload.
    public var arrayElementsMax: Int
    /// Longest run of a process. Short ones make the coordinator line up successors; long ones outlive leases.
    public var durationMax: Int64
    /// When the faults end, one machine is gone for good.
    public var losesMachine: Bool
    /// At the end the coordinator is put back on a copy of an earlier state.
    public var endsWithOldState: Bool

    /// Thousandths of messages, or of steps at which something begins.
    public struct NetworkFaults: Sendable {
        public var lossMilli = 0
        public var duplicationMilli = 0
        /// Longest delay of most messages.
        public var delayMax: Int64 = 1_000_000
        /// Messages that take minutes, and may come by a connection that is gone.
        public var lateMilli = 0
        public var partitionMilli = 0
    }

    public struct DiskFaults: Sendable {
        /// Thousandths of appends.
        public var fullMilli = 0
        public var errorMilli = 0
        /// Thousandths of steps at which a snapshot is kept, or the agents' disks fill up.
        public var snapshotMilli = 10
        public var agentFullMilli = 0
    }

    /// Thousandths of steps.
    public struct MachineFaults: Sendable {
        public var coordinatorCrashMilli = 0
        public var coordinatorPauseMilli = 0
        public var clockStepMilli = 0
        public var agentCrashMilli = 0
        public var agentPauseMilli = 0
        public var launcherCrashMilli = 0
        public var rebootMilli = 0
        public var freezeMilli = 0
        public var cloneMilli = 0
        /// Thousandths of processes that outlive SIGKILL for up to a minute.
        public var unkillableMilli = 0
    }

    public init(seed: UInt64) {
        var chance = SeededGenerator(seed: seed, stream: 1)
        self.seed = seed
        nodes = 1 + chance.below(5)
        jobs = 3 + chance.below(20)
        network.lossMilli = chance.below(300)
        network.duplicationMilli = chance.below(500)
        network.delayMax = chance.between(1_000_000, 3_000_000_000)
        machines.coordinatorCrashMilli = chance.below(12)
        machines.agentCrashMilli = chance.below(12)
        machines.launcherCrashMilli = chance.below(4)
        faultySteps = 300 + chance.below(600)
        arrayElementsMax = 1 + chance.below(40)
        durationMax = chance.chance(milli: 500) ? 20_000_000 : 20_000_000_000
        losesMachine = nodes > 1 && chance.chance(milli: 250)
        endsWithOldState = chance.chance(milli: 350)
        drawRareFaults(&chance)
    }

    /// A fault that every seed has hides what another alone would show: each kind is in half of the seeds.
    private mutating func drawRareFaults(_ chance: inout SeededGenerator) {
        func sometimes(_ bound: Int) -> Int { chance.chance(milli: 500) ? 0 : chance.below(bound) }
        network.lateMilli = sometimes(20)
        network.partitionMilli = sometimes(20)
        disk.fullMilli = sometimes(40)
        disk.errorMilli = sometimes(10)
        disk.agentFullMilli = sometimes(6)
        machines.coordinatorPauseMilli = sometimes(6)
        machines.clockStepMilli = sometimes(10)
        machines.agentPauseMilli = sometimes(15)
        machines.rebootMilli = sometimes(4)
        machines.freezeMilli = sometimes(6)
        machines.cloneMilli = sometimes(16)
        machines.unkillableMilli = sometimes(400)
        // What outlives every lease and partition is what a lease is for.
        if durationMax > 1_000_000_000, chance.chance(milli: 400) { durationMax = 120_000_000_000 }
    }

    public var description: String {
        "seed \(seed): \(nodes) nodes, \(jobs) jobs, loss \(network.lossMilli)‰, duplication \(network.duplicationMilli)‰, "
            + "delay ≤ \(network.delayMax / 1_000_000) ms, late \(network.lateMilli)‰, partitions \(network.partitionMilli)‰, "
            + "tasks ≤ \(durationMax / 1_000_000) ms, crashes coordinator \(machines.coordinatorCrashMilli)‰ "
            + "agent \(machines.agentCrashMilli)‰ launcher \(machines.launcherCrashMilli)‰, pauses coordinator "
            + "\(machines.coordinatorPauseMilli)‰ agent \(machines.agentPauseMilli)‰ machine \(machines.freezeMilli)‰, "
            + "reboots \(machines.rebootMilli)‰, clones \(machines.cloneMilli)‰, clock steps \(machines.clockStepMilli)‰, "
            + "disk full \(disk.fullMilli)‰ error \(disk.errorMilli)‰, unkillable \(machines.unkillableMilli)‰"
            + (losesMachine ? ", a machine is lost" : "") + (endsWithOldState ? ", an old state at the end" : "")
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
    public var faults: FaultCounts
}

/// How often each kind of fault happened.
public struct FaultCounts: Hashable, Sendable {
    public var coordinatorCrashes = 0
    public var coordinatorPauses = 0
    public var clockSteps = 0
    public var agentCrashes = 0
    public var agentPauses = 0
    public var launcherCrashes = 0
    public var reboots = 0
    public var freezes = 0
    public var clones = 0
    public var partitions = 0
    public var messagesLost = 0
    public var messagesLate = 0
    public var diskFull = 0
    public var diskErrors = 0
    public var agentDisksFull = 0
    public var unkillable = 0
    public var leasesEnded = 0
    public var lostMachines = 0
    public var oldStates = 0

    public static func + (left: Self, right: Self) -> Self {
        var sum = Self()
        for path in paths { sum[keyPath: path.1] = left[keyPath: path.1] + right[keyPath: path.1] }
        return sum
    }

    /// With the names that people read.
    public var named: [(name: String, count: Int)] { Self.paths.map { ($0.0, self[keyPath: $0.1]) } }

    private static var paths: [(String, WritableKeyPath<Self, Int>)] {
        [
            ("coordinator crashes", \.coordinatorCrashes), ("coordinator pauses", \.coordinatorPauses), ("clock steps", \.clockSteps),
            ("agent crashes", \.agentCrashes), ("agent pauses", \.agentPauses), ("launcher crashes", \.launcherCrashes),
            ("reboots", \.reboots), ("frozen machines", \.freezes), ("cloned agents", \.clones), ("partitions", \.partitions),
            ("messages lost", \.messagesLost), ("messages minutes late", \.messagesLate), ("appends to a full disk", \.diskFull),
            ("failed syncs", \.diskErrors), ("full disks of agents", \.agentDisksFull), ("processes that outlived SIGKILL", \.unkillable),
            ("leases ended", \.leasesEnded), ("machines lost for good", \.lostMachines), ("old states put back", \.oldStates),
        ]
    }
}
