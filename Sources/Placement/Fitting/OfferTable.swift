public import ClusterModel

/// All offers, in the order of their nodes, with a note of which have changed for whoever keeps an index over them.
public struct OfferTable: Sendable {
    private var rows = Table<NodeID, NodeOffer>()
    /// Ascending.
    public private(set) var ids: [NodeID] = []
    /// Nodes whose offers changed since they were last taken; empty unless somebody asked for them.
    private var changed: [NodeID] = []
    private var isFollowed = false

    public init() {}

    public var isEmpty: Bool { ids.isEmpty }
    public subscript(id: NodeID) -> NodeOffer? { rows[id] }
    public func forEach(_ body: (NodeID, NodeOffer) -> Void) { rows.forEach(body) }

    public mutating func set(_ offer: NodeOffer, for id: NodeID) {
        if rows[id] == nil {
            let place = ids.firstIndex { $0 > id } ?? ids.count
            ids.insert(id, at: place)
        }
        rows.set(offer, for: id)
        note(id)
    }

    public mutating func remove(_ id: NodeID) {
        rows.remove(id)
        ids.removeAll { $0 == id }
        note(id)
    }

    /// Does nothing where there is no offer.
    public mutating func update(_ id: NodeID, _ body: (inout NodeOffer) -> Void) {
        if rows.update(id, body) != nil { note(id) }
    }

    private mutating func note(_ id: NodeID) { if isFollowed { changed.append(id) } }

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
