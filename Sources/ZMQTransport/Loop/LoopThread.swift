internal import CZMQ
internal import Glibc

/// A POSIX thread that runs a closure: the loop wants one of its own, not one of the concurrency pool's.
enum LoopThread {
    private final class Body {
        let name: String
        let run: @Sendable () -> Void

        init(name: String, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    /// `name` has at most 15 bytes, the kernel's limit. False when the system has no thread to give.
    static func start(name: String, _ run: @escaping @Sendable () -> Void) -> Bool {
        let body = Unmanaged.passRetained(Body(name: name, run: run))
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let body = Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
                czmq_name_thread(body.name)
                body.run()
                return nil
            }, body.toOpaque())
        guard result == 0 else {
            body.release()
            return false
        }
        pthread_detach(thread)
        return true
    }

    /// Tells threads apart; never zero.
    static var currentID: UInt { UInt(pthread_self()) }
}
