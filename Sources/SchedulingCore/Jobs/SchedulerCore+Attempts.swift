// What agents say about attempts, and what follows: the end of a task, of its gang, of its job.

import ClusterModel
import Metering
import Placement

extension SchedulerCore {
    /// A task of a live gang, by attempt.
    func liveTask(_ attempt: AttemptID) -> (row: JobRow, ordinal: UInt32, rank: Int, unit: LiveUnit)? {
        guard let row = jobs[attempt.task.job] else { return nil }
        let ordinal = attempt.task.index / row.gangSize
        let rank = Int(attempt.task.index % row.gangSize)
        guard let unit = row.live[ordinal], unit.attempt == attempt.number else { return nil }
        if case .ended = unit.tasks[rank].phase { return nil }
        return (row, ordinal, rank, unit)
    }

    /// The newest grant of an attempt that lives or is lined up.
    func fence(of attempt: AttemptID) -> Fence? {
        if let (_, _, rank, unit) = liveTask(attempt) { return unit.tasks[rank].fence }
        return successor(attempt)?.fence
    }

    // MARK: Decide

    /// One line of a report or registration. Duplicates and stragglers change nothing; an attempt that the state does
    /// not know is told to stop, or to be forgotten once it has ended.
    func decideStatus(_ status: AttemptStatus, from node: NodeID, at now: LogicalTime) -> Decided {
        var decided = Decided()
        if let successor = successor(status.attempt), successor.node == node, successor.fence == status.fence {
            return decideSuccessorStatus(status, from: node, at: now)
        }
        guard let (row, ordinal, rank, unit) = liveTask(status.attempt), unit.tasks[rank].node == node,
            unit.tasks[rank].fence == status.fence
        else {
            if let session = nodes[node]?.session { decided.effects.append(disown(status, on: node, session)) }
            if !status.isLive, isDirty(status.fence, on: node) { decided.events.append(.attemptGone(node, status.fence, at: now)) }
            return decided
        }
        appendCheckpoint(status, row: row, ordinal: ordinal, rank: rank, unit: unit, at: now, &decided.events)
        decided.effects += releaseOthers(status, row: row, ordinal: ordinal, rank: rank, unit: unit)
        switch status.phase {
        case .starting: break
        case .running(let elapsed):
            if unit.tasks[rank].phase == .starting {
                decided.events.append(.attemptStarted(status.attempt, elapsed: elapsed, at: now))
            }
        case .ended(let end):
            let task = unit.tasks[rank]
            let isHandedOver = !row.successors[task.slot].isEmpty
            let endedAt = max(task.segmentStart, min(now, LogicalTime(nanoseconds: now.nanoseconds - status.age.nanoseconds)))
            appendEnd(
                of: status.attempt, end, row: row, ordinal: ordinal, rank: rank, unit: unit, at: isHandedOver ? endedAt : now,
                &decided.events)
        }
        return decided
    }

    private func disown(_ status: AttemptStatus, on node: NodeID, _ session: SessionID) -> Effect {
        if case .ended = status.phase {
            return .command(node, session, .release([ReleaseOrder(attempt: status.attempt, fence: status.fence)]))
        }
        return .command(node, session, .stop([StopOrder(attempt: status.attempt, grace: .zero, fence: status.fence)]))
    }

    /// The end of one task and everything that it brings about.
    func appendEnd(
        of attempt: AttemptID, _ end: AttemptEnd, row: JobRow, ordinal: UInt32, rank: Int, unit: LiveUnit, at now: LogicalTime,
        _ events: inout [Event]
    ) {
        let (state, reason) = Self.verdict(on: end, stopReason: unit.stopReason)
        let failure =
            unit.firstFailure ?? (state == .succeeded ? nil : LiveUnit.FirstFailure(state: state, reason: reason, exitCode: end.exitCode))
        let othersLive = unit.tasks.enumerated().contains { index, task in
            if index == rank { return false }
            if case .ended = task.phase { return false }
            return true
        }
        let disposition: EndedAttempt.Disposition =
            othersLive
            ? .gangLives
            : self.disposition(of: unit, ordinal: ordinal, failure: failure, row: row, at: now)
        events.append(
            .attemptEnded(
                EndedAttempt(
                    attempt: attempt, node: unit.tasks[rank].node, end: end, state: state, reason: reason, disposition: disposition,
                    at: now)))
        if othersLive, unit.stopReason == nil, state != .succeeded {
            let grace = min(row.specification.grace, SchedulerLimits.gangStopGrace)
            events.append(
                .unitStopRequested(StoppedUnit(job: attempt.task.job, ordinal: ordinal, grace: grace, reason: reason, at: now)))
        }
        if case .finished(let unitState, let unitReason) = disposition {
            appendJobEnd(
                attempt.task.job, row: row, unitState: unitState, unitReason: unitReason, exitCode: failure?.exitCode ?? 0, at: now,
                &events)
        }
    }

    /// What an end means for the attempt alone.
    static func verdict(on end: AttemptEnd, stopReason: Reason?) -> (JobState, Reason) {
        switch end.cause {
        case .exited: end.exitCode == 0 ? (.succeeded, .none) : (.failed, .exitCode)
        case .signalled, .notFound, .cannotExecute: (.failed, .exitCode)
        case .outOfMemory: (.failed, .oom)
        case .timeLimit: (.failed, .timeout)
        case .stopped: (.cancelled, stopReason ?? .user)
        // Given back although we took it to hold its slot: nothing ran, it is tried again on the platform's account.
        case .returned: stopReason.map { (.cancelled, $0) } ?? (.failed, .infrastructure)
        case .infrastructure: (.failed, .infrastructure)
        case .leaseExpired: (.failed, .nodeLost)
        case .staging: (.failed, .staging)
        }
    }

    private func disposition(
        of unit: LiveUnit, ordinal: UInt32, failure: LiveUnit.FirstFailure?, row: JobRow, at now: LogicalTime
    ) -> EndedAttempt.Disposition {
        guard let failure else { return .finished(.succeeded, .none) }
        let charged = unit.attempt - (row.history.preemptions[ordinal] ?? 0)
        if row.isCancelling { return .finished(row.history.expiry == nil ? .cancelled : .failed, row.history.expiry ?? .user) }
        // The platform took what the task held for something else: it goes on elsewhere at once, on nobody's account.
        if failure.reason == .preempted { return .requeued(attempt: unit.attempt + 1, notBefore: .zero, reason: .preempted) }
        let policy = row.specification.retry
        let isPlatform = failure.reason == .infrastructure || (failure.reason == .nodeLost && row.specification.onNodeLost == .replace)
        let allowance = isPlatform ? max(policy.limit, SchedulerLimits.platformRetries) : policy.limit
        let ended = (row.history.causes[ordinal]?[failure.reason] ?? 0) + 1
        let isRetried =
            (isPlatform || policy.causes.contains(failure.reason)) && charged <= allowance
            && policy.limit(for: failure.reason).map { ended <= $0 } ?? true
        guard isRetried, failure.state != .cancelled else { return .finished(failure.state, failure.reason) }
        let next = Self.backoff(after: charged, from: policy.backoff, at: now)
        return .requeued(attempt: unit.attempt + 1, notBefore: next, reason: failure.reason)
    }

    /// Doubles from one second, or what the job says, to five minutes, or what it says, on whole seconds: what failed together waits together.
    static func backoff(after attempt: UInt32, from first: Span?, at now: LogicalTime) -> LogicalTime {
        let first = first ?? SchedulerLimits.backoffFirst
        let doubled = first.nanoseconds << Int64(min(attempt - 1, 9))
        let earliest = now.nanoseconds + min(doubled, max(first, SchedulerLimits.backoffMax).nanoseconds)
        let second: Int64 = 1_000_000_000
        return LogicalTime(nanoseconds: (earliest + second - 1) / second * second)
    }

    private func appendJobEnd(
        _ id: JobID, row: JobRow, unitState: JobState, unitReason: Reason, exitCode: Int32, at now: LogicalTime, _ events: inout [Event]
    ) {
        // The gang just ended is still in `live`; anything else that lives or waits keeps the job alive.
        guard row.live.count == 1, row.waiting.isEmpty, row.successors.isEmpty else { return }
        let code = max(row.exitCode, exitCode)
        let firstReason = row.firstFailure != .none ? row.firstFailure : unitReason
        let isWhole = unitState == .succeeded && row.counts.cancelled == 0 && row.counts.failed == 0
        let isExpired = row.history.expiry != nil && !isWhole
        let state: JobState =
            if isExpired || row.counts.failed > 0 || unitState == .failed {
                .failed
            } else if row.counts.cancelled > 0 || unitState == .cancelled {
                .cancelled
            } else { .succeeded }
        let reason: Reason =
            state == .succeeded ? .none : state == .cancelled ? .user : isExpired ? row.history.expiry ?? firstReason : firstReason
        let finished = FinishedJob(
            id: id, state: state, reason: reason, exitCode: isExpired ? ExitCode.timeLimit : code,
            at: now)
        events.append(.jobFinished(finished))
        appendDependentsOf(finished, &events)
    }

    // MARK: Evolve

    mutating func evolveStarted(_ attempt: AttemptID, elapsed: Span, at: LogicalTime, _ changes: inout Changes) {
        advance(to: at)
        let startedAt = LogicalTime(nanoseconds: at.nanoseconds - max(0, elapsed.nanoseconds))
        _ = jobs.update(attempt.task.job) { row in
            let ordinal = attempt.task.index / row.gangSize
            guard row.live[ordinal]?.attempt == attempt.number else { return }
            let rank = Int(attempt.task.index % row.gangSize)
            if row.live[ordinal]!.stopReason == nil {
                row.counts.starting -= 1
                row.counts.running += 1
            }
            row.live[ordinal]!.tasks[rank].phase = .running
            if row.startedAt == nil { row.startedAt = startedAt }
        }
        changes.add(.attemptStarted(attempt, at: startedAt))
        changes.touch(attempt.task.job)
    }

    mutating func evolveStopRequested(_ stopped: StoppedUnit, _ changes: inout Changes) {
        advance(to: stopped.at)
        let attempts: [AttemptID]? = jobs.update(stopped.job) { row in
            guard var unit = row.live[stopped.ordinal], unit.stopReason == nil else { return [] }
            unit.stopReason = stopped.reason
            var attempts: [AttemptID] = []
            for (rank, task) in unit.tasks.enumerated() {
                switch task.phase {
                case .starting: row.counts.starting -= 1
                case .running: row.counts.running -= 1
                case .ended: continue
                }
                row.counts.stopping += 1
                let index = stopped.ordinal * row.gangSize + UInt32(rank)
                attempts.append(AttemptID(job: stopped.job, index: index, number: unit.attempt))
            }
            row.live[stopped.ordinal] = unit
            return attempts
        }
        for attempt in attempts ?? [] { changes.add(.attemptStopping(attempt, stopped.reason)) }
        changes.touch(stopped.job)
    }

    mutating func evolveEnded(_ ended: EndedAttempt, _ changes: inout Changes) {
        advance(to: ended.at)
        let id = ended.attempt.task.job
        guard let row = jobs[id] else { return }
        let ordinal = ended.attempt.task.index / row.gangSize
        let rank = Int(ended.attempt.task.index % row.gangSize)
        guard let task = row.live[ordinal]?.tasks[rank] else { return }
        _ = nodes.update(task.node) { $0.liveAttempts.remove(ended.attempt) }
        changes.add(
            .usage(segment(of: ended.attempt, task, row: row, rank: rank, until: ended.at, reason: endReason(ended), end: ended.end)))
        changes.add(.attemptEnded(ended))
        _ = jobs.update(id) { row in
            let wasStopping = row.live[ordinal]!.stopReason != nil
            if wasStopping {
                row.counts.stopping -= 1
            } else if task.phase == .starting {
                row.counts.starting -= 1
            } else {
                row.counts.running -= 1
            }
            // Ended tasks of a living gang count where they ended; a gang that is tried again takes them back.
            row.add(1, to: ended.state)
            row.live[ordinal]!.tasks[rank].phase = .ended(ended.state, ended.reason)
            if row.startedAt == nil { row.startedAt = ended.end.beginning(endingAt: ended.at) }
            if ended.state != .succeeded, row.live[ordinal]!.firstFailure == nil {
                row.live[ordinal]!.firstFailure = LiveUnit.FirstFailure(
                    state: ended.state, reason: ended.reason, exitCode: ended.end.exitCode)
            }
            row.learn(ended.end)
            row.countCause(of: ordinal, ended)
            if rules >= Self.rulesWithProgress {
                row.keepProgress(of: ordinal, ended, since: task.heldSince, asSaid: rules >= Self.rulesWithCheckpoints)
            }
            row.settle(ordinal, ended)
        }
        learnRunTime(of: ended, row)
        if !handOver(ended, task, &changes) {
            offers.update(task.node) { $0.give(task.allocation) }
            charge(-1, [TaskPlace(node: task.node, allocation: task.allocation)], of: row, at: ended.at)
        }
        if case .requeued(_, let notBefore, _) = ended.disposition, notBefore > .zero { alarms.insert(id, at: notBefore) }
        requeue(id)
        changes.touch(id)
    }

    private func endReason(_ ended: EndedAttempt) -> UsageSegment.EndReason {
        switch (ended.state, ended.reason) {
        case (.succeeded, _): .completed
        case (_, .preempted): .preempted
        case (.cancelled, _): .cancelled
        case (_, .timeout): .timeLimit
        case (_, .oom): .outOfMemory
        case (_, .infrastructure): .infrastructure
        case (_, .nodeLost): .nodeLost
        default: .failed
        }
    }

    // MARK: Usage

    /// The allocation of a live task from its last cut to `until`.
    func segment(
        of attempt: AttemptID, _ task: LiveTask, row: JobRow, rank: Int, until: LogicalTime, reason: UsageSegment.EndReason,
        end: AttemptEnd?
    ) -> UsageSegment {
        let specification = row.specification
        let inventory = offers[task.node]?.inventory
        let isSimulated = inventory?.isSimulated ?? false
        return UsageSegment(
            attempt: attempt, number: task.segmentNumber, tenant: specification.tenant, project: specification.project, user: row.user,
            node: task.node, nodeName: nodes[task.node]?.name ?? "", isSimulated: isSimulated, fence: task.fence,
            requested: specification.groups[specification.group(ofRank: UInt32(rank)).group].resources, allocated: task.allocation,
            deviceModels: task.allocation.devices.map { grant in
                inventory.flatMap { Int(grant.index) < $0.devices.count ? $0.devices[Int(grant.index)].model : nil } ?? ""
            },
            start: task.segmentStart, end: max(until, task.segmentStart), endReason: reason,
            isBillable: UsageSegment.isBillable(endReason: reason, isSimulated: isSimulated),
            billingRule: UsageSegment.currentBillingRule,
            measured: end.map {
                UsageSegment.Measured(elapsed: $0.elapsed, cpuTime: $0.cpuTime, memoryPeakBytes: $0.memoryPeakBytes)
            })
    }

    mutating func evolveHourCut(at: LogicalTime, _ changes: inout Changes) {
        advance(to: at)
        nextHourCut = at + .hour
        if rules >= Self.rulesWithShares { accounts.forgetUnused(at: at, capacity: roomTotal) }
        for id in jobs.ids {
            guard let row = jobs[id], !row.live.isEmpty else { continue }
            for ordinal in row.liveOrdinals {
                guard let unit = row.live[ordinal] else { continue }
                for (rank, task) in unit.tasks.enumerated() {
                    if case .ended = task.phase { continue }
                    // Placed within this very hour's first instant, or after a clock that stood still: nothing to cut.
                    guard task.segmentStart < at else { continue }
                    let attempt = AttemptID(job: id, index: ordinal * row.gangSize + UInt32(rank), number: unit.attempt)
                    changes.add(.usage(segment(of: attempt, task, row: row, rank: rank, until: at, reason: .cut, end: nil)))
                    _ = jobs.update(id) {
                        $0.live[ordinal]!.tasks[rank].segmentStart = at
                        $0.live[ordinal]!.tasks[rank].segmentNumber += 1
                    }
                }
            }
        }
    }
}

extension JobRow {
    mutating func add(_ count: Int64, to state: JobState) {
        func change(_ value: inout UInt32) { value = UInt32(Int64(value) + count) }
        switch state {
        case .queued: change(&counts.queued)
        case .starting: change(&counts.starting)
        case .running: change(&counts.running)
        case .stopping: change(&counts.stopping)
        case .succeeded: change(&counts.succeeded)
        case .failed: change(&counts.failed)
        case .cancelled: change(&counts.cancelled)
        }
    }

    /// Only what has a limit of its own is counted.
    mutating func countCause(of ordinal: UInt32, _ ended: EndedAttempt) {
        switch ended.disposition {
        case .gangLives, .finished: return
        case .requeued(_, _, let reason):
            if specification.retry.limit(for: reason) != nil { history.causes[ordinal, default: [:]][reason, default: 0] += 1 }
        }
    }

    /// Folds the disposition of a gang whose last task has ended.
    mutating func settle(_ ordinal: UInt32, _ ended: EndedAttempt) {
        switch ended.disposition {
        case .gangLives: break
        case .finished(let state, let reason):
            if let unit = live.removeValue(forKey: ordinal), let failure = unit.firstFailure {
                exitCode = max(exitCode, failure.exitCode)
                if state != .succeeded { moveEnded(of: unit, to: state) }
            }
            if firstFailure == .none { firstFailure = reason }
            forgetHistory(of: ordinal)
        case .requeued(let attempt, let notBefore, let reason):
            if let unit = live.removeValue(forKey: ordinal) { moveEnded(of: unit, to: .queued) }
            if reason == .preempted { history.preemptions[ordinal, default: 0] += 1 }
            if hasHistory { history.checkpoints[ordinal] = nil }
            wait(ordinal, attempt: attempt, notBefore: notBefore, reason: reason)
        }
    }

    /// A gang stands or falls as one: its tasks count under the gang's outcome.
    private mutating func moveEnded(of unit: LiveUnit, to state: JobState) {
        for task in unit.tasks {
            guard case .ended(let ended, _) = task.phase else { continue }
            add(-1, to: ended)
            add(1, to: state)
        }
    }
}
