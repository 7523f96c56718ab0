import Foundation
import Testing

/// A month of Microsoft's Philly clusters (Jeon et al., USENIX ATC 2019), in the folder that SUANPAN_TRACES names: other people's data and
/// not of the project. A process of its own, since half a minute of work would hold up other tests.
@Suite struct QueueTraceTests {
    private static let trace = ProcessInfo.processInfo.environment["SUANPAN_TRACES"].map { "\($0)/philly/2017-10.csv.gz" } ?? ""

    private struct Run: Decodable {
        struct Times: Decodable {
            var mean: Double
            var longest: Double
        }

        var policy: String
        var waitSeconds: Times
        var gangWaitSeconds: Times
    }

    private struct Report: Decodable {
        var runs: [Run]
    }

    /// On 80 nodes, run times unknown: nobody waits much longer on average than where every job is passed over that does not fit, and
    /// who waits longest waits far less.
    @Test(.enabled(if: FileManager.default.fileExists(atPath: trace), "SUANPAN_TRACES names no folder of published traces"))
    func gangsAreNotStarvedAndNobodyPaysForIt() throws {
        let report = FileManager.default.temporaryDirectory.appending(path: "suanpan-queue-\(UUID()).json").path
        defer { try? FileManager.default.removeItem(atPath: report) }
        let process = Process()
        process.executableURL = URL(filePath: "\(Cluster.programs)/suanpan")
        process.arguments = [
            "simulate", "--node-count", "80", "--gpus-per-node", "8", "--trace", Self.trace, "--policy", "suanpan", "--policy", "fifo-skip",
            "--report", report,
        ]
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        let runs = try JSONDecoder().decode(Report.self, from: Data(contentsOf: URL(filePath: report))).runs
        let (ours, skipping) = (try #require(runs.first { $0.policy == "suanpan" }), try #require(runs.first { $0.policy == "fifo-skip" }))
        #expect(skipping.waitSeconds.mean.rounded() == 2744, "as others found it")
        #expect(ours.waitSeconds.mean <= 1.15 * skipping.waitSeconds.mean)
        #expect(ours.gangWaitSeconds.mean <= 1.1 * skipping.gangWaitSeconds.mean)
        #expect(ours.waitSeconds.longest <= 0.6 * skipping.waitSeconds.longest)
    }
}
