import ClusterModel

/// Messages on their way, with loss, duplication, delay and reordering across connections. Within one connection order
/// holds, as TCP keeps it. A wire is what joins one agent process' machine to the coordinator; a cut ends its connection and
/// loses what is on its way, but for what already waits at the coordinator's side and is read late.
struct SimulatedNetwork {
    enum Payload: Hashable {
        case toCoordinator(AgentMessage)
        case toAgent(CoordinatorMessage)

        var isUp: Bool {
            if case .toCoordinator = self { return true }
            return false
        }
    }

    struct Packet {
        var due: Int64
        var order: UInt64
        var wire: Int
        var payload: Payload
    }

    /// Nothing passes in one direction, or in both, until then.
    private struct Partition {
        var wire: Int
        var isUp: Bool
        var isDown: Bool
        var until: Int64
    }

    private var packets: [Packet] = []
    private var lastOrder: UInt64 = 0
    /// Per wire and direction, so that one connection never reorders.
    private var lastDue: [Int: (up: Int64, down: Int64)] = [:]
    private var partitions: [Partition] = []
    private var chance: SeededGenerator
    private(set) var lost = 0
    private(set) var late = 0

    init(chance: SeededGenerator) { self.chance = chance }

    mutating func send(_ payload: Payload, wire: Int, at now: Int64, _ faults: SimulationPlan.NetworkFaults) {
        if chance.chance(milli: faults.lossMilli) {
            lost += 1
            return
        }
        enqueue(payload, wire: wire, at: now, faults)
        if chance.chance(milli: faults.duplicationMilli) { enqueue(payload, wire: wire, at: now, faults) }
    }

    private mutating func enqueue(_ payload: Payload, wire: Int, at now: Int64, _ faults: SimulationPlan.NetworkFaults) {
        lastOrder += 1
        var due = now + chance.between(10_000, faults.delayMax)
        if payload.isUp, chance.chance(milli: faults.lateMilli) {
            // It waits in a queue of a connection that nobody reads in order any more.
            late += 1
            return packets.append(
                Packet(due: now + chance.between(1_000_000_000, 600_000_000_000), order: lastOrder, wire: wire, payload: payload))
        }
        for partition in partitions where partition.wire == wire && (payload.isUp ? partition.isUp : partition.isDown) {
            due = max(due, partition.until)
        }
        var last = lastDue[wire] ?? (0, 0)
        if payload.isUp {
            due = max(due, last.up)
            last.up = due
        } else {
            due = max(due, last.down)
            last.down = due
        }
        lastDue[wire] = last
        packets.append(Packet(due: due, order: lastOrder, wire: wire, payload: payload))
    }

    /// Whoever should read it stands still. Order is kept: what comes later on the wire is due later, or goes the same way.
    mutating func postpone(_ packet: Packet, until due: Int64) {
        var late = packet
        late.due = due
        packets.append(late)
    }

    // MARK: Cuts

    mutating func part(_ wire: Int, isUp: Bool, isDown: Bool, until: Int64) {
        partitions.append(Partition(wire: wire, isUp: isUp, isDown: isDown, until: until))
    }

    mutating func heal() { partitions = [] }

    func isParted(_ wire: Int) -> Bool { partitions.contains { $0.wire == wire } }

    mutating func forgetHealed(at now: Int64) { partitions.removeAll { $0.until <= now } }

    /// The connection is cut: what was on its way is gone, but for what is minutes late anyway.
    mutating func cut(_ wire: Int, at now: Int64) {
        packets.removeAll { $0.wire == wire && !($0.payload.isUp && $0.due > now + 5_000_000_000) }
        lastDue[wire] = nil
    }

    /// What was on its way, in order.
    mutating func cutAll() -> [Packet] {
        defer {
            packets.removeAll()
            lastDue.removeAll()
        }
        return packets.sorted { ($0.due, $0.order) < ($1.due, $1.order) }
    }

    /// Whoever would have read them is gone.
    mutating func dropDown(_ wire: Int) { packets.removeAll { $0.wire == wire && !$0.payload.isUp } }

    mutating func takeDue(at now: Int64) -> [Packet] {
        guard let nextDue, nextDue <= now else { return [] }
        let due = packets.filter { $0.due <= now }.sorted { ($0.due, $0.order) < ($1.due, $1.order) }
        packets.removeAll { $0.due <= now }
        return due
    }

    var nextDue: Int64? {
        var earliest = Int64.max
        for packet in packets { earliest = min(earliest, packet.due) }
        return packets.isEmpty ? nil : earliest
    }
}
