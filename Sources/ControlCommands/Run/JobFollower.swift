// Follows a job to its end: its state by asking, its output by streams. One loop owns all that changes; streams,
// timers and signals only send it events.

import Synchronization

/// What is shown of a job while it lives.
struct FollowOptions: Sendable {
    var streams: [LogRequest.Stream] = [.stdout, .stderr]
    /// Only this task, its output unprefixed.
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

    /// How many tasks are streamed at once; others wait their turn.
    static let activeTasksMax = 64
    /// How long the output of an ended job may stand still before it is given up.
    static let drainTimeMax = Duration.seconds(10)
    static let quietQueueing = Duration.seconds(2)

    enum Event: Sendable {
        case tick(Int)
        case taskEnded(Int64)
        case interrupt
    }

    /// How it went.
    struct Result: Sendable {
        var job: JSONValue
        var wasInterrupted: Bool
    }

    /// Ends with the job; throws `.abandoned` on the second interrupt.
    enum Failure: Error, Sendable {
        case abandoned
        case command(CommandFailure)
    }

    func follow(interrupts: AsyncStream<Int32>?) async throws(Failure) -> Result {
        let outcome = await withTaskGroup(of: Void.self) { group -> Swift.Result<Result, Failure> in
            let (events, continuation) = AsyncStream.makeStream(of: Event.self)
            if let interrupts {
                group.addTask { for await _ in interrupts { continuation.yield(.interrupt) } }
            }
            defer { group.cancelAll() }
            var loop = Loop(follower: self, continuation: continuation)
            do throws(Failure) {
                return .success(try await loop.run(events: events, group: &group))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }
}

extension JobFollower {
    /// The loop's own state.
    private struct Loop {
        let follower: JobFollower
        let continuation: AsyncStream<Event>.Continuation
        let progress = Progress()
        let began = ContinuousClock.now
        var waiting: WaitingLine

        /// The highest attempt seen of each task.
        var seen: [Int64: Int64] = [:]
        /// Attempts whose output has not begun to flow, in order.
        var pending: [(task: Int64, attempt: Int64)] = []
        var active: Set<Int64> = []
        /// Tasks of the job.
        var total: Int64 = 1
        var generation = 0
        var delay = Duration.milliseconds(25)
        var lastState: String?
        var wasInterrupted = false
        /// The job as it ended, and since when its output has not moved.
        var ended: JSONValue?
        var standstill: (since: ContinuousClock.Instant, bytes: Int64)?

        init(follower: JobFollower, continuation: AsyncStream<Event>.Continuation) {
            self.follower = follower
            self.continuation = continuation
            waiting = WaitingLine(console: follower.console, job: follower.job)
        }

        mutating func run(events: AsyncStream<Event>, group: inout TaskGroup<Void>) async throws(Failure) -> Result {
            if try await look(&group) { return result }
            schedule(&group)
            for await event in events {
                switch event {
                case .tick(let number) where number != generation: continue
                case .tick: break
                case .taskEnded(let task):
                    active.remove(task)
                    start(&group)
                    guard ended == nil else {
                        if pending.isEmpty, active.isEmpty { return result }
                        continue
                    }
                    // The job probably changed with it: look at once, and again soon.
                    delay = .milliseconds(25)
                case .interrupt:
                    guard !wasInterrupted else {
                        waiting.clear()
                        throw .abandoned
                    }
                    interrupt(&group)
                    continue
                }
                if try await look(&group) { return result }
                schedule(&group)
            }
            return result
        }

        private var result: Result { Result(job: ended ?? .null, wasInterrupted: wasInterrupted) }

        private mutating func schedule(_ group: inout TaskGroup<Void>) {
            generation += 1
            let (number, pause, continuation) = (generation, delay, continuation)
            delay = min(delay * 3 / 2, .seconds(1))
            group.addTask {
                try? await Task.sleep(for: pause)
                continuation.yield(.tick(number))
            }
        }

        private mutating func interrupt(_ group: inout TaskGroup<Void>) {
            wasInterrupted = true
            waiting.clear()
            let (client, job, console) = (follower.client, follower.job, follower.console)
            console.note("suanpan: cancelling job \(job); Ctrl-C again leaves at once")
            delay = .milliseconds(25)
            group.addTask {
                do throws(CommandFailure) {
                    _ = try await client.send(.post, "/v1/jobs/\(job)/cancel")
                } catch {
                    if error.status != .conflict { console.report(error) }
                }
            }
        }

        /// Looks at the job and its tasks; true when nothing more will come.
        private mutating func look(_ group: inout TaskGroup<Void>) async throws(Failure) -> Bool {
            if ended == nil {
                let job = try await get("/v1/jobs/\(follower.job)")
                let state = job["state"]?.text
                if state != lastState { delay = .milliseconds(25) }
                lastState = state
                show(job, state: state)
                try await lookAtTasks(of: job)
                if JobOutcome.isTerminal(job) { ended = job }
                start(&group)
            }
            guard ended != nil else { return false }
            if pending.isEmpty, active.isEmpty { return true }
            let now = ContinuousClock.now
            guard let standstill, standstill.bytes == progress.total else {
                standstill = (now, progress.total)
                return false
            }
            guard now - standstill.since > JobFollower.drainTimeMax else { return false }
            follower.console.note("suanpan: the output of job \(follower.job) may be incomplete")
            return true
        }

        private func get(_ path: String) async throws(Failure) -> JSONValue {
            do { return try await follower.client.get(path) } catch { throw .command(error) }
        }

        private mutating func show(_ job: JSONValue, state: String?) {
            guard follower.options.showsWaiting else { return }
            if state == "queued", ContinuousClock.now - began >= JobFollower.quietQueueing, !wasInterrupted {
                waiting.show(JobOutcome.sentence(job), after: ContinuousClock.now - began)
            } else if state != "queued" {
                waiting.clear()
            }
        }

        private mutating func lookAtTasks(of job: JSONValue) async throws(Failure) {
            let counts = job["tasks"]
            total = counts?["total"]?.integer ?? 1
            guard (counts?["queued"]?.integer ?? 0) < total else { return }
            let tasks: JSONValue
            do {
                tasks = try await follower.client.list("/v1/jobs/\(follower.job)/tasks", limit: nil)
            } catch { throw .command(error) }
            // A large job costs more to look at, so it is looked at less often.
            delay = max(delay, .milliseconds(min(total / 4, 10_000)))
            for task in tasks["items"]?.items ?? [] {
                guard let index = task["index"]?.integer, follower.options.task.map({ $0 == index }) ?? true else { continue }
                note(attempt: task["attempt"]?.integer ?? 0, of: index)
            }
        }

        private mutating func note(attempt last: Int64, of task: Int64) {
            let before = seen[task] ?? (follower.options.fromFirstAttempt ? 0 : max(last - 1, 0))
            guard last > before else { return }
            seen[task] = last
            for attempt in (before + 1)...last where follower.options.attempt.map({ $0 == attempt }) ?? true {
                pending.append((task, attempt))
            }
        }

        /// Starts what may flow now: attempts of one task follow each other.
        private mutating func start(_ group: inout TaskGroup<Void>) {
            var waitingTurn: [(task: Int64, attempt: Int64)] = []
            for entry in pending {
                guard active.count < JobFollower.activeTasksMax, !active.contains(entry.task) else {
                    waitingTurn.append(entry)
                    continue
                }
                active.insert(entry.task)
                waiting.clear()
                if entry.attempt > 1, follower.options.attempt == nil, follower.options.fromFirstAttempt {
                    follower.console.note("suanpan: task \(follower.job).\(entry.task): attempt \(entry.attempt)")
                }
                let (follower, progress, continuation) = (follower, progress, continuation)
                let prefix = hasSeveralTasks ? entry.task : nil
                group.addTask {
                    await follower.copy(entry.task, entry.attempt, prefix: prefix, progress: progress)
                    continuation.yield(.taskEnded(entry.task))
                }
            }
            pending = waitingTurn
        }

        private var hasSeveralTasks: Bool { follower.options.task == nil && total > 1 }
    }

    /// Both streams of one attempt, side by side.
    private func copy(_ task: Int64, _ attempt: Int64, prefix: Int64?, progress: Progress) async {
        await withTaskGroup(of: Void.self) { group in
            for stream in options.streams {
                let request = LogRequest(
                    job: job, task: task, attempt: attempt, stream: stream, follow: true, tail: options.tail)
                let pump = LogPump(client: client, console: console, request: request, prefixIndex: prefix, progress: progress)
                group.addTask { await pump.run() }
            }
        }
    }
}
