import Foundation
import SimulationKit
import Testing

/// How soon the simulation notices that something is wrong: `PlantedFaults/find.py` plants each fault of the list in a copy of
/// the sources and runs this there.
@Suite struct PlantedFaultTests {
    private static let variable = "SUANPAN_FIRST_FAILURE"

    /// `SUANPAN_FIRST_FAILURE=FILE:MAX:START` writes to FILE.START how many seeds it took, and how the run failed.
    @Test(.enabled(if: ProcessInfo.processInfo.environment[variable] != nil)) func seedsUntilTheFirstFailure() throws {
        let parts = try #require(ProcessInfo.processInfo.environment[Self.variable]).split(separator: ":")
        let max = try #require(UInt64(parts[1]))
        let start = try #require(UInt64(parts[2]))
        let file = "\(parts[0]).\(start)"
        for seed in start..<start + max {
            // Said before the run: one that ends in a trap has been found as well.
            try "\(seed - start + 1) trap".write(toFile: file, atomically: true, encoding: .utf8)
            var simulation = Simulation(seed: seed)
            do throws(SimulationFailure) {
                _ = try simulation.run()
            } catch {
                let text = "\(seed - start + 1) \(error)"
                return try text.write(toFile: file, atomically: true, encoding: .utf8)
            }
        }
        try "none".write(toFile: file, atomically: true, encoding: .utf8)
    }
}
