/// Whether and when a request is sent again. Every write carries an Idempotency-Key, so a lost answer is safe to ask
/// for again; a refused connection is not worth waiting for unless something already runs that must be followed.
struct RetrySchedule: Hashable, Sendable {
    enum Outcome: Hashable, Sendable {
        /// Nothing was sent.
        case unreachable
        /// Sent, but no whole answer came.
        case lost
        /// 429 or 503, with its Retry-After.
        case busy(retryAfter: Duration?)
    }

    enum Patience: Hashable, Sendable {
        /// A person waits at a prompt.
        case brief
        /// A job is being followed: outlast a restart of the coordinator.
        case patient
    }

    private let patience: Patience
    private var tries = 0
    private var waited = Duration.zero

    init(_ patience: Patience) { self.patience = patience }

    /// How long to wait before the next try; nil to give up. `chance` in 0 … 1 spreads clients apart.
    mutating func delay(after outcome: Outcome, chance: Double) -> Duration? {
        tries += 1
        let delay: Duration
        let waitedMax: Duration
        switch outcome {
        case .unreachable:
            guard patience == .patient else { return nil }
            (delay, waitedMax) = (backoff, .seconds(120))
        case .lost: (delay, waitedMax) = (backoff, patience == .patient ? .seconds(120) : .seconds(15))
        case .busy(let retryAfter):
            (delay, waitedMax) = (max(retryAfter ?? backoff, .milliseconds(100)), patience == .patient ? .seconds(600) : .seconds(60))
        }
        let spread = delay + delay * (chance / 4)
        guard waited + delay <= waitedMax else { return nil }
        waited += spread
        return spread
    }

    /// 0.1 s, doubled each time, at most 5 s.
    private var backoff: Duration { min(.milliseconds(100) * (1 << min(tries - 1, 6)), .seconds(5)) }
}
