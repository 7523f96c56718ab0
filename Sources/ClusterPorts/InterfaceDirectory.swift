/// Where other machines find the REST interface, and by what they know it.
public struct InterfaceAddress: Hashable, Sendable {
    /// A name or an address, an IPv6 one without brackets.
    public var host: String
    public var port: Int
    /// nil when the interface speaks plain http.
    public var certificate: Certificate?

    public struct Certificate: Hashable, Sendable {
        /// What the server presents, without those that signed it.
        public var pem: String
        /// SHA-256 of its public key (SubjectPublicKeyInfo): what RFC 7469 and curl call a pin. 32 bytes.
        public var pin: [UInt8]

        public init(pem: String, pin: [UInt8]) {
            self.pem = pem
            self.pin = pin
        }
    }

    public init(host: String, port: Int, certificate: Certificate?) {
        self.host = host
        self.port = port
        self.certificate = certificate
    }

    public var scheme: String { certificate == nil ? "http" : "https" }
    /// Without a slash at its end.
    public var url: String { "\(scheme)://\(host.contains(":") ? "[\(host)]" : host):\(port)" }
}

/// Tells the interface's address as it is now: its certificate may be replaced while it serves.
public protocol InterfaceDirectory: Sendable {
    /// nil until it listens.
    var current: InterfaceAddress? { get }
}
