import ClusterModel
import ClusterPorts
import Crypto
import SchedulingCore

/// Who makes a request, as its API key says.
struct Principal: Hashable {
    var keyID: String
    var tenant: String
    var user: String
    var role: Role
    /// The attempt on whose behalf an agent moves files; nil for a key.
    var attempt: AttemptID?

    /// Whose rows this principal may see.
    var visibility: Visibility {
        switch role {
        case .admin, .billing: .all
        case .user, .viewer: .tenant(tenant)
        }
    }

    func sees(tenant other: String) -> Bool { visibility == .all || tenant == other }
}

/// What an endpoint asks of its caller. Decides nothing about single objects: those of another tenant do not exist.
enum Access {
    /// Nobody need say who they are.
    case open
    case reading
    /// Contents on their way to a job or from it: keys that may submit, and passes of attempts.
    case movingFiles
    /// The agent that runs an attempt, by its pass alone.
    case attempt
    /// New jobs, and changes to one's own.
    case submitting
    case readingUsage
    case administering

    /// Passes of attempts are looked at.
    var takesPasses: Bool { self == .movingFiles || self == .attempt }

    func allows(_ principal: Principal) -> Bool {
        let role = principal.role
        return switch self {
        case .open: true
        case .attempt: principal.attempt != nil
        case .reading: role == .admin || role == .user || role == .viewer
        case .submitting, .movingFiles: role == .admin || role == .user
        case .readingUsage: true
        case .administering: role == .admin
        }
    }
}

/// API keys, `sp_<id>_<secret>`. The state holds only SHA-256 of the secret's text; secrets have 256 bits, so a slow
/// hash would cost time and add nothing.
enum APIKey {
    private static let prefix = "sp_"
    private static let idLength = 8

    /// A new key: its id, what to keep and the text to show once.
    static func make() -> (id: String, secretDigest: [UInt8], text: String) {
        var generator = SystemRandomNumberGenerator()
        let id = Hexadecimal.text(generator.bytes(count: idLength / 2))
        let secret = Hexadecimal.text(generator.bytes(count: 32))
        return (id, Array(SHA256.hash(data: Array(secret.utf8))), "\(prefix)\(id)_\(secret)")
    }

    /// The principal behind an `Authorization` header, nil for anything that is not a valid key of this cluster.
    static func principal(authorization: String?, _ controlPlane: some ControlPlane) -> Principal? {
        guard let (id, secret) = authorization.flatMap(parse) else { return nil }
        let digest = SHA256.hash(data: Array(secret.utf8))
        guard let key = controlPlane.accessKey(id: id), isEqual(digest, key.secretDigest) else { return nil }
        return Principal(keyID: key.id, tenant: key.tenant, user: key.user, role: key.role)
    }

    private static func parse(_ authorization: String) -> (id: String, secret: Substring)? {
        let parts = authorization.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer", parts[1].hasPrefix(prefix), parts[1].utf8.count <= 256 else {
            return nil
        }
        let body = parts[1].dropFirst(prefix.count)
        let id = body.prefix(idLength)
        let rest = body.dropFirst(idLength)
        guard id.utf8.count == idLength, id.utf8.allSatisfy({ Hexadecimal.value(ofDigit: $0) != nil }), rest.first == "_" else {
            return nil
        }
        return (String(id), rest.dropFirst())
    }

    /// Takes as long for every pair of equal length: how far two digests agree must not show in time.
    private static func isEqual(_ digest: SHA256.Digest, _ other: [UInt8]) -> Bool {
        guard other.count == SHA256.Digest.byteCount else { return false }
        var difference: UInt8 = 0
        for (left, right) in zip(digest, other) { difference |= left ^ right }
        return difference == 0
    }
}

extension SystemRandomNumberGenerator {
    mutating func bytes(count: Int) -> [UInt8] { (0..<count).map { _ in next() } }
}
