import ArgumentParser
import ClusterModel
import Glibc

struct SecretCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secret", abstract: "Secrets for jobs: set, list and remove. No one can read them back.",
        discussion: "EXAMPLE: suanpan secret set registry-token < token.txt", subcommands: [List.self, Set.self, Remove.self])

    struct List: Verb {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "List the names of secrets.", discussion: "EXAMPLE: suanpan secret ls")

        @OptionGroup var output: OutputOptions
        @OptionGroup var connection: ConnectionOptions

        func perform(in context: CommandContext) async throws {
            let page = try await context.client(connection).list("/v1/secrets", limit: nil)
            let listing = Listing(page: page, identifier: "name") { secrets in
                var table = Table([.init("NAME"), .init("SET", isRightAligned: true)])
                for secret in secrets {
                    table.append([.init(secret["name"]?.text ?? "-"), .init(Instants.age(secret["setAt"], now: .now()))])
                }
                return table
            }
            context.console.write(listing.text(as: output.format, hasColour: context.console.hasColour))
        }
    }

    struct Set: Verb {
        static let configuration = CommandConfiguration(
            commandName: "set", abstract: "Set a secret from standard input or a file.",
            discussion: """
                Of what comes from standard input a newline at the end is dropped; a file is taken as it is. Jobs get it with \
                --secret NAME as a file in SUANPAN_SECRETS_DIR, with --secret NAME:VARIABLE in their environment.

                EXAMPLE: suanpan secret set registry-token < token.txt
                """)

        @Argument(help: "Name of the secret.")
        var name: String

        @Option(help: ArgumentHelp("Take the value from this file.", valueName: "file"))
        var fromFile: String?

        @OptionGroup var connection: ConnectionOptions

        func perform(in context: CommandContext) async throws {
            let limit = 48 << 10
            let content =
                fromFile.map { FileContent.read(path: $0, limit: limit) } ?? FileContent.read(descriptor: STDIN_FILENO, limit: limit)
            guard var content else {
                throw CommandFailure(
                    .usage, "\(fromFile ?? "standard input"): \(errno == EFBIG ? "a secret has at most 48 KiB" : SystemError.text(errno))")
            }
            if fromFile == nil, content.last == 0x0A { content.removeLast() }
            guard let text = String(validating: content, as: UTF8.self), !text.isEmpty else {
                throw CommandFailure(.usage, "the secret is empty, or not UTF-8")
            }
            _ = try await context.client(connection).send(
                .put, "/v1/secrets/\(CoordinatorClient.escape(name))", body: ["value": .string(text)])
            context.console.note("secret \(name) set")
        }
    }

    struct Remove: Verb {
        static let configuration = CommandConfiguration(
            commandName: "rm", abstract: "Remove secrets; jobs that wait start without them.",
            discussion: "EXAMPLE: suanpan secret rm registry-token")

        @Argument(help: "Names of secrets.")
        var names: [String]

        @OptionGroup var connection: ConnectionOptions

        func perform(in context: CommandContext) async throws {
            let client = try context.client(connection)
            for name in names { _ = try await client.send(.delete, "/v1/secrets/\(CoordinatorClient.escape(name))") }
        }
    }
}
