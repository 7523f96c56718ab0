// Jobs that come again: Protocols/lifecycle.md, "Recurring jobs". Each run is a job of its own; one waits for its time at most.

public import ClusterModel

extension SchedulerCore {
    /// The first run of a job that recurs, as it is accepted: with the time at which it is due, and the label of its series.
    func firstRun(of specification: JobSpecification, as id: JobID, at now: LogicalTime) throws(Rejection) -> JobSpecification {
        guard let recurrence = specification.recurrence else { return specification }
        guard !specification.labels.contains(where: { $0.name == Recurrence.seriesLabel }) else {
            throw .invalid([
                FieldError("labels", "'\(Recurrence.seriesLabel)' is given to recurring jobs, with the number of their first run")
            ])
        }
        var first = specification
        first.labels = (first.labels + [NamedText(Recurrence.seriesLabel, "\(id)")]).sorted { $0.name < $1.name }
        if recurrence.isByCalendar, first.beginAt == nil { first.beginAt = recurrence.next(after: now, due: now) }
        if first.beginAt == nil, recurrence.isByCalendar || recurrence.until.map({ $0 < now }) ?? false {
            throw .invalid([FieldError("recur.until", "is before the first run")])
        }
        return first
    }

    /// The run after one that begins with this event, or ends by it since it has waited too long; asked before the event is folded. Both belong to one batch:
    /// no crash can end a series, or make two of it. Whoever cancels a run that has not begun ends the series.
    func decideNextRun(with event: Event, at now: LogicalTime) -> Event? {
        switch event {
        case .unitsPlaced(let placed): nextRun(after: placed.job, at: now)
        // Not one that was cancelled, or can never start: that ends the series.
        case .jobFinished(let finished) where jobs[finished.id]?.history.expiry != nil: nextRun(after: finished.id, at: now)
        default: nil
        }
    }

    /// A run that has not begun: whoever cancels it ends its series.
    public func isRunToCome(_ id: JobID) -> Bool { jobs[id].map { $0.specification.recurrence != nil && !$0.hasBegun } ?? false }

    private func nextRun(after id: JobID, at now: LogicalTime) -> Event? {
        guard let row = jobs[id], !row.hasBegun, let recurrence = row.specification.recurrence,
            let due = recurrence.next(after: now, due: row.specification.beginAt ?? row.submittedAt)
        else { return nil }
        var next = row.specification
        next.beginAt = due
        // Who may use a pool may have changed since: somebody has to see to it.
        next.isHeld = !mayUseItsPools(next)
        // A trace of its own, or none: not one that never ends.
        next.traceParent = ""
        // A run that was given up still waited for something: then the next one does.
        next.dependencies = row.unmetDependencies + (recurrence.mayOverlap ? [] : [Dependency(job: id, condition: .any)])
        return .jobAccepted(
            AcceptedJob(id: JobID(lastJob + 1), specification: next, user: row.user, key: nil, retryOf: nil, at: now))
    }
}
