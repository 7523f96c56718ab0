// The log socket: bulk that must never delay a command. Agents send chunks within the credit that the coordinator
// gave; the coordinator answers with how far it is, so a chunk sent twice is written once.

/// Agent → coordinator.
public struct LogChunk: Hashable, Sendable {
    public var attempt: AttemptID
    /// 1 standard output, 2 standard error.
    public var stream: UInt8
    /// Position of the first byte of `bytes` in the stream.
    public var offset: Int64
    public var bytes: [UInt8]
    /// The stream ends after these bytes.
    public var isLast: Bool

    public init(attempt: AttemptID, stream: UInt8, offset: Int64, bytes: [UInt8], isLast: Bool) {
        self.attempt = attempt
        self.stream = stream
        self.offset = offset
        self.bytes = bytes
        self.isLast = isLast
    }
}

/// Coordinator → agent: everything before `offset` is kept.
public struct LogAck: Hashable, Sendable {
    public var attempt: AttemptID
    public var stream: UInt8
    public var offset: Int64
    public var isComplete: Bool

    public init(attempt: AttemptID, stream: UInt8, offset: Int64, isComplete: Bool) {
        self.attempt = attempt
        self.stream = stream
        self.offset = offset
        self.isComplete = isComplete
    }
}
