internal import Glibc

public import AgentCore
public import ClusterModel
public import ClusterPorts

/// The task driver of simulated nodes: it runs no process. An attempt lasts `SUANPAN_SIM_SECONDS` (a decimal number,
/// default 0.1) of its order's environment and then exits with `SUANPAN_SIM_EXIT` (default 0). SIGTERM and SIGKILL end
/// it at once, as signals do; other signals do nothing. Successors wait in their slot as with a launcher. It writes no output and forgets everything with its process.
///
/// Sendable without the compiler's check: every stored variable is touched on the thread on which `schedule` calls
/// back, which is also the only one to call the driver.
public final class SimulatedDriver: TaskDriver, @unchecked Sendable {
    private struct Attempt {
        var order: LaunchOrder
        /// nil while it waits in its slot.
        var startedAt: Int64?
        var end: ProcessEnd?
    }

    private static let secondsKey = "SUANPAN_SIM_SECONDS="
    private static let exitKey = "SUANPAN_SIM_EXIT="
    /// A simulated process has some number; it is never used as one.
    private static let firstProcessID: Int32 = 100_000

    private let schedule: @Sendable (_ delayNanoseconds: Int64, _ body: @escaping @Sendable () -> Void) -> Void
    private let bootTime: @Sendable () -> Int64
    private var onEvents: (@Sendable ([DriverEvent]) -> Void)?
    private var attempts: [AttemptID: Attempt] = [:]
    /// The attempt that runs in a slot, and after it those that wait.
    private var slots: [Fence: [AttemptID]] = [:]
    private var nextProcessID = SimulatedDriver.firstProcessID

    /// - Parameters:
    ///   - schedule: calls the closure on the driver's thread, once, after that many nanoseconds; never from within.
    ///   - bootTime: nanoseconds of the node's clock.
    public init(
        schedule: @escaping @Sendable (_ delayNanoseconds: Int64, _ body: @escaping @Sendable () -> Void) -> Void,
        bootTime: @escaping @Sendable () -> Int64
    ) {
        self.schedule = schedule
        self.bootTime = bootTime
    }

    public func start(onEvents: @escaping @Sendable ([DriverEvent]) -> Void) throws(TaskDriverError) {
        precondition(self.onEvents == nil, "started twice")
        self.onEvents = onEvents
        schedule(0) { [weak self] in self?.recover() }
    }

    /// Its attempts end with the process that would have to keep the lease.
    public func holdLease(until instant: Int64) {}

    public func launch(_ orders: [LaunchOrder]) {
        var started: [DriverEvent] = []
        for order in orders where attempts[order.attempt] == nil {
            attempts[order.attempt] = Attempt(order: order)
            slots[order.slot, default: []].append(order.attempt)
            if slots[order.slot]?.count == 1 { started.append(start(order)) }
        }
        guard !started.isEmpty else { return }
        let events = started
        schedule(0) { [weak self] in self?.onEvents?(events) }
    }

    private func start(_ order: LaunchOrder) -> DriverEvent {
        let now = bootTime()
        attempts[order.attempt]?.startedAt = now
        let code = Self.value(of: Self.exitKey, in: order.environment).flatMap { Int32($0) } ?? 0
        let attempt = order.attempt
        // The start is told by the same queue, before it: both were scheduled in this order.
        let delay = max(Self.duration(of: order.environment), 1)
        schedule(delay) { [weak self] in self?.end(attempt, .exited(code: code)) }
        defer { nextProcessID = nextProcessID == .max ? Self.firstProcessID : nextProcessID + 1 }
        return .started(attempt, processID: nextProcessID, at: now)
    }

    public func withdraw(_ attempts: [AttemptID]) {
        schedule(0) { [weak self] in
            for attempt in attempts where self?.attempts[attempt]?.startedAt == nil { self?.end(attempt, .notStarted) }
        }
    }

    public func signal(_ attempt: AttemptID, _ signal: Int32) {
        guard signal == SIGTERM || signal == SIGKILL else { return }
        schedule(0) { [weak self] in self?.end(attempt, .signalled(signal)) }
    }

    public func release(_ attempts: [AttemptID]) {
        for attempt in attempts where self.attempts[attempt]?.end != nil { self.attempts[attempt] = nil }
    }

    public func readOutput(
        _ attempt: AttemptID, _ stream: OutputStream, offset: Int64, limit: Int
    ) throws(TaskDriverError) -> [UInt8] { [] }

    public func shutDownIfIdle() {}

    // MARK: - Inside

    private func recover() {
        let known = attempts.sorted { $0.key < $1.key }.map { attempt, state in
            RecoveredAttempt(
                attempt: attempt, fence: state.order.fence, slot: state.order.slot, note: state.order.note, startedAt: state.startedAt,
                end: state.end)
        }
        onEvents?([.recovered(known)])
    }

    private func end(_ attempt: AttemptID, _ manner: ProcessEnd.Manner) {
        guard let state = attempts[attempt], state.end == nil else { return }
        let now = bootTime()
        let end = ProcessEnd(manner: state.startedAt == nil ? .notStarted : manner, startedAt: state.startedAt ?? now, endedAt: now)
        attempts[attempt]?.end = end
        var events: [DriverEvent] = [.ended(attempt, end)]
        let slot = state.order.slot
        slots[slot]?.removeAll { $0 == attempt }
        if let next = slots[slot]?.first {
            if let order = attempts[next]?.order, attempts[next]?.startedAt == nil { events.append(start(order)) }
        } else {
            slots[slot] = nil
        }
        onEvents?(events)
    }

    private static func value(of key: String, in environment: [String]) -> Substring? {
        environment.first { $0.hasPrefix(key) }?.dropFirst(key.count)
    }

    /// Nanoseconds; a text that is no number of seconds counts as absent. At most a year, so that nothing overflows.
    private static func duration(of environment: [String]) -> Int64 {
        guard let text = value(of: secondsKey, in: environment), let seconds = Double(text), seconds >= 0 else { return 100_000_000 }
        return Int64(min(seconds, 365 * 86_400) * 1e9)
    }
}
