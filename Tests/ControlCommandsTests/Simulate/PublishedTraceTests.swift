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
}
