import ArgumentParser

struct ExplainCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Say why a job does not run, when it may, and what would let it start now.",
        discussion: """
            First the one cause that counts, then what goes before it, when it may start, why each class of nodes does not take it, and every
            change of the job that alone would let it start at once.

            EXAMPLE: suanpan explain 12
            """)

    @Argument(help: "Job by number, or last.")
    var job: String

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func perform(in context: CommandContext) async throws {
        let client = try context.client(connection)
        let id = try await JobSelector.resolve(job, through: client)
        let explanation = try await client.get("/v1/jobs/\(id)/explain")
        context.console.write(Detail(object: explanation, identifier: "job") { Self.text(of: $0, now: .now()) }.text(as: output.format))
    }

    /// The coordinator's sentence first, then the state that it explains.
    static func text(of explanation: JSONValue, now: Timestamp) -> String {
        let sentence = explanation["explanation"]?.text ?? JobOutcome.sentence(explanation)
        var facts: [(name: String, value: String?)] = [
            ("Job", explanation["job"]?.scalarText), ("State", JobOutcome.sentence(explanation)),
        ]
        if let total = explanation["tasks"]?["total"]?.integer, total > 1 {
            facts.append(("Tasks", JobsCommand.tasks(explanation["tasks"])))
        }
        facts += ForesightText.facts(of: explanation, now: now)
        if let first = explanation["firstExpectedStart"]?.text.flatMap({ Timestamp(rfc3339: $0) }) {
            facts.append(("First expected", first.shortText(now: now)))
        }
        return Printable.line(sentence) + "\n\n" + Facts.text(facts) + ForesightText.nodes(of: explanation)
            + ForesightText.changes(of: explanation)
    }
}
