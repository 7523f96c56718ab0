import ClusterModel
import ClusterPorts
import SchedulingCore

/// Which output a reader asked for.
struct LogSelection: Sendable {
    static let tailMax = 10_000

    let job: JobID
    let visibility: Visibility
    /// Indices of tasks.
    let indices: Range<UInt32>
    /// nil: the last attempt of each task, and when following those that come after it.
    let attempt: UInt32?
    let streams: [LogStream]
    /// Only the last lines of each stream.
    let tail: Int?
    /// A task that succeeded may run again, when another task of its gang brings the gang down.
    let hasGangs: Bool

    init(_ call: Call, _ record: JobRecord) throws(Problem) {
        let specification = record.accepted.specification
        job = record.accepted.id
        visibility = call.principal.visibility
        let task = try ControlRouter.taskIndex(call, of: specification)
        indices = task.map { $0..<$0 + 1 } ?? 0..<specification.taskCount
        attempt = try call.query.integer("attempt", 1...UInt32.max)
        streams = try call.query.choice("stream", named: \LogStream.name).map { [$0] } ?? LogStream.allCases
        tail = try call.query.integer("tail", 0...Self.tailMax)
        hasGangs = specification.gangSize > 1
        guard attempt == nil || indices.count == 1 else { throw .invalid("attempt", "needs 'task' in a job of several tasks") }
    }

    /// More than one task: each line says whose it is.
    var isPrefixed: Bool { indices.count > 1 }
}
