import ClusterModel

/// Messages on their way, with loss, duplication, delay and reordering across connections. Within one connection order
/// holds, as TCP keeps it; a cut loses what is on its way.
struct SimulatedNetwork {
    enum Payload: Hashable {
        case toCoordinator(AgentMessage)
        case toAgent(CoordinatorMessage)
    }

    struct Packet {
        var due: Int64
        var order: UInt64
        var node: NodeID
        var payload: Payload
    }

    private var packets: [Packet] = []
    private var lastOrder: UInt64 = 0
    /// Per node and direction, so that one connection never reorders.
    private var lastDue: [NodeID: (up: Int64, down: Int64)] = [:]
    private var chance: SeededGenerator
    private(set) var lost = 0

    init(chance: SeededGenerator) { self.chance = chance }

    mutating func send(_ payload: Payload, node: NodeID, at now: Int64, lossMilli: Int, duplicationMilli: Int, delayMax: Int64) {
        if chance.chance(milli: lossMilli) {
            lost += 1
            return
        }
        enqueue(payload, node: node, at: now, delayMax: delayMax)
        if chance.chance(milli: duplicationMilli) { enqueue(payload, node: node, at: now, delayMax: delayMax) }
    }

    private mutating func enqueue(_ payload: Payload, node: NodeID, at now: Int64, delayMax: Int64) {
        lastOrder += 1
        var due = now + chance.between(10_000, delayMax)
        var last = lastDue[node] ?? (0, 0)
        if case .toCoordinator = payload {
            due = max(due, last.up)
            last.up = due
        } else {
            due = max(due, last.down)
            last.down = due
        }
        lastDue[node] = last
        packets.append(Packet(due: due, order: lastOrder, node: node, payload: payload))
    }

    /// The connection is cut: what was on its way is gone.
    mutating func cut(_ node: NodeID) {
        packets.removeAll { $0.node == node }
        lastDue[node] = nil
    }

    mutating func cutAll() {
        packets.removeAll()
        lastDue.removeAll()
    }

    mutating func takeDue(at now: Int64) -> [Packet] {
        let due = packets.filter { $0.due <= now }.sorted { ($0.due, $0.order) < ($1.due, $1.order) }
        packets.removeAll { $0.due <= now }
        return due
    }

    var nextDue: Int64? { packets.map(\.due).min() }
}
