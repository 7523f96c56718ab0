import DaemonKit
import Foundation

/// The address by which this machine reaches another: what the kernel would send from. No packet is sent.
enum LocalAddress {
    /// - Parameter endpoint: `tcp://host:port`.
    static func toward(_ endpoint: String) throws -> String {
        guard let (host, port) = split(endpoint) else { throw StartError("'\(endpoint)' is not tcp://HOST:PORT") }
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, port, &hints, &list) == 0, let first = list else {
            throw StartError("the coordinator's host '\(host)' has no address; is the name right?")
        }
        defer { freeaddrinfo(list) }
        let descriptor = socket(first.pointee.ai_family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return "127.0.0.1" }
        defer { close(descriptor) }
        guard connect(descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0 else { return "127.0.0.1" }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let result = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> Int32 in
                guard getsockname(descriptor, address, &length) == 0 else { return -1 }
                return getnameinfo(address, length, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
            }
        }
        guard result == 0 else { return "127.0.0.1" }
        let found = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return plain(found)
    }

    /// The host of `tcp://host:port`, without brackets.
    static func host(of endpoint: String) throws -> String {
        guard let (host, _) = split(endpoint) else { throw StartError("'\(endpoint)' is not tcp://HOST:PORT") }
        return plain(host)
    }

    /// An IPv4 address seen through an IPv6 socket (RFC 4291, 2.5.5.2) as every program reads it.
    private static func plain(_ host: String) -> String {
        host.hasPrefix("::ffff:") && host.contains(".") ? String(host.dropFirst("::ffff:".count)) : host
    }

    private static func split(_ endpoint: String) -> (String, String)? {
        guard endpoint.hasPrefix("tcp://"), let colon = endpoint.lastIndex(of: ":") else { return nil }
        let host = endpoint[endpoint.index(endpoint.startIndex, offsetBy: 6)..<colon].trimmingCharacters(
            in: CharacterSet(charactersIn: "[]"))
        return (host, String(endpoint[endpoint.index(after: colon)...]))
    }
}
