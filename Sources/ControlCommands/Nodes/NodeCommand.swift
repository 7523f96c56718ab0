import ArgumentParser
import ClusterModel

struct NodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node", abstract: "List, inspect, add and remove nodes.",
        discussion: "EXAMPLE: suanpan node ls",
        subcommands: [
            List.self, Show.self, Topology.self, Drain.self, Cordon.self, Uncordon.self, Move.self,
            ConfirmDead.self, Token.self, Remove.self,
        ])
}

extension NodeCommand {
    struct List: Verb {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "List nodes with what they have and what is in use.",
            discussion: "EXAMPLE: suanpan node ls -o wide")

        @OptionGroup var output: OutputOptions
        @OptionGroup var connection: ConnectionOptions

        func perform(in context: CommandContext) async throws {
            let page = try await context.client(connection).list("/v1/nodes", limit: nil)
            let listing = Listing(page: page, identifier: "name", table: NodeTable.table)
            context.console.write(listing.text(as: output.format, hasColour: context.console.hasColour))
        }
    }

    struct Show: Verb {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show one node and its devices.", discussion: "EXAMPLE: suanpan node show worker-1")

        @Argument(help: "Name of the node.")
        var node: String

        @OptionGroup var output: OutputOptions
        @OptionGroup var connection: ConnectionOptions

        func perform(in context: CommandContext) async throws {
            let client = try context.client(connection)
            let path = "/v1/nodes/\(CoordinatorClient.escape(node))"
            let object = try await client.get(path)
            guard output.format == .table || output.format == .wide else {
                return context.console.write(Detail(object: object, identifier: "name", human: { _ in "" }).text(as: output.format))
            }
            let devices = try await client.get(path + "/devices")["items"]?.items ?? []
            context.console.write(NodeTable.description(of: object, devices: devices, hasColour: context.console.hasColour))
        }
    }

    struct Topology: Verb {
        static let configuration = CommandConfiguration(
            commandName: "topology", abstract: "Show how many packages, NUMA nodes, caches and cores a node has.",
            discussion: "hwloc's whole document is at /v1/nodes/NODE/topology.\n\nEXAMPLE: suanpan node topology worker-1")

        @Argument(help: "Name of the node.")
        var node: String

        @OptionGroup var output: OutputOptions
        @OptionGroup var connection: ConnectionOptions

        func perform(in context: CommandContext) async throws {
            let object = try await context.client(connection).get("/v1/nodes/\(CoordinatorClient.escape(node))")
            guard let topology = object["topology"] else { throw CommandFailure(.notFound, "node \(node) has not sent its topology") }
            context.console.write(Detail(object: topology, human: Facts.text).text(as: output.format))
        }
    }

    struct Cordon: Verb {
        static let configuration = CommandConfiguration(
            commandName: "cordon", abstract: "Place nothing new on a node; what runs goes on.",
            discussion: "EXAMPLE: suanpan node cordon worker-1")

        @Argument(help: "Names of nodes.")
        var nodes: [String]

        @OptionGroup var connection: ConnectionOptions

        func perform(in context: CommandContext) async throws { try await NodeCommand.act("cordon", on: nodes, connection, context) }
    }

    struct Move: Verb {
        static let configuration = CommandConfiguration(
            commandName: "move", abstract: "Put nodes into a pool, or take them out of theirs; what runs there goes on.",
            discussion: "EXAMPLE: suanpan node move worker-1 worker-2 --pool a100")

        @Argument(help: "Names of nodes.")
        var nodes: [String]

        @Option(help: ArgumentHelp("The pool.", valueName: "name"))
        var pool: String?

        @Flag(help: "Into none.")
        var noPool = false

        @OptionGroup var connection: ConnectionOptions

        func validate() throws {
            guard (pool != nil) != noPool else { throw ValidationError("give --pool NAME, or --no-pool") }
        }

        func perform(in context: CommandContext) async throws {
            let client = try context.client(connection)
            for node in nodes {
                let path = "/v1/nodes/\(CoordinatorClient.escape(node))/pool"
                let answer =
                    if let pool { try await client.send(.post, path, body: ["pool": .string(pool)]) } else {
                        try await client.send(.delete, path)
                    }
                context.console.note("node \(node) is in \(answer["pool"]?.text.map { "pool \($0)" } ?? "no pool")")
            }
        }
    }

    struct Uncordon: Verb {
        static let configuration = CommandConfiguration(
            commandName: "uncordon", abstract: "Place work on a node again; end its drain.",
            discussion: "EXAMPLE: suanpan node uncordon worker-1")

        @Argument(help: "Names of nodes.")
        var nodes: [String]

        @OptionGroup var connection: ConnectionOptions

        func perform(in context: CommandContext) async throws { try await NodeCommand.act("uncordon", on: nodes, connection, context) }
    }

    struct ConfirmDead: Verb {
        static let configuration = CommandConfiguration(
            commandName: "confirm-dead", abstract: "Say that a node's machine is gone, and everything that ran there with it.",
            discussion: """
                For a machine that is switched off or broken. Tasks on a node that has fallen silent are waited for, since they may \
                well go on; with this they end at once and are tried elsewhere. Should the machine still run, they run twice.

                EXAMPLE: suanpan node confirm-dead worker-1
                """)

        @Argument(help: "Names of nodes.")
        var nodes: [String]

        @OptionGroup var connection: ConnectionOptions

        func perform(in context: CommandContext) async throws {
            try await NodeCommand.act("confirm-dead", on: nodes, connection, context)
        }
    }

    struct Remove: Verb {
        static let configuration = CommandConfiguration(
            commandName: "rm", abstract: "Remove nodes that will not come back.", discussion: "EXAMPLE: suanpan node rm worker-1")

        @Argument(help: "Names of nodes.")
        var nodes: [String]

        @OptionGroup var connection: ConnectionOptions

        func perform(in context: CommandContext) async throws {
            let client = try context.client(connection)
            for node in nodes { _ = try await client.send(.delete, "/v1/nodes/\(CoordinatorClient.escape(node))") }
        }
    }

    static func act(
        _ action: String, on nodes: [String], body: JSONValue? = nil, _ connection: ConnectionOptions, _ context: CommandContext
    ) async throws {
        let client = try context.client(connection)
        for node in nodes {
            let answer = try await client.send(.post, "/v1/nodes/\(CoordinatorClient.escape(node))/\(action)", body: body)
            context.console.note("node \(node) \(answer["state"]?.text ?? action + "ed")")
        }
    }
}
