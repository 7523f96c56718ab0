import AgentCore
import ClusterModel
import Glibc

/// What `keepLease` keeps for the agent's next process: 16 bytes of boot identifier, 8 of the instant, one of the mark's length, and
/// the mark.
///
/// Most need only survive the process; after a power cut the boot identifier differs, and nothing runs. The mark of a new session
/// is synchronised: a node that forgot its last session would be taken for a copy of itself.
final class LeaseFile {
    private let descriptor: Int32
    private(set) var kept = KeptLease()

    private static let markOffset = 24
    private static let markBytesMax = 64

    /// nil when the file cannot be opened: the next process then holds no lease, which is the safe side.
    init?(path: String, bootID: [UInt8]) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: Self.markOffset + 1 + Self.markBytesMax)
        let count = max(0, pread(descriptor, &bytes, bytes.count, 0))
        if count > Self.markOffset {
            let mark = bytes[(Self.markOffset + 1)..<count].prefix(Int(bytes[Self.markOffset]))
            // A file cut short holds no mark rather than a part of one.
            if mark.count == bytes[Self.markOffset] { kept.stateMark = Array(mark) }
        }
        if count >= Self.markOffset, Array(bytes[..<16]) == bootID {
            kept.start = bytes[16..<24].reduce(Int64(0)) { $0 << 8 | Int64($1) }
        } else {
            _ = pwrite(descriptor, bootID + [UInt8](repeating: 0, count: 8), 24, 0)
        }
    }

    deinit { close(descriptor) }

    func keep(_ lease: KeptLease, durably: Bool) {
        let start = lease.start ?? 0
        let instant = (0..<8).map { UInt8(truncatingIfNeeded: start >> (56 - 8 * $0)) }
        guard lease.stateMark != kept.stateMark, lease.stateMark.count <= Self.markBytesMax else {
            _ = pwrite(descriptor, instant, 8, 16)
            return
        }
        let bytes = instant + [UInt8(lease.stateMark.count)] + lease.stateMark
        _ = pwrite(descriptor, bytes, bytes.count, 16)
        if durably { fdatasync(descriptor) }
        kept = lease
    }
}
