// Acceptance, cancellation and the end of jobs.

public import ClusterModel
import Placement

extension SchedulerCore {
    // MARK: Decide

    func decideSubmit(_ submission: Submission, retryOf: JobID?, at now: LogicalTime) throws(Rejection) -> Decided {
        let specification = submission.specification
        if let key = submission.key, let earlier = try replay(of: key, tenant: specification.tenant) { return earlier }
        if let required = submission.requiredRevision, required != revision {
            throw .moved(from: required, to: revision)
        }
        try requireAcceptable(specification, user: submission.user, at: now)
        if let miss = queuedJobsMiss(of: specification, user: submission.user) { throw .quota(miss) }
        if submission.key != nil, keyCounts[specification.tenant, default: 0] >= SchedulerLimits.idempotencyKeysPerTenant {
            throw .tooManyKeys(limit: SchedulerLimits.idempotencyKeysPerTenant)
        }
        let id = JobID(lastJob + 1)
        let accepted = try firstRun(of: specification, as: id, at: now)
        var decided = Decided(answer: .job(id, isReplay: false))
        decided.events.append(
            .jobAccepted(
                AcceptedJob(
                    id: id, specification: accepted, user: submission.user, key: submission.key, retryOf: retryOf, at: now)))
        if specification.dependencies.contains(where: { outcome(of: $0) == .violated }) {
            appendNeverStarted(id, at: now, &decided.events)
        }
        return decided
    }

    /// Whatever else waits: that nothing is wrong with it, and that it could run some time.
    func requireAcceptable(_ specification: JobSpecification, user: String, at now: LogicalTime) throws(Rejection) {
        let errors = specification.validate()
        if !errors.isEmpty { throw .invalid(errors) }
        for dependency in specification.dependencies where dependency.job.value > lastJob {
            throw .invalid([FieldError("after", "job \(dependency.job) does not exist")])
        }
        if let deadline = specification.deadline, deadline <= now { throw .invalid([FieldError("deadline", "has passed")]) }
        try requireAccount(specification)
        try requirePools(specification)
        try requireSecrets(specification)
        try requireSatisfiable(specification)
        // More than it may ever hold is refused now: it would wait for an administrator.
        if let miss = quotaForever(of: specification, user: user) { throw .quota(miss) }
    }

    private func replay(of key: Submission.Key, tenant: String) throws(Rejection) -> Decided? {
        guard let row = submissionKeys[SubmissionKeyID(tenant: tenant, text: key.text)] else { return nil }
        guard row.requestDigest == key.requestDigest else { throw .keyReused(key.text) }
        return Decided(answer: .job(row.job, isReplay: true))
    }

    /// Judged against every node registered and not removed, silent ones included; with no node known it may wait.
    private func requireSatisfiable(_ specification: JobSpecification) throws(Rejection) {
        // A shape that a live job has was judged when that job came.
        let shape = RequestClass(of: specification)
        guard !offers.ids.isEmpty, shapeIDs[shape] == nil else { return }
        var errors: [FieldError] = []
        for (index, group) in shape.groups.enumerated() {
            guard !offers.holdsWhenIdle(group) else { continue }
            errors.append(largestMiss(offers.misfitsWhenIdle(group), field: "groups[\(index)]", group: group))
        }
        if !errors.isEmpty { throw .unsatisfiable(errors) }
        guard specification.gangSize > 1 else { return }
        if !offers.holdsWhenIdle(shape) {
            let message = WaitingExplanation.tooLarge(shape, offers.ids.count)
            throw .unsatisfiable([FieldError("groups", message)])
        }
    }

    /// The misfit that is nearest to fitting names the field and what would be valid. Nodes that lack a device or a label
    /// say less than those that lack an amount.
    private func largestMiss(_ misfits: [Misfit], field: String, group: RequestClass.Group) -> FieldError {
        var cpu: Int64 = -1
        var memory: Int64 = -1
        var devices: (kind: String, requested: UInt32, free: UInt32)?
        var computeUnits: Int64 = -1
        var level: TopologyLevel?
        var wholeCores: Int64 = -1
        var taints: Set<String> = []
        var missing: FieldError?
        var constraint: FieldError?
        for misfit in misfits {
            switch misfit {
            case .cpu(_, let free): cpu = max(cpu, free)
            case .memory(_, let free): memory = max(memory, free)
            case .devices(let kind, let requested, let free): devices = (kind, requested, max(devices?.free ?? 0, free))
            case .noSuchDevice(let kind, let model):
                let like = model.isEmpty ? "" : " like '\(model)'"
                let enough = (group.resources.devices?.memoryBytes ?? 0) > 0 ? " with that much memory" : ""
                missing = FieldError("\(field).resources.\(kind)", "no node has a \(kind)\(like)\(enough)")
            case .noSuchTemplate(let template):
                let devices = group.resources.devices
                missing = FieldError(
                    "\(field).resources.\(devices?.kindName ?? "gpu").template", Self.missing(template, kind: devices?.kind))
            case .computeUnits(_, let most): computeUnits = max(computeUnits, most)
            case .topology(let missed): level = missed
            case .wholeCores(_, let free): wholeCores = max(wholeCores, free)
            case .tainted(let taint): taints.insert(taint)
            case .constraint(let text): constraint = Self.unmet(text, at: field)
            case .simulated, .outOfService: break
            }
        }
        if misfits.contains(.simulated), fitsSimulated(group) {
            return FieldError("\(field).constraints", "only simulated nodes can hold it: add the constraint 'simulated' to use them")
        }
        if let devices {
            let message = "\(devices.requested) requested; the best node has \(devices.free) that could serve"
            return FieldError("\(field).resources.\(devices.kind)", message)
        }
        if wholeCores >= 0 {
            let message = wholeCores == 0 ? "no node tells which cores it has" : "the largest node has \(wholeCores) whole ones"
            return FieldError("\(field).resources.wholeCores", message)
        }
        if let level {
            return FieldError("\(field).topology.\(level.name)", "no node has so much so near to each other; say 'prefer' instead")
        }
        if computeUnits >= 0 {
            let requested = AmountText.computeUnits(group.resources.devices?.computeUnitsMilli ?? 0)
            let most = AmountText.computeUnits(computeUnits)
            let message = "\(requested) requested; the most that devices of one confirmed strength have together on a node is \(most)"
            return FieldError("\(field).resources.computeUnits", message)
        }
        if let missing { return missing }
        if cpu >= 0 {
            return FieldError(
                "\(field).resources.cpu",
                "\(AmountText.cores(group.resources.cpuMilli)) requested; the largest node has \(AmountText.cores(cpu))")
        }
        if memory >= 0 {
            let requested = AmountText.memory(group.resources.memoryBytes, isNeeded: true)
            return FieldError("\(field).resources.memory", "\(requested) requested; the largest node has \(AmountText.memory(memory))")
        }
        return constraint ?? kept(taints, at: field)
    }

    private func kept(_ taints: Set<String>, at field: String) -> FieldError {
        guard !taints.isEmpty else { return FieldError(field, "no node can hold it") }
        let names = taints.filter { !NodeMembership.isTaintOfPool($0) }.sorted().map { "'\($0)'" }.joined(separator: ", ")
        if names.isEmpty { return FieldError("pool", "all nodes are in pools that are kept for jobs which ask for them") }
        return FieldError("\(field).constraints", "all nodes are kept for jobs that name them: add a constraint \(names)")
    }

    /// Candidate centers and the need of the internet are constraints that the job did not spell.
    private static func unmet(_ text: String, at field: String) -> FieldError {
        if text == NodeMembership.internetLabel {
            return FieldError("needsInternet", "no node is in a center with network access; a join token says so: --center … --net-access")
        }
        guard text.hasPrefix("\(NodeMembership.centerLabel) one of ") else {
            return FieldError("\(field).constraints", "no node satisfies '\(text)'")
        }
        return FieldError("centers", "no node is in any of them")
    }

    /// A name that a model has says that no node makes such partitions; a name that none has is misspelt, most likely.
    private static func missing(_ template: String, kind: DeviceKind?) -> String {
        let rows = DeviceModelTable.nominal.rows.filter { kind == nil || $0.kind == kind }
        let known = rows.flatMap { $0.partitioning?.templates.map(\.name) ?? [] }
        guard !known.contains(template) else { return "no node divides its devices into partitions '\(template)'" }
        return "no model has partitions '\(template)'; known: \(Set(known).sorted().joined(separator: ", "))"
    }

    /// Whether a simulated node would hold it, were it allowed there.
    private func fitsSimulated(_ group: RequestClass.Group) -> Bool {
        var allowed = group
        allowed.constraints.append(Constraint(key: simulatedLabel, comparison: .present))
        return offers.holdsWhenIdle(allowed)
    }

    func decideRetry(_ id: JobID, _ submission: Submission, at now: LogicalTime) throws(Rejection) -> Decided {
        guard isEnded(id) else {
            throw jobs[id] == nil ? .jobNotFound(id) : .conflict("job \(id) has not ended; cancel it first, or wait for it")
        }
        // What ended it then would end it again, or keep it from starting.
        var again = submission
        again.specification.isHeld = false
        again.specification.recurrence = nil
        if let deadline = again.specification.deadline, deadline <= now { again.specification.deadline = nil }
        return try decideSubmit(again, retryOf: id, at: now)
    }

    func decideCancel(_ id: JobID, at now: LogicalTime) throws(Rejection) -> Decided {
        guard let row = jobs[id] else {
            guard isEnded(id) else { throw .jobNotFound(id) }
            // Terminal states never change; asking again is not a fault.
            return Decided(answer: .job(id, isReplay: true))
        }
        var decided = Decided(answer: .job(id, isReplay: row.isCancelling))
        guard !row.isCancelling else { return decided }
        decided.events.append(.jobCancelRequested(id, at: now))
        appendStop(of: id, row, as: .cancelled, .user, exitCode: ExitCode.terminated, at: now, &decided.events)
        return decided
    }

    /// What waits of the job never starts, what lives is stopped; where nothing lives, it has ended.
    func appendStop(
        of id: JobID, _ row: JobRow, as state: JobState, _ reason: Reason, exitCode: Int32, at now: LogicalTime, _ events: inout [Event]
    ) {
        if !row.waiting.isEmpty { events.append(.waitingUnitsCancelled(id, at: now)) }
        for ordinal in row.liveOrdinals where row.live[ordinal]?.stopReason == nil {
            events.append(
                .unitStopRequested(StoppedUnit(job: id, ordinal: ordinal, grace: row.specification.grace, reason: reason, at: now)))
        }
        guard row.live.isEmpty else { return }
        let finished = FinishedJob(id: id, state: state, reason: reason, exitCode: exitCode, at: now)
        events.append(.jobFinished(finished))
        appendDependentsOf(finished, &events)
    }

    // MARK: Dependencies

    enum DependencyOutcome { case met, open, violated }

    public func isEnded(_ id: JobID) -> Bool {
        succeededJobs.contains(id.value) || failedJobs.contains(id.value) || cancelledJobs.contains(id.value)
    }

    func outcome(of dependency: Dependency) -> DependencyOutcome {
        guard isEnded(dependency.job) else { return .open }
        return Self.outcome(of: dependency.condition, succeeded: succeededJobs.contains(dependency.job.value))
    }

    private static func outcome(of condition: Dependency.Condition, succeeded: Bool) -> DependencyOutcome {
        switch condition {
        case .any: .met
        case .ok: succeeded ? .met : .violated
        case .fail: succeeded ? .violated : .met
        }
    }

    /// A job whose dependency can never be met ends without having started.
    private func appendNeverStarted(_ id: JobID, at now: LogicalTime, _ events: inout [Event]) {
        events.append(.waitingUnitsCancelled(id, at: now))
        let finished = FinishedJob(id: id, state: .cancelled, reason: .dependency, exitCode: ExitCode.platform, at: now)
        events.append(.jobFinished(finished))
        appendDependentsOf(finished, &events)
    }

    /// Jobs that the end of this one makes impossible, and theirs in turn.
    func appendDependentsOf(_ finished: FinishedJob, _ events: inout [Event]) {
        for dependent in dependents[finished.id] ?? [] {
            guard let row = jobs[dependent], !row.isCancelling else { continue }
            let violated = row.unmetDependencies.contains {
                $0.job == finished.id && Self.outcome(of: $0.condition, succeeded: finished.state == .succeeded) == .violated
            }
            if violated { appendNeverStarted(dependent, at: finished.at, &events) }
        }
    }

    // MARK: Evolve

    mutating func evolveAccepted(_ job: AcceptedJob, _ changes: inout Changes) {
        advance(to: job.at)
        lastJob = max(lastJob, job.id.value)
        let specification = job.specification
        let shape = intern(RequestClass(of: specification))
        let beginAt = specification.beginAt.flatMap { $0 > job.at ? $0 : nil } ?? .zero
        let unmet = specification.dependencies.filter { outcome(of: $0) != .met }
        let row = JobRow(
            specification: specification, user: job.user, submittedAt: job.at, retryOf: job.retryOf, shape: shape,
            gangSize: specification.gangSize, account: enterAccount(specification, user: job.user),
            waiting: [
                WaitingUnits(
                    attempt: 1, notBefore: beginAt, reason: .none,
                    units: IntervalSet(first: 0, last: UInt64(specification.unitCount) - 1))
            ],
            unmetDependencies: unmet, counts: TaskCounts(queued: specification.taskCount))
        jobs.set(row, for: job.id)
        countQueuedJob(1, of: row.account)
        for dependency in unmet { dependents[dependency.job, default: []].append(job.id) }
        if beginAt > .zero { alarms.insert(job.id, at: beginAt) }
        watchExpiry(of: job.id, row)
        if let key = job.key { remember(key, of: job) }
        requeue(job.id)
        changes.add(.jobAccepted(job))
        changes.touch(job.id)
    }

    private mutating func remember(_ key: Submission.Key, of job: AcceptedJob) {
        let id = SubmissionKeyID(tenant: job.specification.tenant, text: key.text)
        submissionKeys[id] = SubmissionKeyRow(requestDigest: key.requestDigest, job: job.id, acceptedAt: job.at)
        keyOrder.append(id)
        keyCounts[id.tenant, default: 0] += 1
    }

    mutating func evolveKeysExpired(through: LogicalTime) {
        let expired = keyOrder.prefix { (submissionKeys[$0]?.acceptedAt ?? .zero) <= through }
        for id in expired {
            submissionKeys[id] = nil
            keyCounts[id.tenant, default: 1] -= 1
            if keyCounts[id.tenant] == 0 { keyCounts[id.tenant] = nil }
        }
        keyOrder.removeFirst(expired.count)
    }

    private mutating func intern(_ shape: RequestClass) -> RequestClassID {
        if let id = shapeIDs[shape] {
            _ = shapes.update(id) { $0.jobCount += 1 }
            return id
        }
        lastShape += 1
        let id = RequestClassID(lastShape)
        shapeIDs[shape] = id
        shapes.set(InternedShape(shape: shape, jobCount: 1), for: id)
        return id
    }

    private mutating func unintern(_ id: RequestClassID) {
        let isUnused = shapes.update(id) { interned -> Bool in
            interned.jobCount -= 1
            return interned.jobCount == 0
        }
        guard isUnused == true, let interned = shapes.remove(id) else { return }
        shapeIDs[interned.shape] = nil
    }

    mutating func evolveCancelRequested(_ id: JobID, at: LogicalTime, _ changes: inout Changes) {
        advance(to: at)
        if let row = jobs[id] { unwatchExpiry(of: id, row) }
        _ = jobs.update(id) { $0.isCancelling = true }
        requeue(id)
        changes.touch(id)
    }

    mutating func evolveWaitingCancelled(_ id: JobID, at: LogicalTime, _ changes: inout Changes) {
        advance(to: at)
        _ = jobs.update(id) { row in
            let units = row.waiting.reduce(0) { $0 + $1.units.count }
            row.waiting.removeAll()
            row.counts.queued -= UInt32(units) * row.gangSize
            row.counts.cancelled += UInt32(units) * row.gangSize
            if row.firstFailure == .none { row.firstFailure = row.history.expiry ?? .user }
        }
        requeue(id)
        changes.touch(id)
    }

    mutating func evolveFinished(_ finished: FinishedJob, _ changes: inout Changes) {
        advance(to: finished.at)
        guard let row = jobs.remove(finished.id) else { return }
        leaveQueue(finished.id, row)
        unwatchExpiry(of: finished.id, row)
        unintern(row.shape)
        leaveAccount(row)
        preemptionClaims.remove(finished.id)
        switch finished.state {
        case .succeeded: succeededJobs.insert(finished.id.value)
        case .cancelled: cancelledJobs.insert(finished.id.value)
        default: failedJobs.insert(finished.id.value)
        }
        for dependency in row.unmetDependencies { dependents[dependency.job]?.removeAll { $0 == finished.id } }
        changes.add(
            .job(
                JobStanding(
                    id: finished.id, state: finished.state, reason: finished.reason, counts: row.counts, startedAt: row.startedAt,
                    finishedAt: finished.at, exitCode: finished.exitCode)))
        for dependent in dependents.removeValue(forKey: finished.id) ?? [] {
            _ = jobs.update(dependent) { waiting in
                waiting.unmetDependencies.removeAll {
                    $0.job == finished.id && Self.outcome(of: $0.condition, succeeded: finished.state == .succeeded) == .met
                }
            }
            requeue(dependent)
            changes.touch(dependent)
        }
    }
}

/// Exit codes of tasks that ended without one of their own, as shells and timeout(1) spell them.
public enum ExitCode {
    public static let timeLimit: Int32 = 124
    public static let platform: Int32 = 125
    public static let cannotExecute: Int32 = 126
    public static let notFound: Int32 = 127
    /// 128 + SIGKILL, also for the out-of-memory killer.
    public static let killed: Int32 = 137
    /// 128 + SIGTERM: a cancelled task that never ran counts as terminated.
    public static let terminated: Int32 = 143
}
