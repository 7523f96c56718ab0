import SimulationKit
import Testing

@Suite struct SimulationTests {
    /// Seeds that once failed, kept for ever.
    static let regressions: [UInt64] = RegressionSeeds.all

    @Test(arguments: Array(UInt64(1)...50)) func everyPromiseHolds(seed: UInt64) throws {
        try check(seed)
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
