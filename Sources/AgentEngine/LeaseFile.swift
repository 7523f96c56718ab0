import Glibc

/// The last confirmed start of the lease, for the agent's next process: 16 bytes of boot identifier, 8 of the instant.
/// Not synchronised: it need only survive the process. After a power cut the boot identifier differs, and nothing runs.
struct LeaseFile {
    private let descriptor: Int32
    /// What the last process of this boot kept.
    let start: Int64?

    /// nil when the file cannot be opened: the next process then holds no lease, which is the safe side.
    init?(path: String, bootID: [UInt8]) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 24)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        if count == bytes.count, Array(bytes[..<16]) == bootID {
            start = bytes[16...].reduce(Int64(0)) { $0 << 8 | Int64($1) }
        } else {
            start = nil
            _ = pwrite(descriptor, bootID + [UInt8](repeating: 0, count: 8), 24, 0)
        }
    }

    func keep(_ instant: Int64) {
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: instant >> (56 - 8 * $0)) }
        _ = pwrite(descriptor, bytes, 8, 16)
    }
}
