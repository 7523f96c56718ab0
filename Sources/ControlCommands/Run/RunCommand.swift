import ArgumentParser
import Glibc

struct RunCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Submit a job, follow its output, and exit like it.",
        discussion: """
            Exits with the job's code: 128+n for signal n, 124 at its time limit, 126 or 127 when the command cannot be executed \
            or is not found, 125 when the platform fails. Ctrl-C cancels the job; a second one leaves at once.

            EXAMPLE: suanpan run --gpus 1 -- python3 train.py --epochs 3
            """)

    @OptionGroup var options: SubmitOptions
    @OptionGroup var connection: ConnectionOptions

    func perform(in context: CommandContext) async throws {
        try await perform(in: context, interrupts: Interrupts.stream(of: [SIGINT, SIGTERM]))
    }

    /// As `perform(in:)`, with signals from elsewhere.
    func perform(in context: CommandContext, interrupts: @autoclosure () -> AsyncStream<Int32>) async throws {
        try await PlatformFailure.mapped(in: context) {
            let (submitted, client) = try await JobSubmission.submit(options, context.console) { () throws(CommandFailure) in
                try context.client(connection)
            }
            let job = submitted["id"]?.scalarText ?? ""
            let follower = JobFollower(client: client.patient(), console: context.console, job: job, options: FollowOptions())
            do throws(JobFollower.Failure) {
                let result = try await follower.follow(interrupts: interrupts())
                return await report(result, job: job, client, in: context)
            } catch {
                switch error {
                case .command(let failure): throw failure
                case .abandoned:
                    let isCancelled = await follower.cancelBeforeLeaving()
                    let fate = isCancelled ? "is being cancelled" : "could not be cancelled and goes on by itself"
                    context.console.note("suanpan: job \(job) \(fate); look again with `suanpan show \(job)`")
                    return JobOutcome.interrupted
                }
            }
        }
    }

    private func report(_ result: JobFollower.Result, job: String, _ client: CoordinatorClient, in context: CommandContext) async -> Int32 {
        var code = JobOutcome.exitCode(result.job)
        if result.wasInterrupted, result.job["state"]?.text == "cancelled", code == JobOutcome.platformFailure {
            code = JobOutcome.interrupted
        }
        // The job's own words usually say it; what it could not say is said here.
        if code != 0, result.job["reason"]?.text != "exit_code" || code >= 126 {
            let cause = await JobOutcome.cause(of: result.job, exitCode: code, through: client)
            context.console.note("suanpan: job \(job) \(JobOutcome.sentence(result.job))\(cause)")
        }
        return code
    }
}

/// `run` and `wait` keep the small codes for jobs: whatever fails of themselves is 125, but usage stays 2.
enum PlatformFailure {
    static func mapped(in context: CommandContext, _ body: () async throws -> Int32) async throws {
        let code: Int32
        do {
            code = try await body()
        } catch let failure as CommandFailure {
            context.console.report(failure)
            throw ExitCode(failure.status == .usage ? failure.status.rawValue : JobOutcome.platformFailure)
        }
        if code != 0 { throw ExitCode(code) }
    }
}
