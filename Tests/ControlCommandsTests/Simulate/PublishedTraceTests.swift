import Foundation
import Testing

@testable import ControlCommands

/// Traces of a production cluster that others published (Weng et al., USENIX ATC 2023), in the folder that SUANPAN_TRACES names.
/// They are other people's data and not of the project.
@Suite(.serialized) struct PublishedTraceTests {
    private static let folder = ProcessInfo.processInfo.environment["SUANPAN_TRACES"].map { "\($0)/openb" } ?? ""
    private static let areThere = FileManager.default.fileExists(atPath: "\(folder)/nodes_gpu_s42.csv.gz")

    private struct Run: Decodable {
        var policy: String
        var unallocatedPercentAtFull: Double
    }

    private struct Report: Decodable {
        var runs: [Run]
    }

    /// One seed of each variant: what ours leaves idle when as much has been asked for as there is.
    @Test(
        .enabled(if: areThere, "SUANPAN_TRACES names no folder of published traces"),
        arguments: ["default", "gpushare40", "gpuspec10", "multigpu20"])
    func oursLeavesNoMoreIdleThanTheBetterOfTheOthers(variant: String) async throws {
        let report = FileManager.default.temporaryDirectory.appending(path: "suanpan-trace-\(UUID()).json").path
        defer { try? FileManager.default.removeItem(atPath: report) }
        let console = MemoryConsole()
        let line = [
            "simulate", "--nodes", "\(Self.folder)/nodes_gpu_s42.csv.gz", "--trace", "\(Self.folder)/arrivals/\(variant)-s42.csv.gz",
            "--workload", "\(Self.folder)/pods_\(variant).csv.gz", "--policy", "suanpan", "--policy", "fgd", "--policy", "firstfit",
            "--report", report,
        ]
        let code = await CommandLineEntry.run(line, in: CommandContext(console: console.console, environment: [:]))
        #expect(code == 0, "\(console.errors.text)")
        let runs = try JSONDecoder().decode(Report.self, from: Data(contentsOf: URL(filePath: report))).runs
        let idle = Dictionary(uniqueKeysWithValues: runs.map { ($0.policy, $0.unallocatedPercentAtFull) })
        let better = min(try #require(idle["fgd"]), try #require(idle["firstfit"]))
        #expect(try #require(idle["suanpan"]) <= better + 0.25, "\(variant): \(idle)")
    }

    private struct QueueRun: Decodable {
        struct Times: Decodable {
            var mean: Double
            var longest: Double
        }

        var policy: String
        var waitSeconds: Times
        var gangWaitSeconds: Times
    }

    private struct QueueReport: Decodable {
        var runs: [QueueRun]
    }

    private static let philly = ProcessInfo.processInfo.environment["SUANPAN_TRACES"].map { "\($0)/philly/2017-10.csv.gz" } ?? ""

    /// A month of Microsoft's Philly clusters (Jeon et al., USENIX ATC 2019) on 80 nodes, run times unknown: nobody waits much longer
    /// on average than where every job is passed over that does not fit, and who waits longest waits far less.
    @Test(
        .enabled(if: FileManager.default.fileExists(atPath: philly), "SUANPAN_TRACES names no folder of published traces"))
    func gangsAreNotStarvedAndNobodyPaysForIt() async throws {
        let report = FileManager.default.temporaryDirectory.appending(path: "suanpan-queue-\(UUID()).json").path
        defer { try? FileManager.default.removeItem(atPath: report) }
        let console = MemoryConsole()
        let line = [
            "simulate", "--node-count", "80", "--gpus-per-node", "8", "--trace", Self.philly, "--policy", "suanpan", "--policy",
            "fifo-skip",
            "--report", report,
        ]
        let code = await CommandLineEntry.run(line, in: CommandContext(console: console.console, environment: [:]))
        #expect(code == 0, "\(console.errors.text)")
        let runs = try JSONDecoder().decode(QueueReport.self, from: Data(contentsOf: URL(filePath: report))).runs
        let (ours, skipping) = (try #require(runs.first { $0.policy == "suanpan" }), try #require(runs.first { $0.policy == "fifo-skip" }))
        #expect(skipping.waitSeconds.mean.rounded() == 2744, "as others found it")
        #expect(ours.waitSeconds.mean <= 1.15 * skipping.waitSeconds.mean)
        #expect(ours.gangWaitSeconds.mean <= 1.1 * skipping.gangWaitSeconds.mean)
        #expect(ours.waitSeconds.longest <= 0.6 * skipping.waitSeconds.longest)
    }
}
