public import ClusterModel
public import ClusterPorts
import Placement
public import SchedulingCore
import Synchronization

extension SchedulerEngine: ControlPlane {
    public func perform(_ command: Command) async throws(ControlError) -> Decision {
        if command.addsToState, disk.withLock({ $0.isLow }) {
            instruments.refused(.diskFull)
            throw .diskFull
        }
        let result = await withCheckedContinuation { continuation in
            desk.stage(command) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    public func reach(revision: UInt64) async throws(ControlError) {
        guard await follower.reach(revision, within: .seconds(5)) else { throw .unavailable }
    }

    public func cluster() -> ClusterView {
        let (identity, epoch, revision, jobs, isOutdated, capacity) = follower.read {
            ($0.clusterID, $0.epoch, $0.revision, $0.liveJobCount, $0.isOutdated, $0.capacity)
        }
        let totals = queueTotals()
        let devices = capacity.devices.map { sum in
            DeviceTotal(
                kind: sum.device.kind, model: sum.device.model, isSimulated: sum.isSimulated, count: sum.count,
                shareMilliAllocated: sum.shareMilliAllocated,
                computeUnits: DeviceModelTable.nominal.lookup(device: sum.device).map {
                    DeviceTotal.Worth(milliEach: $0.computeUnitsMilli, isConfirmed: $0.isConfirmed)
                })
        }
        return ClusterView(
            clusterID: identity, epoch: epoch, revision: revision, nodesRegistered: capacity.nodesRegistered,
            nodesReady: capacity.nodesReady, cpuMilliTotal: capacity.cpuMilli, cpuMilliAllocated: capacity.cpuMilliAllocated,
            memoryBytesTotal: capacity.memoryBytes, memoryBytesAllocated: capacity.memoryBytesAllocated, devices: devices,
            jobsLive: UInt64(jobs), tasksQueued: totals.queued, tasksLive: totals.starting + totals.running + totals.stopping,
            queue: QueueTotals.Cause.allCases.compactMap { cause in
                totals[cause].oldest.map { QueuedTotal(reason: cause.name, tasks: totals[cause].tasks, oldestAt: $0) }
            }, isOutdated: isOutdated)
    }

    /// Summed in pieces, between which batches go on: the parts may be of different instants.
    func queueTotals() -> QueueTotals {
        let now = now()
        var totals = QueueTotals()
        var next: JobID? = JobID(0)
        while let first = next {
            (totals, next) = follower.read { [totals] core in
                var sum = totals
                let next = core.addTotals(from: first, at: now, to: &sum)
                return (sum, next)
            }
        }
        return totals
    }

    public func centers() -> [CenterView] {
        let nodes = nodes()
        let now = now()
        let known = follower.read { $0.centers(at: now) }
        // Those that say more of a center than its identifier come first.
        var views: [CenterView] = []
        for center in known where !views.contains(where: { $0.center.id == center.id }) { views.append(CenterView(center: center)) }
        let places = Dictionary(uniqueKeysWithValues: views.indices.map { (views[$0].center.id, $0) })
        var worth: [String: Int64] = [:]
        for node in nodes {
            guard let place = node.membership.center.flatMap({ places[$0.id] }) else { continue }
            views[place].add(node, &worth)
        }
        return views.sorted { $0.center.id < $1.center.id }
    }

    public func nodes() -> [NodeView] {
        var views = follower.read { core in core.nodeIDs.compactMap { core.standing(of: $0).map(Self.view) } }
        sessions.withLock { sessions in
            for index in views.indices { views[index].load = sessions.load(of: views[index].id) }
        }
        return views
    }

    public func node(_ id: NodeID) -> NodeView? { measured(follower.read { core in core.standing(of: id).map(Self.view) }) }

    public func node(named name: String) -> NodeView? {
        measured(follower.read { core in core.nodeID(named: name).flatMap { core.standing(of: $0).map(Self.view) } })
    }

    private func measured(_ view: NodeView?) -> NodeView? {
        guard var view else { return nil }
        view.load = sessions.withLock { $0.load(of: view.id) }
        return view
    }

    static func view(_ standing: SchedulerCore.NodeStanding) -> NodeView {
        let state: NodeView.State =
            if standing.isQuarantined { .quarantined } else if standing.isSilent { .unreachable } else if standing.isSuspect {
                .suspect
            } else if !standing.isRegistered {
                .unregistered
            } else if let drain = standing.drain { drain.isDone ? .drained : .draining } else if standing.isCordoned { .cordoned } else {
                .ready
            }
        let inventory = standing.offer?.inventory
        return NodeView(
            id: standing.id, name: standing.name, state: state, membership: standing.membership,
            drain: standing.drain.map { NodeView.Drain(deadline: $0.deadline, isDone: $0.isDone) }, inventory: inventory,
            cpuMilliAllocated: standing.offer.map { $0.inventory.cpuMilli - $0.room.cpuMilliFree } ?? 0,
            memoryBytesAllocated: standing.offer.map { $0.inventory.memoryBytes - $0.room.memoryBytesFree } ?? 0,
            devices: standing.offer.map { offer in
                zip(offer.inventory.devices, offer.room.devices).map { device, room in
                    NodeView.DeviceView(
                        device: device, shareMilliAllocated: 1000 - room.shareMilliFree,
                        memoryBytesAllocated: device.memoryBytes - room.memoryBytesFree)
                }
            } ?? [], liveAttempts: standing.liveAttempts, condition: standing.condition, dirtyAttempts: standing.leftBehind,
            enrolledAt: standing.enrolledAt, registeredAt: standing.registeredAt)
    }

    public func liveJob(_ id: JobID) -> LiveJobView? { follower.liveJob(id) }
    public func forecast(of id: JobID) -> WaitingForecast? { follower.forecast(of: id, at: now()) }
    public func plan(_ submission: Submission) -> Plan { follower.plan(submission, at: now()) }
    public func hasEnded(_ id: JobID) -> Bool { follower.read { $0.isEnded(id) } }
    public func accessKey(id: String) -> AccessKey? { keys.withLock { $0[id] } }
    public func accessKeys() -> [AccessKey] { follower.read { $0.accessKeys } }
    public func secrets(of tenant: String?) -> [SecretRecord] { follower.read { $0.secretRecords(of: tenant) } }
    public func jobsAtTheirQuota(among jobs: [JobID]) -> Set<JobID> {
        follower.read { core in Set(jobs.filter { core.isAtItsQuota($0) }) }
    }

    public func shares(of kind: ShareObject.Kind) -> [ShareView] {
        let now = now()
        return follower.read { core in
            let uses = core.shareUses(of: kind, at: now)
            return core.shareObjects(of: kind).map { ShareView(object: $0, uses: uses[$0.id.name] ?? [ShareUse()]) }
        }
    }

    public func isOpen(pool: String, to tenant: String) -> Bool { follower.read { $0.isOpen(pool, to: tenant) } }

    public func share(_ id: ShareObjectID) -> ShareView? {
        let now = now()
        return follower.read { core in core.shareObject(id).map { ShareView(object: $0, uses: core.shareUse(of: id, at: now)) } }
    }

    public func datasets(of tenant: String?) -> [DatasetVersion] { follower.read { $0.datasetVersions(of: tenant) } }
    public func dataset(_ name: String, version: String, tenant: String) -> ContentDigest? {
        follower.read { $0.dataset(name, version: version, tenant: tenant)?.tree }
    }
    /// Tells every node where files are served from now on, and those that register later.
    public func serveFiles(at service: FileService) {
        fileService.withLock { $0 = service }
        server.send(nodes().filter { $0.state != .unregistered }.map { AddressedMessage(node: $0.id, message: .fileService(service)) })
    }

    /// Trees that live jobs and data sets refer to, by tenant.
    public func treesInUse() -> [String: [ContentDigest]] { follower.read { $0.treesInUse } }

    public func seal(_ value: String, tenant: String) -> [UInt8] { sealer.seal(value, tenant: tenant) }
    public var logs: any LogStore { logStore }

    public func tenant(ofLive attempt: AttemptID, pass: [UInt8]) -> String? {
        guard let live = follower.read({ $0.liveAttempt(attempt) }) else { return nil }
        let expected = sealer.pass(for: attempt, live.fence)
        guard expected.count == pass.count else { return nil }
        // As long for every pass: how far one agrees must not show in time.
        var difference: UInt8 = 0
        for (left, right) in zip(expected, pass) { difference |= left ^ right }
        return difference == 0 ? live.tenant : nil
    }
    public var isReady: Bool { leads.withLock { $0 } }

    public var endpoints: AgentEndpoints {
        bound.withLock { $0 } ?? AgentEndpoints(agents: "", enrollment: "", logs: "", publicKey: [])
    }

    /// The follower's state with the batch it includes: what a snapshot made elsewhere must equal.
    public func followerSnapshot() -> (index: UInt64, state: [UInt8]) { follower.snapshot() }
}

extension CenterView {
    /// - Parameter worth: what was looked up already, by model.
    fileprivate mutating func add(_ node: NodeView, _ worth: inout [String: Int64]) {
        nodes += 1
        if node.state == .ready { nodesReady += 1 }
        guard let inventory = node.inventory else { return }
        cpuMilliTotal += inventory.cpuMilli
        memoryBytesTotal += inventory.memoryBytes
        devices += UInt32(inventory.devices.count)
        for device in inventory.devices {
            let known = worth[device.vendor + device.model]
            let each = known ?? DeviceModelTable.nominal.pricedComputeUnitsMilli(of: device) ?? 0
            if known == nil { worth[device.vendor + device.model] = each }
            computeUnitsMilliTotal += each
        }
    }
}
