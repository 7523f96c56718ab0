import ClusterModel
import ClusterPorts
import SchedulingCore

/// What an agent shows to move the files of one attempt: `sa_<attempt>_<64 hexadecimal digits>`. Good while the attempt
/// lives, for its tenant's files alone.
enum AttemptPass {
    private static let prefix = "sa_"

    static func principal(authorization: String?, _ controlPlane: some ControlPlane) -> Principal? {
        guard let parts = authorization?.split(separator: " ", maxSplits: 1), parts.count == 2, parts[0].lowercased() == "bearer",
            parts[1].hasPrefix(prefix)
        else { return nil }
        let fields = parts[1].dropFirst(prefix.count).split(separator: "_", omittingEmptySubsequences: false)
        guard fields.count == 2, let attempt = AttemptID(parsing: fields[0]), let pass = ContentDigest(parsing: fields[1]),
            let tenant = controlPlane.tenant(ofLive: attempt, pass: pass.bytes)
        else { return nil }
        return Principal(keyID: "", tenant: tenant, user: "", role: .user, attempt: attempt)
    }
}
