internal import CZMQ
internal import ClusterPorts
internal import WireProtocol

/// Options of a socket as a list, applied before it binds or connects. libzmq's own defaults suit trusted peers: messages
/// without bound, handshakes of 30 s, no heartbeats, silent drops.
struct SocketOptions {
    private var numbers: [(Int32, Int32)] = []
    private var wideNumbers: [(Int32, Int64)] = []
    private var bytes: [(Int32, [UInt8])] = []

    /// Where libzmq cuts a connection, as it cuts any attack on memory. It does not say why, and counts what encryption
    /// adds; so these lie above the protocol's limits, and frames a little too large reach us and are counted.
    static let agentBytesMax = WireLimits.frameBytesMax + (64 << 10)
    static let enrollmentBytesMax = 64 << 10

    /// For a socket within the process that must always find room.
    static let unbounded: SocketOptions = {
        var options = SocketOptions()
        options.numbers = [(ZMQ_LINGER, 0)]
        options.queue(send: 0, receive: 0)
        return options
    }()

    private init() {}

    /// What every socket of the protocol has. `frameBytesMax` is where libzmq cuts the connection; times in milliseconds.
    init(frameBytesMax: Int, lingerMilliseconds: Int32) {
        numbers = [
            (ZMQ_LINGER, lingerMilliseconds), (ZMQ_IPV6, 1), (ZMQ_HANDSHAKE_IVL, 5000), (ZMQ_TCP_MAXRT, 30_000),
        ]
        wideNumbers = [(ZMQ_MAXMSGSIZE, Int64(frameBytesMax))]
    }

    /// Frames that may wait for each peer, in libzmq's pipes.
    mutating func queue(send: Int32, receive: Int32) {
        numbers += [(ZMQ_SNDHWM, send), (ZMQ_RCVHWM, receive)]
    }

    /// The side that binds. `domain` tells the ZAP handler which rule applies.
    ///
    /// Whether a silent peer is gone, the kernel asks here: libzmq looks through the timers of all connections for each one that it
    /// cancels, which with its own heartbeats is half a core for 10,000 peers.
    mutating func serve(secretKey: [UInt8], domain: String) {
        numbers += [
            (ZMQ_ROUTER_MANDATORY, 1), (ZMQ_BACKLOG, 8192), (ZMQ_CURVE_SERVER, 1), (ZMQ_ZAP_ENFORCE_DOMAIN, 1),
            (ZMQ_TCP_KEEPALIVE, 1), (ZMQ_TCP_KEEPALIVE_IDLE, 10), (ZMQ_TCP_KEEPALIVE_INTVL, 5), (ZMQ_TCP_KEEPALIVE_CNT, 6),
        ]
        bytes += [(ZMQ_CURVE_SECRETKEY, secretKey), (ZMQ_ZAP_DOMAIN, [UInt8](domain.utf8))]
    }

    /// The side that connects. Both ends of the back-off are drawn, so that agents that lost one coordinator at one
    /// instant do not return at one instant; libzmq's own jitter is only ever the first interval.
    mutating func connect(keyPair: CurveKeyPair, serverKey: [UInt8]) {
        numbers += [
            (ZMQ_RECONNECT_IVL, Int32.random(in: 100...300)), (ZMQ_RECONNECT_IVL_MAX, Int32.random(in: 3000...5000)),
            (ZMQ_CONNECT_TIMEOUT, 5000), (ZMQ_HEARTBEAT_IVL, 10_000), (ZMQ_HEARTBEAT_TIMEOUT, 30_000),
        ]
        bytes += [
            (ZMQ_CURVE_SERVERKEY, serverKey), (ZMQ_CURVE_PUBLICKEY, keyPair.publicKey), (ZMQ_CURVE_SECRETKEY, keyPair.secretKey),
        ]
    }

    /// Messages are queued only while a connection stands.
    mutating func queueOnlyWhileConnected() { numbers.append((ZMQ_IMMEDIATE, 1)) }

    func apply(to socket: borrowing ZMQSocket) throws(TransportError) {
        for (option, value) in numbers { try check(socket.set(option, value), option) }
        for (option, value) in wideNumbers { try check(socket.set(option, value), option) }
        for (option, value) in bytes { try check(socket.set(option, bytes: value), option) }
    }

    private func check(_ error: ErrorNumber?, _ option: Int32) throws(TransportError) {
        guard let error else { return }
        throw TransportError(.io, "libzmq refuses option \(option): \(error); it must be 4.3 or later, built with CURVE")
    }
}
