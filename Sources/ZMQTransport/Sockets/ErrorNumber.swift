internal import CZMQ

/// What a call of libzmq answered instead of success.
struct ErrorNumber: Error, Hashable, CustomStringConvertible {
    let value: Int32

    /// That of the calling thread's last failure.
    static var last: ErrorNumber { ErrorNumber(value: zmq_errno()) }

    /// The socket was closed on our side.
    static let notOpen = ErrorNumber(value: ENOTSOCK)

    /// Nothing to read, or no room to write: not now.
    var isAgain: Bool { value == EAGAIN }
    var isInterruption: Bool { value == EINTR }

    var description: String { String(cString: zmq_strerror(value)) }
}
