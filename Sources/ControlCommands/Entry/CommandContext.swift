// What a verb may use of the world. Verbs take it as an argument, so that tests can give another.

import ArgumentParser
import Glibc

/// The outputs, the environment and the client of one verb.
struct CommandContext: Sendable {
    var console: Console
    var environment: [String: String]

    init(console: Console, environment: [String: String]) {
        self.console = console
        self.environment = environment
    }

    static func process() -> CommandContext {
        let environment = ProcessEnvironment.current()
        return CommandContext(console: .process(environment: environment), environment: environment)
    }

    func client(_ options: ConnectionOptions) throws(CommandFailure) -> CoordinatorClient {
        let configuration = try ClientConfiguration.resolve(dataDirectory: options.dataDirectory, environment: environment)
        return CoordinatorClient(configuration: configuration) { [console] in console.note("suanpan: \($0)") }
    }
}

enum ProcessEnvironment {
    static func current() -> [String: String] {
        var variables: [String: String] = [:]
        var entry = environ
        while let pointer = entry.pointee {
            let text = String(cString: pointer)
            if let sign = text.firstIndex(of: "=") { variables[String(text[..<sign])] = String(text[text.index(after: sign)...]) }
            entry += 1
        }
        return variables
    }
}

/// A verb whose body takes its world as an argument.
protocol Verb: AsyncParsableCommand {
    func perform(in context: CommandContext) async throws
}

extension Verb {
    func run() async throws { try await perform(in: .process()) }
}

/// Which coordinator; every verb that talks to one has these.
struct ConnectionOptions: ParsableArguments {
    @Option(
        name: .customLong("data-dir"),
        help: ArgumentHelp(
            "Read client.yaml (URL and key) from this directory.",
            discussion: "Default: SUANPAN_URL and SUANPAN_API_KEY, else SUANPAN_DATA_DIR, else /var/lib/suanpan or ~/.local/share/suanpan.",
            valueName: "dir"))
    var dataDirectory: String?
}

/// How results are printed.
struct OutputOptions: ParsableArguments {
    @Option(name: [.customShort("o"), .customLong("output")], help: "table, wide, json, yaml, jsonl or id.")
    var format: OutputFormat = .table
}
