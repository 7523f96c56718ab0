public import ClusterPorts
import HTTPTypes
import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore

import Glibc

/// The native REST interface, `/v1`, of one coordinator.
///
/// `run()` has the shape of a service: it returns after a graceful stop of its service group, in which requests in
/// progress are answered, and throws `ControlServerError` when it cannot listen. Authentication is always on.
public struct ControlServer: Sendable {
    public struct Configuration: Hashable, Sendable {
        public var host: String
        /// 0 picks a free one.
        public var port: Int
        /// Before a connection without a request is closed; also the longest wait for a request's header, or for the
        /// next part of its body.
        public var idleTimeout: Duration
        /// When there are so many, the one that has been without a request for longest is closed for a new one.
        public var connectionCountMax: Int
        /// Logs that one key may read at once.
        public var logReaderCountMax: Int
        /// Where packages of the agent lie, for machines that join.
        public var packagesDirectory: String
        /// How long a TLS handshake may take.
        public var handshakeTimeout: Duration

        public init(
            host: String = "127.0.0.1", port: Int = 8470, idleTimeout: Duration = .seconds(60), connectionCountMax: Int = 4096,
            logReaderCountMax: Int = 64, packagesDirectory: String = "/usr/share/suanpan/install",
            handshakeTimeout: Duration = .seconds(10)
        ) {
            self.host = host
            self.port = port
            self.idleTimeout = idleTimeout
            self.connectionCountMax = connectionCountMax
            self.logReaderCountMax = logReaderCountMax
            self.packagesDirectory = packagesDirectory
            self.handshakeTimeout = handshakeTimeout
        }

        /// Nobody but this machine reaches the server.
        public var isLoopback: Bool { Loopback.isName(host) }
    }

    /// Where the server really listens.
    public struct BoundAddress: Hashable, Sendable {
        public var host: String
        public var port: Int
    }

    private let controlPlane: any ControlPlane
    private let configuration: Configuration
    private let interface: ServedInterface
    private let logger: Logger
    private let metrics: MetricsSource
    private let onListening: @Sendable (BoundAddress) -> Void

    /// - Parameter interface: what to serve under; plain http without one.
    public init(
        controlPlane: any ControlPlane, configuration: Configuration, interface: ServedInterface? = nil, logger: Logger,
        metrics: MetricsSource = MetricsSource(),
        onListening: @escaping @Sendable (BoundAddress) -> Void = { _ in }
    ) {
        self.controlPlane = controlPlane
        self.configuration = configuration
        self.interface = interface ?? ServedInterface(host: configuration.host, identity: nil)
        self.logger = logger
        self.metrics = metrics
        self.onListening = onListening
    }

    public func run() async throws {
        do {
            try await makeApplication().run()
        } catch let error as IOError {
            throw ControlServerError(error, configuration)
        } catch let error as SocketAddressError {
            throw ControlServerError(.address, "cannot listen on \(configuration.host):\(configuration.port): \(error)")
        }
    }

    /// The header limits keep one connection's memory small; the longest legitimate header is a key of 80 bytes.
    func makeApplication() -> Application<RouterResponder<ControlContext>> {
        let stop = StopSignal()
        let logs = LogService(readersPerKeyMax: configuration.logReaderCountMax, stop: stop)
        let installation = Installation(packagesDirectory: configuration.packagesDirectory, interface: interface)
        let handshakeLimit = TimeAmount(configuration.handshakeTimeout)
        let idleTimeout = TimeAmount(configuration.idleTimeout)
        let places = ConnectionPlaces(countMax: configuration.connectionCountMax, stallMax: idleTimeout)
        var metrics = metrics
        metrics.connectionCount = { places.count }
        let routes = ControlRouter(
            controlPlane, isLoopback: configuration.isLoopback, isTLS: interface.isTLS, logs: logs, installation: installation,
            metrics: metrics)
        let host = configuration.host
        let connections = HTTP1Channel.Configuration(
            additionalChannelHandlers: [ConnectionPlaceHandler(places), StopListener(stop)], idleTimeout: idleTimeout,
            httpDecoderConfiguration: .init(maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 32 << 10, maxHeaderFieldCount: 100))
        return Application(
            router: routes.router,
            server: HTTPServerBuilder { [interface] in
                PinnedChannel(
                    channel: HTTP1Channel(responder: $0, configuration: connections), interface: interface, handshakeLimit: handshakeLimit)
            },
            configuration: ApplicationConfiguration(address: .hostname(host, port: configuration.port), serverName: "suanpan"),
            onServerRunning: { [onListening, interface] channel in
                interface.listens(on: channel.localAddress?.port ?? 0)
                onListening(BoundAddress(host: host, port: channel.localAddress?.port ?? 0))
            },
            logger: logger)
    }
}

/// Why the server does not listen; the message says what to mend.
public struct ControlServerError: Error, CustomStringConvertible {
    public struct Code: Hashable, Sendable {
        private enum Value { case addressInUse, notPermitted, address, certificate, io }
        private let value: Value
        /// Another process listens there.
        public static let addressInUse = Code(value: .addressInUse)
        /// The port needs a privilege.
        public static let notPermitted = Code(value: .notPermitted)
        /// The host has no such address.
        public static let address = Code(value: .address)
        /// Certificate or key do not do.
        public static let certificate = Code(value: .certificate)
        public static let io = Code(value: .io)
    }

    public let code: Code
    public let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    init(_ error: IOError, _ configuration: ControlServer.Configuration) {
        let place = "\(configuration.host):\(configuration.port)"
        switch error.errnoCode {
        case EADDRINUSE: self.init(.addressInUse, "\(place) is in use by another process: stop it, or give another port with --http")
        case EACCES: self.init(.notPermitted, "listening on \(place) is not permitted: choose a port above 1023 with --http")
        case EADDRNOTAVAIL: self.init(.address, "\(place) is not an address of this machine: give one with --http")
        default: self.init(.io, "cannot listen on \(place): \(error)")
        }
    }

    public var description: String { message }
}
