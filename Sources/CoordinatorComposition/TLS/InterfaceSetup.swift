import ClusterModel
import ClusterPorts
import ControlAPI
import DaemonKit
import Foundation
import Logging

/// Where the REST interface listens, how others reach it, and under which certificate: all that follows from the settings
/// before anything serves.
struct InterfaceSetup: Sendable {
    /// Tells the current certificate and address to whoever must pass them on, such as to agents.
    let interface: ServedInterface
    let configuration: ControlServer.Configuration
    let advertised: AdvertisedHost
    /// nil for plain http.
    let files: SelfSignedCertificate.Files?
    private let security: InterfaceSecurity

    init(_ settings: CoordinatorSettings, listen: (host: String, port: Int), directory: String, logger: Logger) throws {
        var configuration = ControlServer.Configuration(host: listen.host, port: listen.port)
        if let packages = settings.packagesDirectory { configuration.packagesDirectory = packages }
        advertised = try AdvertisedHost(settings.advertise)
        security = try InterfaceSecurity(
            tls: settings.tls, certificate: settings.tlsCertificate, key: settings.tlsKey, isLoopback: configuration.isLoopback)
        let host = advertised.host(for: listen.host)
        var names = [LocalAddress.hostName, host, "localhost", "127.0.0.1", "::1"].compactMap(\.self) + LocalAddress.all
        var seen: Set<String> = []
        names.removeAll { !seen.insert($0).inserted }
        files = try security.provide(in: directory, hosts: names, logger: logger)
        interface = ServedInterface(
            host: host, identity: try files.map { try ServerIdentity(certificateFile: $0.certificate, keyFile: $0.key) })
        self.configuration = configuration
    }

    /// For programs of this machine. Under the administrator's certificate the name must be one that it holds, so what
    /// `advertise` says comes first there; the coordinator's own is known by its key, whatever the name.
    func localURL(port: Int) -> String {
        var host = configuration.host
        if case .files = security, advertised.isGiven { host = advertised.host(for: host) }
        if AdvertisedHost.isWildcard(host) { host = host.contains(":") ? "::1" : "127.0.0.1" }
        return "\(files == nil ? "http" : "https")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }

    /// What agents are told; nil until the interface listens. Under the administrator's certificate they go to the name that it
    /// holds, and their machine's authorities judge it; the coordinator's own they know by itself, whatever the name.
    var fileService: FileService? {
        guard let current = interface.current, let port = UInt16(exactly: current.port) else { return nil }
        guard let certificate = current.certificate else { return FileService(port: port) }
        guard case .ownCertificate = security else { return FileService(host: current.host, port: port, isTLS: true) }
        return FileService(port: port, isTLS: true, certificate: Array(certificate.pem.utf8))
    }

    /// The file that clients trust instead of the system's authorities; nil where those vouch for the certificate.
    var certificateToTrust: String? {
        guard case .ownCertificate = security, let files else { return nil }
        return URL(filePath: files.certificate).standardizedFileURL.path
    }
}
