// Whom a client believes to be the coordinator.

import NIOSSL
import SwiftASN1
import X509

/// The certificates of one PEM file, trusted instead of the system's authorities.
struct TrustedCertificates {
    private static let bytesMax = 1 << 20

    let tls: TLSConfiguration

    /// Names are verified unless every certificate of the file is one that may vouch for no other. Such a file pins the server's own
    /// certificate: only who holds its private key passes, and no name could add to that. Verifying one would only keep
    /// clients out that reach the coordinator by an address which it does not know, behind NAT or after a move. Beside an
    /// authority, which may have vouched for others too, the name is what tells them apart.
    init(file: String) throws(CommandFailure) {
        guard let bytes = FileContent.read(path: file, limit: Self.bytesMax) else {
            throw CommandFailure(
                .failed, "the coordinator's certificate \(file) cannot be read",
                remedy: "SUANPAN_CA_FILE, or ca in client.yaml, names it; copy tls/certificate.pem from the coordinator's data directory")
        }
        let roots: [NIOSSLCertificate]
        do { roots = try NIOSSLCertificate.fromPEMBytes(bytes) } catch { roots = [] }
        let mayVouch = roots.map(Self.mayVouchForOthers)
        guard !roots.isEmpty else {
            throw CommandFailure(.failed, "\(file) holds no certificate in PEM form", remedy: "name another with SUANPAN_CA_FILE")
        }
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        tls.trustRoots = .certificates(roots)
        tls.certificateVerification = mayVouch.contains(true) ? .fullVerification : .noHostnameVerification
        self.tls = tls
    }

    /// True also where nothing is said about it, as in certificates of the first versions.
    private static func mayVouchForOthers(_ certificate: NIOSSLCertificate) -> Bool {
        guard let bytes = try? certificate.toDERBytes(), let parsed = try? Certificate(derEncoded: bytes),
            let constraints = try? parsed.extensions.basicConstraints
        else { return true }
        if case .notCertificateAuthority = constraints { return false }
        return true
    }
}
