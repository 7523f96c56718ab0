import ArgumentParser

struct CancelCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Stop jobs: a signal, their grace, then the kill.", discussion: "EXAMPLE: suanpan cancel 12 13")

    @Argument(help: "Jobs by number, or last.")
    var jobs: [String]

    @OptionGroup var connection: ConnectionOptions

    /// Every job is asked, whatever became of the one before; the first failure's code counts.
    func perform(in context: CommandContext) async throws {
        let client = try context.client(connection)
        var first: ExitStatus?
        for job in try await JobSelector.resolve(jobs, through: client) {
            do throws(CommandFailure) {
                let answer = try await client.send(.post, "/v1/jobs/\(job)/cancel")
                let state = answer["state"]?.text ?? "stopping"
                let hadEnded = JobOutcome.isTerminal(answer) && state != "cancelled"
                context.console.note(hadEnded ? "job \(job) had already ended: \(state)" : "job \(job) \(state)")
            } catch {
                context.console.report(error)
                first = first ?? error.status
            }
        }
        if let first { throw ExitCode(first.rawValue) }
    }
}

struct RetryCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Submit an ended job again, as a new job, and print its id.",
        discussion: "EXAMPLE: suanpan retry last")

    @Argument(help: "Job by number, or last.")
    var job: String

    @Option(name: [.customShort("o"), .customLong("output")], help: "What to print of the new job.")
    var format: ReceiptFormat = .id

    @OptionGroup var connection: ConnectionOptions

    func perform(in context: CommandContext) async throws {
        let client = try context.client(connection)
        let id = try await JobSelector.resolve(job, through: client)
        let new = try await client.send(.post, "/v1/jobs/\(id)/retry")
        context.console.write(format.text(of: new))
    }
}

struct ExplainCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Say why a job does not run, and what would change that.",
        discussion: "EXAMPLE: suanpan explain 12")

    @Argument(help: "Job by number, or last.")
    var job: String

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func perform(in context: CommandContext) async throws {
        let client = try context.client(connection)
        let id = try await JobSelector.resolve(job, through: client)
        let explanation = try await client.get("/v1/jobs/\(id)/explain")
        context.console.write(Detail(object: explanation, human: Self.text).text(as: output.format))
    }

    /// The coordinator's sentence first, then the state that it explains.
    static func text(of explanation: JSONValue) -> String {
        let sentence = explanation["explanation"]?.text ?? JobOutcome.sentence(explanation)
        var facts: [(name: String, value: String?)] = [
            ("Job", explanation["job"]?.scalarText), ("State", JobOutcome.sentence(explanation)),
        ]
        if let total = explanation["tasks"]?["total"]?.integer, total > 1 {
            facts.append(("Tasks", JobsCommand.tasks(explanation["tasks"])))
        }
        if let start = explanation["expectedStart"]?.text { facts.append(("Expected start", start)) }
        if let first = explanation["firstExpectedStart"]?.text { facts.append(("First expected", first)) }
        return Printable.line(sentence) + "\n\n" + Facts.text(facts)
    }
}
