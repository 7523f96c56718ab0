import ArgumentParser
import ClusterModel

extension NodeCommand {
    struct Token: Verb {
        static let configuration = CommandConfiguration(
            commandName: "token", abstract: "Make a join token for new nodes: print the line to paste there.",
            discussion: """
                The line fetches the agent's package from the coordinator, checks it, installs it and joins. It holds the token, which is a \
                secret and is shown once. With --only-token the bare token is printed, for an agent that is there already: give it by \
                file or standard input, not by argument.

                EXAMPLE: suanpan node token --ttl 1h --center lab --pool a100 --label block=b1 --label rack=r7
                EXAMPLE: suanpan node token --only-token | ssh worker-1 suanpan agent --token-file -
                """)

        @Option(parsing: .unconditional, help: ArgumentHelp("How long it can be used, such as 1h.", valueName: "span"))
        var ttl: String?

        @Option(parsing: .unconditional, help: ArgumentHelp("How many nodes may join with it.", valueName: "n"))
        var uses: UInt32?

        @Option(help: ArgumentHelp("Only nodes whose names begin so.", valueName: "text"))
        var namePrefix: String?

        @Option(help: ArgumentHelp("Center (site) of its nodes.", valueName: "name"))
        var center: String?

        @Option(help: ArgumentHelp("The center's name for people.", valueName: "text"))
        var centerName: String?

        @Option(help: ArgumentHelp("Province of the center.", valueName: "text"))
        var province: String?

        @Option(help: ArgumentHelp("City of the center.", valueName: "text"))
        var city: String?

        @Flag(help: "Nodes of the center reach the internet.")
        var netAccess = false

        @Option(help: ArgumentHelp("Pool of its nodes.", valueName: "name"))
        var pool: String?

        @Option(
            name: .customLong("label"), help: ArgumentHelp("Label of its nodes, whatever they claim; repeatable.", valueName: "key=value"))
        var labels: [String] = []

        @Option(
            name: .customLong("taint"),
            help: ArgumentHelp("Keep its nodes for jobs with this as a --constraint; repeatable.", valueName: "name"))
        var taints: [String] = []

        @Flag(help: "Print the bare token.")
        var onlyToken = false

        @OptionGroup var output: OutputOptions
        @OptionGroup var connection: ConnectionOptions

        func perform(in context: CommandContext) async throws {
            let token = try await context.client(connection).send(.post, "/v1/nodes/tokens", body: .object(try body()))
            let line = onlyToken ? nil : token["command"]?.text
            let text = Detail(object: token, human: { (line ?? $0["token"]?.text ?? "") + "\n" }).text(as: output.format)
            context.console.write(text)
            guard output.format == .table || output.format == .wide, !onlyToken else { return }
            if line != nil {
                context.console.note(
                    "Run this line on the new node, as a user who may sudo. It holds a secret: keep it out of chats and tickets.")
            } else {
                context.console.note("This is the bare token: \(token["commandProblem"]?.text ?? "the coordinator has no line to paste").")
                context.console.note("Hand it to the agent there: suanpan-agent --token-file - reads it from standard input.")
            }
        }

        private func body() throws(CommandFailure) -> JSONObject {
            var body = JSONObject()
            if let ttl {
                do throws(QuantityError) {
                    body["ttlSeconds"] = .integer(try Quantity.span(ttl).wholeSeconds)
                } catch { throw CommandFailure(.usage, "--ttl '\(ttl)': expected \(error.expected)") }
            }
            if let uses { body["uses"] = .integer(uses) }
            if let namePrefix { body["namePrefix"] = .string(namePrefix) }
            if let center { body["center"] = .string(center) }
            if let centerName { body["centerName"] = .string(centerName) }
            if let province { body["province"] = .string(province) }
            if let city { body["city"] = .string(city) }
            if netAccess { body["netAccess"] = .bool(true) }
            if !taints.isEmpty { body["taints"] = .array(taints.map(JSONValue.string)) }
            if let pool { body["pool"] = .string(pool) }
            var given = JSONObject()
            for label in labels {
                let parts = label.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                guard parts.count == 2, !parts[0].isEmpty else { throw CommandFailure(.usage, "--label '\(label)': expected KEY=VALUE") }
                given[parts[0]] = .string(parts[1])
            }
            if !labels.isEmpty { body["labels"] = .object(given) }
            return body
        }
    }
}
