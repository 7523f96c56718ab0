import ClusterPorts
import Glibc
import Testing

@testable import ZMQTransport

/// A DEALER with a valid handshake that says what no agent says.
struct HostilePeer: ~Copyable {
    private let socket: ZMQSocket

    init(endpoint: String, serverKey: [UInt8], keyPair: CurveKeyPair) throws {
        let context = try ZMQContext(ioThreads: 1, socketCountMax: 8)
        let socket = try context.makeSocket(.dealer)
        var options = SocketOptions(frameBytesMax: 1 << 20, lingerMilliseconds: 0)
        options.connect(keyPair: keyPair, serverKey: serverKey)
        options.queue(send: 100, receive: 100)
        try options.apply(to: socket)
        #expect(socket.connect(endpoint) == nil)
        self.socket = socket
    }

    func send(_ parts: [UInt8]...) {
        for (position, part) in parts.enumerated() { #expect(socket.send(part, more: position < parts.count - 1) == nil) }
    }
}

/// Sends bytes to a TCP port and reads until the server closes the connection.
func sendRaw(_ bytes: [UInt8], to endpoint: String) throws {
    let port = try #require(endpoint.split(separator: ":").last.flatMap { UInt16($0) })
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let isConnected = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
    #expect(isConnected)
    _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    var answer = [UInt8](repeating: 0, count: 1024)
    while read(descriptor, &answer, answer.count) > 0 {}
}
