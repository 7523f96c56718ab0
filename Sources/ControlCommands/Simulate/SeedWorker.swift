import Glibc
import SimulationKit

/// Runs a share of the seeds and says so, line by line: a process of its own, so that one that traps takes only itself along.
struct SeedWorker {
    let seeds: SeedRange
    let share: SeedShare
    let traceLines: Int

    /// What a worker says. Each line is a word, a tab and the rest.
    enum Line: String {
        /// A seed begins.
        case seed
        /// What all seeds of the share did, one number a line: a name, a tab, a count.
        case sum
        /// A seed failed; `text` lines follow and the process ends with the failure's code.
        case failed, text
    }

    /// Never returns when a seed fails.
    func run() {
        var sums = SeedSums()
        var seed = seeds.first + share.index
        while seed <= seeds.last {
            say(.seed, "\(seed)")
            var simulation = Simulation(seed: seed)
            do throws(SimulationFailure) {
                sums.add(try simulation.run())
            } catch { fail(seed, error) }
            let (next, overflow) = seed.addingReportingOverflow(share.of)
            if overflow { break }
            seed = next
        }
        for (name, count) in sums.named { say(.sum, "\(name)\t\(count)") }
    }

    private func fail(_ seed: UInt64, _ failure: SimulationFailure) -> Never {
        say(.failed, "\(seed)")
        say(.text, SimulationPlan(seed: seed).description)
        say(.text, failure.description)
        if let reduced = PlanReduction.reduce(SimulationPlan(seed: seed), traceLines: traceLines) {
            say(.text, "fails in the same way with less: \(reduced.plan), \(reduced.plan.faultySteps) steps of faults")
            say(.text, reduced.failure.description)
            for line in reduced.trace { say(.text, "  " + line) }
        }
        exit(PlanReduction.Kind(failure).rawValue)
    }

    private func say(_ line: Line, _ rest: String) {
        for part in rest.split(separator: "\n", omittingEmptySubsequences: false) {
            // Unbuffered: what was said before a trap has been said.
            let bytes = Array("\(line.rawValue)\t\(part)\n".utf8)
            _ = write(STDOUT_FILENO, bytes, bytes.count)
        }
    }
}

/// What seeds did, added up.
struct SeedSums: Sendable {
    private(set) var named: [(name: String, count: Int)] = []

    subscript(_ name: String) -> Int { named.first { $0.name == name }?.count ?? 0 }

    mutating func add(_ outcome: SimulationOutcome) {
        add("seeds", 1)
        add("jobs that ended", outcome.jobsEnded)
        add("attempts", outcome.attempts)
        add("slots handed over", outcome.handOvers)
        add("preemptions", outcome.preemptions)
        add("events", outcome.events)
        add("steps", outcome.steps)
        for (name, count) in outcome.faults.named { add(name, count) }
    }

    mutating func add(_ name: String, _ count: Int) {
        if let index = named.firstIndex(where: { $0.name == name }) {
            named[index].count += count
        } else {
            named.append((name, count))
        }
    }
}
