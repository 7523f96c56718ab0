public import ClusterModel
internal import SwiftProtobuf

/// Frames of the agent protocol: model values in, bytes out, and back.
///
/// Decoding is total: whatever the bytes, it returns messages within `WireLimits` or throws a `WireError`. Frames that
/// hold lists join end to end (Protocols/wire.md, "Framing"): a sender encodes each message once, with `encode`, and
/// appends what is ready.
public enum WireFrame {
    public static func encode(_ message: AgentMessage) throws(WireError) -> [UInt8] {
        var frame = WireAgentFrame()
        frame.messages = [WireAgentMessage(message)]
        return try bytes(of: frame, limit: WireLimits.frameBytesMax)
    }

    public static func encode(_ message: CoordinatorMessage) throws(WireError) -> [UInt8] {
        var frame = WireCoordinatorFrame()
        frame.messages = [try WireCoordinatorMessage(message)]
        return try bytes(of: frame, limit: WireLimits.frameBytesMax)
    }

    public static func encode(_ chunk: LogChunk) throws(WireError) -> [UInt8] {
        guard chunk.bytes.count <= WireLimits.chunkBytesMax else {
            throw .oversized(bytes: chunk.bytes.count, limit: WireLimits.chunkBytesMax)
        }
        return try bytes(of: WireLogChunk(chunk), limit: WireLimits.frameBytesMax)
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

    static func bytes(of message: some SwiftProtobuf.Message, limit: Int) throws(WireError) -> [UInt8] {
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
