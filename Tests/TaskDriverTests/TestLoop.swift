import CLinuxShim
import ClusterPorts
import Glibc
import Synchronization

/// A poll loop of the plainest kind: one thread with poll(2).
///
/// Sendable without the compiler's check: `handlers` is touched on the loop's thread only, the rest is locked or constant.
final class TestLoop: PollLoop, @unchecked Sendable {
    private let bodies = Mutex<[@Sendable () -> Void]>([])
    private let stopped = Mutex(false)
    private let wake = suanpan_eventfd_create()
    private var handlers: [Int32: @Sendable () -> Void] = [:]

    init() {
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(self).toOpaque()
        let result = pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<TestLoop>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, argument)
        precondition(result == 0)
        pthread_detach(thread)
    }

    deinit { close(wake) }

    func watch(_ descriptor: Int32, onReadable: @escaping @Sendable () -> Void) { handlers[descriptor] = onReadable }
    func unwatch(_ descriptor: Int32) { handlers[descriptor] = nil }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        post { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }

    func post(_ body: @escaping @Sendable () -> Void) {
        bodies.withLock { $0.append(body) }
        _ = suanpan_eventfd_signal(wake)
    }

    /// Runs the closure on the loop's thread.
    func perform<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            post { continuation.resume(with: Result { try body() }) }
        }
    }

    func stop() {
        stopped.withLock { $0 = true }
        _ = suanpan_eventfd_signal(wake)
    }

    private func run() {
        while !stopped.withLock({ $0 }) {
            var items = [pollfd(fd: wake, events: Int16(POLLIN), revents: 0)]
            items += handlers.keys.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard poll(&items, nfds_t(items.count), -1) > 0 else { continue }
            if items[0].revents != 0 {
                _ = suanpan_eventfd_drain(wake)
                for body in bodies.withLock({ bodies in
                    defer { bodies = [] }; return bodies
                }) { body() }
            }
            for item in items.dropFirst() where item.revents != 0 { handlers[item.fd]?() }
        }
        handlers = [:]
    }
}
