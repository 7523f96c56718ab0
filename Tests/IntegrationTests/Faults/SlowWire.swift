import Dispatch
import Foundation
import Glibc

/// A wire that delays what it carries, breaks at times, and remembers: a TCP proxy on a port of its own. What the two ends of a broken
/// connection still had under way is lost; what they send again may arrive after what they sent later on another connection.
final class SlowWire: @unchecked Sendable {
    /// Milliseconds that a piece waits at most; each waits a part of it.
    private let delayMax: UInt32
    /// A connection breaks after at most so many pieces; 0: never.
    private let piecesMax: Int
    private let target: UInt16
    private let listener: Int32
    let port: Int
    private let lock = NSLock()
    private var open: Set<Int32> = []
    private var recording: [UInt8] = []
    private var breaks = 0

    init(to target: Int, delayMax: UInt32 = 0, piecesMax: Int = 0) throws {
        (self.target, self.delayMax, self.piecesMax) = (UInt16(target), delayMax, piecesMax)
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 64) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else { throw ClusterError(message: "no port for a proxy: \(String(cString: strerror(errno)))") }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [self] in accept() }
    }

    /// The first bytes that came from connecting ends: the handshakes and what followed.
    var recorded: [UInt8] { lock.withLock { recording } }
    var breakCount: Int { lock.withLock { breaks } }

    func end() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
        lock.withLock { for descriptor in open { shutdown(descriptor, Int32(SHUT_RDWR)) } }
    }

    static func connect(to port: UInt16) -> Int32? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = loopback(port)
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        if isConnected { return descriptor }
        close(descriptor)
        return nil
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private func accept() {
        while true {
            let near = Glibc.accept(listener, nil, nil)
            guard near >= 0 else { return }
            guard let far = Self.connect(to: target) else {
                close(near)
                continue
            }
            lock.withLock { open.formUnion([near, far]) }
            let pieces = piecesMax > 0 ? Int.random(in: 1...piecesMax) : Int.max
            let carriers = DispatchGroup()
            for (from, to, isRecorded) in [(near, far, true), (far, near, false)] {
                carriers.enter()
                Thread.detachNewThread { [self] in
                    carry(from, to, pieces: pieces, isRecorded: isRecorded)
                    carriers.leave()
                }
            }
            carriers.notify(queue: .global()) { [self] in
                lock.withLock { open.subtract([near, far]) }
                close(near)
                close(far)
            }
        }
    }

    private func carry(_ from: Int32, _ to: Int32, pieces: Int, isRecorded: Bool) {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        for piece in 0..<pieces {
            let count = recv(from, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            if isRecorded { lock.withLock { if recording.count < 1 << 20 { recording += buffer.prefix(count) } } }
            if delayMax > 0 { usleep(UInt32.random(in: 0...delayMax) * 1000) }
            guard send(to, buffer, count, Int32(MSG_NOSIGNAL)) == count else { break }
            if piece == pieces - 1 { lock.withLock { breaks += 1 } }
        }
        shutdown(from, Int32(SHUT_RDWR))
        shutdown(to, Int32(SHUT_RDWR))
    }
}

extension Cluster {
    /// The join token for agents that reach the coordinator's socket for agents at another port: a number, a length and the bytes of each
    /// endpoint, in base64 for addresses.
    func token(reachingAgentsAt port: Int) throws -> String {
        let text = try String(contentsOfFile: "\(directory)/join-token", encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        let body = text.dropFirst("spj_".count).replacing("-", with: "+").replacing("_", with: "/")
        guard var data = Data(base64Encoded: body + String(repeating: "=", count: (4 - body.count % 4) % 4)),
            let range = data.range(of: Data("tcp://127.0.0.1:\(agentPort)".utf8))
        else { throw ClusterError(message: "the join token has another form") }
        let endpoint = "tcp://127.0.0.1:\(port)"
        data.replaceSubrange((range.lowerBound - 1)..<range.upperBound, with: [UInt8(endpoint.utf8.count)] + Data(endpoint.utf8))
        let changed = data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        let path = "\(directory)/join-token-\(port)"
        try Data("spj_\(changed)".utf8).write(to: URL(filePath: path))
        chmod(path, 0o600)
        return path
    }
}
