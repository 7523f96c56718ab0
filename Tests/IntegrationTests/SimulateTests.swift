import Foundation
import Glibc
import Testing

/// `suanpan simulate chaos` as somebody uses it: its exit status says what was found.
@Suite(.serialized) struct SimulateTests {
    @Test func seedsThatHoldEndWithZeroAndSayWhatTheyDid() throws {
        let cluster = try Cluster()
        let outcome = cluster.suanpan("simulate", "chaos", "--seeds", "1..40")
        #expect(outcome.code == 0, "\(outcome.output)\(outcome.errors)")
        #expect(outcome.output.contains("seeds 1..40 hold every promise"))
        #expect(cluster.suanpan("simulate", "chaos", "--seeds", "9..1").code == 2)
    }

    /// Two processes hash differently; what they decide is the same.
    @Test func aTraceIsPlacedAlikeInTwoProcesses() throws {
        let cluster = try Cluster()
        let example = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Deploy/examples/placement").path
        let placements = try (1...2).map { number in
            let file = "\(cluster.directory)/placements-\(number)"
            let outcome = cluster.suanpan(
                "simulate", "--nodes", "\(example)/nodes.csv", "--trace", "\(example)/tasks.csv", "--placements", file)
            #expect(outcome.code == 0, "\(outcome.errors)")
            return try String(contentsOfFile: file, encoding: .utf8)
        }
        #expect(placements[0] == placements[1] && placements[0].contains(":800"))
    }

    /// A worker that traps takes only itself along, and its seed is named.
    @Test func aSeedThatCrashesIsNamedAndEndsWith70() throws {
        let cluster = try Cluster()
        // A range of its own: nobody else's workers have it.
        let seeds = "\(getpid())..99999999"
        let sweep = cluster.process(["simulate", "chaos", "--seeds", seeds, "--workers", "2"])
        let output = "\(cluster.directory)/sweep"
        _ = FileManager.default.createFile(atPath: output, contents: nil)
        sweep.standardOutput = FileHandle(forWritingAtPath: output)
        sweep.standardError = FileHandle.nullDevice
        try sweep.run()
        let workers = { Cluster.processes(matching: "--seeds \(seeds) --share") }
        try cluster.waitUntil("two workers run") { workers().count == 2 }
        kill(workers()[0], SIGKILL)
        sweep.waitUntilExit()
        #expect(sweep.terminationStatus == 70)
        let text = try String(contentsOfFile: output, encoding: .utf8)
        #expect(text.hasPrefix("seed ") && text.contains("ended by signal 9"), "\(text)")
        #expect(workers().isEmpty)
    }
}
