import ArgumentParser

struct LogsCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Print a job's output: its stdout to stdout, its stderr to stderr.",
        discussion: """
            Lines of a job of several tasks begin with the task's index. Output is kept after the job has ended.

            EXAMPLE: suanpan logs -f --task 3 last
            """)

    @Argument(help: "Job by number, or last; JOB.INDEX is one task of it.")
    var job: String

    @Flag(name: [.customShort("f"), .customLong("follow")], help: "Go on until the job has ended.")
    var follow = false

    @Option(parsing: .unconditional, help: ArgumentHelp("Only this task.", valueName: "index"))
    var task: UInt32?

    @Option(parsing: .unconditional, help: ArgumentHelp("This attempt. Default: the last.", valueName: "n"))
    var attempt: UInt32?

    @Flag(help: "Only stdout.")
    var stdout = false

    @Flag(help: "Only stderr.")
    var stderr = false

    @Option(parsing: .unconditional, help: ArgumentHelp("Begin with the last lines.", valueName: "n"))
    var tail: Int?

    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        if let tail, tail < 0 { throw ValidationError("--tail: expected at least 0") }
    }

    private var streams: [LogRequest.Stream] {
        stdout == stderr ? [.stdout, .stderr] : stdout ? [.stdout] : [.stderr]
    }

    func perform(in context: CommandContext) async throws {
        let (job, index) = try JobSelector.parts(of: job)
        guard index == nil || task == nil || index == task else {
            throw CommandFailure(.usage, "'\(self.job)' and --task \(task ?? 0) are two tasks")
        }
        let client = try context.client(connection)
        let id = try await JobSelector.resolve(job, through: client)
        let task = index ?? task
        guard follow else { return try await printPresent(id, task: task, client, context) }
        var options = FollowOptions()
        options.streams = streams
        options.task = task.map(Int64.init)
        options.attempt = attempt.map(Int64.init)
        options.tail = tail
        options.fromFirstAttempt = attempt != nil
        // Redirected, standard error is the job's alone.
        options.showsWaiting = context.console.errorsIsTerminal
        let follower = JobFollower(client: client.patient(), console: context.console, job: id, options: options)
        do throws(JobFollower.Failure) {
            _ = try await follower.follow(interrupts: nil)
        } catch {
            if case .command(let failure) = error { throw failure }
        }
    }

    /// What there is now.
    private func printPresent(
        _ job: String, task: UInt32?, _ client: CoordinatorClient, _ context: CommandContext
    ) async throws(CommandFailure) {
        for stream in streams {
            let request = LogRequest(
                job: job, task: task.map(Int64.init), attempt: attempt.map(Int64.init), stream: stream, follow: false, tail: tail)
            let sink = stream == .stdout ? context.console.output : context.console.errors
            do throws(LogInterruption) {
                try await client.readLog(request) { sink.write($0) }
            } catch {
                switch error {
                case .refused(let failure): throw failure
                case .lost(let reason): throw CommandFailure(.unreachable, "the output stops short: \(reason)")
                case .cancelled: throw CommandFailure(.failed, "interrupted")
                }
            }
        }
    }
}
