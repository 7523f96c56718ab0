// Run-ahead: tasks that are promised to a slot before the task in it has ended, so that the slot does not idle for a
// round trip. Protocols/lifecycle.md, "Successors".

import ClusterModel

/// How far a slot may know ahead.
enum RunAhead {
    /// Expected work lined up behind a task, at most: what a job of higher priority may have to wait longer. Below a tenth
    /// of a second a delay goes unnoticed (Miller 1968; Nielsen 1993).
    static let window = Span.milliseconds(100)
    /// Successors of one slot, however short they are.
    static let depthMax = 64
    /// Weight of the newest run in the expected length is one in this many.
    static let smoothing: Int64 = 4

    /// How many tasks of the expected length a slot may know ahead; 0 while nothing is known.
    static func depth(expecting length: Span?) -> Int {
        guard let length else { return 0 }
        return min(depthMax, Int(window.nanoseconds / max(1, length.nanoseconds)))
    }
}

/// A task alone that waits behind others in a slot of its node. It holds nothing until the slot is handed over to it.
struct Successor: Hashable, Sendable {
    var ordinal: UInt32
    var attempt: UInt32
    var restartReason: Reason
    var node: NodeID
    var fence: Fence
}

/// The successors of one job. Invariant: the slot of every queue is held by a live task of the job.
struct SuccessorTable: Hashable, Sendable {
    /// In the order in which they will start; no queue is empty. By slot: the fence that the slot was placed with.
    private var queues: [Fence: [Successor]] = [:]
    /// For look-up.
    private var slotOf: [UInt32: Fence] = [:]

    var isEmpty: Bool { slotOf.isEmpty }
    var count: Int { slotOf.count }
    /// Ascending.
    var slots: [Fence] { queues.keys.sorted() }

    subscript(slot: Fence) -> [Successor] { queues[slot] ?? [] }

    func successor(_ ordinal: UInt32) -> Successor? { place(of: ordinal)?.successor }

    func place(of ordinal: UInt32) -> (slot: Fence, successor: Successor)? {
        guard let slot = slotOf[ordinal] else { return nil }
        return queues[slot]?.first { $0.ordinal == ordinal }.map { (slot, $0) }
    }

    mutating func append(_ successor: Successor, to slot: Fence) {
        queues[slot, default: []].append(successor)
        slotOf[successor.ordinal] = slot
    }

    mutating func remove(_ ordinal: UInt32) -> Successor? {
        guard let slot = slotOf.removeValue(forKey: ordinal), let place = queues[slot]?.firstIndex(where: { $0.ordinal == ordinal }) else {
            return nil
        }
        let successor = queues[slot]?.remove(at: place)
        if queues[slot]?.isEmpty == true { queues[slot] = nil }
        return successor
    }

    /// Who is next in a slot that its holder leaves.
    mutating func removeFirst(of slot: Fence) -> Successor? {
        guard let first = queues[slot]?.first else { return nil }
        return remove(first.ordinal)
    }
}

extension Successor: CanonicalValue {
    func write(to writer: inout CanonicalWriter) {
        writer.write(ordinal)
        writer.write(attempt)
        writer.write(restartReason)
        writer.write(node)
        writer.write(fence)
    }

    init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(
            ordinal: try reader.readUInt32(), attempt: try reader.readUInt32(), restartReason: try reader.read(), node: try reader.read(),
            fence: try reader.read())
    }
}
