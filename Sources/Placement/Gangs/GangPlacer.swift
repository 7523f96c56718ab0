// Chooses nodes for gangs. First form: first fit in node order, a gang on one node where one holds it.

public import ClusterModel

/// Where one task of a gang goes.
public struct TaskPlace: Hashable, Sendable {
    public var node: NodeID
    public var allocation: Allocation

    public init(node: NodeID, allocation: Allocation) {
        self.node = node
        self.allocation = allocation
    }
}

/// A search over nodes that counts what it examines.
public struct GangPlacer: Sendable {
    /// `fit` calls made so far: tests pin this, never the time.
    public private(set) var candidatesExamined = 0

    public init() {}

    /// Places up to `limit` gangs of one task each, all on the first node that holds one; empty when none does.
    public mutating func placeSingles(
        _ group: RequestClass.Group, limit: Int, on nodes: Table<NodeID, NodeOffer>, order: [NodeID]
    ) -> [TaskPlace] {
        for id in order {
            guard var offer = nodes[id] else { continue }
            var places: [TaskPlace] = []
            while places.count < limit {
                candidatesExamined += 1
                guard case .success(let allocation) = offer.fit(group.resources, group.constraints) else { break }
                offer.take(allocation)
                places.append(TaskPlace(node: id, allocation: allocation))
            }
            if !places.isEmpty { return places }
        }
        return []
    }

    /// Places one whole gang, in rank order, or nothing.
    public mutating func placeGang(_ shape: RequestClass, on nodes: Table<NodeID, NodeOffer>, order: [NodeID]) -> [TaskPlace]? {
        for id in order {
            if let places = spread(shape, over: [id], of: nodes) { return places }
        }
        return order.count > 1 ? spread(shape, over: order, of: nodes) : nil
    }

    /// Whether a whole gang fits when nothing else runs.
    public static func fitsIdle(_ shape: RequestClass, on nodes: Table<NodeID, NodeOffer>) -> Bool {
        var idle = Table<NodeID, NodeOffer>()
        nodes.forEach { id, offer in idle.set(offer.emptied, for: id) }
        var placer = GangPlacer()
        return placer.placeGang(shape, on: idle, order: idle.ids) != nil
    }

    /// Greedy: each task goes to the first node that still holds it. The nodes' offers are scratch copies.
    private mutating func spread(_ shape: RequestClass, over order: [NodeID], of nodes: Table<NodeID, NodeOffer>) -> [TaskPlace]? {
        var scratch: [NodeOffer] = []
        var scratchIDs: [NodeID] = []
        var nextNode = 0
        var places: [TaskPlace] = []
        for group in shape.groups {
            var start = 0
            for _ in 0..<group.count {
                var placed = false
                while !placed {
                    if start == scratch.count {
                        guard nextNode < order.count else { return nil }
                        if let offer = nodes[order[nextNode]] {
                            scratch.append(offer)
                            scratchIDs.append(order[nextNode])
                        }
                        nextNode += 1
                        continue
                    }
                    candidatesExamined += 1
                    if case .success(let allocation) = scratch[start].fit(group.resources, group.constraints) {
                        scratch[start].take(allocation)
                        places.append(TaskPlace(node: scratchIDs[start], allocation: allocation))
                        placed = true
                    } else {
                        start += 1
                    }
                }
            }
        }
        return places
    }
}
