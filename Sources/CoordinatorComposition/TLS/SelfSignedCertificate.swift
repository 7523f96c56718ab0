import Crypto
import DaemonKit
import Foundation
import SwiftASN1
import X509

/// The certificate that a coordinator makes for itself when nobody gives it one. Clients and nodes know it by its key,
/// from `client.yaml`, from a join command or from a copy of the file; no authority vouches for it.
enum SelfSignedCertificate {
    struct Files {
        var certificate: String
        var key: String
    }

    private static let lifetime: TimeInterval = 10 * 365.25 * 86_400
    /// Clients whose clocks are late trust it too.
    private static let earliness: TimeInterval = 86_400

    static func files(in directory: String) -> Files {
        Files(certificate: "\(directory)/tls/certificate.pem", key: "\(directory)/tls/key.pem")
    }

    /// Makes the pair unless both are there. The key goes first: a crash between the two leaves no certificate that
    /// somebody could already trust.
    ///
    /// - Returns: whether it was made now.
    static func provide(_ files: Files, hosts: [String]) throws -> Bool {
        if access(files.certificate, F_OK) == 0, access(files.key, F_OK) == 0 { return false }
        let directory = URL(filePath: files.certificate).deletingLastPathComponent().path
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o711])
        } catch { throw StartError("\(directory) cannot be created: mend the permissions of the data directory") }
        let (certificate, key) = try make(hosts: hosts, now: Date())
        try PrivateFile.write(Array(key.utf8), to: files.key)
        try PrivateFile.write(Array(certificate.utf8), to: files.certificate)
        // The certificate is no secret: users of this machine may point SUANPAN_CA_FILE at it.
        chmod(files.certificate, 0o644)
        return true
    }

    /// It can vouch for no other certificate: it is no authority, and says so. Clients rely on that (`TrustedCertificates`).
    /// No key usage is named: with one that leaves signing certificates out, libraries do not take it for its own issuer.
    static func make(hosts: [String], now: Date) throws -> (certificate: String, key: String) {
        let key = P256.Signing.PrivateKey()
        let name = try DistinguishedName {
            OrganizationName("Suanpan")
            CommonName(hosts.first ?? "coordinator")
        }
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: Certificate.PublicKey(key.publicKey),
            notValidBefore: now - earliness, notValidAfter: now + lifetime, issuer: name, subject: name,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                try ExtendedKeyUsage([.serverAuth])
                SubjectAlternativeNames(hosts.map(generalName))
            }, issuerPrivateKey: Certificate.PrivateKey(key))
        return (try certificate.serializeAsPEM().pemString + "\n", key.pemRepresentation + "\n")
    }

    private static func generalName(_ host: String) -> GeneralName {
        var four = in_addr()
        if inet_pton(AF_INET, host, &four) == 1 {
            return .ipAddress(ASN1OctetString(contentBytes: withUnsafeBytes(of: &four) { ArraySlice($0) }))
        }
        var six = in6_addr()
        if inet_pton(AF_INET6, host, &six) == 1 {
            return .ipAddress(ASN1OctetString(contentBytes: withUnsafeBytes(of: &six) { ArraySlice($0) }))
        }
        return .dnsName(host)
    }
}
