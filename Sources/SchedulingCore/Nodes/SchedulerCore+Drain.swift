// Emptying a node: nothing new comes, what runs may end by itself until the deadline, what is left runs elsewhere.

import ClusterModel

extension SchedulerCore {
    // MARK: Decide

    /// The last word counts: a drain that is asked for again takes the new deadline. One that is due already stays so.
    func decideDrain(_ id: NodeID, within span: Span?, at now: LogicalTime) throws(Rejection) -> Decided {
        guard let row = nodes[id] else { throw .nodeNotFound(id) }
        if let span, span < .zero { throw .invalid([FieldError("deadlineSeconds", "must not be negative")]) }
        let deadline = span.map { now + $0 }
        var decided = Decided(answer: .node(id))
        if let drain = row.drain, drain.isDue || drain.deadline == deadline { return decided }
        decided.events.append(.nodeDrainBegan(id, deadline: deadline, at: now))
        if let deadline, deadline <= now { appendEviction(from: [id], at: now, &decided.events) }
        return decided
    }

    /// Every gang with a task on one of the nodes stops, whole, once.
    func appendEviction(from due: [NodeID], at now: LogicalTime, _ events: inout [Event]) {
        var gangs: Set<GangID> = []
        for node in due {
            events.append(.nodeDrainDue(node, at: now))
            for attempt in attempts(on: node) {
                guard let (row, ordinal, _, unit) = liveTask(attempt), unit.stopReason == nil,
                    gangs.insert(GangID(job: attempt.task.job, ordinal: ordinal)).inserted
                else { continue }
                let stopped = StoppedUnit(
                    job: attempt.task.job, ordinal: ordinal, grace: row.specification.grace, reason: .preempted, at: now)
                events.append(.unitStopRequested(stopped))
            }
        }
    }

    private struct GangID: Hashable {
        var job: JobID
        var ordinal: UInt32
    }

    // MARK: Evolve

    mutating func evolveDrainBegan(_ id: NodeID, deadline: LogicalTime?, at: LogicalTime) {
        advance(to: at)
        let link = nodes.update(id) { row in
            row.isCordoned = true
            row.drain = Drain(deadline: deadline)
            return row.link
        }
        guard let link else { return }
        drainDeadlines.set(deadline, for: id)
        setLink(link, of: id)
    }

    mutating func evolveDrainDue(_ id: NodeID, at: LogicalTime) {
        advance(to: at)
        _ = nodes.update(id) { $0.drain?.isDue = true }
        drainDeadlines.set(nil, for: id)
    }

    // MARK: Effects

    /// What is lined up on the node shall not start there: it is given back, and waits again.
    func stopCommandsForSuccessors(on node: NodeID) -> [Effect] {
        let orders = successors(on: node).compactMap { attempt in
            jobs[attempt.task.job].map { stopOrder(attempt, grace: $0.specification.grace) }
        }
        return orders.isEmpty ? [] : stopCommands([node: orders])
    }
}
