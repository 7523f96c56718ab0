/// Stops all jobs of a coordinator through its API, each with its grace.
struct JobShutdown: Sendable {
    let client: CoordinatorClient
    let say: @Sendable (String) -> Void

    static let liveStates = "queued,starting,running,stopping"
    /// Where a job does not say: the interface's default.
    static let defaultGraceSeconds: Int64 = 30
    /// Beyond the longest grace: kill, report, commit.
    static let slackSeconds: Int64 = 5

    /// How many had not ended when their time was over. Failures to ask are said once and waited out.
    func run() async -> Int {
        guard let jobs = await live() else { return 0 }
        guard !jobs.isEmpty else { return 0 }
        let grace = jobs.map(Self.graceSeconds).max() ?? Self.defaultGraceSeconds
        let limit = Humanized.duration(seconds: grace + Self.slackSeconds)
        say("Stopping \(Humanized.count(jobs.count, "job")), for at most \(limit); Ctrl-C again kills.")
        for job in jobs {
            guard let id = job["id"]?.scalarText, !Task.isCancelled else { continue }
            do throws(CommandFailure) {
                _ = try await client.send(.post, "/v1/jobs/\(id)/cancel")
            } catch {
                if error.status != .conflict { say("Job \(id): \(error.message)") }
            }
        }
        return await waitForEnd(of: jobs.count, until: ContinuousClock.now + .seconds(grace + Self.slackSeconds))
    }

    private func waitForEnd(of count: Int, until deadline: ContinuousClock.Instant) async -> Int {
        var left = count
        var pause = Duration.milliseconds(50)
        while !Task.isCancelled {
            if let now = await live()?.count {
                if now < left, now > 0 { say("\(Humanized.count(now, "job")) left") }
                left = now
            }
            if left == 0 || ContinuousClock.now >= deadline { return left }
            try? await Task.sleep(for: pause)
            pause = min(pause * 3 / 2, .milliseconds(500))
        }
        return left
    }

    private func live() async -> [JSONValue]? {
        do throws(CommandFailure) {
            return try await client.list("/v1/jobs", query: [("state", Self.liveStates)], limit: nil)["items"]?.items ?? []
        } catch {
            if !Task.isCancelled { say("The jobs are not known: \(error.message)") }
            return nil
        }
    }

    static func graceSeconds(of job: JSONValue) -> Int64 {
        job["graceSeconds"]?.integer ?? job["checkpoint"]?["graceSeconds"]?.integer ?? defaultGraceSeconds
    }
}
