import ClusterModel
import ClusterPorts
import HTTPTypes
import Hummingbird
import SchedulingCore

extension ControlRouter {
    static func attempts(_ logs: LogService) -> [Endpoint] {
        [
            Endpoint(.get, "/v1/jobs/{id}/tasks", .reading, query: ["limit", "cursor"]) { call in try await tasks(call) },
            Endpoint(.get, "/v1/jobs/{id}/attempts", .reading, query: ["task", "limit", "cursor"]) { call in try await attempts(call) },
            Endpoint(
                .get, "/v1/jobs/{id}/logs", .reading, query: ["task", "stream", "follow", "tail", "attempt"]
            ) { call in try await logs.answer(call) },
        ]
    }

    /// The index of a task, bare or as `<job>.<index>`.
    static func taskIndex(_ call: Call, of specification: JobSpecification) throws(Problem) -> UInt32? {
        guard let text = call.query.text("task") else { return nil }
        let job = try call.jobID()
        let task = TaskID(parsing: text) ?? TaskID(parsing: "\(job).\(text)")
        guard let task, task.job == job else { throw .invalid("task", "'\(text.prefix(80))' — expected the index of a task") }
        guard task.index < specification.taskCount else { throw .notFound("Task \(task) does not exist.") }
        return task.index
    }

    /// One item for each task, started or not: the rows of a page merged into its range of indices.
    private static func tasks(_ call: Call) async throws -> Response {
        let limit = UInt32(try call.query.limit())
        let record = try await call.job()
        let specification = record.accepted.specification
        let first: UInt32 = try call.query.integer("cursor", 0...UInt32.max) ?? 0
        let end = min(specification.taskCount, first.addingReportingOverflow(limit).partialValue)
        guard first < end else { return call.page([UInt32](), nextCursor: nil) { _, _ in } }
        let job = record.accepted.id
        let rows = try await call.controlPlane.reads.lastAttempts(of: job, indices: first..<end, call.principal.visibility)
        let attempts = Dictionary(rows.map { ($0.placement.attempt.task.index, $0) }) { $1 }
        return call.page(first..<end, nextCursor: end < specification.taskCount ? String(end) : nil) { writer, index in
            let gangSize = specification.gangSize
            let group = specification.group(ofRank: index % gangSize)
            writer.member("id", TaskID(job: job, index: index).description)
            writer.member("index", index)
            writer.member("group", specification.groups[group.group].name)
            writer.member("rank", index % gangSize)
            writer.member("arrayIndex", specification.array.map { $0.first + index / gangSize })
            if let attempt = attempts[index] {
                write(attempt, to: &writer, call)
            } else {
                writeUnstarted(record.standing, to: &writer)
            }
        }
    }

    private static func write(_ attempt: AttemptRecord, to writer: inout JSONWriter, _ call: Call) {
        let node = attempt.placement.node
        writer.member("state", attempt.state.name)
        writer.member("reason", attempt.reason.nameOrNil)
        writer.member("attempt", attempt.placement.attempt.number)
        writer.member("nodeId", node.description)
        writer.member("node", call.controlPlane.node(node)?.name)
        writer.member("startedAt", attempt.beganAt)
        writer.member("endedAt", attempt.endedAt)
        writer.member("exitCode", attempt.end?.exitCode)
    }

    /// A task that no node has seen waits with its job, or was cancelled with it.
    private static func writeUnstarted(_ standing: JobStanding, to writer: inout JSONWriter) {
        writer.member("state", (standing.state.isTerminal ? JobState.cancelled : .queued).name)
        writer.member("reason", standing.state == .running || standing.state == .starting ? nil : standing.reason.nameOrNil)
        for name: StaticString in ["attempt", "nodeId", "node", "startedAt"] { writer.null(name) }
        writer.member("endedAt", standing.finishedAt)
        writer.null("exitCode")
    }

    private static func attempts(_ call: Call) async throws -> Response {
        let limit = try call.query.limit()
        let record = try await call.job()
        let job = record.accepted.id
        let task = try taskIndex(call, of: record.accepted.specification)
        var after: AttemptID?
        if let cursor = call.query.text("cursor") {
            guard let attempt = AttemptID(parsing: "\(job).\(cursor)") else {
                throw Problem.invalid("cursor", "is not one that a list gave")
            }
            after = attempt
        }
        let rows = try await call.controlPlane.reads.attempts(
            of: job, task: task, after: after, limit: limit + 1, call.principal.visibility)
        let page = rows.prefix(limit)
        let next = rows.count > limit ? page.last.map { "\($0.placement.attempt.task.index).\($0.placement.attempt.number)" } : nil
        return call.page(page, nextCursor: next) { writer, attempt in
            let placement = attempt.placement
            writer.member("id", placement.attempt.description)
            writer.member("task", placement.attempt.task.description)
            writer.member("number", placement.attempt.number)
            writer.member("state", attempt.state.name)
            writer.member("reason", attempt.reason.nameOrNil)
            writer.member("nodeId", placement.node.description)
            writer.member("node", call.controlPlane.node(placement.node)?.name)
            writer.member("fence", placement.fence.value)
            writer.member("allocation") { placement.allocation.write(to: &$0) }
            writer.member("placedAt", placement.at)
            writer.member("startedAt", attempt.beganAt)
            writer.member("endedAt", attempt.endedAt)
            if let end = attempt.end { writer.member("end") { end.write(to: &$0) } } else { writer.null("end") }
        }
    }
}

extension AttemptEnd {
    func write(to writer: inout JSONWriter) {
        writer.member("cause", cause.name)
        writer.member("exitCode", exitCode)
        writer.member("signal", signal == 0 ? nil : signal)
        writer.member("elapsedMilliseconds", elapsed.nanoseconds / 1_000_000)
        writer.member("cpuTimeMilliseconds", cpuTime.nanoseconds / 1_000_000)
        writer.member("memoryPeakBytes", memoryPeakBytes)
        writer.member("stdoutBytes", stdoutBytes)
        writer.member("stderrBytes", stderrBytes)
        writer.member("droppedBytes", droppedBytes)
        writer.member("detail", detail.isEmpty ? nil : detail)
    }
}

extension AttemptEnd.Cause {
    var name: String {
        switch self {
        case .exited: "exited"
        case .signalled: "signalled"
        case .outOfMemory: "oom"
        case .timeLimit: "timeout"
        case .stopped: "stopped"
        case .notFound: "not_found"
        case .cannotExecute: "cannot_execute"
        case .infrastructure: "infrastructure"
        case .leaseExpired: "lease_expired"
        case .returned: "returned"
        case .staging: "staging"
        }
    }
}
