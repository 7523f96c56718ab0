/// Makes a failing plan smaller as long as it fails in the same way: what is left is what the failure needs.
public enum PlanReduction {
    /// The kinds of failure, with the exit code that tells them apart.
    public enum Kind: Int32, Hashable, Sendable {
        case liveness = 71
        case correctness = 72

        public init(_ failure: SimulationFailure) {
            switch failure {
            case .liveness: self = .liveness
            case .correctness: self = .correctness
            }
        }
    }

    public struct Reduced: Sendable {
        public var plan: SimulationPlan
        public var failure: SimulationFailure
        /// The last that happened, oldest first.
        public var trace: [String]
    }

    /// - Parameter plan: one that fails. Runs it, and variants of it, some dozens of times.
    public static func reduce(_ plan: SimulationPlan, traceLines: Int) -> Reduced? {
        guard let first = failure(of: plan) else { return nil }
        var smallest = plan
        var isSmaller = true
        while isSmaller {
            isSmaller = false
            for step in steps {
                var candidate = smallest
                step(&candidate)
                guard candidate.description != smallest.description || candidate.faultySteps != smallest.faultySteps,
                    let failure = failure(of: candidate), Kind(failure) == Kind(first)
                else { continue }
                smallest = candidate
                isSmaller = true
            }
        }
        var simulation = Simulation(plan: smallest, traceLines: traceLines)
        do throws(SimulationFailure) {
            _ = try simulation.run()
            return nil
        } catch {
            return Reduced(plan: smallest, failure: error, trace: simulation.trace)
        }
    }

    private static func failure(of plan: SimulationPlan) -> SimulationFailure? {
        var simulation = Simulation(plan: plan)
        do throws(SimulationFailure) {
            _ = try simulation.run()
            return nil
        } catch { return error }
    }

    private static var steps: [(inout SimulationPlan) -> Void] {
        [
            { $0.faultySteps /= 2 }, { $0.faultySteps = $0.faultySteps * 3 / 4 }, { $0.jobs = max(1, $0.jobs / 2) },
            { $0.jobs = max(1, $0.jobs - 1) }, { $0.nodes = max($0.losesMachine ? 2 : 1, $0.nodes - 1) },
            { $0.arrayElementsMax = max(1, $0.arrayElementsMax / 2) }, { $0.losesMachine = false }, { $0.endsWithOldState = false },
            { $0.network.lossMilli = 0 }, { $0.network.duplicationMilli = 0 }, { $0.network.lateMilli = 0 },
            { $0.network.partitionMilli = 0 }, { $0.network.delayMax = 1_000_000 }, { $0.disk.fullMilli = 0 }, { $0.disk.errorMilli = 0 },
            { $0.disk.snapshotMilli = 0 }, { $0.disk.agentFullMilli = 0 }, { $0.machines.coordinatorCrashMilli = 0 },
            { $0.machines.coordinatorPauseMilli = 0 }, { $0.machines.clockStepMilli = 0 }, { $0.machines.agentCrashMilli = 0 },
            { $0.machines.agentPauseMilli = 0 }, { $0.machines.launcherCrashMilli = 0 }, { $0.machines.rebootMilli = 0 },
            { $0.machines.freezeMilli = 0 }, { $0.machines.cloneMilli = 0 }, { $0.machines.unkillableMilli = 0 },
        ]
    }
}
