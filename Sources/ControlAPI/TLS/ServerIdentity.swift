import Crypto
import FoundationEssentials
import NIOSSL

/// A certificate with its private key, ready to serve.
public struct ServerIdentity: Sendable {
    let context: NIOSSLContext
    /// What clients see, without those that signed it.
    let certificatePEM: String
    /// SHA-256 of its public key.
    let pin: [UInt8]

    /// Reads both files whole. A pair that does not belong together is refused here, not at the first handshake.
    ///
    /// - Parameters:
    ///   - certificateFile: PEM, the server's own certificate first, those that signed it after it.
    ///   - keyFile: PEM, not encrypted.
    public init(certificateFile: String, keyFile: String) throws(ControlServerError) {
        let certificateBytes = try Self.read(certificateFile)
        let keyBytes = try Self.read(keyFile)
        let chain: [NIOSSLCertificate]
        do { chain = try NIOSSLCertificate.fromPEMBytes(certificateBytes) } catch { chain = [] }
        guard let leaf = chain.first, let text = Self.firstCertificate(of: certificateBytes) else {
            throw ControlServerError(.certificate, "\(certificateFile) holds no certificate in PEM form")
        }
        let key: NIOSSLPrivateKey
        do { key = try NIOSSLPrivateKey(bytes: keyBytes, format: .pem) } catch {
            throw ControlServerError(.certificate, "\(keyFile) holds no private key in PEM form, or one under a passphrase")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        do {
            context = try NIOSSLContext(configuration: configuration)
            pin = Array(SHA256.hash(data: try leaf.extractPublicKey().toSPKIBytes()))
        } catch {
            throw ControlServerError(.certificate, "the key in \(keyFile) does not belong to the certificate in \(certificateFile)")
        }
        certificatePEM = text
    }

    private static func read(_ path: String) throws(ControlServerError) -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ControlServerError(.certificate, "\(path) cannot be read: it must belong to the user that runs the coordinator")
        }
        return [UInt8](data)
    }

    private static func firstCertificate(of bytes: [UInt8]) -> String? {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let begin = text.firstRange(of: "-----BEGIN CERTIFICATE-----"),
            let end = text[begin.upperBound...].firstRange(of: "-----END CERTIFICATE-----")
        else { return nil }
        return text[begin.lowerBound..<end.upperBound] + "\n"
    }
}
