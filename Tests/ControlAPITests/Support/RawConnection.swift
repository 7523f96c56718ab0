import Glibc
import Synchronization

/// A client that may stop reading: a socket with a small receive buffer and no reader behind it.
final class RawConnection: Sendable {
    private let descriptor: Int32

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var size: Int32 = 4096
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        var timeout = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        // A sockaddr_in of 127.0.0.1, byte by byte: whose module its fields belong to depends on what else a build imports.
        let family = UInt16(AF_INET)
        let address =
            [UInt8(truncatingIfNeeded: family), UInt8(family >> 8), UInt8(port >> 8), UInt8(port & 0xFF), 127, 0, 0, 1]
            + [UInt8](repeating: 0, count: 8)
        let result = address.withUnsafeBytes { bytes in
            connect(descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
        guard result == 0 else { throw ConnectionFailed(code: errno) }
    }

    struct ConnectionFailed: Error { var code: Int32 }

    deinit { close() }

    private let isOpen = Atomic(true)

    func close() {
        if isOpen.exchange(false, ordering: .relaxed) { _ = Glibc.close(descriptor) }
    }

    func send(_ text: String) {
        _ = Array(text.utf8).withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }

    func get(_ path: String, as caller: Caller) {
        send("GET \(path) HTTP/1.1\r\nHost: localhost\r\nAuthorization: \(caller.authorization)\r\n\r\n")
    }

    /// What has come, at least one byte; empty when the server closed or nothing came in ten seconds.
    func receive(_ limit: Int = 65_536) -> String {
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = recv(descriptor, &buffer, limit, 0)
        return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }

    /// Everything until the server closes.
    func receiveAll() -> String {
        var text = ""
        while true {
            let part = receive()
            if part.isEmpty { return text }
            text += part
        }
    }
}
