internal import CZMQ
internal import Glibc

/// The other end of a TCP connection.
struct PeerAddress: Hashable, CustomStringConvertible {
    /// Numeric.
    let host: String
    let port: String

    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// nil when `descriptor` is no connected socket (any more).
    init?(of descriptor: Int32) {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        var port = [CChar](repeating: 0, count: Int(NI_MAXSERV))
        let isNamed = withUnsafeMutablePointer(to: &address) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                getpeername(descriptor, generic, &length) == 0
                    && getnameinfo(
                        generic, length, &host, socklen_t(host.count), &port, socklen_t(port.count), NI_NUMERICHOST | NI_NUMERICSERV) == 0
            }
        }
        guard isNamed else { return nil }
        self.init(host: Self.text(host), port: Self.text(port))
    }

    init(host: String, port: String) {
        self.host = Self.plain(host)
        self.port = port
    }

    /// An IPv4 address that came by an IPv6 socket, without the prefix that says so.
    static func plain(_ host: String) -> String { host.hasPrefix("::ffff:") ? String(host.dropFirst(7)) : host }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// Ends the TCP connection behind a descriptor in both directions; whoever owns the descriptor still closes it.
func shutDown(_ descriptor: Int32) { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }
