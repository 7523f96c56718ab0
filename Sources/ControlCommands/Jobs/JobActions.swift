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
