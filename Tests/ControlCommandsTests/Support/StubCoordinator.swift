// A coordinator of a few lines: blocking sockets, a thread for each connection, a closure that answers.

import Dispatch
import Glibc
import Synchronization

final class StubCoordinator: Sendable {
    struct Request: Sendable {
        var method: String
        /// Without the query.
        var path: String
        var query: [String: String]
        /// Names in lower case.
        var headers: [String: String]
        var body: String
    }

    enum Answer: Sendable {
        case json(String, status: Int = 200, headers: [String: String] = [:])
        /// Raw bytes, each piece sent by itself with a pause before it.
        case stream([String])
        /// The pieces, then a connection that breaks without the end of the body.
        case broken([String])
        /// The connection closes and nothing was said.
        case silence
    }

    let url: String
    private let listener: Int32
    private let seen = Mutex<[Request]>([])
    private let answer: @Sendable (Request, StubCoordinator) -> Answer

    var requests: [Request] { seen.withLock { $0 } }

    /// The closure sees the request as the last of `requests`.
    init(_ answer: @escaping @Sendable (Request, StubCoordinator) -> Answer) {
        self.answer = answer
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                precondition(bind(listener, address, length) == 0 && listen(listener, 64) == 0)
                precondition(getsockname(listener, address, &length) == 0)
            }
            return UInt16(bigEndian: pointer.pointee.sin_port)
        }
        url = "http://127.0.0.1:\(port)"
        Self.thread { [weak self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                Self.thread { [weak self] in
                    while let self, let request = Self.read(connection), self.serve(request, connection) {}
                    close(connection)
                }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private static func thread(_ body: @escaping @Sendable () -> Void) {
        DispatchQueue(label: "stub").async(execute: body)
    }

    /// Whether the connection may go on.
    private func serve(_ request: Request, _ connection: Int32) -> Bool {
        seen.withLock { $0.append(request) }
        switch answer(request, self) {
        case .json(let body, let status, let headers):
            let type = status < 300 ? "application/json" : "application/problem+json"
            let extra = headers.map { "\($0.key): \($0.value)\r\n" }.joined()
            return Self.write(
                "HTTP/1.1 \(status) x\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n\(extra)\r\n\(body)", connection)
        case .stream(let pieces):
            return sendPieces(pieces, connection) && Self.write("0\r\n\r\n", connection)
        case .broken(let pieces):
            _ = sendPieces(pieces, connection)
            return false
        case .silence: return false
        }
    }

    private func sendPieces(_ pieces: [String], _ connection: Int32) -> Bool {
        guard Self.write("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n", connection) else {
            return false
        }
        for piece in pieces {
            usleep(20_000)
            guard Self.write("\(String(piece.utf8.count, radix: 16))\r\n\(piece)\r\n", connection) else { return false }
        }
        usleep(20_000)
        return true
    }

    private static func write(_ text: String, _ connection: Int32) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private static func read(_ connection: Int32) -> Request? {
        var bytes: [UInt8] = []
        let end = Array("\r\n\r\n".utf8)
        while true {
            if let range = bytes.firstRange(of: end) {
                guard let request = parse(String(decoding: bytes[..<range.lowerBound], as: UTF8.self)) else { return nil }
                let length = Int(request.headers["content-length"] ?? "0") ?? 0
                var body = Array(bytes[range.upperBound...])
                while body.count < length, let more = receive(connection) { body += more }
                var whole = request
                whole.body = String(decoding: body, as: UTF8.self)
                return whole
            }
            guard let more = receive(connection) else { return nil }
            bytes += more
        }
    }

    private static func receive(_ connection: Int32) -> [UInt8]? {
        var chunk = [UInt8](repeating: 0, count: 4096)
        let count = recv(connection, &chunk, chunk.count, 0)
        return count > 0 ? Array(chunk.prefix(count)) : nil
    }

    private static func parse(_ head: String) -> Request? {
        let lines = head.split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count == 3 else { return nil }
        let target = words[1].split(separator: "?", maxSplits: 1)
        var query: [String: String] = [:]
        for pair in target.dropFirst().first?.split(separator: "&") ?? [] {
            let halves = pair.split(separator: "=", maxSplits: 1).map(String.init)
            query[halves[0]] = halves.count == 2 ? halves[1] : ""
        }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let halves = line.split(separator: ":", maxSplits: 1)
            if halves.count == 2 { headers[halves[0].lowercased()] = String(halves[1].drop { $0 == " " }) }
        }
        return Request(method: String(words[0]), path: String(target[0]), query: query, headers: headers, body: "")
    }
}
