internal import CZMQ
internal import ClusterPorts

/// A libzmq socket that a `ZMQPollLoop` attends to. Of the loop's thread only.
///
/// libzmq offers one descriptor for a socket. It is readable while commands wait in the socket's mailbox, and *any* call
/// on the socket takes those commands in: a send can make the descriptor unreadable although a message waits. Every wait
/// on such a descriptor alone hangs one day. Here each call that may swallow a signal puts the socket on the loop's list
/// of sockets to look at before it sleeps; the socket leaves the list only when a receive has found nothing.
///
/// That is worth its while because `zmq_poll` asks every socket on every turn: 0.75 ms a call for 1000 idle sockets.
final class LoopSocket {
    /// One receive buffer serves all parts: each is looked at before the next is received.
    let message = ZMQMessage()
    let descriptor: Int32
    /// Reads what there is, within its budget; true when it left something behind.
    private(set) var onReady: () -> Bool = { false }
    /// On the loop's list.
    var isListed = false
    private(set) var isOpen = true

    private let loop: ZMQPollLoop
    private var socket: ZMQSocket?

    init(loop: ZMQPollLoop, socket: consuming ZMQSocket) {
        self.loop = loop
        descriptor = socket.descriptor
        self.socket = consume socket
    }

    /// Begins to call `onReady`, first in the current turn.
    func attend(_ onReady: @escaping () -> Bool) {
        self.onReady = onReady
        loop.attend(self)
    }

    func close() {
        guard isOpen else { return }
        loop.dismiss(self)
        isOpen = false
        socket = nil
        onReady = { false }
    }

    // MARK: - Set-up, before `attend`

    func apply(_ options: SocketOptions) throws(TransportError) {
        guard isOpen else { return }
        try options.apply(to: socket!)
    }

    func bind(_ endpoint: String) -> ErrorNumber? { isOpen ? socket!.bind(endpoint) : .notOpen }

    func connect(_ endpoint: String) -> ErrorNumber? { isOpen ? socket!.connect(endpoint) : .notOpen }

    func monitor(_ endpoint: String) -> ErrorNumber? {
        isOpen ? socket!.monitor(endpoint, events: SocketEvent.mask) : .notOpen
    }

    var lastEndpoint: String { isOpen ? socket!.lastEndpoint() : "" }

    // MARK: - Use

    /// What is possible now: ZMQ_POLLIN, ZMQ_POLLOUT.
    var events: Int32 {
        let events = isOpen ? socket!.events() : 0
        if events & ZMQ_POLLIN != 0 { loop.list(self) }
        return events
    }

    func send(_ bytes: [UInt8], more: Bool = false) -> ErrorNumber? {
        guard isOpen else { return .notOpen }
        loop.list(self)
        return socket!.send(bytes, more: more)
    }

    /// Receives one part into `message`; false when there is none.
    func receive() -> Bool {
        guard isOpen else { return false }
        return socket!.receive(into: message) == nil
    }

    /// Skips the parts that follow the last one received. The parts of a message arrive together.
    func skipRest() {
        while message.hasMore, receive() {}
    }
}
