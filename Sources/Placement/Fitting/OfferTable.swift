public import ClusterModel

/// All offers, in the order of their nodes, with a note of which have changed for whoever keeps an index over them.
public struct OfferTable: Sendable {
    private var rows = Table<NodeID, NodeOffer>()
    /// Ascending.
    public private(set) var ids: [NodeID] = []
    /// Nodes whose offers changed since they were last taken; empty unless somebody asked for them.
    private var changed: [NodeID] = []
    private var isFollowed = false
    /// The same nodes with nothing granted and in service: what they could ever hold, and which of them are alike.
    private(set) var idle = Fleet(policy: .firstfit)
    /// All that the nodes have, granted or not.
    public private(set) var totals = Totals()

    public struct Totals: Hashable, Sendable {
        public var cpuMilli: Int64 = 0
        public var memoryBytes: Int64 = 0
        /// A thousand for each device of any kind.
        public var deviceMilli: Int64 = 0
        /// How many devices there are of each model.
        public var models: [String: Int] = [:]

        fileprivate mutating func add(_ inventory: NodeInventory, times: Int64) {
            cpuMilli += times * inventory.cpuMilli
            memoryBytes += times * inventory.memoryBytes
            deviceMilli += times * 1000 * Int64(inventory.devices.count)
            for device in inventory.devices {
                let count = models[device.model, default: 0] + Int(times)
                models[device.model] = count == 0 ? nil : count
            }
        }
    }

    public init() {}

    public var isEmpty: Bool { ids.isEmpty }
    public subscript(id: NodeID) -> NodeOffer? { rows[id] }
    public func forEach(_ body: (NodeID, borrowing NodeOffer) -> Void) { rows.forEach(body) }

    public mutating func set(_ offer: NodeOffer, for id: NodeID) {
        let known = rows[id]
        if known == nil {
            // Nodes are numbered as they come.
            let place = ids.last.map { $0 < id } ?? true ? ids.count : ids.firstIndex { $0 > id } ?? ids.count
            ids.insert(id, at: place)
        }
        rows.set(offer, for: id)
        if known?.inventory != offer.inventory {
            if let known { totals.add(known.inventory, times: -1) }
            totals.add(offer.inventory, times: 1)
            idle.set(offer.emptied, for: id)
            if idle.isOfOldKinds { renewIdle() }
        }
        note(id)
    }

    public mutating func remove(_ id: NodeID) {
        if let known = rows.remove(id) { totals.add(known.inventory, times: -1) }
        ids.removeAll { $0 == id }
        idle.remove(id)
        note(id)
    }

    /// Does nothing where there is no offer. What the node has does not change, only what of it is free.
    public mutating func update(_ id: NodeID, _ body: (inout NodeOffer) -> Void) {
        if rows.update(id, body) != nil { note(id) }
    }

    private mutating func renewIdle() {
        idle = Fleet(policy: .firstfit)
        for id in ids { if let offer = rows[id] { idle.set(offer.emptied, for: id) } }
    }

    private mutating func note(_ id: NodeID) { if isFollowed { changed.append(id) } }

    /// So many changes are worth nobody's note: at the next `takeChanges` all nodes count as changed, and nothing is said of those that have
    /// gone.
    ///
    /// - Returns: whether changes were forgotten.
    public mutating func forgetChanges(beyond most: Int) -> Bool {
        guard isFollowed, changed.count > most else { return false }
        (isFollowed, changed) = (false, [])
        return true
    }

    /// Nodes whose offers changed since the last call, some of them more than once; at the first call all nodes.
    public mutating func takeChanges() -> [NodeID] {
        guard isFollowed else {
            isFollowed = true
            return ids
        }
        guard !changed.isEmpty else { return [] }
        defer { changed.removeAll(keepingCapacity: true) }
        return changed
    }
}

/// What nodes could hold with nothing else on them.
extension OfferTable {
    /// Whether some node could hold a task of the group.
    public func holdsWhenIdle(_ group: RequestClass.Group) -> Bool {
        var alone = group
        alone.count = 1
        var idle = idle
        return !idle.place(idle.shape(of: RequestClass(groups: [alone])), limit: 1).isEmpty
    }

    /// Whether a whole gang fits at once.
    public func holdsWhenIdle(_ gang: RequestClass) -> Bool { placesWhenIdle(gang) != nil }

    /// Where a whole gang would go.
    public func placesWhenIdle(_ gang: RequestClass) -> [TaskPlace]? {
        var idle = idle
        return idle.placeGang(idle.shape(of: gang))
    }

    /// Why nodes cannot hold a task of the group, even so: once for all that are alike.
    public func misfitsWhenIdle(_ group: RequestClass.Group) -> [Misfit] {
        var judge = TaskJudge(group.resources, group.constraints)
        var misfits: [Misfit] = []
        var judged: Set<Int> = []
        for id in ids {
            guard let kind = idle.kind(of: id), judge.namesNodes || judged.insert(kind).inserted, let offer = idle[id] else { continue }
            if let misfit = judge.misfit(of: offer, kind: kind) { misfits.append(misfit) }
        }
        return misfits
    }
}
