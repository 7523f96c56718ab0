import ClusterPorts
import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A file that only takes up room in the data directory, to be given up when the journal has none.
final class JournalBallast: JournalSpace {
    static let sizeMax: Int64 = 64 << 20
    /// Less would not carry the journal past what runs.
    static let sizeMin: Int64 = 1 << 20
    private let directory: String
    private let isTaken = Mutex(false)

    private var path: String { "\(directory)/ballast" }

    init(directory: String) {
        self.directory = directory
        takeBallast()
    }

    var bytesFree: Int64? {
        var status = statvfs()
        guard statvfs(directory, &status) == 0 else { return nil }
        return Int64(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
    }

    func releaseBallast() -> Bool {
        isTaken.withLock { taken in
            guard taken else { return false }
            taken = unlink(path) != 0
            return !taken
        }
    }

    /// A small part of what is free: on a tiny disk it must not be the reason why nothing fits.
    func takeBallast() {
        isTaken.withLock { taken in
            guard !taken else { return }
            let descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { return }
            defer { close(descriptor) }
            var status = stat()
            let size = fstat(descriptor, &status) == 0 ? Int64(status.st_blocks) * 512 : 0
            let wanted = min(Self.sizeMax, ((bytesFree ?? 0) + size) / 8)
            if size < Self.sizeMin {
                guard wanted >= Self.sizeMin, posix_fallocate(descriptor, 0, off_t(wanted)) == 0 else {
                    unlink(path)
                    return
                }
            }
            taken = true
        }
    }
}
