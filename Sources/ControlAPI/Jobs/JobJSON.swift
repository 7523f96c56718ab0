import ClusterModel
import ClusterPorts
import SchedulingCore

// Jobs as replies show them. Values of environment variables never leave the coordinator.

/// What a reply says about a job.
struct JobReply {
    var accepted: AcceptedJob
    var standing: JobStanding
    var message: String

    init(_ record: JobRecord, live: LiveJobView?) {
        accepted = record.accepted
        // Both views are durable; the live one explains itself, and only a record knows the end.
        standing = record.standing.state.isTerminal ? record.standing : live?.standing ?? record.standing
        message = standing.state.isTerminal ? "" : live?.waitingExplanation ?? ""
    }

    init(submitted accepted: AcceptedJob, live: LiveJobView) {
        self.accepted = accepted
        standing = live.standing
        message = live.waitingExplanation
    }

    func write(to writer: inout JSONWriter) {
        Self.summary(accepted, standing, to: &writer)
        writer.member("message", message.isEmpty ? nil : message)
        let specification = accepted.specification
        writer.member("groups", items: specification.groups) { writer, group in
            writer.object { Self.group(group, to: &$0) }
        }
        writer.member("inputs", items: specification.inputs) { writer, input in
            writer.object {
                $0.member("from", input.sourceText)
                $0.member("to", input.path.isEmpty ? "." : input.path)
            }
        }
        writer.member("outputs", items: specification.outputs) { writer, output in
            writer.object {
                $0.member("from", output.path.isEmpty ? "." : output.path)
                $0.member("to", output.destination.isEmpty ? "." : output.destination)
            }
        }
        writer.member("secrets", items: specification.secrets) { writer, secret in
            writer.object {
                $0.member("name", secret.name)
                $0.member("env", secret.variable.isEmpty ? nil : secret.variable)
            }
        }
        writer.member("centers", strings: specification.centers)
        writer.member("needsInternet", specification.needsInternet)
        writer.member("traceParent", specification.traceParent.isEmpty ? nil : specification.traceParent)
        writer.member("after", items: specification.dependencies) { writer, dependency in
            writer.object {
                $0.member("job", dependency.job.description)
                $0.member("when", dependency.condition.name)
            }
        }
    }

    /// What lists show: all but the groups, the dependencies and the message, whose size has no close bound.
    static func summary(_ accepted: AcceptedJob, _ standing: JobStanding, to writer: inout JSONWriter) {
        let specification = accepted.specification
        writer.member("id", accepted.id.description)
        writer.member("name", specification.name)
        writer.member("kind", specification.kind.name)
        writer.member("project", "\(specification.tenant)/\(specification.project)")
        writer.member("user", accepted.user)
        writer.member("queue", specification.queue)
        writer.member("priority", specification.priority)
        writer.member("preemptible", specification.isPreemptible)
        writer.member("state", standing.state.name)
        writer.member("reason", standing.reason.nameOrNil)
        writer.member("submittedAt", accepted.at)
        writer.member("startedAt", standing.startedAt)
        writer.member("finishedAt", standing.finishedAt)
        writer.member("exitCode", standing.exitCode)
        writer.member("tasks") { Self.counts(standing.counts, to: &$0) }
        writer.member("array", specification.array?.text)
        writer.member("beginAt", specification.beginAt)
        writer.member("timeLimitSeconds", specification.timeLimit?.wholeSeconds)
        writer.member("estimateSeconds", specification.estimate?.wholeSeconds)
        writer.member("deadline", specification.deadline)
        writer.member("maxPendingSeconds", specification.maxPending?.wholeSeconds)
        writer.member("hold", specification.isHeld)
        writer.member("graceSeconds", specification.grace.wholeSeconds)
        writer.member("retry") {
            $0.member("limit", specification.retry.limit)
            $0.member("on", strings: specification.retry.causes.map(\.name))
            $0.member("limits", numbers: specification.retry.limits.map { ($0.cause.name, Int64($0.limit)) })
            $0.member("backoffSeconds", specification.retry.backoff?.wholeSeconds)
        }
        writer.member("checkpointPath", specification.checkpointPath.isEmpty ? nil : specification.checkpointPath)
        writer.member("checkpointIntervalSeconds", specification.checkpointInterval?.wholeSeconds)
        writer.member("checkpointSignal", specification.checkpointSignal?.name)
        writer.member("pool", specification.pool.isEmpty ? nil : specification.pool)
        if let recurrence = specification.recurrence {
            writer.member("recur") { Self.recurrence(recurrence, to: &$0) }
        } else {
            writer.null("recur")
        }
        writer.member("onNodeLost", specification.onNodeLost.name)
        writer.member("labels", map: specification.labels.map { ($0.name, $0.text) })
        writer.member("retryOf", accepted.retryOf?.description)
    }

    private static func recurrence(_ recurrence: Recurrence, to writer: inout JSONWriter) {
        switch recurrence.rule {
        case .every(let period): writer.member("everySeconds", period.wholeSeconds)
        case .calendar(let calendar, let offset):
            writer.member("cron", calendar.text)
            writer.member("offset", ClockOffset.text(offset))
        }
        writer.member("overlap", recurrence.mayOverlap)
        writer.member("until", recurrence.until)
    }

    static func counts(_ counts: TaskCounts, to writer: inout JSONWriter) {
        writer.member("total", counts.total)
        writer.member("queued", counts.queued)
        writer.member("starting", counts.starting)
        writer.member("running", counts.running)
        writer.member("stopping", counts.stopping)
        writer.member("succeeded", counts.succeeded)
        writer.member("failed", counts.failed)
        writer.member("cancelled", counts.cancelled)
    }

    private static func group(_ group: TaskGroup, to writer: inout JSONWriter) {
        writer.member("name", group.name)
        writer.member("count", group.count)
        writer.member("resources") { group.resources.write(to: &$0) }
        writer.member("constraints", strings: group.constraints.map(\.text))
        writer.member("command", strings: group.command)
        writer.member("env", map: group.environment.map { ($0.name, "***") })
        writer.member("workdir", group.workDirectory.isEmpty ? nil : group.workDirectory)
    }
}

extension Reason {
    /// What a reply shows: null where there is no reason.
    var nameOrNil: String? { self == .none ? nil : name }
}

extension ArrayRange {
    var text: String { "\(first)-\(last)" + (concurrencyLimit == 0 ? "" : "%\(concurrencyLimit)") }
}

extension JobInput {
    /// As a request gives it.
    fileprivate var sourceText: String {
        switch source {
        case .tree(let tree): "tree:\(tree)"
        case .dataset(let name, let version, _): "dataset:\(name)@\(version)"
        case .url(let text, _): text
        }
    }
}
