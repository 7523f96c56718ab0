// How `run` and `wait` end for a job, and the sentence that says why. One table, for both.

/// What became of a job.
enum JobOutcome {
    /// What a verb says when the job itself produced no code: the platform's failure, or the verb's own.
    static let platformFailure: Int32 = 125
    static let timeLimit: Int32 = 124
    static let interrupted: Int32 = 130

    static let terminalStates: Set = ["succeeded", "failed", "cancelled"]

    static func isTerminal(_ job: JSONValue) -> Bool { terminalStates.contains(job["state"]?.text ?? "") }

    /// The code of a job that has ended: its own, 128 + signal as the job's `exitCode` has it, or one that says what
    /// happened instead.
    static func exitCode(_ job: JSONValue) -> Int32 {
        let state = job["state"]?.text
        if state == "succeeded" { return 0 }
        let code = job["exitCode"]?.integer.flatMap { Int32(exactly: $0) }.map { $0 & 0xFF } ?? 0
        switch job["reason"]?.text {
        case "timeout", "deadline", "max_pending": return timeLimit
        case "exit_code", "user", "preempted": return code == 0 ? platformFailure : code
        case "oom": return code == 0 ? 128 + 9 : code
        // A program that cannot be executed is the job's own fault, whatever the reason is called.
        default: return code == 126 || code == 127 ? code : platformFailure
        }
    }

    /// `failed: exit code 3`, `queued: waiting for free capacity (…)`.
    static func sentence(_ job: JSONValue) -> String {
        let state = job["state"]?.text ?? "unknown"
        let message = job["message"]?.text.flatMap { $0.isEmpty ? nil : $0 }
        let reason = job["reason"]?.text.flatMap { $0.isEmpty ? nil : $0 }
        guard let reason else { return message.map { "\(state): \($0)" } ?? state }
        let explained = explanation(of: reason, exitCode: job["exitCode"]?.integer, hasEnded: isTerminal(job))
        guard let message, message != explained else { return "\(state): \(explained)" }
        // These the coordinator says better.
        if reason == "dependency" || reason == "begin_time" { return "\(state): \(message)" }
        return "\(state): \(explained) (\(message))"
    }

    /// What the node said about an attempt that could not be executed or that the platform lost, in parentheses, with the
    /// command; empty where there is nothing to add. The job object has only the reason.
    static func cause(of job: JSONValue, exitCode: Int32, through client: CoordinatorClient) async -> String {
        guard (platformFailure...127).contains(exitCode), let id = job["id"]?.scalarText,
            let attempts = try? await client.list("/v1/jobs/\(id)/attempts", limit: 100)["items"]?.items,
            let end = attempts.last(where: { isCause($0, of: job, exitCode) })?["end"], let detail = end["detail"]?.text
        else { return "" }
        let groups = job["groups"]?.items ?? []
        guard exitCode != platformFailure, groups.count == 1, let program = groups[0]["command"]?.items?.first?.text else {
            return " (\(detail))"
        }
        return " (\(program): \(detail))"
    }

    /// Whether an attempt ended as its job did, and has something to say about it.
    private static func isCause(_ attempt: JSONValue, of job: JSONValue, _ exitCode: Int32) -> Bool {
        guard let end = attempt["end"], end["detail"]?.text?.isEmpty == false else { return false }
        return exitCode == platformFailure
            ? attempt["reason"] == job["reason"] : end["exitCode"]?.integer == Int64(exitCode)
    }

    static func explanation(of reason: String, exitCode: Int64? = nil, hasEnded: Bool = false) -> String {
        switch reason {
        case "capacity": "waiting for free capacity"
        case "quota": "held back by a quota"
        case "priority": "more urgent work goes first"
        case "dependency": hasEnded ? "a dependency can no longer be met" : "waiting for another job"
        case "begin_time": "its begin time has not come"
        case "hold": "held"
        case "deadline": "its deadline passed"
        case "max_pending": "nothing of it started for as long as it may wait"
        case "budget": "no budget left"
        case "reservation": "the capacity is reserved for others"
        case "unsatisfiable": "no node can ever run it"
        case "topology": "waiting for nodes close to each other"
        case "staging": hasEnded ? "its files could not be moved" : "inputs are on their way"
        case "pulling": "the image is on its way"
        case "preempted": "its place was needed for something else"
        case "oom": "out of memory"
        case "timeout": "its time limit passed"
        case "node_lost": "its node was lost"
        case "unreachable": "its node cannot be reached"
        case "device_fault": "a device failed"
        case "dirty_device": "a device is still in use by a process that has not ended"
        case "user": "stopped on request"
        case "infrastructure": "the platform failed"
        case "exit_code": ending(exitCode)
        default: reason
        }
    }

    private static func ending(_ code: Int64?) -> String {
        guard let code else { return "it ended with an error" }
        switch code {
        case 126: return "exit code 126: the command cannot be executed"
        case 127: return "exit code 127: the command was not found"
        case 129...192: return "signal \(code - 128)"
        default: return "exit code \(code)"
        }
    }
}
