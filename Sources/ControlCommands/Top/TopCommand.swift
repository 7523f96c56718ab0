import ArgumentParser

struct TopCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "top", abstract: "Watch the cluster: what is in use, what waits, the busiest nodes, the running jobs.",
        discussion: """
            Refreshes every two seconds on a terminal until q or Ctrl-C; elsewhere, with --once or another form of output, it \
            prints one picture.

            EXAMPLE: suanpan top --once
            """)

    @Flag(help: "Print one picture and end.")
    var once = false

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func perform(in context: CommandContext) async throws {
        let client = try context.client(connection)
        let console = context.console
        guard output.format == .table || output.format == .wide, console.outputIsTerminal, !once else {
            let picture = try await TopPicture.take(from: client)
            let text = Detail(object: picture.json) { _ in picture.text(now: .now(), rows: nil, hasColour: console.hasColour) }
            return console.write(text.text(as: output.format))
        }
        try await TopSession(client: client, console: console).run()
    }
}
