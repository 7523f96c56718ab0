internal import ClusterModel
internal import Synchronization
internal import WireProtocol

/// What waits to be sent to each node: filled from any thread, emptied by the loop's, bounded for each node.
///
/// Messages are encoded by whoever sends them and joined here, so a thousand small commands leave in two frames.
final class Outbox: Sendable {
    /// Frames of one node, oldest first.
    struct Frames {
        var frames: [JoinedFrame] = []
        /// Counts what the loop has taken and not yet settled, too.
        var bytes = 0
        var isListed = false
        /// The first of them begins a session: they go where its registration came from, and what waited before is void.
        var isNewSession = false
        /// Goes to whoever asked for a session last; the session that there is goes on.
        var refusal: [UInt8]?
        /// Too much was put in: the frames are gone, and so must the connection be.
        var isOverflown = false
    }

    enum Taken {
        case frames([JoinedFrame], isNewSession: Bool, refusal: [UInt8]?)
        case overflow
    }

    enum Role {
        case plain, welcome, refusal
    }

    /// When the loop is to take what waits.
    enum Flush: Comparable {
        /// It has been told already.
        case told
        /// Within a moment, with what comes until then: a wake-up for many instead of one for each.
        case soon
        case now
    }

    private struct State {
        var queues: [NodeID: Frames] = [:]
        /// Nodes with something to take; each once.
        var listed: [NodeID] = []
        /// What the loop has been told since it took last.
        var announced = Flush.told
    }

    private let state = Mutex(State())
    private let bytesMax: Int

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// What the loop must be told. `frame` nil: a message that could not be encoded, after which the node's stream has a gap that
    /// only a new registration mends.
    func append(_ messages: [(node: NodeID, frame: [UInt8]?, role: Role)], flush: Flush = .now) -> Flush {
        state.withLock { state in
            for (node, frame, role) in messages {
                let mustList = state.queues[node, default: Frames()].append(frame, role, bytesMax: bytesMax)
                if mustList { state.listed.append(node) }
            }
            guard !state.listed.isEmpty, flush > state.announced else { return .told }
            state.announced = flush
            return flush
        }
    }

    /// Everything listed. What is taken counts against the bound until it is settled.
    func take() -> [(node: NodeID, Taken)] {
        state.withLock { state in
            defer {
                state.listed.removeAll(keepingCapacity: true)
                state.announced = .told
            }
            return state.listed.compactMap { node in state.queues[node]?.take().map { (node, $0) } }
        }
    }

    /// After a send: `sent` bytes have left, `rest` could not; it goes first next time.
    func settle(_ node: NodeID, sent: Int, rest: ArraySlice<JoinedFrame>) {
        state.withLock { state in
            guard var queue = state.queues[node], !queue.isOverflown else { return }
            queue.bytes -= sent
            queue.frames.insert(contentsOf: rest, at: 0)
            if queue.frames.isEmpty, !queue.isListed { state.queues[node] = nil } else { state.queues[node] = queue }
        }
    }

    /// Lists a node whose connection has room again.
    func relist(_ node: NodeID) {
        state.withLock { state in
            guard let queue = state.queues[node], !queue.isListed, !queue.frames.isEmpty else { return }
            state.queues[node]?.isListed = true
            state.listed.append(node)
        }
    }

    /// Forgets what waits: the node's session is over.
    func discard(_ node: NodeID) {
        state.withLock { state in
            // Stays in `listed` if it was; `take` skips what has no queue. A queue that fills anew is listed once more.
            state.queues[node] = nil
        }
    }
}

extension Outbox.Frames {
    /// True when the node must be listed.
    fileprivate mutating func append(_ frame: [UInt8]?, _ role: Outbox.Role, bytesMax: Int) -> Bool {
        guard !isOverflown else { return false }
        if role == .welcome { self = Outbox.Frames(isListed: isListed, isNewSession: true, refusal: refusal) }
        if role == .refusal {
            refusal = frame
        } else if let frame, bytes + frame.count <= bytesMax {
            bytes += frame.count
            if frames.isEmpty || !frames[frames.count - 1].join(frame) { frames.append(JoinedFrame(frame)) }
        } else {
            self = Outbox.Frames(isListed: isListed, isOverflown: true)
        }
        defer { isListed = true }
        return !isListed
    }

    fileprivate mutating func take() -> Outbox.Taken? {
        guard isListed else { return nil }
        isListed = false
        if isOverflown { return .overflow }
        defer { (frames, isNewSession, refusal) = ([], false, nil) }
        return .frames(frames, isNewSession: isNewSession, refusal: refusal)
    }
}

/// A frame that grows: frames of the protocol's lists join end to end.
struct JoinedFrame {
    private(set) var bytes: [UInt8]
    private var messages = 1

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// False when `frame` must go by itself.
    mutating func join(_ frame: [UInt8]) -> Bool {
        guard bytes.count + frame.count <= WireLimits.joinedBytesMax, messages < WireLimits.joinedMessagesMax else { return false }
        bytes += frame
        messages += 1
        return true
    }
}
