import ArgumentParser
import ClusterModel

struct UpdateCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Change what a job asks of the queue.",
        discussion: """
            What is not named stays; `none` takes a bound away. A time limit changes only while nothing of the job runs.

            EXAMPLE: suanpan update 12 --priority 10 --deadline 18:00 --max-pending none
            """)

    @Argument(help: "Job by number, or last.")
    var job: String

    @Option(parsing: .unconditional, help: ArgumentHelp("-1000 … 1000, higher first.", valueName: "n"))
    var priority: Int64?

    @Option(parsing: .unconditional, help: ArgumentHelp("Stop its tasks after this long.", valueName: "span"))
    var timeLimit: String?

    @Option(parsing: .unconditional, help: ArgumentHelp("It will run about this long.", valueName: "span"))
    var estimate: String?

    @Option(parsing: .unconditional, help: ArgumentHelp("Stop it, or never start it, after this.", valueName: "time"))
    var deadline: String?

    @Option(parsing: .unconditional, help: ArgumentHelp("Give it up if nothing has started after this long.", valueName: "span"))
    var maxPending: String?

    @Option(parsing: .singleValue, help: ArgumentHelp("Set a label; may be repeated.", valueName: "k=v"))
    var label: [String] = []

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func perform(in context: CommandContext) async throws {
        var change = JSONObject()
        if let priority { change["priority"] = .integer(priority) }
        for (name, value) in [("timeLimit", timeLimit), ("estimate", estimate), ("maxPending", maxPending)] {
            if let value { change[name] = .string(value) }
        }
        if let deadline {
            change["deadline"] = .string(deadline == "none" ? deadline : try BeginTime.parse(deadline, now: .now()).rfc3339)
        }
        guard !change.members.isEmpty || !label.isEmpty else {
            throw CommandFailure(.usage, "nothing to change was named", remedy: "see suanpan update --help")
        }
        let client = try context.client(connection)
        let id = try await JobSelector.resolve(job, through: client)
        if !label.isEmpty { change["labels"] = try await labels(of: id, client) }
        let changed = try await client.send(.patch, "/v1/jobs/\(id)", body: .object(change))
        context.console.write(
            Detail(object: changed) { "job \($0["id"]?.scalarText ?? id) changed; \(JobOutcome.sentence($0))\n" }.text(as: output.format))
    }

    /// Those that it has, with those that are named.
    private func labels(of job: String, _ client: CoordinatorClient) async throws(CommandFailure) -> JSONValue {
        let known = try await client.get("/v1/jobs/\(job)")["labels"]
        guard case .object(var labels) = known ?? [:] else { return known ?? .null }
        for text in label {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else { throw CommandFailure(.usage, "--label: '\(text)' — expected NAME=VALUE") }
            labels[parts[0]] = .string(parts[1])
        }
        return .object(labels)
    }
}

struct HoldCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "hold", abstract: "Start nothing more of jobs until they are released; what runs goes on.",
        discussion: "EXAMPLE: suanpan hold 12 13")

    @Argument(help: "Jobs by number, or last.")
    var jobs: [String]

    @OptionGroup var connection: ConnectionOptions

    func perform(in context: CommandContext) async throws {
        try await JobHold.set(true, on: jobs, done: "held", through: try context.client(connection), context.console)
    }
}

struct ReleaseCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Let jobs start that were held.", discussion: "EXAMPLE: suanpan release 12")

    @Argument(help: "Jobs by number, or last.")
    var jobs: [String]

    @OptionGroup var connection: ConnectionOptions

    func perform(in context: CommandContext) async throws {
        try await JobHold.set(false, on: jobs, done: "released", through: try context.client(connection), context.console)
    }
}

private enum JobHold {
    /// Every job is asked, whatever became of the one before; the first failure's code counts.
    static func set(_ hold: Bool, on jobs: [String], done: String, through client: CoordinatorClient, _ console: Console) async throws {
        var first: ExitStatus?
        for job in try await JobSelector.resolve(jobs, through: client) {
            do throws(CommandFailure) {
                _ = try await client.send(.patch, "/v1/jobs/\(job)", body: ["hold": .bool(hold)])
                console.note("job \(job) \(done)")
            } catch {
                console.report(error)
                first = first ?? error.status
            }
        }
        if let first { throw ExitCode(first.rawValue) }
    }
}
