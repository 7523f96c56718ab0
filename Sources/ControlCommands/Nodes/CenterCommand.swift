import ArgumentParser
import ClusterModel

struct CenterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "center", abstract: "List centers (sites) and what their nodes have.",
        discussion: "A node's center comes from its join token: suanpan node token --center.\n\nEXAMPLE: suanpan center ls",
        subcommands: [List.self, Show.self])

    struct List: Verb {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "List centers.", discussion: "EXAMPLE: suanpan center ls -o json")

        @OptionGroup var output: OutputOptions
        @OptionGroup var connection: ConnectionOptions

        func perform(in context: CommandContext) async throws {
            let page = try await context.client(connection).get("/v1/centers")
            let listing = Listing(page: page, identifier: "id", table: CenterCommand.table)
            context.console.write(listing.text(as: output.format, hasColour: context.console.hasColour))
            guard page["items"]?.items?.isEmpty == true, output.format == .table || output.format == .wide else { return }
            context.console.note("No node is in a center; a join token says so: suanpan node token --center NAME")
        }
    }

    struct Show: Verb {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show one center.", discussion: "EXAMPLE: suanpan center show bj")

        @Argument(help: "Center.")
        var center: String

        @OptionGroup var output: OutputOptions
        @OptionGroup var connection: ConnectionOptions

        func perform(in context: CommandContext) async throws {
            let page = try await context.client(connection).get("/v1/centers")
            guard let object = page["items"]?.items?.first(where: { $0["id"]?.text == center }) else {
                throw CommandFailure(.notFound, "there is no center '\(center)'", remedy: "suanpan center ls lists them")
            }
            context.console.write(Detail(object: object, identifier: "id", human: Facts.text).text(as: output.format))
        }
    }

    private static func table(of centers: [JSONValue]) -> Table {
        var table = Table([
            .init("CENTER"), .init("NAME"), .init("PROVINCE"), .init("CITY"), .init("INTERNET"), .init("NODES", isRightAligned: true),
            .init("CPUS", isRightAligned: true), .init("DEVICES", isRightAligned: true), .init("CU", isRightAligned: true),
        ])
        for center in centers {
            table.append([
                .init(center["id"]?.text ?? "-"), .init(center["name"]?.text ?? "-"), .init(center["province"]?.text ?? "-"),
                .init(center["city"]?.text ?? "-"), .init(center["netAccess"]?.flag == true ? "yes" : "no"),
                .init("\(center["nodesReady"]?.scalarText ?? "0")/\(center["nodes"]?.scalarText ?? "0")"),
                .init(Humanized.cores(milli: center["cpuMilliTotal"]?.integer ?? 0)), .init(center["devices"]?.scalarText ?? "0"),
                .init(Humanized.milli(center["computeUnitsMilliTotal"]?.integer ?? 0)),
            ])
        }
        return table
    }
}
