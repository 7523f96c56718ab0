internal import ClusterModel

/// The routing id that the router generated for a connection: a zero byte, then a number.
///
/// Peers could choose their own; ours never do, and the server takes no message from one that did, so that a peer's words
/// can never be an index into our tables.
struct RoutingID: Hashable {
    let number: UInt32

    init(number: UInt32) { self.number = number }

    init?(frame: RawSpan) {
        guard frame.byteCount == 5, frame.unsafeLoad(fromByteOffset: 0, as: UInt8.self) == 0 else { return nil }
        number = UInt32(bigEndian: frame.unsafeLoadUnaligned(fromByteOffset: 1, as: UInt32.self))
    }

    var bytes: [UInt8] {
        [
            0, UInt8(truncatingIfNeeded: number >> 24), UInt8(truncatingIfNeeded: number >> 16), UInt8(truncatingIfNeeded: number >> 8),
            UInt8(truncatingIfNeeded: number),
        ]
    }
}

/// Whose connection a routing id is.
struct Peer: Hashable {
    /// The CURVE public key of the handshake.
    let key: [UInt8]
    /// The node of that key when the connection spoke first; nil on the enrolment socket.
    let node: NodeID?
    let descriptor: Int32
    let address: PeerAddress
}

/// The connections of one router: joins what its monitor says about descriptors with what its messages say about routing
/// ids.
///
/// The two arrive by different ways, and the system reuses a descriptor as soon as it is closed. What holds is that
/// libzmq tells the monitor of an end before it closes the descriptor. Callers therefore take in all monitor events
/// before they `bind` a routing id they do not know.
struct PeerTable {
    private struct Connection {
        let address: PeerAddress
        var routing: RoutingID?
    }

    enum Binding: Hashable {
        case bound
        /// Another connection had this descriptor, and its end was never told; it is taken out of the table.
        case boundInstead(of: RoutingID, Peer)
        /// The connection has ended already: its last messages outlived it.
        case gone
    }

    private var connections: [Int32: Connection] = [:]
    private var peers: [RoutingID: Peer] = [:]

    subscript(routing: RoutingID) -> Peer? { peers[routing] }

    /// Linear; for rare use.
    func routings(of node: NodeID) -> [RoutingID] { peers.filter { $0.value.node == node }.map(\.key) }

    /// The peer of a connection from which no message has come.
    func silentAddress(of descriptor: Int32) -> PeerAddress? {
        guard let connection = connections[descriptor], connection.routing == nil else { return nil }
        return connection.address
    }

    /// The peer that had the descriptor before, should its end not have been told.
    mutating func accepted(_ descriptor: Int32, address: PeerAddress) -> (RoutingID, Peer)? {
        let former = disconnected(descriptor)
        connections[descriptor] = Connection(address: address, routing: nil)
        return former
    }

    /// The peer whose connection it was, if it ever spoke.
    mutating func disconnected(_ descriptor: Int32) -> (RoutingID, Peer)? {
        guard let routing = connections.removeValue(forKey: descriptor)?.routing, let peer = peers.removeValue(forKey: routing) else {
            return nil
        }
        return (routing, peer)
    }

    mutating func bind(_ routing: RoutingID, descriptor: Int32, key: [UInt8], node: NodeID?) -> Binding {
        guard let connection = connections[descriptor] else { return .gone }
        peers[routing] = Peer(key: key, node: node, descriptor: descriptor, address: connection.address)
        connections[descriptor]?.routing = routing
        guard let former = connection.routing, former != routing, let peer = peers.removeValue(forKey: former) else { return .bound }
        return .boundInstead(of: former, peer)
    }
}
