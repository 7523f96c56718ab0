import ControlAPI
import DaemonKit
import Foundation
import Logging

/// Whether the REST interface speaks TLS, and with which certificate.
enum InterfaceSecurity: Equatable {
    case plain
    /// Off loopback, and said so: a proxy in front of it has the certificate.
    case plainBehindProxy
    case ownCertificate
    case files(certificate: String, key: String)

    /// - Parameter tls: the setting as it was written; nil when nobody wrote it.
    init(tls: String?, certificate: String?, key: String?, isLoopback: Bool) throws {
        guard (certificate == nil) == (key == nil) else {
            throw StartError(
                certificate == nil
                    ? "tls-key is given without tls-certificate: give both, or none"
                    : "tls-certificate is given without tls-key: give both, or none")
        }
        switch tls ?? "auto" {
        case "on": self = .ownCertificate
        // Whoever gives a certificate wants it used.
        case "auto": self = isLoopback && certificate == nil ? .plain : .ownCertificate
        case "off" where certificate != nil: throw StartError("tls is off and tls-certificate is given: leave one of them out")
        case "off": self = isLoopback ? .plain : .plainBehindProxy
        case let other: throw StartError("tls: '\(other)'; expected auto, on or off")
        }
        if self == .ownCertificate, let certificate, let key { self = .files(certificate: certificate, key: key) }
    }

    /// The files to serve with; the coordinator's own are made when they are not there.
    func provide(in directory: String, hosts: [String], logger: Logger) throws -> SelfSignedCertificate.Files? {
        switch self {
        case .plain: return nil
        case .plainBehindProxy:
            logger.warning(
                "the interface is reachable from other machines without TLS, as tls: off asks: keys and logs travel in clear up to the proxy"
            )
            return nil
        case .files(let certificate, let key): return SelfSignedCertificate.Files(certificate: certificate, key: key)
        case .ownCertificate:
            let files = SelfSignedCertificate.files(in: directory)
            if try SelfSignedCertificate.provide(files, hosts: hosts) {
                logger.notice("made a certificate for the interface", metadata: ["file": "\(files.certificate)"])
            }
            return files
        }
    }
}
