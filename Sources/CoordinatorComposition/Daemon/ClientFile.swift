import ClusterModel
import ClusterPorts
import DaemonKit
import Foundation
import LedgerHashing
import SchedulerEngine
import SchedulingCore
import Yams

/// `client.yaml`: URL, certificate and admin key for the verbs of the user who started the coordinator, mode 0600. The key is kept
/// when it still works; otherwise a new one is made, so that losing the file never locks anyone out of their machine.
struct ClientFile {
    let path: String

    /// - Parameter certificateFile: what clients must trust where no authority vouches for it.
    func provide(url: String, certificateFile: String?, engine: SchedulerEngine) async throws {
        var key = storedKey()
        if let stored = key, !isAccepted(stored, engine: engine) { key = nil }
        if key == nil { key = try await makeKey(engine: engine) }
        guard let key else { return }
        var text = "# Written by the coordinator: where it is and the admin key of this cluster. Keep it to yourself.\nurl: \(url)\n"
        if let certificateFile { text += "ca: \(Self.quoted(certificateFile))\n" }
        text += "key: \(key)\n"
        try PrivateFile.write(Array(text.utf8), to: path)
    }

    /// As YAML reads it back, whatever the path is made of.
    private static func quoted(_ path: String) -> String { "'" + path.replacing("'", with: "''") + "'" }

    private func storedKey() -> String? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8), let node = try? Yams.compose(yaml: text) else { return nil }
        return node["key"]?.string
    }

    private func isAccepted(_ key: String, engine: SchedulerEngine) -> Bool {
        let parts = key.split(separator: "_", maxSplits: 2)
        guard parts.count == 3, let known = engine.accessKey(id: String(parts[1])) else { return false }
        return known.role == .admin && known.secretDigest == sha256(Array(parts[2].utf8))
    }

    private func makeKey(engine: SchedulerEngine) async throws -> String {
        let id = hex(KeyFile.random(4))
        let secret = hex(KeyFile.random(32))
        let key = AccessKey(
            id: id, secretDigest: sha256(Array(secret.utf8)), tenant: "default", user: "admin", role: .admin, createdAt: engine.now())
        _ = try await engine.perform(.createKey(key))
        return "sp_\(id)_\(secret)"
    }

    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}

/// A join token for the agents that `up` starts beside the coordinator: many uses, a short life, mode 0600.
enum BootstrapToken {
    private static let uses: UInt32 = 100_000
    private static let lifetime = Span.seconds(3600)

    static func provide(in path: String, engine: SchedulerEngine) async throws {
        let token = JoinToken(id: KeyFile.random(16), secret: KeyFile.random(32), endpoints: engine.endpoints)
        let record = JoinTokenRecord(
            id: token.id, verifier: sha256(token.secret), expiresAt: engine.now() + lifetime, usesLeft: uses, namePrefix: "")
        _ = try await engine.perform(.createJoinToken(record))
        try PrivateFile.write(Array((token.text + "\n").utf8), to: path)
    }
}
