import ClusterModel
import Placement

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
    var membership: NodeMembership
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
    var condition = NodeCondition.good
    /// The boot before this one: a machine never returns to it, so whoever brings it is another machine, or late.
    var previousBootID: [UInt8] = []
    /// When the latest registration was sent, since this boot; 0 when its agent does not say.
    var sentAt: Int64 = 0
    /// The newest session that the node has told of: no later registration of its own knows less.
    var sessionSeen = SessionID(0)
    var contest: Contest?
    /// Two machines speak with this identity.
    var isQuarantined = false
    /// By slot, ascending.
    var dirtySlots: [DirtySlot] = []
    /// What each of its devices prices at, in milli-CU.
    var strengths: [Int64] = []

    /// nil: work may be placed there.
    var outage: Outage? {
        if isQuarantined { return .quarantined }
        if isCordoned { return .cordoned }
        if link != .connected { return .notConnected }
        if condition == .diskFull { return .diskFull }
        return dirtySlots.contains { $0.allocation == nil } ? .leftovers : nil
    }
    /// What still runs there has been told to stop.
    var isEvicting: Bool { drain?.isDue ?? false }
}

/// A machine that speaks out of turn, and what it was asked.
struct Contest: Hashable, Sendable {
    var bootID: [UInt8]
    var challenge: UInt64
}

/// What may still be held on a node by attempts that were given up: nothing else gets it before they are known to be gone.
struct DirtySlot: Hashable, Sendable {
    struct Attempt: Hashable, Sendable {
        var fence: Fence
        var id: AttemptID
    }

    var slot: Fence
    /// nil: nobody knows what it holds, so the node takes nothing new.
    var allocation: Allocation?
    /// By fence, ascending.
    var attempts: [Attempt]
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
