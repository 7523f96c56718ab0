internal import CZMQ

/// A libzmq socket: each call once, never blocking, errors as values. Of one thread at a time.
struct ZMQSocket: ~Copyable {
    struct Kind {
        let rawValue: Int32
        static let router = Kind(rawValue: ZMQ_ROUTER)
        static let dealer = Kind(rawValue: ZMQ_DEALER)
        static let reply = Kind(rawValue: ZMQ_REP)
        static let pair = Kind(rawValue: ZMQ_PAIR)
    }

    private let handle: UnsafeMutableRawPointer
    private let context: ContextReference

    init(handle: UnsafeMutableRawPointer, context: ContextReference) {
        self.handle = handle
        self.context = context
    }

    deinit { zmq_close(handle) }

    // MARK: - Options

    func set(_ option: Int32, _ value: Int32) -> ErrorNumber? {
        var value = value
        return failure(zmq_setsockopt(handle, option, &value, MemoryLayout<Int32>.size))
    }

    func set(_ option: Int32, _ value: Int64) -> ErrorNumber? {
        var value = value
        return failure(zmq_setsockopt(handle, option, &value, MemoryLayout<Int64>.size))
    }

    func set(_ option: Int32, bytes: [UInt8]) -> ErrorNumber? {
        failure(zmq_setsockopt(handle, option, bytes, bytes.count))
    }

    func set(_ option: Int32, text: String) -> ErrorNumber? { set(option, bytes: [UInt8](text.utf8)) }

    /// The endpoint really bound, with the port that the system chose.
    func lastEndpoint() -> String {
        var buffer = [UInt8](repeating: 0, count: 512)
        var size = buffer.count
        guard zmq_getsockopt(handle, ZMQ_LAST_ENDPOINT, &buffer, &size) == 0 else { return "" }
        return String(decoding: buffer.prefix(max(0, size - 1)), as: UTF8.self)
    }

    /// Becomes readable when libzmq has news for the socket's thread; see `LoopSocket` for what that does not say.
    var descriptor: Int32 { value(of: ZMQ_FD) ?? -1 }

    /// Takes in all news, then says what is possible now: ZMQ_POLLIN, ZMQ_POLLOUT.
    func events() -> Int32 { value(of: ZMQ_EVENTS) ?? 0 }

    private func value(of option: Int32) -> Int32? {
        var value: Int32 = 0
        var size = MemoryLayout<Int32>.size
        return zmq_getsockopt(handle, option, &value, &size) == 0 ? value : nil
    }

    // MARK: - Endpoints

    func bind(_ endpoint: String) -> ErrorNumber? { failure(zmq_bind(handle, endpoint)) }

    func connect(_ endpoint: String) -> ErrorNumber? { failure(zmq_connect(handle, endpoint)) }

    /// Publishes the socket's events on an inproc endpoint, to which one pair socket connects.
    func monitor(_ endpoint: String, events: Int32) -> ErrorNumber? {
        failure(zmq_socket_monitor(handle, endpoint, events))
    }

    // MARK: - Messages

    func send(_ bytes: [UInt8], more: Bool = false) -> ErrorNumber? {
        let flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)
        while zmq_send(handle, bytes, bytes.count, flags) < 0 {
            let error = ErrorNumber.last
            if !error.isInterruption { return error }
        }
        return nil
    }

    func receive(into message: borrowing ZMQMessage) -> ErrorNumber? {
        while zmq_msg_recv(message.pointer, handle, ZMQ_DONTWAIT) < 0 {
            let error = ErrorNumber.last
            if !error.isInterruption { return error }
        }
        return nil
    }

    /// Blocks until one of two sockets has something to read. Not for the loop's thread.
    static func wait(_ first: borrowing ZMQSocket, _ second: borrowing ZMQSocket, milliseconds: Int) {
        var items = [
            zmq_pollitem_t(socket: first.handle, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0),
            zmq_pollitem_t(socket: second.handle, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0),
        ]
        zmq_poll(&items, Int32(items.count), milliseconds)
    }

    private func failure(_ result: Int32) -> ErrorNumber? { result == 0 ? nil : .last }
}
