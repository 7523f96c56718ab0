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
    var link: Link = .unregistered
    var session = SessionID(0)
    var instance: UInt64 = 0
    var bootID: [UInt8] = []
    var registeredAt: LogicalTime?
    var isCordoned = false
    /// For membership; iterate `liveAttempts.sorted()`.
    var liveAttempts: Set<AttemptID> = []

    var acceptsWork: Bool { link == .connected && !isCordoned }
}
