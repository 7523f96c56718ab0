// Follows a job to its end: its state by asking, its output by streams. One loop owns all that changes; streams,
// timers and signals only send it events.

/// What is shown of a job while it lives.
struct FollowOptions: Sendable {
    var streams: [LogRequest.Stream] = [.stdout, .stderr]
    /// Only this task.
    var task: Int64?
    /// Only this attempt.
    var attempt: Int64?
    var tail: Int?
    /// Earlier attempts are shown too.
    var fromFirstAttempt = true
    /// Say on standard error why nothing has started yet.
    var showsWaiting = true
}

struct JobFollower: Sendable {
    let client: CoordinatorClient
    let console: Console
    let job: String
    let options: FollowOptions

    /// How long the output of an ended job may stand still before it is given up.
    static let drainTimeMax = Duration.seconds(10)
    static let quietQueueing = Duration.seconds(2)

    /// How it went.
    struct Result: Sendable {
        var job: JSONValue
        var wasInterrupted: Bool
    }

    enum Failure: Error, Sendable {
        /// The second interrupt.
        case abandoned
        case command(CommandFailure)
    }

    /// Ends when the job has ended and its output is passed on.
    func follow(interrupts: AsyncStream<Int32>?) async throws(Failure) -> Result {
        let (events, continuation) = AsyncStream.makeStream(of: FollowLoop.Event.self)
        let outcome = await withTaskGroup(of: Swift.Result<Result, Failure>?.self) { group in
            group.addTask { await runLoop(events, continuation) }
            // Beside the loop, which may be waiting for a coordinator that does not answer.
            group.addTask { [interrupts] in await obey(interrupts, continuation) ? .failure(.abandoned) : nil }
            defer { group.cancelAll() }
            for await outcome in group {
                if let outcome { return outcome }
            }
            preconditionFailure("a follow loop ended without a result")
        }
        return try outcome.get()
    }

    private func runLoop(
        _ events: AsyncStream<FollowLoop.Event>, _ continuation: AsyncStream<FollowLoop.Event>.Continuation
    ) async -> Swift.Result<Result, Failure> {
        await withTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            var loop = FollowLoop(follower: self, events: continuation)
            do throws(Failure) {
                return .success(try await loop.run(events, &group))
            } catch {
                return .failure(error)
            }
        }
    }

    /// The first interrupt cancels the job, and the loop goes on and sees it end; the second makes this return true.
    private func obey(_ interrupts: AsyncStream<Int32>?, _ events: AsyncStream<FollowLoop.Event>.Continuation) async -> Bool {
        guard let interrupts else { return false }
        return await withTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            var count = 0
            for await _ in interrupts {
                count += 1
                guard count == 1 else { return true }
                events.yield(.interrupt)
                console.clearLine()
                console.note("suanpan: cancelling job \(job); Ctrl-C again leaves at once")
                group.addTask { await cancelJob() }
            }
            return false
        }
    }

    /// Whoever leaves may have done so before the coordinator heard of the cancellation: asked once more, for a second.
    func cancelBeforeLeaving() async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { (try? await client.send(.post, "/v1/jobs/\(job)/cancel")) != nil }
            group.addTask {
                try? await Task.sleep(for: .seconds(1))
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
    }

    private func cancelJob() async {
        do throws(CommandFailure) {
            _ = try await client.send(.post, "/v1/jobs/\(job)/cancel")
        } catch {
            // It ended by itself in the meantime, or we are leaving.
            if error.status != .conflict, !Task.isCancelled { console.report(error) }
        }
    }
}

/// The state of one `follow`.
private struct FollowLoop {
    enum Event: Sendable {
        case tick(Int)
        /// The coordinator ended the streams of the source that flows.
        case drained
        case interrupt
    }

    /// What flows at one time: one attempt of one task, or, of a job of several tasks, the whole job.
    struct Source: Hashable, Sendable {
        var task: Int64?
        var attempt: Int64?
    }

    typealias Group = TaskGroup<Void>

    private static let shortPause = Duration.milliseconds(25)
    private static let longPause = Duration.seconds(1)

    private let follower: JobFollower
    private let events: AsyncStream<Event>.Continuation
    private let began = ContinuousClock.now
    private var waiting: WaitingLine

    /// Sources that wait for their turn, and the one that flows.
    private var pending: [Source] = []
    private var active: Source?
    private var positions: [Source: [StreamPosition]] = [:]
    private var lastAttempt: Int64 = 0
    /// Streams have ended since the last look: whether with everything, the attempt's end tells.
    private var hasDrained = false
    /// Attempts whose output was asked for once more, since not all of it had come.
    private var reread: Set<Source> = []

    private var generation = 0
    private var pause = FollowLoop.shortPause
    private var lastState: String?
    private var wasInterrupted = false
    /// The job as it ended, and since when its output has not moved.
    private var ended: JSONValue?
    private var standstill: (since: ContinuousClock.Instant, bytes: Int64)?

    init(follower: JobFollower, events: AsyncStream<Event>.Continuation) {
        self.follower = follower
        self.events = events
        waiting = WaitingLine(console: follower.console, job: follower.job)
    }

    mutating func run(_ stream: AsyncStream<Event>, _ group: inout Group) async throws(JobFollower.Failure) -> JobFollower.Result {
        if try await look(&group) { return result }
        for await event in stream {
            switch event {
            case .tick(let number) where number != generation: continue
            case .tick: break
            case .drained:
                // The job probably changed with it. A stream that brought nothing is no reason to hurry.
                if let source = active, bytes(of: source) > 0 { pause = Self.shortPause }
                active = nil
                hasDrained = true
            case .interrupt:
                waiting.clear()
                wasInterrupted = true
                pause = Self.shortPause
            }
            if try await look(&group) { return result }
        }
        return result
    }

    private var result: JobFollower.Result { .init(job: ended ?? .null, wasInterrupted: wasInterrupted) }

    /// Looks at the job, lets output flow, and schedules the next look; true when nothing more will come.
    private mutating func look(_ group: inout Group) async throws(JobFollower.Failure) -> Bool {
        do throws(CommandFailure) {
            if ended == nil || hasDrained { try await lookAtJob() }
        } catch { throw .command(error) }
        start(&group)
        if ended != nil, active == nil { return true }
        if hasStoodStill {
            follower.console.note("suanpan: the output of job \(follower.job) may be incomplete")
            return true
        }
        schedule(&group)
        return false
    }

    private mutating func schedule(_ group: inout Group) {
        generation += 1
        let (number, pause, events) = (generation, pause, events)
        self.pause = min(pause * 3 / 2, Self.longPause)
        group.addTask {
            guard (try? await Task.sleep(for: pause)) != nil else { return }
            events.yield(.tick(number))
        }
    }

    // MARK: - State

    private mutating func lookAtJob() async throws(CommandFailure) {
        hasDrained = false
        let job = try await follower.client.get("/v1/jobs/\(follower.job)")
        let state = job["state"]?.text
        if state != lastState { pause = Self.shortPause }
        lastState = state
        show(job, state: state)
        let total = job["tasks"]?["total"]?.integer ?? 1
        if (job["tasks"]?["queued"]?.integer ?? 0) < total {
            let task = follower.options.task ?? (total == 1 ? 0 : nil)
            if let task {
                try await lookAtAttempts(of: task, isOver: JobOutcome.isTerminal(job))
            } else if positions.isEmpty || !JobOutcome.isTerminal(job) {
                enqueue(Source())
            }
        }
        if JobOutcome.isTerminal(job) { ended = job }
    }

    private mutating func show(_ job: JSONValue, state: String?) {
        guard follower.options.showsWaiting, state == "queued", !wasInterrupted else { return waiting.clear() }
        let elapsed = ContinuousClock.now - began
        if elapsed >= JobFollower.quietQueueing { waiting.show(JobOutcome.sentence(job), after: elapsed) }
    }

    /// New attempts get their turn. One whose streams were ended early, by a coordinator that stopped, gets another.
    private mutating func lookAtAttempts(of task: Int64, isOver: Bool) async throws(CommandFailure) {
        let list = try await follower.client.list("/v1/jobs/\(follower.job)/attempts", query: [("task", String(task))], limit: nil)
        let attempts = list["items"]?.items ?? []
        for attempt in attempts {
            guard let number = attempt["number"]?.integer, follower.options.attempt.map({ $0 == number }) ?? true else { continue }
            let isLast = number == attempts.last?["number"]?.integer
            let source = Source(task: task, attempt: number)
            let isLive = attempt["endedAt"] == nil && !isOver
            let isNew = number > lastAttempt && (follower.options.fromFirstAttempt || lastAttempt > 0 || isLast)
            if isNew || (isLast && isLive) || isCutShort(source, attempt["end"]) { enqueue(source) }
            lastAttempt = max(lastAttempt, number)
        }
    }

    /// Whether a stream that no longer flows brought less than the attempt wrote. Asked once: the rest may be lost for good.
    private mutating func isCutShort(_ source: Source, _ end: JSONValue?) -> Bool {
        guard let end, source != active, follower.options.tail == nil, let positions = positions[source] else { return false }
        let isShort = zip(follower.options.streams, positions).contains { stream, position in
            position.value < end["\(stream)Bytes"]?.integer ?? 0
        }
        return isShort && reread.insert(source).inserted
    }

    private mutating func enqueue(_ source: Source) {
        if active != source, !pending.contains(source) { pending.append(source) }
    }

    // MARK: - Output

    /// Attempts of a task follow each other, as they did in time.
    private mutating func start(_ group: inout Group) {
        guard active == nil, !pending.isEmpty else { return }
        let source = pending.removeFirst()
        active = source
        waiting.clear()
        let options = follower.options
        if let attempt = source.attempt, attempt > 1, options.attempt == nil, positions[source] == nil {
            follower.console.note("suanpan: task \(follower.job).\(source.task ?? 0), attempt \(attempt)")
        }
        let positions = positions[source] ?? options.streams.map { _ in StreamPosition() }
        self.positions[source] = positions
        let pumps = zip(options.streams, positions).map { stream, position in
            let request = LogRequest(
                job: follower.job, task: source.task, attempt: source.attempt, stream: stream, follow: true, tail: options.tail)
            return LogPump(client: follower.client, console: follower.console, request: request, position: position)
        }
        let events = events
        group.addTask {
            await withTaskGroup(of: Void.self) { streams in
                for pump in pumps { streams.addTask { await pump.run() } }
            }
            events.yield(.drained)
        }
    }

    private func bytes(of source: Source) -> Int64 { (positions[source] ?? []).reduce(0) { $0 + $1.value } }

    /// Whether the output of a job that has ended has brought nothing for too long.
    private var hasStoodStill: Bool {
        mutating get {
            guard ended != nil, let active else { return false }
            let bytes = bytes(of: active)
            guard let standstill, standstill.bytes == bytes else {
                standstill = (ContinuousClock.now, bytes)
                return false
            }
            return ContinuousClock.now - standstill.since > JobFollower.drainTimeMax
        }
    }
}
