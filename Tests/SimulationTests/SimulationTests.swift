import Foundation
import SimulationKit
import Testing

@Suite struct SimulationTests {
    /// Seeds that once failed, kept for ever.
    static let regressions: [UInt64] = RegressionSeeds.all

    /// `SUANPAN_SEEDS=100-200` runs others.
    static let seeds: ClosedRange<UInt64> = {
        let bounds = (ProcessInfo.processInfo.environment["SUANPAN_SEEDS"] ?? "").split(separator: "-").compactMap { UInt64($0) }
        return bounds.count == 2 && bounds[0] <= bounds[1] ? bounds[0]...bounds[1] : 1...200
    }()

    @Test(arguments: seeds) func everyPromiseHolds(seed: UInt64) throws {
        try check(seed)
    }

    /// A promise about what never happened is cheap.
    @Test func theSeedsHandSlotsOver() throws {
        var handOvers = 0
        for seed in UInt64(1)...40 {
            var simulation = Simulation(seed: seed)
            handOvers += try simulation.run().handOvers
        }
        #expect(handOvers > 20)
    }

    @Test func theSeedsPreempt() throws {
        var preemptions = 0
        for seed in UInt64(1)...40 {
            var simulation = Simulation(seed: seed)
            preemptions += try simulation.run().preemptions
        }
        #expect(preemptions > 20)
    }

    @Test(arguments: regressions) func aSeedThatOnceFailedHolds(seed: UInt64) throws {
        try check(seed)
    }

    private func check(_ seed: UInt64) throws {
        let plan = SimulationPlan(seed: seed)
        var simulation = Simulation(plan: plan)
        do throws(SimulationFailure) {
            let outcome = try simulation.run()
            #expect(outcome.events > 0)
        } catch {
            var again = Simulation(plan: plan, traceLines: 60)
            _ = try? again.run()
            Issue.record(
                """
                \(plan): \(error). Keep the seed in Tests/SimulationTests/regressions.txt.
                \(again.trace.joined(separator: "\n"))
                """)
        }
    }
}
