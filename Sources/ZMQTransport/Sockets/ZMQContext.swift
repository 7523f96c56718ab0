internal import CZMQ
internal import ClusterPorts

/// A libzmq context: the I/O threads and the sockets that share them. It ends with the last of its sockets.
struct ZMQContext: ~Copyable {
    private let reference: ContextReference

    /// `socketCountMax`: libzmq's own default of 1023 is too few for a process of many simulated agents.
    init(ioThreads: Int32, socketCountMax: Int32) throws(TransportError) {
        guard let handle = zmq_ctx_new() else { throw TransportError(.io, "cannot create a ZeroMQ context: \(ErrorNumber.last)") }
        zmq_ctx_set(handle, ZMQ_IO_THREADS, ioThreads)
        zmq_ctx_set(handle, ZMQ_MAX_SOCKETS, min(socketCountMax, zmq_ctx_get(handle, ZMQ_SOCKET_LIMIT)))
        reference = ContextReference(handle)
    }

    func makeSocket(_ kind: ZMQSocket.Kind) throws(TransportError) -> ZMQSocket {
        guard let socket = zmq_socket(reference.handle, kind.rawValue) else {
            throw TransportError(.io, "cannot create a socket: \(ErrorNumber.last); raise the limit of open files (nofile)")
        }
        return ZMQSocket(handle: socket, context: reference)
    }
}

/// Shared by a context and its sockets, because terminating a context waits for its sockets: whatever the order in which
/// owners let go, the sockets go first.
final class ContextReference {
    let handle: UnsafeMutableRawPointer

    init(_ handle: UnsafeMutableRawPointer) { self.handle = handle }

    /// Waits until the linger of every closed socket is over.
    deinit {
        while zmq_ctx_term(handle) != 0, ErrorNumber.last.isInterruption {}
    }
}
