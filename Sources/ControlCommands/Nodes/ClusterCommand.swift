import ArgumentParser

struct ClusterCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "cluster", abstract: "Show the cluster's totals.", discussion: "EXAMPLE: suanpan cluster -o json")

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func perform(in context: CommandContext) async throws {
        let cluster = try await context.client(connection).get("/v1/cluster")
        context.console.write(Detail(object: cluster, human: Facts.text).text(as: output.format))
    }
}
