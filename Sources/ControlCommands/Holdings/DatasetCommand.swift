import ArgumentParser
import ClusterModel

struct DatasetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dataset", abstract: "Data sets by name and version, which never change: create, list, remove.",
        discussion: "EXAMPLE: suanpan dataset create digits@v1 ./digits",
        subcommands: [List.self, Show.self, Create.self, Remove.self])

    /// `NAME@VERSION` as the path of the resource.
    fileprivate static func path(_ text: String) throws(CommandFailure) -> String {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, parts.allSatisfy(ObjectName.isValid) else {
            throw CommandFailure(.usage, "'\(text)': expected NAME@VERSION, such as digits@v1")
        }
        return "/v1/datasets/\(CoordinatorClient.escape(parts[0]))/versions/\(CoordinatorClient.escape(parts[1]))"
    }

    struct List: Verb {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "List data sets.", discussion: "EXAMPLE: suanpan dataset ls")

        @OptionGroup var output: OutputOptions
        @OptionGroup var connection: ConnectionOptions

        func perform(in context: CommandContext) async throws {
            let page = try await context.client(connection).list("/v1/datasets", limit: nil)
            let listing = Listing(page: page, identifier: "name") { versions in
                var table = Table([
                    .init("NAME"), .init("VERSION"), .init("FILES", isRightAligned: true), .init("SIZE", isRightAligned: true),
                    .init("AGE", isRightAligned: true),
                ])
                for version in versions {
                    table.append([
                        .init(version["name"]?.text ?? "-"), .init(version["version"]?.text ?? "-"),
                        .init(version["files"]?.scalarText ?? "-"), .init(version["size"]?.integer.map(Humanized.bytes) ?? "-"),
                        .init(Instants.age(version["createdAt"], now: .now())),
                    ])
                }
                return table
            }
            context.console.write(listing.text(as: output.format, hasColour: context.console.hasColour))
        }
    }

    struct Show: Verb {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show a version of a data set.", discussion: "EXAMPLE: suanpan dataset show digits@v1")

        @Argument(help: ArgumentHelp("The version.", valueName: "name@version"))
        var version: String

        @OptionGroup var output: OutputOptions
        @OptionGroup var connection: ConnectionOptions

        func perform(in context: CommandContext) async throws {
            let object = try await context.client(connection).get(try DatasetCommand.path(version))
            context.console.write(Detail(object: object, identifier: "name", human: Facts.text).text(as: output.format))
        }
    }

    struct Create: Verb {
        static let configuration = CommandConfiguration(
            commandName: "create", abstract: "Upload a file or directory as a new version.",
            discussion: """
                Jobs get it with --input dataset:NAME@VERSION:DST, read-only. The same files under the same version again are no \
                error; other files are.

                EXAMPLE: suanpan dataset create digits@v1 ./digits
                """)

        @Argument(help: ArgumentHelp("Name and version.", valueName: "name@version"))
        var version: String

        @Argument(help: "A file or directory of this machine.")
        var path: String

        @OptionGroup var output: OutputOptions
        @OptionGroup var connection: ConnectionOptions

        func perform(in context: CommandContext) async throws {
            let resource = try DatasetCommand.path(version)
            let local = try await LocalTree.read(path)
            let client = try context.client(connection)
            let tree = try await FileTransfer(client: client, console: context.console).upload(local)
            let object = try await client.send(.put, resource, body: ["tree": .string(tree.text)])
            context.console.write(Detail(object: object, identifier: "name", human: Facts.text).text(as: output.format))
        }
    }

    struct Remove: Verb {
        static let configuration = CommandConfiguration(
            commandName: "rm", abstract: "Remove versions; jobs that were submitted with them keep them.",
            discussion: "EXAMPLE: suanpan dataset rm digits@v1")

        @Argument(help: ArgumentHelp("Versions.", valueName: "name@version"))
        var versions: [String]

        @OptionGroup var connection: ConnectionOptions

        func perform(in context: CommandContext) async throws {
            let paths = try versions.map { version throws(CommandFailure) in try DatasetCommand.path(version) }
            let client = try context.client(connection)
            for path in paths { _ = try await client.send(.delete, path) }
        }
    }
}
