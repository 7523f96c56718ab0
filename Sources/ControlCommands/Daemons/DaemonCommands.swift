// `suanpan coordinator` and `suanpan agent` become the daemons' own programs: signals and exit codes are theirs, and this
// program links nothing of theirs.

import ArgumentParser
import Glibc

struct CoordinatorCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "coordinator", abstract: "Become the coordinator of a cluster (suanpan-coordinator).",
        discussion:
            "All arguments are passed on; `suanpan coordinator --help` lists them.\n\nEXAMPLE: suanpan coordinator --http 0.0.0.0:8470")

    @Argument(parsing: .captureForPassthrough, help: "Passed on.")
    var arguments: [String] = []

    func perform(in context: CommandContext) async throws { try DaemonProgram.become("suanpan-coordinator", arguments, context) }
}

struct AgentCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "agent", abstract: "Become the agent of this machine (suanpan-agent).",
        discussion: "All arguments are passed on; `suanpan agent --help` lists them.\n\nEXAMPLE: suanpan agent --token-file token.txt")

    @Argument(parsing: .captureForPassthrough, help: "Passed on.")
    var arguments: [String] = []

    func perform(in context: CommandContext) async throws { try DaemonProgram.become("suanpan-agent", arguments, context) }
}

enum DaemonProgram {
    /// The program that a first argument stands for.
    static func program(for verb: String) -> String? {
        switch verb {
        case "coordinator": "suanpan-coordinator"
        case "agent": "suanpan-agent"
        default: nil
        }
    }

    /// Replaces this process; returns only by throwing.
    static func become(_ program: String, _ arguments: [String], _ context: CommandContext) throws(CommandFailure) {
        let path = try ProgramSearch.process(environment: context.environment).path(of: program)
        var pointers: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
        pointers.append(nil)
        execv(path, pointers)
        throw CommandFailure(.failed, "\(path): \(SystemError.text(errno))")
    }
}
