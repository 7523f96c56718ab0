internal import CZMQ

/// What a socket monitor tells.
enum SocketEvent: Hashable {
    /// A TCP connection exists; nothing is known about its peer yet.
    case accepted(descriptor: Int32)
    /// The system refused to accept a connection: out of descriptors, mostly.
    case acceptFailed(ErrorNumber)
    case disconnected(descriptor: Int32)
    /// The peer's ZAP handler refused our key, or ours refused the peer's.
    case handshakeRefused
    /// The peer does not speak CURVE, or not with the keys that were agreed on, or left, or took too long. libzmq does not
    /// name the connection here; its `disconnected` follows.
    case handshakeFailed

    /// The events to ask a monitor for.
    static let mask =
        ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_ACCEPT_FAILED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL
        | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH

    /// The first frame of an event: the number in 16 bits and the value in 32, both in the machine's byte order.
    init?(frame: RawSpan) {
        guard frame.byteCount == 6 else { return nil }
        let number = Int32(frame.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt16.self))
        let value = frame.unsafeLoadUnaligned(fromByteOffset: 2, as: Int32.self)
        switch number {
        case ZMQ_EVENT_ACCEPTED: self = .accepted(descriptor: value)
        case ZMQ_EVENT_ACCEPT_FAILED: self = .acceptFailed(ErrorNumber(value: value))
        case ZMQ_EVENT_DISCONNECTED: self = .disconnected(descriptor: value)
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: self = .handshakeRefused
        case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL: self = .handshakeFailed
        default: return nil
        }
    }
}
