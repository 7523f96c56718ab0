public import ClusterModel
internal import SwiftProtobuf

/// Frames of the agent protocol: model values in, bytes out, and back.
///
/// Decoding is total: whatever the bytes, it returns messages within `WireLimits` or throws a `WireError`. Frames that
/// hold lists join end to end (Protocols/wire.md, "Framing"): a sender encodes each message once, with `encode`, and
/// appends what is ready.
public enum WireFrame {
    public static func encode(_ message: AgentMessage) throws(WireError) -> [UInt8] {
        let wire = WireAgentMessage(message)
        let (field, body): (UInt8, [UInt8]) =
            switch wire.body {
            case .registration(let body): (1, try bytes(of: body))
            case .heartbeat(let body): (2, try bytes(of: body))
            case .report(let body): (3, try bytes(of: body))
            case .topology(let body): (4, try bytes(of: body))
            case .goodbye(let body): (5, try bytes(of: body))
            case nil: throw .missing("body")
            }
        return try frame(field, body)
    }

    public static func encode(_ message: CoordinatorMessage) throws(WireError) -> [UInt8] {
        let wire = try WireCoordinatorMessage(message)
        let (field, body): (UInt8, [UInt8]) =
            switch wire.body {
            case .welcome(let body): (1, try bytes(of: body))
            case .refusal(let body): (2, try bytes(of: body))
            case .heartbeatAck(let body): (3, try bytes(of: body))
            case .command(let body): (4, try encode(body))
            case .fileService(let body): (5, try bytes(of: body))
            case nil: throw .missing("body")
            }
        return try frame(field, body)
    }

    /// The scalars of a command, and its batch behind them.
    private static func encode(_ command: WireAgentCommand) throws(WireError) -> [UInt8] {
        let (field, batch): (UInt8, [UInt8]) =
            switch command.body {
            case .start(let batch): (4, try bytes(of: batch))
            case .stop(let batch): (5, try bytes(of: batch))
            case .release(let batch): (6, try bytes(of: batch))
            case nil: throw .missing("body")
            }
        var head = command
        head.body = nil
        var encoded = try bytes(of: head)
        encoded.append(field: field, batch)
        return encoded
    }

    /// A frame of one message: `messages`, field 1, with `body` in its oneof.
    ///
    /// The levels above a body are written here: the library measures everything below a level again for each level, which
    /// doubled the cost of a start. The golden bytes show that the outcome is the same.
    private static func frame(_ field: UInt8, _ body: [UInt8]) throws(WireError) -> [UInt8] {
        var message: [UInt8] = []
        message.append(field: field, body)
        var frame: [UInt8] = []
        frame.append(field: 1, message)
        guard frame.count <= WireLimits.frameBytesMax else { throw .oversized(bytes: frame.count, limit: WireLimits.frameBytesMax) }
        return frame
    }

    public static func encode(_ chunk: LogChunk) throws(WireError) -> [UInt8] {
        guard chunk.bytes.count <= WireLimits.chunkBytesMax else {
            throw .oversized(bytes: chunk.bytes.count, limit: WireLimits.chunkBytesMax)
        }
        return try bytes(of: WireLogChunk(chunk))
    }

    public static func encode(_ ack: LogAck) throws(WireError) -> [UInt8] {
        var frame = WireLogAckFrame()
        frame.acks = [WireLogAck(ack)]
        return try bytes(of: frame, limit: WireLimits.frameBytesMax)
    }

    public static func agentMessages(in frame: RawSpan) throws(WireError) -> [AgentMessage] {
        let decoded: WireAgentFrame = try message(in: frame, limit: WireLimits.frameBytesMax)
        try checked(count: decoded.messages.count, max: WireLimits.messagesPerFrameMax, "messages")
        return try decoded.messages.mapped { (message) throws(WireError) in try message.checked() }
    }

    public static func coordinatorMessages(in frame: RawSpan) throws(WireError) -> [CoordinatorMessage] {
        let decoded: WireCoordinatorFrame = try message(in: frame, limit: WireLimits.frameBytesMax)
        try checked(count: decoded.messages.count, max: WireLimits.messagesPerFrameMax, "messages")
        return try decoded.messages.mapped { (message) throws(WireError) in try message.checked() }
    }

    public static func logChunk(in frame: RawSpan) throws(WireError) -> LogChunk {
        let decoded: WireLogChunk = try message(in: frame, limit: WireLimits.frameBytesMax)
        return try decoded.checked()
    }

    public static func logAcks(in frame: RawSpan) throws(WireError) -> [LogAck] {
        let decoded: WireLogAckFrame = try message(in: frame, limit: WireLimits.frameBytesMax)
        try checked(count: decoded.acks.count, max: WireLimits.messagesPerFrameMax, "acks")
        return try decoded.acks.mapped { (ack) throws(WireError) in try ack.checked() }
    }

    static func bytes(of message: some SwiftProtobuf.Message, limit: Int = WireLimits.frameBytesMax) throws(WireError) -> [UInt8] {
        let bytes: [UInt8]
        do { bytes = try message.serializedBytes() } catch {
            // The library's own limit of 2 GiB; no other cause exists without required fields.
            throw .oversized(bytes: .max, limit: limit)
        }
        guard bytes.count <= limit else { throw .oversized(bytes: bytes.count, limit: limit) }
        return bytes
    }

    static func message<Wire: SwiftProtobuf.Message>(in frame: RawSpan, limit: Int) throws(WireError) -> Wire {
        guard frame.byteCount <= limit else { throw .oversized(bytes: frame.byteCount, limit: limit) }
        do { return try Wire(serializedBytes: frame, options: decoding) } catch { throw .malformed }
    }

    /// Unknown fields are a newer peer's additions: skipped, never kept. The deepest message has six levels.
    private static let decoding: BinaryDecodingOptions = {
        var options = BinaryDecodingOptions()
        options.discardUnknownFields = true
        options.messageDepthLimit = 10
        return options
    }()
}

extension [UInt8] {
    /// Appends a length-delimited field. Fields above 15 would need a longer tag; the levels written by hand have none.
    fileprivate mutating func append(field: UInt8, _ body: [UInt8]) {
        reserveCapacity(count + body.count + 6)
        append(field << 3 | 2)
        var length = body.count
        while length >= 0x80 {
            append(UInt8(truncatingIfNeeded: length) | 0x80)
            length >>= 7
        }
        append(UInt8(length))
        append(contentsOf: body)
    }
}
