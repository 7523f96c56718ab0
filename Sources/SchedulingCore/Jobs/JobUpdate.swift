// Changes of a job that has been accepted: Protocols/lifecycle.md, "Holding and changing".

public import ClusterModel

/// What a job asks of the queue from now on; what is nil stays as it is.
public struct JobUpdate: Hashable, Sendable {
    /// A value that may also be taken away.
    public enum Change<Value: Hashable & Sendable>: Hashable, Sendable {
        case none
        case to(Value)

        var value: Value? {
            switch self {
            case .none: nil
            case .to(let value): value
            }
        }
    }

    public var priority: Int32?
    public var isHeld: Bool?
    /// Only while nothing of it runs.
    public var timeLimit: Change<Span>?
    public var estimate: Change<Span>?
    public var deadline: Change<LogicalTime>?
    public var maxPending: Change<Span>?
    public var labels: [NamedText]?

    public init(
        priority: Int32? = nil, isHeld: Bool? = nil, timeLimit: Change<Span>? = nil, estimate: Change<Span>? = nil,
        deadline: Change<LogicalTime>? = nil, maxPending: Change<Span>? = nil, labels: [NamedText]? = nil
    ) {
        self.priority = priority
        self.isHeld = isHeld
        self.timeLimit = timeLimit
        self.estimate = estimate
        self.deadline = deadline
        self.maxPending = maxPending
        self.labels = labels
    }

    func applied(to specification: JobSpecification) -> JobSpecification {
        var changed = specification
        if let priority { changed.priority = priority }
        if let isHeld { changed.isHeld = isHeld }
        if let timeLimit { changed.timeLimit = timeLimit.value }
        if let estimate { changed.estimate = estimate.value }
        if let deadline { changed.deadline = deadline.value }
        if let maxPending { changed.maxPending = maxPending.value }
        if let labels {
            // Which series a run is of, nobody changes.
            let series = specification.recurrence == nil ? [] : specification.labels.filter { $0.name == Recurrence.seriesLabel }
            let others = labels.filter { label in !series.contains { $0.name == label.name } }
            changed.labels = (others + series).sorted { $0.name < $1.name }
        }
        return changed
    }
}

extension JobUpdate.Change: CanonicalValue where Value: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) { writer.write(value) }
    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        let value: Value? = try reader.readOptional()
        self = value.map { .to($0) } ?? .none
    }
}

extension JobUpdate: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(priority.map { Int64($0) })
        writer.write(isHeld.map { $0 ? UInt32(1) : 0 })
        writer.write(timeLimit)
        writer.write(estimate)
        writer.write(deadline)
        writer.write(maxPending)
        writer.write(labels != nil)
        if let labels { writer.write(labels) }
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        let priority: Int64? = try reader.readOptional()
        if let priority, Int32(exactly: priority) == nil { throw .malformed("priority \(priority)") }
        let held: UInt32? = try reader.readOptional()
        self.init(
            priority: priority.map { Int32($0) }, isHeld: held.map { $0 != 0 }, timeLimit: try reader.readOptional(),
            estimate: try reader.readOptional(), deadline: try reader.readOptional(), maxPending: try reader.readOptional())
        if try reader.readBool() { labels = try reader.readList() }
    }
}

extension SchedulerCore {
    // MARK: Decide

    func decideUpdate(_ id: JobID, _ update: JobUpdate, at now: LogicalTime) throws(Rejection) -> Decided {
        guard let row = jobs[id] else {
            throw isEnded(id) ? .conflict("job \(id) has ended; what it was does not change any more") : .jobNotFound(id)
        }
        guard !row.isCancelling else { throw .conflict("job \(id) is being cancelled") }
        let changed = update.applied(to: row.specification)
        // What was accepted under other bounds may still be let go.
        let known = row.specification.validate()
        let errors = changed.validate().filter { !known.contains($0) }
        if !errors.isEmpty { throw .invalid(errors) }
        if update.timeLimit != nil, changed.timeLimit != row.specification.timeLimit, !row.live.isEmpty {
            throw .conflict("some of job \(id) runs: its nodes have the time limit that it started with")
        }
        var after = row
        after.specification = changed
        if update.maxPending != nil, let end = after.pendingEnd, end <= now {
            throw .invalid([FieldError("maxPending", "it has waited longer already; cancel the job to end it now")])
        }
        if let deadline = changed.deadline, update.deadline != nil, deadline <= now {
            throw .invalid([FieldError("deadline", "has passed; cancel the job to end it now")])
        }
        guard changed != row.specification else { return Decided(answer: .job(id, isReplay: true)) }
        return Decided(events: [.jobUpdated(id, update, at: now)], answer: .job(id, isReplay: false))
    }

    // MARK: Evolve

    mutating func evolveUpdated(_ id: JobID, _ update: JobUpdate, at: LogicalTime, _ changes: inout Changes) {
        advance(to: at)
        guard let before = jobs[id] else { return }
        // Priority and what it says of its length choose the lane.
        leaveQueue(id, before)
        unwatchExpiry(of: id, before)
        _ = jobs.update(id) { row in
            if row.specification.isHeld, update.isHeld == false { row.history.releasedAt = at }
            row.specification = update.applied(to: row.specification)
        }
        if let row = jobs[id] {
            watchExpiry(of: id, row)
            changes.add(.jobUpdated(id, row.specification))
        }
        requeue(id)
        changes.touch(id)
    }
}
