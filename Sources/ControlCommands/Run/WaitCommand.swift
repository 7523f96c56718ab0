import ArgumentParser

struct WaitCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "wait", abstract: "Wait until jobs have ended; exit like them, the largest code counting.",
        discussion: "EXAMPLE: suanpan wait 12 13 && echo both succeeded")

    @Argument(help: "Jobs by number, or last.")
    var jobs: [String]

    @OptionGroup var connection: ConnectionOptions

    func perform(in context: CommandContext) async throws {
        try await PlatformFailure.mapped(in: context) {
            let client = try context.client(connection)
            let jobs = try await JobSelector.resolve(jobs, through: client)
            let patient = client.patient()
            var largest: Int32 = 0
            // One after the other is as good as all at once: the verb ends with the last, in whatever order they end.
            for job in jobs {
                let ended = try await Self.end(of: job, through: patient)
                let code = JobOutcome.exitCode(ended)
                if code != 0 {
                    let cause = await JobOutcome.cause(of: ended, exitCode: code, through: patient)
                    context.console.note("job \(job) \(JobOutcome.sentence(ended))\(cause)")
                }
                largest = max(largest, code)
            }
            return largest
        }
    }

    /// The job once it has ended.
    static func end(of job: String, through client: CoordinatorClient) async throws(CommandFailure) -> JSONValue {
        var delay = Duration.milliseconds(25)
        while true {
            let state = try await client.get("/v1/jobs/\(job)")
            if JobOutcome.isTerminal(state) { return state }
            do { try await Task.sleep(for: delay) } catch { throw CommandFailure(.failed, "interrupted") }
            delay = min(delay * 3 / 2, .seconds(1))
        }
    }
}
