import ClusterModel
import ClusterPorts
import Crypto

import struct Foundation.Data

/// Seals values with ChaCha20-Poly1305 (RFC 8439) under the key of `secrets.key`, bound to their tenant: sealed bytes
/// moved to another tenant do not open.
struct SecretBox: SecretSealer {
    private let key: SymmetricKey
    /// Derived once: marks are made at every heartbeat.
    private let markKey: SymmetricKey

    /// - Parameter key: 32 bytes.
    init(key: [UInt8]) {
        self.key = SymmetricKey(data: key)
        markKey = HKDF<SHA256>.deriveKey(inputKeyMaterial: self.key, info: Data("suanpan state mark".utf8), outputByteCount: 32)
    }

    func seal(_ value: String, tenant: String) -> [UInt8] {
        // The nonce is drawn from the system's generator; 96 bits are safe for 2^32 seals under one key.
        guard let box = try? ChaChaPoly.seal(Data(value.utf8), using: key, authenticating: Data(tenant.utf8)) else {
            preconditionFailure("sealing fails only for a key or nonce of a wrong size")
        }
        return [UInt8](box.combined)
    }

    /// HMAC-SHA256 (RFC 2104) under a key derived for this alone (RFC 5869).
    func pass(for attempt: AttemptID, _ fence: Fence) -> [UInt8] {
        let derived = HKDF<SHA256>.deriveKey(inputKeyMaterial: key, info: Data("suanpan attempt pass".utf8), outputByteCount: 32)
        return Array(HMAC<SHA256>.authenticationCode(for: Data("\(attempt) \(fence)".utf8), using: derived))
    }

    /// HMAC-SHA256, its first 16 bytes, under a key derived for this alone.
    func proof(of seen: SeenState, toldTo node: NodeID) -> [UInt8] {
        var writer = CanonicalWriter()
        writer.write(node)
        writer.write(seen)
        return Array(HMAC<SHA256>.authenticationCode(for: writer.bytes, using: markKey).prefix(16))
    }

    func open(_ sealed: [UInt8], tenant: String) -> [UInt8]? {
        guard let box = try? ChaChaPoly.SealedBox(combined: Data(sealed)),
            let value = try? ChaChaPoly.open(box, using: key, authenticating: Data(tenant.utf8))
        else { return nil }
        return [UInt8](value)
    }
}
