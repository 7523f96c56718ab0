// What readers may ask of the follower's core: values, never the tables themselves.

public import ClusterModel
public import Placement

extension SchedulerCore {
    /// The newest grant of a live attempt, and whose it is.
    public func liveAttempt(_ attempt: AttemptID) -> (fence: Fence, tenant: String)? {
        liveTask(attempt).map { ($0.unit.tasks[$0.rank].fence, $0.row.specification.tenant) }
    }

    public struct NodeStanding: Sendable {
        public var id: NodeID
        public var name: String
        public var isRegistered: Bool
        public var isSuspect: Bool
        public var isSilent: Bool
        public var isCordoned: Bool
        public var membership: NodeMembership
        /// nil unless it is being emptied.
        public var drain: DrainStanding?
        public var isQuarantined: Bool
        public var condition: NodeCondition
        /// Attempts that were given up, or are not known, and that the node has not said to be gone; ascending.
        public var leftBehind: [AttemptID]
        public var session: SessionID
        public var offer: NodeOffer?
        public var liveAttempts: [AttemptID]
        public var enrolledAt: LogicalTime
        public var registeredAt: LogicalTime?
    }

    public struct DrainStanding: Hashable, Sendable {
        /// nil: what runs there is waited for.
        public var deadline: LogicalTime?
        /// Nothing is left there.
        public var isDone: Bool
    }

    public var nodeIDs: [NodeID] { nodes.ids }
    public var liveJobIDs: [JobID] { jobs.ids }
    public var liveJobCount: Int { jobs.count }

    public func standing(of id: NodeID) -> NodeStanding? {
        guard let row = nodes[id] else { return nil }
        return NodeStanding(
            id: id, name: row.name, isRegistered: row.link != .unregistered, isSuspect: row.link == .suspect, isSilent: row.link == .silent,
            isCordoned: row.isCordoned, membership: row.membership,
            drain: row.drain.map { DrainStanding(deadline: $0.deadline, isDone: row.liveAttempts.isEmpty) },
            isQuarantined: row.isQuarantined, condition: row.condition,
            leftBehind: row.dirtySlots.flatMap { $0.attempts.map(\.id) }.sorted(), session: row.session,
            offer: offers[id],
            liveAttempts: row.liveAttempts.filter { liveTask($0) != nil }.sorted(),
            enrolledAt: row.enrolledAt, registeredAt: row.registeredAt)
    }

    /// Sums over all nodes.
    public struct Capacity: Sendable {
        /// Devices that are alike.
        public struct Devices: Sendable {
            /// One of them.
            public var device: Device
            public var isSimulated: Bool
            public var count: UInt32 = 0
            public var shareMilliAllocated: Int64 = 0
        }

        public var nodesRegistered: UInt32 = 0
        public var nodesReady: UInt32 = 0
        public var cpuMilli: Int64 = 0
        public var cpuMilliAllocated: Int64 = 0
        public var memoryBytes: Int64 = 0
        public var memoryBytesAllocated: Int64 = 0
        public var devices: [Devices] = []

        fileprivate mutating func add(_ offer: borrowing NodeOffer) {
            nodesRegistered += 1
            cpuMilli += offer.inventory.cpuMilli
            cpuMilliAllocated += offer.inventory.cpuMilli - offer.room.cpuMilliFree
            memoryBytes += offer.inventory.memoryBytes
            memoryBytesAllocated += offer.inventory.memoryBytes - offer.room.memoryBytesFree
            for index in offer.inventory.devices.indices {
                let device = offer.inventory.devices[index]
                let isSimulated = offer.inventory.isSimulated
                let place = devices.firstIndex {
                    $0.isSimulated == isSimulated && $0.device.kind == device.kind && $0.device.model == device.model
                }
                if place == nil { devices.append(Devices(device: device, isSimulated: isSimulated)) }
                devices[place ?? devices.count - 1].count += 1
                devices[place ?? devices.count - 1].shareMilliAllocated += 1000 - offer.room.devices[index].shareMilliFree
            }
        }
    }

    /// Added up where they lie: to copy thousands of nodes for a few numbers of each costs more than all else.
    public var capacity: Capacity {
        var capacity = Capacity()
        offers.forEach { _, offer in capacity.add(offer) }
        nodes.forEach { id, row in
            let isReady = row.link == .connected && !row.isCordoned && !row.isQuarantined && row.drain == nil
            if isReady { capacity.nodesReady += 1 }
        }
        return capacity
    }

    public func nodeID(named name: String) -> NodeID? { nodeIDsByName[name] }
    public func nodeID(ofKey key: [UInt8]) -> NodeID? { nodeIDsByKey[key] }
    public func joinToken(_ id: [UInt8]) -> JoinTokenRecord? { joinTokens[id] }
    public func accessKey(_ id: String) -> AccessKey? { keys[id] }
    public var accessKeys: [AccessKey] { keys.values.sorted { $0.id < $1.id } }
    /// Nodes that ran work for an earlier leader and have not registered with this one: their leases run from now.
    public var awaitedNodes: [(node: NodeID, session: SessionID)] {
        nodes.ids.compactMap { id in
            guard let row = nodes[id], row.link == .unregistered, row.registeredAt != nil else { return nil }
            return (id, row.session)
        }
    }

    /// The newest session that the node is known to have been in.
    public func sessionSeen(by node: NodeID) -> SessionID { nodes[node]?.sessionSeen ?? SessionID(0) }
    public func session(of node: NodeID) -> SessionID? { nodes[node]?.session }

    /// Every node's public key, for the transport's table.
    public var nodeKeys: [(key: [UInt8], node: NodeID)] {
        nodes.ids.compactMap { id in nodes[id].map { ($0.publicKey, id) } }
    }

    /// Why jobs of each class wait, found once for one state: looking costs a step for every node.
    public typealias Explanations = [RequestClassID: WaitingExplanation]

    /// As the other, for one look.
    public func liveStanding(of id: JobID) -> (standing: JobStanding, explanation: String)? {
        var unused: Explanations = [:]
        return liveStanding(of: id, &unused)
    }

    /// Standing of a job that lives, and why nothing more of it starts; silent nodes that hold its tasks are named.
    ///
    /// - Parameters:
    ///   - known: may be used again until the next event or the next plan.
    ///   - rooms: what is set aside, by the loop that decides.
    public func liveStanding(
        of id: JobID, _ known: inout Explanations, rooms: [ReservedRoom] = []
    ) -> (standing: JobStanding, explanation: String)? {
        guard let row = jobs[id] else { return nil }
        var standing = row.standing(of: id)
        let silent = silentNodes(holding: row)
        if !silent.isEmpty, standing.reason == .none { standing.reason = .unreachable }
        if !silent.isEmpty { return (standing, "no word from \(silent.joined(separator: ", ")); tasks there are waited for") }
        guard !row.waiting.isEmpty else { return (standing, "") }
        if row.specification.isHeld { return (standing, "held; it goes on when it is released") }
        if let dependency = row.unmetDependencies.first {
            return (standing, "waits for job \(dependency.job) \(dependency.condition.wish)")
        }
        guard row.readySet(at: time) != nil else {
            let isNew = row.waiting.contains { $0.notBefore == row.specification.beginAt }
            return (standing, isNew ? "waits for its begin time" : "waits a while before the next try of what failed")
        }
        if row.startAllowance == 0 { return (standing, "the array's limit of running elements is reached") }
        if let applicant = limitedApplicant(row), let miss = limitMiss(of: applicant) {
            if standing.state == .queued { standing.reason = .quota }
            return (standing, miss.sentence)
        }
        guard let shape = shapes[row.shape]?.shape else { return (standing, "") }
        if let room = rooms.first(where: { $0.job == id }) { return (standing, sentence(of: room)) }
        let explanation = known[row.shape] ?? WaitingExplanation(of: shape, on: offers, aside: Set(rooms.flatMap(\.nodes)))
        known[row.shape] = explanation
        if standing.state == .queued { standing.reason = explanation.reason }
        return (standing, explanation.sentence)
    }

    /// Why its limits keep a gang from starting: by what it asks for, or by what it would be granted.
    func limitMiss(of applicant: Applicant) -> QuotaMiss? { quotaMiss(of: applicant) ?? quotaMissOfGrants(to: applicant) }

    /// Whether it could start but for what its account holds already.
    public func isAtItsQuota(_ id: JobID) -> Bool {
        guard let row = jobs[id], row.readySet(at: time) != nil, row.startAllowance > 0 else { return false }
        return quotaMiss(of: row) != nil
    }

    private func sentence(of room: ReservedRoom) -> String {
        let names = room.nodes.prefix(4).compactMap { nodes[$0]?.name }.joined(separator: ", ")
        let count = room.nodes.count
        let place = count == 1 ? "on \(names)" : "on \(count) nodes (\(names)\(count > 4 ? ", …" : ""))"
        let wait = room.start - time
        let when = wait > .zero ? "in \(AmountText.about(wait))" : "as soon as what runs there has ended"
        return "room is set aside \(place); expected to start \(when)"
    }

    private func silentNodes(holding row: JobRow) -> [String] {
        var names: [String] = []
        for ordinal in row.liveOrdinals {
            for task in row.live[ordinal]?.tasks ?? [] {
                if case .ended = task.phase { continue }
                if let node = nodes[task.node], node.link == .silent, !names.contains(node.name) { names.append(node.name) }
            }
        }
        return names
    }

    /// Bytes that one job's waiting tasks take, for the test that bounds them.
    public func waitingStorageBytes(of id: JobID) -> Int? {
        guard let row = jobs[id] else { return nil }
        let sets = row.waiting.reduce(0) { $0 + MemoryLayout<WaitingUnits>.stride + $1.units.storageBytes }
        return MemoryLayout<JobRow>.stride + sets
    }
}
