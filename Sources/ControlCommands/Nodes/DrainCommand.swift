import ArgumentParser
import ClusterModel

extension NodeCommand {
    struct Drain: Verb {
        static let configuration = CommandConfiguration(
            commandName: "drain", abstract: "Empty a node: place nothing new, let what runs end, move the rest.",
            discussion: """
                What still runs at the deadline is stopped (SIGTERM, the job's grace, SIGKILL) and runs again elsewhere; that counts \
                as no retry. Without a deadline it is waited for. `suanpan node uncordon` ends it.

                EXAMPLE: suanpan node drain worker-1 --deadline 30m --wait && suanpan node rm worker-1
                """)

        @Argument(help: "Names of nodes.")
        var nodes: [String]

        @Option(
            parsing: .unconditional, help: ArgumentHelp("How long what runs may go on, such as 30m; 0 stops it now.", valueName: "span"))
        var deadline: String?

        @Flag(help: "Return when nothing is left on them.")
        var wait = false

        @OptionGroup var connection: ConnectionOptions

        func perform(in context: CommandContext) async throws {
            var body = JSONObject()
            if let deadline {
                do throws(QuantityError) {
                    body["deadlineSeconds"] = .integer(try Quantity.span(deadline).wholeSeconds)
                } catch { throw CommandFailure(.usage, "--deadline '\(deadline)': expected \(error.expected)") }
            }
            try await NodeCommand.act("drain", on: nodes, body: .object(body), connection, context)
            if wait { try await waitUntilEmpty(in: context) }
        }

        private func waitUntilEmpty(in context: CommandContext) async throws {
            let client = try context.client(connection).patient()
            for name in nodes {
                while true {
                    let node = try await client.get("/v1/nodes/\(CoordinatorClient.escape(name))")
                    guard let drain = node["drain"], drain.members != nil else {
                        throw CommandFailure(.conflict, "node \(name) is no longer drained: somebody has uncordoned it")
                    }
                    if drain["done"]?.flag == true { break }
                    try await Task.sleep(for: .seconds(1))
                }
                context.console.note("node \(name) is empty")
            }
        }
    }
}
