import Foundation
import SimulationKit
import Testing

@Suite struct SimulationTests {
    /// Seeds that once failed, kept for ever.
    static let regressions: [UInt64] = RegressionSeeds.all

    /// `SUANPAN_SEEDS=5000` runs so many.
    static let seeds = UInt64(ProcessInfo.processInfo.environment["SUANPAN_SEEDS"] ?? "") ?? 50

    @Test(arguments: 1...seeds) func everyPromiseHolds(seed: UInt64) throws {
        try check(seed)
    }

    /// A promise about what never happened is cheap.
    @Test func theSeedsHandSlotsOver() throws {
        var handOvers = 0
        for seed in UInt64(1)...10 {
            var simulation = Simulation(seed: seed)
            handOvers += try simulation.run().handOvers
        }
        #expect(handOvers > 20)
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
            Issue.record("\(plan): \(error). Keep the seed in Tests/SimulationTests/regressions.txt.")
        }
    }
}
