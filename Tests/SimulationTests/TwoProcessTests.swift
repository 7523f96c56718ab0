import Foundation
import SimulationKit
import Testing

/// Hash order differs in each process: a decision that depends on it shows as another digest.
@Suite struct TwoProcessTests {
    private static let seed: UInt64 = 7
    private static let variable = "SUANPAN_SIMULATION_DIGEST_FILE"

    private static func digest() throws -> UInt64 {
        var simulation = Simulation(plan: SimulationPlan(seed: seed))
        return try simulation.run().digest
    }

    /// The other process runs this test alone, and leaves its digest in the file.
    @Test(.enabled(if: ProcessInfo.processInfo.environment[variable] != nil)) func leaveTheDigest() throws {
        let file = try #require(ProcessInfo.processInfo.environment[Self.variable])
        try "\(try Self.digest())".write(toFile: file, atomically: true, encoding: .utf8)
    }

    @Test(.enabled(if: ProcessInfo.processInfo.environment[variable] == nil)) func oneSeedInTwoProcessesDecidesTheSame() throws {
        let file = NSTemporaryDirectory() + "digest-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let process = Process()
        process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["--testing-library", "swift-testing", "--filter", "leaveTheDigest"]
        process.environment = ProcessInfo.processInfo.environment.merging([Self.variable: file]) { $1 }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        let other = try #require(UInt64(try String(contentsOfFile: file, encoding: .utf8)))
        #expect(try Self.digest() == other)
    }
}
