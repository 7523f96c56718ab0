import ArgumentParser

extension SimulateCommand {
    struct Replay: Verb {
        static let configuration = CommandConfiguration(
            commandName: "replay", abstract: "Fold a coordinator's own journal again, and compare it bit for bit with what was written.",
            discussion: """
                Reads only, beside a running coordinator too. The jobs that ran become a trace, on which policies can be compared.

                EXAMPLE: suanpan simulate replay --data-dir /var/lib/suanpan --trace month.csv
                EXAMPLE: suanpan simulate --trace month.csv --node-count 4 --gpus-per-node 8 --policy suanpan --policy fifo-skip
                """)

        @Option(name: .customLong("data-dir"), help: ArgumentHelp("The coordinator's data directory.", valueName: "dir"))
        var dataDirectory: String?
        @Option(help: ArgumentHelp("Write the jobs that ran and ended, as CSV job_id,submit_s,duration_s,num_gpus,vc.", valueName: "file"))
        var trace: String?
        @Option(help: ArgumentHelp("What a line of the trace counts: devices or cores (default: devices).", valueName: "unit"))
        var unit: String?

        func perform(in context: CommandContext) async throws {
            var arguments = ["replay"]
            for (name, value) in [("--data-dir", dataDirectory), ("--trace", trace), ("--unit", unit)] {
                if let value { arguments += [name, value] }
            }
            try DaemonProgram.become("suanpan-coordinator", arguments, context)
        }
    }
}
