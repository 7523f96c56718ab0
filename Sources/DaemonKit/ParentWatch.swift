import Glibc
import Synchronization

/// Notices the end of the process that started this one: the other end of a pipe closes, however it died.
public final class ParentWatch: Sendable {
    public static let shared = ParentWatch()

    private let descriptor = Mutex<Int32>(-1)

    public func watch(_ newDescriptor: Int32) { descriptor.withLock { $0 = newDescriptor } }

    /// Returns at end-of-file of the parent's pipe; never when none is watched (until cancelled).
    public func ended() async {
        let watched = descriptor.withLock { $0 }
        guard watched >= 0 else {
            while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
            return
        }
        while !Task.isCancelled {
            var poll = pollfd(fd: watched, events: Int16(POLLIN), revents: 0)
            if Glibc.poll(&poll, 1, 0) > 0 {
                var byte: UInt8 = 0
                if Glibc.read(watched, &byte, 1) <= 0 { return }
            }
            try? await Task.sleep(for: .milliseconds(200))
        }
    }
}
