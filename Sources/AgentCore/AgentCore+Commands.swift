// What the coordinator says.

import ClusterModel

extension AgentCore {
    mutating func receive(_ message: CoordinatorMessage, at now: Int64, _ effects: inout [AgentEffect]) {
        switch message {
        case .welcome(let welcome): begin(welcome, at: now, &effects)
        case .refuse(let refusal):
            effects.append(.note(.refused(refusal.message)))
            challenge = refusal.challenge
            if refusal.retryAfter <= .zero {
                effects.append(.giveUp(refusal.message))
            } else {
                // Asked again when the registration would be repeated anyway, counted from then.
                link = .registering(since: now + refusal.retryAfter.nanoseconds - AgentTiming.registrationRepeat)
            }
        case .heartbeatAck(let ack): acknowledge(ack, at: now, &effects)
        case .command(let command): apply(command, at: now, &effects)
        case .fileService(let service): effects.append(.useFiles(service))
        }
    }

    private mutating func begin(_ welcome: Welcome, at now: Int64, _ effects: inout [AgentEffect]) {
        // A leader that was deposed may still answer; its epoch tells.
        guard welcome.epoch >= epoch, welcome.session > session || welcome.epoch > epoch else { return }
        // An answer to what was said before: its session does not know what we have said since.
        guard welcome.registrationSentAt == 0 || welcome.registrationSentAt == registrationSentAt else { return }
        epoch = welcome.epoch
        session = welcome.session
        commandsApplied = 0
        heartbeatNumber = 0
        heartbeatsSent.removeAll()
        heartbeatInterval = welcome.heartbeatInterval.nanoseconds
        heartbeatDue = now
        lease = welcome.lease.nanoseconds
        // From when the registration was sent: the coordinator cannot have heard of us later.
        leaseStart = min(registrationSentAt, now)
        stateMark = welcome.stateMark
        keepLease(durably: true, &effects)
        link = .registered
        effects.append(.note(.registered(welcome.node, welcome.epoch, welcome.session)))
        if welcome.wantsTopology { effects.append(.sendTopology) }
        // What ended or began while the registration was on its way.
        var reports: [AttemptStatus] = []
        for id in attempts.ids where attempts[id]?.isReleased == false {
            if let attempt = attempts[id], !attempt.isStarting { reports.append(attempt.status(of: id, at: now)) }
        }
        report(reports, &effects)
        effects += shipper.connected()
    }

    private mutating func acknowledge(_ ack: HeartbeatAck, at now: Int64, _ effects: inout [AgentEffect]) {
        guard ack.session == session, link == .registered else { return }
        if let sent = heartbeatsSent.first(where: { $0.number == ack.number }), sent.at > leaseStart {
            leaseStart = sent.at
            // Overtaken by a start, it knows less than that did.
            if !ack.stateMark.isEmpty, ack.commandsSent >= commandsApplied { stateMark = ack.stateMark }
            keepLease(&effects)
        }
        heartbeatsSent.removeAll { $0.number <= ack.number }
        heartbeatInterval = max(1_000_000, ack.interval.nanoseconds)
        heartbeatDue = min(heartbeatDue, now + heartbeatInterval)
        if ack.commandsSent > commandsApplied {
            effects.append(.note(.missedCommands(applied: commandsApplied, sent: ack.commandsSent)))
            register(at: now, &effects)
        }
    }

    private func keepLease(durably: Bool = false, _ effects: inout [AgentEffect]) {
        effects.append(.keepLease(KeptLease(start: leaseStart, stateMark: stateMark), durably: durably))
        effects.append(.holdLease(until: leaseStart.addingSaturating(lease)))
    }

    private mutating func apply(_ command: AgentCommand, at now: Int64, _ effects: inout [AgentEffect]) {
        guard link == .registered, command.epoch == epoch, command.session == session, command.sequence > commandsApplied else { return }
        guard command.sequence == commandsApplied + 1 else {
            effects.append(.note(.missedCommands(applied: commandsApplied, sent: command.sequence)))
            register(at: now, &effects)
            return
        }
        commandsApplied = command.sequence
        switch command.body {
        case .start(let batch):
            if !command.stateMark.isEmpty {
                stateMark = command.stateMark
                keepLease(&effects)
            }
            start(batch, at: now, &effects)
        case .stop(let orders): stop(orders, at: now, &effects)
        case .release(let orders):
            for order in orders { release(order, &effects) }
        }
    }

    /// A live attempt is never forgotten, nor one that was granted again since the release was decided.
    private mutating func release(_ order: ReleaseOrder, _ effects: inout [AgentEffect]) {
        guard let attempt = attempts[order.attempt], !attempt.isLive, order.fence.value == 0 || order.fence == attempt.fence else { return }
        attempts[order.attempt]?.isReleased = true
        attempts[order.attempt]?.endReportAt = nil
        releaseIfDone(order.attempt, &effects)
    }

    // MARK: Start

    /// Whether the order is news. A successor that was given back may come again with a newer fence, before the release
    /// of the older grant has arrived.
    private mutating func accepts(_ order: StartOrder, _ effects: inout [AgentEffect]) -> Bool {
        guard let known = attempts[order.attempt] else { return true }
        guard order.fence > known.fence, case .ended(let end, _) = known.phase, end.cause == .returned else { return false }
        if known.terms.hasMail { effects.append(.removeMail(order.attempt)) }
        attempts[order.attempt] = nil
        shipper.forget(order.attempt)
        effects.append(.release([order.attempt]))
        return true
    }

    private mutating func start(_ batch: StartBatch, at now: Int64, _ effects: inout [AgentEffect]) {
        var orders: [LaunchOrder] = []
        var stageOrders: [StageOrder] = []
        var reports: [AttemptStatus] = []
        var terms = AttemptTerms(timeLimit: batch.template.timeLimit, grace: batch.template.grace, onNodeLost: batch.template.onNodeLost)
        for order in batch.starts {
            terms.processors = order.allocation.processors
            terms.numaNode = order.allocation.numaNode
            terms.hasMail = batch.template.hasCheckpoints && !configuration.mailRoot.isEmpty
            guard accepts(order, &effects) else {
                if let known = attempts[order.attempt], order.fence > known.fence { reports.append(Self.handedBack(order)) }
                continue
            }
            attempts[order.attempt] = LocalAttempt(
                fence: order.fence, phase: .launching, terms: terms,
                returnAt: order.isSuccessor ? now + AgentTiming.successorPatience : nil)
            switch account(for: batch.template) {
            case .success(let account):
                let directory = configuration.workDirectory(of: order.attempt, batch.template)
                let stageOrder = stageOrder(order, batch.template, account: account, workDirectory: directory)
                terms.files = stageOrder == nil ? .none : .staged
                if terms.hasMail { effects.append(.openMail(order.attempt, account)) }
                let launchOrder = launchOrder(order, batch, account: account, terms: terms, workDirectory: directory)
                if let stageOrder {
                    attempts[order.attempt]?.terms = terms
                    attempts[order.attempt]?.phase = .staging(launchOrder)
                    stageOrders.append(stageOrder)
                } else {
                    orders.append(launchOrder)
                }
            case .failure(let refusal):
                let end = AttemptEnd(cause: .cannotExecute, exitCode: 126, detail: refusal.message)
                finish(order.attempt, end, endedAt: now, at: now, &reports)
            }
        }
        if !orders.isEmpty { effects.append(.launch(orders)) }
        if !stageOrders.isEmpty { effects.append(.stage(stageOrders)) }
        report(reports, &effects)
    }

    /// A newer grant of an attempt that is still here under an older one: of a time that a restored coordinator does not
    /// know. That one is told to stop; this one never runs, and is tried again under another number.
    private static func handedBack(_ order: StartOrder) -> AttemptStatus {
        let end = AttemptEnd(
            cause: .returned, exitCode: 125, detail: "the node still held this attempt from before a restore of the coordinator")
        return AttemptStatus(attempt: order.attempt, fence: order.fence, phase: .ended(end), age: .zero)
    }

    private struct AccountRefusal: Error { var message: String }

    /// Never a uid from the request: an administrator's mapping, or the agent's own choice.
    private func account(for template: TaskTemplate) -> Result<UserAccount, AccountRefusal> {
        guard configuration.isRoot else { return .success(configuration.defaultAccount) }
        let account = template.account ?? configuration.defaultAccount
        if account.userID == 0, !configuration.allowsRootJobs {
            return .failure(AccountRefusal(message: "jobs run as root only on agents started with --allow-root-jobs"))
        }
        return .success(account)
    }

    private func launchOrder(
        _ order: StartOrder, _ batch: StartBatch, account: UserAccount, terms: AttemptTerms, workDirectory directory: String
    ) -> LaunchOrder {
        let template = batch.template
        let environment = JobEnvironment.entries(order, template, job: batch.job, configuration: configuration, workDirectory: directory)
        return LaunchOrder(
            attempt: order.attempt, fence: order.fence, slot: order.slot, command: template.command, environment: environment,
            workDirectory: directory,
            makesWorkDirectory: template.workDirectory.isEmpty,
            userID: account.userID, groupID: account.groupID, processors: processors(for: order.allocation),
            cpuMilli: order.allocation.cpuMilli,
            memoryBytes: order.allocation.memoryBytes, outputLimitBytes: configuration.outputLimitBytes,
            dependsOnLease: terms.onNodeLost != .wait, note: terms.canonicalBytes)
    }

    /// Its own, or those of its NUMA node, or any; but none that another has for itself. What started before those were given
    /// away stays where it is.
    private func processors(for allocation: Allocation) -> [UInt32] {
        allocation.processors.isEmpty ? processors(near: allocation.numaNode) : allocation.processors
    }

    func processors(near numaNode: UInt32?) -> [UInt32] {
        let taken = attempts.processorsTaken
        let nodes = configuration.inventory.numaNodes
        let near = numaNode.flatMap { wanted in nodes.first { $0.osIndex == wanted }?.processors }
        guard near != nil || !taken.isEmpty else { return [] }
        let all = near ?? nodes.flatMap(\.processors)
        let free = all.filter { !taken.contains($0) }
        return free.isEmpty ? all : free
    }

    // MARK: Stop

    private mutating func stop(_ orders: [StopOrder], at now: Int64, _ effects: inout [AgentEffect]) {
        var reports: [AttemptStatus] = []
        for order in orders { stop(order, at: now, &reports, &effects) }
        report(reports, &effects)
    }

    private mutating func stop(
        _ order: StopOrder, at now: Int64, _ reports: inout [AttemptStatus], _ effects: inout [AgentEffect]
    ) {
        if answersForMissing(order, at: now, &reports, &effects) { return }
        guard var attempt = attempts[order.attempt], attempt.isLive else { return }
        // Outputs have the grace to arrive; inputs are of no use to anybody.
        if !attempt.isCollecting || order.grace <= .zero,
            endWithoutProcess(order.attempt, cause: .stopped, at: now, &reports, &effects)
        {
            return
        }
        let killAt = now.addingSaturating(order.grace.nanoseconds)
        if let stop = attempt.stop {
            // A second order may only hasten the end; one that asks for no checkpoint waits for none.
            attempt.stop?.killAt = min(stop.killAt, killAt)
            if stop.terminateAt != nil, order.checkpointSignal == nil, order.grace > .zero {
                attempt.stop?.terminateAt = nil
                effects.append(.signal(order.attempt, Signal.terminate))
            }
        } else {
            attempt.stop = LocalAttempt.Stop(cause: .stopped, killAt: killAt)
            giveNotice(order, &attempt, at: now, &effects)
        }
        if order.grace <= .zero {
            attempt.stop?.killAt = now + AgentTiming.killRepeat
            effects.append(.signal(order.attempt, Signal.kill))
        }
        attempts[order.attempt] = attempt
    }

    /// A grant that never arrived here: its stop overtook it. Only this node can say so, and it says it until it is released.
    private mutating func answersForMissing(
        _ order: StopOrder, at now: Int64, _ reports: inout [AttemptStatus], _ effects: inout [AgentEffect]
    ) -> Bool {
        guard order.fence > Fence(0) else { return false }
        if let known = attempts[order.attempt] {
            guard !known.isLive, known.fence < order.fence else { return false }
            if known.terms.hasMail { effects.append(.removeMail(order.attempt)) }
            shipper.forget(order.attempt)
            effects.append(.release([order.attempt]))
        }
        let terms = AttemptTerms(timeLimit: nil, grace: .zero, onNodeLost: .wait)
        attempts[order.attempt] = LocalAttempt(fence: order.fence, phase: .launching, terms: terms)
        let end = AttemptEnd(cause: .returned, exitCode: 128 + Signal.terminate, detail: "stopped before it started")
        finish(order.attempt, end, endedAt: now, at: now, &reports)
        return true
    }

    /// Ends every attempt at once: the agent was told to take its jobs with it.
    public mutating func killAll(at now: Int64) -> [AgentEffect] {
        var effects: [AgentEffect] = []
        stop(attempts.ids.map { StopOrder(attempt: $0, grace: .zero) }, at: now, &effects)
        return effects
    }
}
