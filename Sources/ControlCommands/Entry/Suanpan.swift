// The command `suanpan`: its verbs, and how a process ends with one.

import ArgumentParser
import ClusterModel
import Glibc

struct Suanpan: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "suanpan", abstract: "Pool CPUs, GPUs and NPUs of many machines, and run jobs on them.",
        discussion: """
            First steps: `suanpan up` in one terminal, then `suanpan run -- echo hello` in another.

            Exit codes: 0 ok, 1 failed, 2 usage, 3 not found, 4 not allowed, 5 conflict, 6 refused by quota, budget or policy, \
            7 coordinator unreachable; `run` and `wait` end like the job, with 125 for every failure of their own but 2; `plan` with 0, 10 or 11.
            """,
        version: "suanpan \(Release.version)",
        groupedSubcommands: [
            CommandGroup(
                name: "Jobs",
                subcommands: [
                    SubmitCommand.self, RunCommand.self, JobsCommand.self, ShowCommand.self, LogsCommand.self, WaitCommand.self,
                    CancelCommand.self, RetryCommand.self, UpdateCommand.self, HoldCommand.self, ReleaseCommand.self, ExplainCommand.self,
                    PlanCommand.self,
                    CopyCommand.self,
                ]),
            CommandGroup(name: "What jobs use", subcommands: [DatasetCommand.self, SecretCommand.self]),
            CommandGroup(
                name: "Who shares the cluster",
                subcommands: [
                    TenantCommand.self, ProjectCommand.self, UserCommand.self, QueueCommand.self, QuotaCommand.self, PoolCommand.self,
                ]),
            CommandGroup(
                name: "Cluster",
                subcommands: [
                    TopCommand.self, ClusterCommand.self, CenterCommand.self, NodeCommand.self, UsageCommand.self, KeyCommand.self,
                    BackupCommand.self,
                ]),
            CommandGroup(
                name: "This machine",
                subcommands: [UpCommand.self, CoordinatorCommand.self, AgentCommand.self, DoctorCommand.self, SimulateCommand.self]),
        ])
}

/// What the program's `main` calls.
public enum CommandLineEntry {
    /// Runs the verb that the process's arguments name, and ends the process with its code.
    public static func main() async -> Never {
        exit(await run(Array(CommandLine.arguments.dropFirst()), in: .process()))
    }

    /// Runs one verb to its end; the result is the exit code.
    static func run(_ arguments: [String], in context: CommandContext) async -> Int32 {
        do {
            // Before any parsing: `--help` and `--version` behind these words are the daemons'.
            if let verb = arguments.first, let program = DaemonProgram.program(for: verb) {
                try DaemonProgram.become(program, Array(arguments.dropFirst()), context)
            }
            try VerbSearch.check(arguments)
            var command = try Suanpan.parseAsRoot(arguments)
            if let verb = command as? any Verb {
                try await verb.perform(in: context)
            } else {
                try command.run()
            }
            return ExitStatus.ok.rawValue
        } catch let failure as CommandFailure {
            context.console.report(failure)
            return failure.status.rawValue
        } catch let code as ExitCode {
            return code.rawValue
        } catch {
            let code = report(error, in: context)
            if code == ExitStatus.usage.rawValue, let verb = arguments.first, verb == "run" || verb == "submit", !arguments.contains("--") {
                context.console.note("  The command of a job stands after --, such as: suanpan \(verb) --cpus 2 -- echo hello")
            }
            return code
        }
    }

    /// What the argument parser has to say: help and versions are results, everything else is a usage error.
    private static func report(_ error: any Error, in context: CommandContext) -> Int32 {
        let message = Suanpan.fullMessage(for: error)
        if Suanpan.exitCode(for: error) == .success {
            context.console.print(message)
            return ExitStatus.ok.rawValue
        }
        context.console.errors.write(Array((message.replacing("Error: ", with: "suanpan: ", maxReplacements: 1) + "\n").utf8))
        return Suanpan.exitCode(for: error) == .validationFailure ? ExitStatus.usage.rawValue : ExitStatus.failed.rawValue
    }
}
