public import ClusterPorts
import NIOSSL
import Synchronization

/// What the interface serves under, and where. Shared by the connections, the routes that tell nodes how to join, and
/// whoever replaces the certificate.
public final class ServedInterface: InterfaceDirectory {
    private struct State {
        var identity: ServerIdentity?
        var port: Int?
    }

    /// How other machines call this one.
    private let host: String
    private let state: Mutex<State>
    let isTLS: Bool

    /// - Parameter identity: nil for plain http, which it then stays.
    public init(host: String, identity: ServerIdentity?) {
        self.host = host
        isTLS = identity != nil
        state = Mutex(State(identity: identity))
    }

    public var current: InterfaceAddress? {
        let (identity, port) = state.withLock { ($0.identity, $0.port) }
        guard let port else { return nil }
        let certificate = identity.map { InterfaceAddress.Certificate(pem: $0.certificatePEM, pin: $0.pin) }
        return InterfaceAddress(host: host, port: port, certificate: certificate)
    }

    /// Connections that are made from now on see it; those that are open keep the one they know.
    public func replace(_ identity: ServerIdentity) {
        precondition(isTLS, "an interface that speaks plain http was given a certificate")
        state.withLock { $0.identity = identity }
    }

    func listens(on port: Int) { state.withLock { $0.port = port } }

    /// nil for plain http.
    var context: NIOSSLContext? { state.withLock { $0.identity?.context } }
}
