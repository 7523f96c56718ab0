// The language of Scenarios/*.txt: a line at the margin is a command, the indented lines after it are what it led to.

import ClusterModel
import SchedulerTestKit
import SchedulingCore

struct ScenarioRunner: ~Copyable {
    private var harness = ClusterHarness()
    private var nodes: [String: (id: NodeID, inventory: NodeInventory)] = [:]

    var violations: [InvariantViolation] { harness.violations }

    mutating func run(_ text: String) -> String {
        var output: [String] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("  ") { continue }
            output.append(String(line))
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            output += execute(line.split(separator: " ").map(String.init)).map { "  \($0)" }
        }
        return output.joined(separator: "\n")
    }

    private mutating func execute(_ words: [String]) -> [String] {
        let options = Options(words.dropFirst(2))
        switch words[0] {
        case "node":
            let inventory = Build.node(words[1], cpus: options.number("cpus") ?? 4, gpus: Int(options.number("gpus") ?? 0))
            let (id, batches) = harness.addNode(inventory)
            nodes[words[1]] = (id, inventory)
            return Trace.lines(batches)
        case "submit":
            let (batches, result) = harness.submit(specification(words[1], options), key: options.text("key"))
            return Trace.reply(result) + Trace.lines(batches)
        case "cancel":
            let (batches, result) = harness.perform(.cancel(JobID(parsing: words[1])!))
            return Trace.reply(result) + Trace.lines(batches)
        case "running": return report(words[1], .running(elapsed: .zero))
        case "ended": return report(words[1], .ended(end(options)), age: .milliseconds(options.number("age") ?? 0))
        case "register": return register(words[1], words.dropFirst(2), options)
        case "disconnect": return Trace.lines(harness.perform(.disconnected(nodes[words[1]]!.id)).batches)
        case "silent":
            let id = nodes[words[1]]!.id
            let session = harness.loop.core.session(of: id)!
            return Trace.lines(harness.perform(.leaseExpired(id, session, lastHeard: harness.now)).batches)
        case "drain":
            let (batches, result) = harness.perform(
                .drainNode(nodes[words[1]]!.id, within: options.number("within").map { .seconds($0) }))
            return Trace.reply(result) + Trace.lines(batches)
        case "uncordon": return Trace.lines(harness.perform(.setNodeCordon(nodes[words[1]]!.id, isCordoned: false)).batches)
        case "standing": return [Trace.standing(harness.loop.core.standing(of: nodes[words[1]]!.id)!)]
        case "restart": return Trace.lines(harness.restart())
        case "cordon": return Trace.lines(harness.perform(.setNodeCordon(nodes[words[1]]!.id, isCordoned: true)).batches)
        case "remove":
            let (batches, result) = harness.perform(.removeNode(nodes[words[1]]!.id))
            return Trace.reply(result) + Trace.lines(batches)
        case "pass":
            harness.pass(.seconds(Int64(words[1])!))
            return Trace.lines(harness.settle())
        case "explain":
            let standing = harness.loop.core.liveStanding(of: JobID(parsing: words[1])!)
            return standing.map { ["\($0.standing.state.name) \($0.standing.reason.name): \($0.explanation)"] } ?? ["not live"]
        default: return ["unknown command '\(words[0])'"]
        }
    }

    private mutating func report(_ text: String, _ phase: AttemptStatus.Phase, age: Span = .zero) -> [String] {
        guard let attempt = AttemptID(parsing: text), let place = harness.place(of: attempt) else { return ["\(text) was never placed"] }
        return Trace.lines(harness.report(attempt, on: place.node, fence: place.fence, phase, age: age))
    }

    private mutating func register(_ name: String, _ attempts: some Sequence<String>, _ options: Options) -> [String] {
        let statuses = attempts.compactMap { AttemptID(parsing: $0) }.map { attempt in
            AttemptStatus(attempt: attempt, fence: harness.place(of: attempt)?.fence ?? Fence(0), phase: .running(elapsed: .zero))
        }
        let node = nodes[name]!
        return Trace.lines(
            harness.register(node.id, node.inventory, bootID: UInt8(options.number("boot") ?? 9), attempts: statuses))
    }

    private func end(_ options: Options) -> AttemptEnd {
        if let signal = options.number("signal") {
            return AttemptEnd(cause: .signalled, exitCode: 128 + Int32(signal), signal: Int32(signal))
        }
        if options.flag("timeout") { return AttemptEnd(cause: .timeLimit, exitCode: 124) }
        if options.flag("stopped") { return AttemptEnd(cause: .stopped, exitCode: 143, signal: 15) }
        if options.flag("lost") { return AttemptEnd(cause: .infrastructure, exitCode: 125) }
        if options.flag("returned") { return AttemptEnd(cause: .returned, exitCode: 0) }
        return AttemptEnd(
            cause: .exited, exitCode: Int32(options.number("exit") ?? 0), elapsed: .milliseconds(options.number("ms") ?? 0))
    }

    private func specification(_ name: String, _ options: Options) -> JobSpecification {
        var devices: DeviceRequest?
        if let gpus = options.number("gpus") { devices = DeviceRequest(kind: .gpu, count: UInt32(gpus)) }
        if let share = options.number("share") { devices = DeviceRequest(kind: .gpu, count: 1, shareMilli: share) }
        var specification = Build.job(
            name, cpuMilli: (options.number("cpus") ?? 1) * 1000, devices: devices, tasks: UInt32(options.number("tasks") ?? 1),
            array: options.text("array").flatMap { try? ArrayRange(parsing: $0) }, priority: Int32(options.number("priority") ?? 0))
        if let retries = options.number("retries") { specification.retry = RetryPolicy(limit: UInt32(retries)) }
        if let policy = options.text("on-node-lost").flatMap(NodeLossPolicy.init(name:)) { specification.onNodeLost = policy }
        for condition in Dependency.Condition.allCases {
            guard let job = options.number("after-\(condition.name)") else { continue }
            specification.dependencies.append(Dependency(job: JobID(UInt64(job)), condition: condition))
        }
        if let seconds = options.number("begin") { specification.beginAt = harness.now + .seconds(seconds) }
        return specification
    }
}

/// `name=value` words and bare flags.
struct Options {
    private let words: [String]

    init(_ words: some Sequence<String>) { self.words = Array(words) }

    func text(_ name: String) -> String? {
        words.first { $0.hasPrefix("\(name)=") }.map { String($0.dropFirst(name.count + 1)) }
    }

    func number(_ name: String) -> Int64? { text(name).flatMap { Int64($0) } }
    func flag(_ name: String) -> Bool { words.contains(name) }
}

/// Decisions in short words.
enum Trace {
    static func lines(_ batches: [Batch]) -> [String] {
        batches.flatMap { batch in batch.events.map(line) + batch.effects.compactMap(line) }
    }

    static func reply(_ result: Result<Answer, Rejection>?) -> [String] {
        switch result {
        case .success(.job(let id, let isReplay)): ["job \(id)\(isReplay ? " (as before)" : "")"]
        case .success(.node(let id)): ["node \(id)"]
        case .success(.done), nil: []
        case .failure(.unsatisfiable(let errors)), .failure(.invalid(let errors)): errors.map { "refused: \($0)" }
        case .failure(let rejection): ["refused: \(rejection.code)"]
        }
    }

    private static func line(_ event: Event) -> String {
        switch event {
        case .jobAccepted(let job): "accepted \(job.id)"
        case .jobCancelRequested(let job, _): "cancelling \(job)"
        case .jobUpdated(let job, _, _): "changed \(job)"
        case .jobExpired(let job, let reason, _): "time is up for \(job)\(Self.reason(reason))"
        case .waitingUnitsCancelled(let job, _): "waiting tasks of \(job) cancelled"
        case .unitsPlaced(let placed):
            "placed "
                + placed.units.flatMap { unit in
                    unit.places.map { "\(placed.job)/\(unit.ordinal) try \(unit.attempt) on \($0.node)" + devices($0.allocation) }
                }.joined(separator: ", ")
        case .successorsGranted(let granted):
            "lined up "
                + granted.slots.map { slot in
                    "\(slot.tasks.map { "\(granted.job)/\($0.ordinal)" }.joined(separator: " ")) behind \(granted.job)/\(slot.holder) on \(slot.node)"
                }.joined(separator: ", ")
        case .gangCheckpointed(let checkpoint):
            "checkpoint of \(checkpoint.attempt), \((checkpoint.at - checkpoint.written).wholeSeconds)s old"
        case .successorReturned(let attempt, _, _): "given back \(attempt)"
        case .attemptStarted(let attempt, _, _): "started \(attempt)"
        case .unitStopRequested(let stop): "stopping \(stop.job)/\(stop.ordinal) because of \(stop.reason.name)"
        case .gangsPreempted(let preemption):
            "preempted \(preemption.gangs.map { "\($0.job)/\($0.ordinal)" }.joined(separator: " ")) for \(preemption.job)"
        case .attemptEnded(let ended):
            "ended \(ended.attempt) \(ended.state.name)\(reason(ended.reason)), \(disposition(ended.disposition))"
        case .jobFinished(let job): "job \(job.id) \(job.state.name)\(reason(job.reason)) exit \(job.exitCode)"
        case .timersDue: "timers due"
        case .idempotencyExpired: "old keys forgotten"
        case .nodeRegistered(let node): "node \(node.id) registered"
        case .nodeSuspected(let node, _): "node \(node) suspect"
        case .nodeSilenced(let node, _, _): "node \(node) silent"
        case .nodeCordoned(let node, let isCordoned, _): "node \(node) \(isCordoned ? "cordoned" : "uncordoned")"
        case .nodeRemoved(let node, _): "node \(node) removed"
        case .nodeMoved(let node, let pool, _): "node \(node) in \(pool.isEmpty ? "no pool" : "pool \(pool)")"
        case .nodeDrainBegan(let node, let deadline, let at):
            "node \(node) drains" + (deadline.map { " within \(($0 - at).wholeSeconds)s" } ?? "")
        case .nodeDrainDue(let node, _): "node \(node) must be empty"
        case .attemptLeftBehind(let left): "left behind \(left.attempt)"
        case .attemptGone(let node, let fence, _): "gone from \(node): grant \(fence)"
        case .nodeConfirmedDead(let node, _): "node \(node) confirmed dead"
        case .nodeContested(let contest): "node \(contest.id) contested"
        case .nodeQuarantined(let node, _): "node \(node) quarantined"
        case .stateOutdated(let node, let session, _): "outdated: node \(node) knows session \(session)"
        case .nodeEnrolled(let node): "node \(node.id) enrolled"
        case .hourCut: "hour cut"
        case .leadershipBegan(let epoch, _, _): "epoch \(epoch)"
        case .clusterFounded, .clusterRestored, .joinTokenCreated, .keyCreated, .keyRevoked, .userSet, .secretSet, .secretRemoved,
            .datasetCreated, .datasetRemoved, .shareObjectSet, .shareObjectRemoved:
            "\(event)"
        }
    }

    static func standing(_ node: SchedulerCore.NodeStanding) -> String {
        let drain = node.drain.map { $0.isDone ? "drained" : "draining" } ?? (node.isCordoned ? "cordoned" : "open")
        return ([drain] + node.liveAttempts.map { "\($0)" }).joined(separator: " ")
    }

    private static func reason(_ reason: Reason) -> String { reason == .none ? "" : " (\(reason.name))" }

    private static func devices(_ allocation: Allocation) -> String {
        allocation.devices.map { " gpu\($0.index):\($0.shareMilli)m" }.joined()
    }

    private static func disposition(_ disposition: EndedAttempt.Disposition) -> String {
        switch disposition {
        case .gangLives: "its gang lives"
        case .finished(let state, _): "gang \(state.name)"
        case .requeued(let attempt, _, let reason): "try \(attempt) because of \(reason.name)"
        }
    }

    private static func line(_ effect: Effect) -> String? {
        switch effect {
        case .command(let node, _, .start(let batch)): "→ \(node) start \(batch.starts.map { "\($0.attempt)" }.joined(separator: " "))"
        case .command(let node, _, .stop(let orders)):
            "→ \(node) stop \(orders.map { "\($0.attempt) in \($0.grace.wholeSeconds)s" }.joined(separator: " "))"
        case .command(let node, _, .release(let orders)): "→ \(node) release \(orders.map { "\($0.attempt)" }.joined(separator: " "))"
        case .welcome(let node, let session, _, _): "→ \(node) welcome session \(session)"
        case .refuse(let node, let refusal): "→ \(node) refuse \(refusal.code)"
        case .disconnect(let node): "→ \(node) disconnect"
        case .reply: nil
        }
    }
}
