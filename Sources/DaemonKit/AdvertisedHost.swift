public import ClusterPorts

/// How other machines reach what this one listens on.
public struct AdvertisedHost: Hashable, Sendable {
    /// What the administrator wrote; nil finds the address of the default route.
    private let given: String?

    /// - Parameter given: a name or an address, an IPv6 one with or without brackets.
    public init(_ given: String?) throws {
        self.given = given.map { $0.hasPrefix("[") && $0.hasSuffix("]") ? String($0.dropFirst().dropLast()) : $0 }
        let isPlain = self.given?.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: ":"):
                true
            default: false
            }
        }
        guard isPlain ?? true, self.given != "" else {
            throw StartError("advertise: '\(given ?? "")'; expected a host name or an address, without a port")
        }
    }

    public var isGiven: Bool { given != nil }

    /// What a socket is bound to says nothing to others when it is every address of this machine.
    public static func isWildcard(_ host: String) -> Bool { ["0.0.0.0", "::", "*", "[::]"].contains(host) }

    /// - Parameter bound: what the socket is bound to. Loopback stays what it is: nobody else reaches it.
    public func host(for bound: String) -> String {
        // An IPv4 address of an IPv6 socket (RFC 4291 2.5.5.2).
        let bound = bound.hasPrefix("::ffff:") && bound.contains(".") ? String(bound.dropFirst(7)) : bound
        if bound.hasPrefix("127.") || bound == "localhost" || bound == "::1" { return bound }
        if let given { return given }
        return Self.isWildcard(bound) ? LocalAddress.ofDefaultRoute ?? LocalAddress.hostName ?? "127.0.0.1" : bound
    }

    /// - Parameter bound: `tcp://HOST:PORT`.
    public func endpoint(for bound: String) -> String {
        guard bound.hasPrefix("tcp://"), let colon = bound.lastIndex(of: ":") else { return bound }
        var host = String(bound.dropFirst(6)[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        let advertised = self.host(for: host)
        return "tcp://" + (advertised.contains(":") ? "[\(advertised)]" : advertised) + bound[colon...]
    }

    public func endpoints(for bound: AgentEndpoints) -> AgentEndpoints {
        AgentEndpoints(
            agents: endpoint(for: bound.agents), enrollment: endpoint(for: bound.enrollment), logs: endpoint(for: bound.logs),
            publicKey: bound.publicKey)
    }
}
