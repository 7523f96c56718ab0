import ArgumentParser
import Glibc
import SimulationKit

struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate", abstract: "Run whole clusters in this process, under seeds.",
        discussion: "EXAMPLE: suanpan simulate --nodes nodes.csv --trace tasks.csv", subcommands: [Trace.self, Chaos.self, Replay.self],
        defaultSubcommand: Trace.self)
}

extension SimulateCommand {
    struct Chaos: Verb {
        static let configuration = CommandConfiguration(
            commandName: "chaos", abstract: "Let everything fail that can, and check every promise after every step.",
            discussion: """
                Each seed is a cluster of its own: the real scheduler and the real agents, with disks, networks, clocks, processes and \
                machines that fail. When the faults stop, everything must end. A seed that fails is run again in smaller and smaller \
                variants; what is left is printed with what happened last.

                EXIT CODES: 0 all seeds hold, 70 a crash, 71 something stood still, 72 a promise was broken.

                EXAMPLE: suanpan simulate chaos --seeds 1..1000
                """)

        @Option(help: "The seeds, first and last.")
        var seeds = SeedRange(first: 1, last: 100)
        @Option(help: "Processes that share the seeds (default: one for each core).")
        var workers: Int?
        @Option(help: "Lines of the trace of a failure.")
        var trace = 40
        @Option(help: ArgumentHelp("Which share of the seeds this process runs.", visibility: .hidden))
        var share: SeedShare?

        func perform(in context: CommandContext) async throws {
            if let share { return SeedWorker(seeds: seeds, share: share, traceLines: trace).run() }
            let count = max(1, min(workers ?? sysconf(Int32(_SC_NPROCESSORS_ONLN)), 64, Int(seeds.count)))
            let sweep = SeedSweep(seeds: seeds, workers: count, traceLines: trace, console: context.console)
            let outcome = await sweep.run()
            context.console.write(outcome.text)
            if outcome.exitCode != 0 { throw ExitCode(outcome.exitCode) }
        }
    }
}

/// `1..1000`, or a single seed.
struct SeedRange: ExpressibleByArgument, Hashable, Sendable, CustomStringConvertible {
    var first: UInt64
    var last: UInt64

    init(first: UInt64, last: UInt64) { (self.first, self.last) = (first, last) }

    init?(argument: String) {
        let ends = argument.split(separator: ".", omittingEmptySubsequences: true).map { UInt64($0) }
        guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2, first <= last,
            argument == "\(first)" || argument == "\(first)..\(last)"
        else { return nil }
        self.init(first: first, last: last)
    }

    var count: UInt64 { last - first + 1 }
    var description: String { first == last ? "\(first)" : "\(first)..\(last)" }
}

/// `2/8`: every eighth seed, from the third on.
struct SeedShare: ExpressibleByArgument, Hashable, Sendable, CustomStringConvertible {
    var index: UInt64
    var of: UInt64

    init(index: UInt64, of: UInt64) { (self.index, self.of) = (index, of) }

    init?(argument: String) {
        let parts = argument.split(separator: "/").compactMap { UInt64($0) }
        guard parts.count == 2, parts[0] < parts[1] else { return nil }
        self.init(index: parts[0], of: parts[1])
    }

    var description: String { "\(index)/\(of)" }
}
