import FileTestKit
import Testing

@testable import ControlCommands

/// What a sweep concludes from what its workers say and how they end. The workers are scripts that say it.
struct SeedSweepTests {
    /// The failing worker is given time to find a smaller variant; the end of the one that was stopped must not cut it short.
    @Test func aFailureIsToldThoughTheOtherWorkersWereStopped() async throws {
        let outcome = try await sweep(
            """
            if [ "$share" = 1/2 ]; then echo $$ > other; exec sleep 1000; fi
            until [ -s other ]; do :; done
            printf 'seed\\t3\\nfailed\\t3\\n'
            while kill -0 "$(cat other)" 2>&-; do :; done
            # What a stopped worker could do to this one, it has done when this is through.
            for i in 1 2 3 4 5 6 7 8; do cat other > /dev/null; done
            printf 'text\\tthe smaller variant\\n'
            exit 72
            """)
        #expect(outcome.exitCode == 72)
        #expect(outcome.text.contains("seed 3 fails") && outcome.text.contains("the smaller variant"), "\(outcome.text)")
    }

    @Test func aWorkerThatSomebodyElseStopsIsNoSuccess() async throws {
        let outcome = try await sweep(#"printf 'seed\t1\n'; kill -TERM $$; exec sleep 1000"#)
        #expect(outcome.exitCode == 70)
        #expect(outcome.text.contains("ended by signal 15"), "\(outcome.text)")
    }

    @Test func seedsThatNobodyRanDoNotHold() async throws {
        let outcome = try await sweep(#"printf 'sum\tseeds\t3\n'"#)
        #expect(outcome.exitCode == 70)
        #expect(outcome.text == "only 6 of 8 seeds were run to their end\n")
    }

    @Test func seedsThatAllHoldAreCounted() async throws {
        let outcome = try await sweep(#"printf 'sum\tseeds\t4\n'"#)
        #expect(outcome.exitCode == 0)
        #expect(outcome.text.hasPrefix("seeds 1..8 hold every promise\n"), "\(outcome.text)")
    }

    private func sweep(_ script: String) async throws -> SeedSweep.Outcome {
        let directory = try TemporaryDirectory()
        defer { withExtendedLifetime(directory) {} }
        try directory.writeProgram("worker", "#!/bin/sh\ncd \(directory.path)\nshare=$6\n\(script)\n")
        let seeds = SeedRange(first: 1, last: 8)
        return await SeedSweep(
            seeds: seeds, workers: 2, traceLines: 1, console: MemoryConsole().console, program: "\(directory.path)/worker"
        ).run()
    }
}
