internal import CZMQ

/// A message buffer to receive into, over and over. libzmq wants it at one address, hence the pointer.
struct ZMQMessage: ~Copyable {
    let pointer: UnsafeMutablePointer<zmq_msg_t>

    init() {
        pointer = .allocate(capacity: 1)
        zmq_msg_init(pointer)
    }

    deinit {
        zmq_msg_close(pointer)
        pointer.deallocate()
    }

    var count: Int { zmq_msg_size(pointer) }

    /// Another part of the same message follows.
    var hasMore: Bool { zmq_msg_more(pointer) != 0 }

    /// The descriptor of the TCP connection it came by, as socket monitors name it; -1 when unknown.
    var sourceDescriptor: Int32 { zmq_msg_get(pointer, ZMQ_SRCFD) }

    /// What the ZAP handler answered as user id when it admitted the connection.
    var userID: String? { property("User-Id") }

    /// The address of the peer, without its port.
    var peerAddress: String? { property("Peer-Address") }

    func withBytes<Value, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Value) throws(Failure) -> Value {
        try body(UnsafeRawBufferPointer(start: zmq_msg_data(pointer), count: count).bytes)
    }

    var bytes: [UInt8] { [UInt8](UnsafeRawBufferPointer(start: zmq_msg_data(pointer), count: count)) }

    private func property(_ name: String) -> String? {
        guard let text = zmq_msg_gets(pointer, name) else { return nil }
        return String(cString: text)
    }
}
