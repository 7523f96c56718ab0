import ArgumentParser
import Glibc

struct SubmitCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "submit", abstract: "Queue a job and print its id.",
        discussion: """
            Standard output holds the id and nothing else.

            EXAMPLE: suanpan submit --cpus 4 --memory 8GiB --gpus 1 --time-limit 2h -- python3 train.py
            """)

    @OptionGroup var options: SubmitOptions
    @OptionGroup var connection: ConnectionOptions
    @Option(name: .customShort("o"), help: "What to print of the new job.")
    var format: ReceiptFormat = .id

    @Option(
        help: ArgumentHelp(
            "Submit only if the cluster is still at the version that a plan was made for; exit code 5 if not.", valueName: "version"))
    var ifRevision: UInt64?

    func perform(in context: CommandContext) async throws {
        let (job, _) = try await JobSubmission.submit(options, ifRevision: ifRevision, context.console) { () throws(CommandFailure) in
            try context.client(connection)
        }
        context.console.write(format.text(of: job))
    }
}

/// Submitting, as `submit` and `run` do it.
enum JobSubmission {
    /// What can be wrong here is said before a coordinator is looked for. The client that comes back knows of the write.
    static func submit(
        _ options: SubmitOptions, ifRevision requiredRevision: UInt64? = nil, _ console: Console,
        connect: () throws(CommandFailure) -> CoordinatorClient
    ) async throws(CommandFailure) -> (job: JSONValue, client: CoordinatorClient) {
        let (body, client) = try await body(options, connect: connect)
        let travelling = try await JobInputs.upload(body, through: client, console)
        let job = try await client.send(
            .post, "/v1/jobs", query: requiredRevision.map { [("ifRevision", String($0))] } ?? [], body: travelling,
            idempotencyKey: options.idempotencyKey)
        guard job["id"]?.scalarText != nil else {
            throw CommandFailure(.failed, "the coordinator accepted the job but did not name it")
        }
        return (job, client)
    }

    /// The job as it is sent but for its local inputs, and whom to send it to.
    static func body(
        _ options: SubmitOptions, connect: () throws(CommandFailure) -> CoordinatorClient
    ) async throws(CommandFailure) -> (body: JSONValue, client: CoordinatorClient) {
        let file = try options.file.map { path throws(CommandFailure) in try JobFile.read(path) }
        let options = try await resolved(options, connect)
        let now = Timestamp.now()
        let surroundings = JobRequest.Surroundings(
            now: now, currentDirectory: currentDirectory(), clockOffset: BeginTime.clockOffset(at: now))
        let body = try JobRequest.body(options: options, file: file, surroundings: surroundings)
        return (body, try connect())
    }

    /// `last` among the dependencies becomes a number; all else is left to be judged with the body.
    private static func resolved(
        _ options: SubmitOptions, _ connect: () throws(CommandFailure) -> CoordinatorClient
    ) async throws(CommandFailure) -> SubmitOptions {
        var options = options
        for list in [\SubmitOptions.after, \.afterOk, \.afterAny, \.afterFail] {
            for index in options[keyPath: list].indices where options[keyPath: list][index] == "last" {
                options[keyPath: list][index] = try await JobSelector.resolve("last", through: try connect())
            }
        }
        return options
    }

    private static func currentDirectory() -> String {
        guard let path = getcwd(nil, 0) else { return "" }
        defer { free(path) }
        return String(cString: path)
    }
}
