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
    @Option(name: [.customShort("o"), .customLong("output")], help: "id, json, yaml or jsonl.")
    var format: OutputFormat = .id

    func perform(in context: CommandContext) async throws {
        let client = try context.client(connection)
        let job = try await JobSubmission.submit(options, through: client)
        context.console.write(Detail(object: job, human: { ($0["id"]?.scalarText ?? "") + "\n" }).text(as: format))
    }
}

/// Submitting, as `submit` and `run` do it.
enum JobSubmission {
    static func submit(_ options: SubmitOptions, through client: CoordinatorClient) async throws(CommandFailure) -> JSONValue {
        var options = options
        // The file is judged first: no request goes out for a job that cannot be one.
        let file = try options.file.map { path throws(CommandFailure) in try JobFile.read(path) }
        options.after = try await JobSelector.resolve(options.after, through: client)
        options.afterOk = try await JobSelector.resolve(options.afterOk, through: client)
        options.afterAny = try await JobSelector.resolve(options.afterAny, through: client)
        options.afterFail = try await JobSelector.resolve(options.afterFail, through: client)
        let surroundings = JobRequest.Surroundings(now: .now(), currentDirectory: currentDirectory())
        let body = try JobRequest.body(options: options, file: file, surroundings: surroundings)
        let job = try await client.send(.post, "/v1/jobs", body: body, idempotencyKey: options.idempotencyKey)
        guard job["id"]?.scalarText != nil else {
            throw CommandFailure(.failed, "the coordinator accepted the job but did not name it")
        }
        return job
    }

    private static func currentDirectory() -> String {
        guard let path = getcwd(nil, 0) else { return "" }
        defer { free(path) }
        return String(cString: path)
    }
}
