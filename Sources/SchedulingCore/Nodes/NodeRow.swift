import ClusterModel

/// A node in memory. What it has free is in the core's `offers`.
struct NodeRow: Hashable, Sendable {
    enum Link: UInt8, CanonicalTag, Hashable {
        /// Not registered in this epoch.
        case unregistered = 0
        case connected = 1
        /// The connection is gone; nothing new is placed. Leads to connected or silent.
        case suspect = 2
        /// The lease has ended. Leads to connected.
        case silent = 3
    }

    let name: String
    let publicKey: [UInt8]
    let enrolledAt: LogicalTime
    let membership: NodeMembership
    var link: Link = .unregistered
    var session = SessionID(0)
    var instance: UInt64 = 0
    var bootID: [UInt8] = []
    var registeredAt: LogicalTime?
    var isCordoned = false
    /// While it is to be emptied; it is cordoned then.
    var drain: Drain?
    /// For membership; iterate `liveAttempts.sorted()`.
    var liveAttempts: Set<AttemptID> = []

    var acceptsWork: Bool { link == .connected && !isCordoned }
    /// What still runs there has been told to stop.
    var isEvicting: Bool { drain?.isDue ?? false }
}

/// A node that is being emptied.
struct Drain: Hashable, Sendable {
    /// nil: whatever runs there may end by itself.
    var deadline: LogicalTime?
    /// The deadline has passed.
    var isDue = false
}

/// Deadlines that lie ahead. The earliest is asked for in every step, so they are kept in order.
struct DrainDeadlines: Sendable {
    private struct Entry: Hashable, Sendable {
        var at: LogicalTime
        var node: NodeID
    }

    /// By instant, then by node.
    private var entries: [Entry] = []

    var earliest: LogicalTime? { entries.first?.at }

    func due(at now: LogicalTime) -> [NodeID] { entries.prefix { $0.at <= now }.map(\.node) }

    /// A node has one deadline or none.
    mutating func set(_ deadline: LogicalTime?, for node: NodeID) {
        entries.removeAll { $0.node == node }
        guard let deadline else { return }
        let place = entries.firstIndex { ($0.at, $0.node) > (deadline, node) } ?? entries.count
        entries.insert(Entry(at: deadline, node: node), at: place)
    }
}
