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
    /// Attempts that a node may know before nothing more is lined up there: a registration lists them all in one frame.
    static let attemptsPerNodeMax = 8192
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

/// The successors of one job. Invariant: the slot of every line is held by a live task of the job.
struct SuccessorTable: Hashable, Sendable {
    private struct Line: Hashable, Sendable {
        /// The gang of one task that holds the slot.
        var holder: UInt32
        /// In the order in which they will start; never empty.
        var waiting: [Successor]
    }

    /// By slot: the fence that the slot was placed with.
    private var lines: [Fence: Line] = [:]
    /// For look-up.
    private var slotOf: [UInt32: Fence] = [:]

    var isEmpty: Bool { slotOf.isEmpty }
    var count: Int { slotOf.count }
    /// Ascending.
    var slots: [Fence] { lines.keys.sorted() }

    subscript(slot: Fence) -> [Successor] { lines[slot]?.waiting ?? [] }

    func holder(of slot: Fence) -> UInt32? { lines[slot]?.holder }
    func successor(_ ordinal: UInt32) -> Successor? { place(of: ordinal)?.successor }

    func place(of ordinal: UInt32) -> (slot: Fence, successor: Successor)? {
        guard let slot = slotOf[ordinal] else { return nil }
        return lines[slot]?.waiting.first { $0.ordinal == ordinal }.map { (slot, $0) }
    }

    mutating func append(_ successor: Successor, to slot: Fence, heldBy holder: UInt32) {
        lines[slot, default: Line(holder: holder, waiting: [])].waiting.append(successor)
        slotOf[successor.ordinal] = slot
    }

    mutating func remove(_ ordinal: UInt32) -> Successor? {
        guard let slot = slotOf.removeValue(forKey: ordinal), let place = lines[slot]?.waiting.firstIndex(where: { $0.ordinal == ordinal })
        else { return nil }
        let successor = lines[slot]?.waiting.remove(at: place)
        if lines[slot]?.waiting.isEmpty == true { lines[slot] = nil }
        return successor
    }

    /// The next in a slot holds it from now on.
    mutating func handOver(_ slot: Fence) -> Successor? {
        guard let next = lines[slot]?.waiting.first else { return nil }
        lines[slot]?.holder = next.ordinal
        return remove(next.ordinal)
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
