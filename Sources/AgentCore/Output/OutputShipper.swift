// Which bytes of which output go to the coordinator next. Within the credit of each stream; acknowledged bytes are
// never sent again, unacknowledged ones after a reconnection.

import ClusterModel

struct OutputShipper: Sendable {
    /// Most bytes of a stream on their way.
    static let credit: Int64 = 256 << 10
    static let chunkBytes: Int64 = 64 << 10
    /// Without an acknowledgement for so long the bytes are sent again: the answer may be lost.
    static let repeatAfter: Int64 = 10_000_000_000

    private struct StreamKey: Hashable, Comparable {
        var attempt: AttemptID
        var stream: OutputStream

        static func < (left: StreamKey, right: StreamKey) -> Bool {
            left.attempt == right.attempt ? left.stream.rawValue < right.stream.rawValue : left.attempt < right.attempt
        }
    }

    private struct Progress {
        /// Bytes known to be readable.
        var total: Int64 = 0
        var sent: Int64 = 0
        var acknowledged: Int64 = 0
        /// When the last acknowledgement moved it, or the first byte was sent.
        var movedAt: Int64 = 0
    }

    /// For look-up; iterate sorted keys.
    private var streams: [StreamKey: Progress] = [:]
    private var isConnected = false

    var isEmpty: Bool { streams.isEmpty }

    mutating func grew(_ attempt: AttemptID, _ stream: OutputStream, total: Int64) -> [AgentEffect] {
        guard total > 0 else { return [] }
        let key = StreamKey(attempt: attempt, stream: stream)
        var progress = streams[key] ?? Progress()
        progress.total = max(progress.total, total)
        streams[key] = progress
        return ship(key)
    }

    /// Everything that the attempt wrote and that was kept has arrived.
    func isDelivered(_ attempt: AttemptID) -> Bool {
        OutputStream.allCases.allSatisfy { stream in
            guard let progress = streams[StreamKey(attempt: attempt, stream: stream)] else { return true }
            return progress.acknowledged >= progress.total
        }
    }

    mutating func forget(_ attempt: AttemptID) {
        for stream in OutputStream.allCases { streams[StreamKey(attempt: attempt, stream: stream)] = nil }
    }

    mutating func connected() -> [AgentEffect] {
        isConnected = true
        return streams.keys.sorted().flatMap { key in
            streams[key]!.sent = streams[key]!.acknowledged
            return ship(key)
        }
    }

    mutating func disconnected() { isConnected = false }

    mutating func acknowledged(_ ack: LogAck, at now: Int64) -> [AgentEffect] {
        guard let stream = OutputStream(rawValue: ack.stream) else { return [] }
        let key = StreamKey(attempt: ack.attempt, stream: stream)
        guard var progress = streams[key] else { return [] }
        // The coordinator may want an earlier byte again: it lost what it had.
        progress.acknowledged = ack.isComplete ? progress.total : min(ack.offset, progress.total)
        progress.movedAt = now
        progress.sent = max(progress.sent, progress.acknowledged)
        if ack.offset < progress.sent - Self.credit { progress.sent = ack.offset }
        streams[key] = progress
        return ship(key)
    }

    private mutating func ship(_ key: StreamKey) -> [AgentEffect] {
        guard isConnected, var progress = streams[key] else { return [] }
        var effects: [AgentEffect] = []
        while progress.sent < progress.total, progress.sent - progress.acknowledged < Self.credit {
            let count = min(Self.chunkBytes, progress.total - progress.sent)
            effects.append(.shipOutput(key.attempt, key.stream, offset: progress.sent, count: Int(count)))
            progress.sent += count
        }
        streams[key] = progress
        return effects
    }

    /// A chunk could not be sent: start again from what is acknowledged with the next acknowledgement or tick.
    mutating func failed(_ attempt: AttemptID, _ stream: OutputStream, offset: Int64) {
        let key = StreamKey(attempt: attempt, stream: stream)
        guard let progress = streams[key] else { return }
        streams[key]!.sent = min(progress.sent, offset)
    }

    /// Streams that have something left and nothing on its way, or an acknowledgement overdue.
    mutating func resume(at now: Int64) -> [AgentEffect] {
        streams.keys.sorted().flatMap { key -> [AgentEffect] in
            if streams[key]!.acknowledged == streams[key]!.sent { streams[key]!.movedAt = now }
            if now - streams[key]!.movedAt >= Self.repeatAfter {
                streams[key]!.movedAt = now
                streams[key]!.sent = streams[key]!.acknowledged
            }
            return ship(key)
        }
    }
}
