import Glibc

/// Addresses of this machine.
public enum LocalAddress {
    /// The address by which this machine reaches another: what the kernel would send from. No packet is sent.
    ///
    /// - Parameter endpoint: `tcp://host:port`.
    public static func toward(_ endpoint: String) throws -> String {
        guard let (host, port) = split(endpoint) else { throw StartError("'\(endpoint)' is not tcp://HOST:PORT") }
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, port, &hints, &list) == 0, let first = list else {
            throw StartError("the coordinator's host '\(host)' has no address; is the name right?")
        }
        defer { freeaddrinfo(list) }
        return source(first.pointee) ?? "127.0.0.1"
    }

    /// The address that the default route leaves from, else any that other machines may reach; nil when there is none. No
    /// packet is sent.
    public static var ofDefaultRoute: String? {
        // Addresses for documentation (RFC 5737, RFC 3849): nobody's network has a route of its own to them.
        for probe in ["192.0.2.1", "2001:db8::1"] {
            var hints = addrinfo()
            hints.ai_flags = AI_NUMERICHOST
            hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
            var list: UnsafeMutablePointer<addrinfo>?
            guard getaddrinfo(probe, "9", &hints, &list) == 0, let first = list else { continue }
            defer { freeaddrinfo(list) }
            if let found = source(first.pointee) { return found }
        }
        return all.first { !$0.hasPrefix("127.") && $0 != "::1" }
    }

    /// Of all interfaces, without those that hold for one link only.
    public static var all: [String] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return [] }
        defer { freeifaddrs(list) }
        var found: [String] = []
        var next = list
        while let entry = next {
            next = entry.pointee.ifa_next
            guard let address = entry.pointee.ifa_addr else { continue }
            let length: Int
            switch Int32(address.pointee.sa_family) {
            case AF_INET: length = MemoryLayout<sockaddr_in>.size
            case AF_INET6: length = MemoryLayout<sockaddr_in6>.size
            default: continue
            }
            guard let text = text(of: address, socklen_t(length)), !text.contains("%"), !found.contains(text) else { continue }
            found.append(text)
        }
        return found
    }

    /// This host's name as the kernel has it; nil when it has none.
    public static var hostName: String? {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0, buffer[0] != 0 else { return nil }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).lowercased()
    }

    private static func source(_ target: addrinfo) -> String? {
        let descriptor = socket(target.ai_family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard connect(descriptor, target.ai_addr, target.ai_addrlen) == 0 else { return nil }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                getsockname(descriptor, address, &length) == 0 ? text(of: address, length) : nil
            }
        }
    }

    private static func text(of address: UnsafeMutablePointer<sockaddr>, _ length: socklen_t) -> String? {
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        guard getnameinfo(address, length, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0 else { return nil }
        let found = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return plain(found)
    }

    /// The host of `tcp://host:port`, without brackets.
    public static func host(of endpoint: String) throws -> String {
        guard let (host, _) = split(endpoint) else { throw StartError("'\(endpoint)' is not tcp://HOST:PORT") }
        return plain(host)
    }

    /// An IPv4 address seen through an IPv6 socket (RFC 4291, 2.5.5.2) as every program reads it.
    private static func plain(_ host: String) -> String {
        host.hasPrefix("::ffff:") && host.contains(".") ? String(host.dropFirst("::ffff:".count)) : host
    }

    private static func split(_ endpoint: String) -> (String, String)? {
        guard endpoint.hasPrefix("tcp://"), let colon = endpoint.lastIndex(of: ":") else { return nil }
        let host = endpoint[endpoint.index(endpoint.startIndex, offsetBy: 6)..<colon]
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        return (String(isBracketed ? host.dropFirst().dropLast() : host), String(endpoint[endpoint.index(after: colon)...]))
    }
}
