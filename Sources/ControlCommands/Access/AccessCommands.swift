import ArgumentParser

struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "API keys: list, create, revoke.", discussion: "EXAMPLE: suanpan key create --user ada --role user",
        subcommands: [List.self, Create.self, Remove.self])

    struct List: Verb {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "List keys; their secrets are not kept.", discussion: "EXAMPLE: suanpan key ls")

        @OptionGroup var output: OutputOptions
        @OptionGroup var connection: ConnectionOptions

        func perform(in context: CommandContext) async throws {
            let page = try await context.client(connection).list("/v1/keys", limit: nil)
            let listing = Listing(page: page) { keys in
                var table = Table([.init("ID"), .init("USER"), .init("TENANT"), .init("ROLE"), .init("AGE", isRightAligned: true)])
                for key in keys {
                    let field = { (name: String) in key[name]?.scalarText ?? "-" }
                    table.append([
                        .init(field("id")), .init(field("user")), .init(field("tenant")), .init(field("role")),
                        .init(Instants.age(key["createdAt"], now: .now())),
                    ])
                }
                return table
            }
            context.console.write(listing.text(as: output.format, hasColour: context.console.hasColour))
        }
    }

    struct Create: Verb {
        static let configuration = CommandConfiguration(
            commandName: "create", abstract: "Make a key and print it; it is shown once.",
            discussion: "EXAMPLE: suanpan key create --user ada --tenant vision")

        @Option(help: "User that the key stands for.")
        var user: String

        @Option(help: "Tenant of the user.")
        var tenant: String = "default"

        @Option(help: "admin, user, viewer or billing.")
        var role: String = "user"

        @OptionGroup var output: OutputOptions
        @OptionGroup var connection: ConnectionOptions

        func validate() throws {
            guard ["admin", "user", "viewer", "billing"].contains(role) else {
                throw ValidationError("--role '\(role)': expected admin, user, viewer or billing")
            }
        }

        func perform(in context: CommandContext) async throws {
            let body: JSONValue = ["tenant": .string(tenant), "user": .string(user), "role": .string(role)]
            let key = try await context.client(connection).send(.post, "/v1/keys", body: body)
            context.console.write(Detail(object: key, human: { ($0["key"]?.text ?? "") + "\n" }).text(as: output.format))
        }
    }

    struct Remove: Verb {
        static let configuration = CommandConfiguration(
            commandName: "rm", abstract: "Revoke keys; they stop working at once.", discussion: "EXAMPLE: suanpan key rm 0a1b2c3d")

        @Argument(help: "Ids of keys.")
        var keys: [String]

        @OptionGroup var connection: ConnectionOptions

        func perform(in context: CommandContext) async throws {
            let client = try context.client(connection)
            for key in keys { _ = try await client.send(.delete, "/v1/keys/\(CoordinatorClient.escape(key))") }
        }
    }
}
