// What an event asks of the shells, read off the state right after it was folded.

public import ClusterModel
import Placement

extension SchedulerCore {
    public func effects(of event: Event) -> [Effect] {
        switch event {
        case .unitsPlaced(let placed):
            guard let row = jobs[placed.job] else { return [] }
            return placed.units.flatMap { unit in
                commands(startBatches(job: placed.job, row: row, ordinal: unit.ordinal, only: nil))
            }
        case .successorsGranted(let granted): return startCommands(of: granted)
        case .successorReturned(let attempt, let node, _): return releaseCommands(attempt, on: node)
        case .jobCancelRequested(let job, _), .jobExpired(let job, _, _): return stopCommandsForSuccessors(of: job)
        case .unitStopRequested(let stopped):
            guard let row = jobs[stopped.job], let unit = row.live[stopped.ordinal] else { return [] }
            return stopCommands(stopped.job, row: row, ordinal: stopped.ordinal, unit: unit, grace: stopped.grace)
        case .gangsPreempted(let preemption): return stopCommands(of: preemption)
        case .attemptEnded(let ended):
            return releaseCommands(ended.attempt, on: ended.node)
        case .nodeRegistered(let node):
            return [.welcome(node.id, node.session, epoch, registrationSentAt: node.sentAt)]
        case .nodeDrainDue(let node, _): return stopCommandsForSuccessors(on: node)
        case .nodeRemoved(let node, _), .nodeConfirmedDead(let node, _):
            return [.disconnect(node)]
        case .clusterFounded, .clusterRestored, .leadershipBegan, .jobAccepted, .jobUpdated, .waitingUnitsCancelled, .attemptStarted,
            .gangCheckpointed, .jobFinished,
            .timersDue, .idempotencyExpired, .nodeEnrolled, .nodeSuspected, .nodeSilenced, .nodeCordoned, .nodeDrainBegan,
            .attemptLeftBehind, .attemptGone, .nodeContested, .nodeQuarantined, .stateOutdated, .joinTokenCreated, .keyCreated, .keyRevoked,
            .nodeMoved, .userSet, .secretSet, .secretRemoved, .datasetCreated, .datasetRemoved, .shareObjectSet, .shareObjectRemoved,
            .hourCut:
            return []
        }
    }

    /// A report is durable: the agent may forget the attempt. Whichever grant it was: a newer one comes after this.
    private func releaseCommands(_ attempt: AttemptID, on id: NodeID) -> [Effect] {
        guard let node = nodes[id], node.link == .connected else { return [] }
        return [.command(id, node.session, .release([ReleaseOrder(attempt: attempt, fence: Fence(0))]))]
    }

    /// Everything that agents may have missed: after a new registration of `node`, its stops (starts are repeated by
    /// `decideUnlisted`). After a restart nothing is outstanding before agents register again, which brings this about.
    public func outstandingEffects(for node: NodeID) -> [Effect] {
        var effects: [Effect] = []
        let isEvicting = nodes[node]?.isEvicting ?? false
        for attempt in attempts(on: node) {
            if let session = nodes[node]?.session, successor(attempt) != nil, let row = jobs[attempt.task.job],
                row.isCancelling || isEvicting
            {
                effects.append(.command(node, session, .stop([stopOrder(attempt, grace: row.specification.grace)])))
                continue
            }
            guard let (row, _, rank, unit) = liveTask(attempt), let reason = unit.stopReason, let session = nodes[node]?.session else {
                continue
            }
            let grace =
                [.user, .preempted, .deadline].contains(reason)
                ? row.specification.grace : min(row.specification.grace, SchedulerLimits.gangStopGrace)
            let order = stopOrder(attempt, row, unit, grace: grace, fence: unit.tasks[rank].fence)
            effects.append(.command(node, session, .stop([order])))
        }
        return effects
    }

    private func commands(_ batches: [(node: NodeID, batch: StartBatch)]) -> [Effect] {
        batches.compactMap { node, batch in
            nodes[node].map { .command(node, $0.session, .start(batch)) }
        }
    }

    func stopCommands(
        _ job: JobID, row: JobRow, ordinal: UInt32, unit: LiveUnit, grace: Span, asksForCheckpoint: Bool = true
    ) -> [Effect] {
        var orders: [NodeID: [StopOrder]] = [:]
        for (rank, task) in unit.tasks.enumerated() {
            if case .ended = task.phase { continue }
            let attempt = AttemptID(job: job, index: ordinal * row.gangSize + UInt32(rank), number: unit.attempt)
            var order = stopOrder(attempt, row, unit, grace: grace, fence: task.fence)
            if !asksForCheckpoint { order.checkpointSignal = nil }
            orders[task.node, default: []].append(order)
        }
        return stopCommands(orders)
    }

    /// Whoever has to give way may write a checkpoint first; who is cancelled, or fails with its gang, has no use for one.
    private func stopOrder(_ attempt: AttemptID, _ row: JobRow, _ unit: LiveUnit, grace: Span, fence: Fence) -> StopOrder {
        let reason = unit.stopReason ?? .none
        return StopOrder(
            attempt: attempt, grace: grace, fence: fence, reason: reason,
            checkpointSignal: reason == .preempted ? row.specification.checkpointSignal : nil)
    }

    func stopOrder(_ attempt: AttemptID, grace: Span) -> StopOrder {
        StopOrder(attempt: attempt, grace: grace, fence: fence(of: attempt) ?? Fence(0))
    }

    /// One command for each node, in the order of nodes.
    func stopCommands(_ orders: [NodeID: [StopOrder]]) -> [Effect] {
        orders.keys.sorted().compactMap { node in
            nodes[node].map { .command(node, $0.session, .stop(orders[node] ?? [])) }
        }
    }

    /// The start orders of a live gang, grouped by node and group; `only` narrows them to some ranks.
    func startBatches(job: JobID, row: JobRow, ordinal: UInt32, only ranks: [Int]?) -> [(node: NodeID, batch: StartBatch)] {
        guard let unit = row.live[ordinal] else { return [] }
        let specification = row.specification
        let gang = row.gangSize > 1 ? GangLayout(unit: unit, core: self) : nil
        var batches: [(node: NodeID, group: Int, batch: StartBatch)] = []
        for (rank, task) in unit.tasks.enumerated() where ranks?.contains(rank) ?? true {
            let group = specification.group(ofRank: UInt32(rank)).group
            let attempt = AttemptID(job: job, index: ordinal * row.gangSize + UInt32(rank), number: unit.attempt)
            let order = StartOrder(
                attempt: attempt, fence: task.fence, slot: task.slot, allocation: task.allocation, restartReason: unit.restartReason,
                gang: gang?.place(ofRank: rank))
            if let index = batches.firstIndex(where: { $0.node == task.node && $0.group == group }) {
                batches[index].batch.starts.append(order)
            } else {
                let kind = deviceKind(of: task.allocation, on: task.node)
                let template = template(of: specification, group: group, user: row.user, deviceKind: kind)
                batches.append((task.node, group, StartBatch(job: job, template: template, starts: [order])))
            }
        }
        return batches.map { ($0.node, $0.batch) }
    }

    /// Of what was granted. Agents of this release look at their own inventory; those before were told.
    func deviceKind(of allocation: Allocation, on node: NodeID) -> DeviceKind? {
        guard let grant = allocation.devices.first, let devices = offers[node]?.inventory.devices, Int(grant.index) < devices.count else {
            return nil
        }
        return devices[Int(grant.index)].kind
    }

    private func account(of user: String) -> UserAccount? {
        guard case .user(let record)? = shareObjects[ShareObjectID(.user, user)] else { return nil }
        return record.account
    }

    func template(of specification: JobSpecification, group index: Int, user: String, deviceKind: DeviceKind?) -> TaskTemplate {
        let group = specification.groups[index]
        let secrets = secretVariables(of: specification)
        return TaskTemplate(
            jobName: specification.name, tenant: specification.tenant, project: specification.project, queue: specification.queue,
            groupName: group.name, command: group.command, environment: group.environment + secrets.variables,
            workDirectory: group.workDirectory,
            checkpointPath: specification.checkpointPath, deviceKind: deviceKind, timeLimit: specification.timeLimit,
            grace: specification.grace, onNodeLost: specification.onNodeLost, account: account(of: user),
            worldSize: specification.gangSize, labels: specification.labels, arrayFirst: specification.array?.first ?? 0,
            isArray: specification.array != nil, inputs: specification.inputs, outputs: specification.outputs, secretFiles: secrets.files,
            traceParent: specification.traceParent, hasCheckpoints: specification.hasCheckpoints)
    }
}

/// Ranks on nodes as gang launchers want them: node ranks in order of first appearance.
private struct GangLayout {
    private var nodeRanks: [NodeID] = []
    private var nodeNames: [String] = []
    private var places: [(nodeRank: Int, localRank: UInt32)] = []
    private var localCounts: [UInt32] = []
    private let masterAddress: String
    private let masterPort: UInt32

    init(unit: LiveUnit, core: borrowing SchedulerCore) {
        for task in unit.tasks {
            let nodeRank: Int
            if let known = nodeRanks.firstIndex(of: task.node) {
                nodeRank = known
            } else {
                nodeRank = nodeRanks.count
                nodeRanks.append(task.node)
                nodeNames.append(core.nodes[task.node]?.name ?? "")
                localCounts.append(0)
            }
            places.append((nodeRank, localCounts[nodeRank]))
            localCounts[nodeRank] += 1
        }
        masterAddress = core.offers[unit.tasks[0].node]?.inventory.address ?? ""
        masterPort = Self.port(for: unit.tasks[0].fence)
    }

    /// Below the usual ephemeral range (32768), above the registered services that a node is likely to run; the fence
    /// spreads gangs, so two that share a node seldom meet.
    private static func port(for fence: Fence) -> UInt32 { 20_000 + UInt32(fence.value % 12_000) }

    func place(ofRank rank: Int) -> GangPlace {
        let place = places[rank]
        return GangPlace(
            rank: UInt32(rank), localRank: place.localRank, localWorldSize: localCounts[place.nodeRank],
            nodeRank: UInt32(place.nodeRank), masterAddress: masterAddress, masterPort: masterPort, nodeNames: nodeNames)
    }
}
