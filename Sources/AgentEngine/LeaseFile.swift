import AgentCore
import ClusterModel
import Glibc

/// What `keepLease` keeps for the agent's next process: 16 bytes of boot identifier, 8 of the instant, 8 of the session.
///
/// The instant need only survive the process; after a power cut the boot identifier differs, and nothing runs. The session
/// is synchronised: a node that forgot one would be taken for a copy of itself.
final class LeaseFile {
    private let descriptor: Int32
    private(set) var kept = KeptLease()

    /// nil when the file cannot be opened: the next process then holds no lease, which is the safe side.
    init?(path: String, bootID: [UInt8]) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        if count == bytes.count { kept.session = SessionID(UInt64(bitPattern: Self.number(bytes[24...]))) }
        if count >= 24, Array(bytes[..<16]) == bootID {
            kept.start = Self.number(bytes[16..<24])
        } else {
            _ = pwrite(descriptor, bootID + [UInt8](repeating: 0, count: 8), 24, 0)
        }
    }

    deinit { close(descriptor) }

    func keep(_ lease: KeptLease) {
        let bytes = Self.bytes(lease.start ?? 0) + Self.bytes(Int64(bitPattern: lease.session.value))
        _ = pwrite(descriptor, bytes, bytes.count, 16)
        if lease.session != kept.session { fdatasync(descriptor) }
        kept = lease
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> Int64 { bytes.reduce(Int64(0)) { $0 << 8 | Int64($1) } }
    private static func bytes(_ number: Int64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) } }
}
