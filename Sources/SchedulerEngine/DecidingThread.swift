import Glibc

/// A thread of its own for the deciding task, which also appends: what decides waits for the disk anyway before anyone
/// may see the outcome, so a second task would only add two hand-overs to each batch. What arrives meanwhile is decided,
/// and made durable, together.
///
/// `@unchecked Sendable`: `state` is touched under `mutex` only.
final class DecidingThread: TaskExecutor, @unchecked Sendable {
    private struct State {
        var jobs: [UnownedJob] = []
        var isStopped = false
    }

    // Allocated: a pthread mutex and condition must not move.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var state = State()
    /// Of its CPU time; valid while the thread lives.
    private(set) var cpuClock: clockid_t = 0

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
        var thread = pthread_t()
        let reference = Unmanaged.passRetained(self)
        let result = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<DecidingThread>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, reference.toOpaque())
        precondition(result == 0, "a thread cannot be started: \(result)")
        var clock = clockid_t()
        cpuClock = pthread_getcpuclockid(thread, &clock) == 0 ? clock : 0
        pthread_detach(thread)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        pthread_cond_destroy(condition)
        mutex.deallocate()
        condition.deallocate()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        pthread_mutex_lock(mutex)
        state.jobs.append(unowned)
        pthread_mutex_unlock(mutex)
        // Not under the mutex: the thread would wake only to wait for it.
        pthread_cond_signal(condition)
    }

    /// The thread ends once it has run what is queued.
    func stop() {
        pthread_mutex_lock(mutex)
        state.isStopped = true
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
    }

    private func run() {
        while true {
            pthread_mutex_lock(mutex)
            while state.jobs.isEmpty, !state.isStopped { pthread_cond_wait(condition, mutex) }
            let jobs = state.jobs
            state.jobs.removeAll(keepingCapacity: true)
            pthread_mutex_unlock(mutex)
            if jobs.isEmpty { return }
            for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
        }
    }
}
