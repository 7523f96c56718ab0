/// Grants `perSecond` on average and `burst` at once.
struct TokenBucket {
    let perSecond: Double
    let burst: Double
    private var tokens: Double
    private var updated: ContinuousClock.Instant

    init(perSecond: Double, burst: Double, now: ContinuousClock.Instant) {
        self.perSecond = perSecond
        self.burst = burst
        tokens = burst
        updated = now
    }

    mutating func take(now: ContinuousClock.Instant) -> Bool {
        refill(now: now)
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }

    mutating func isFull(now: ContinuousClock.Instant) -> Bool {
        refill(now: now)
        return tokens >= burst
    }

    private mutating func refill(now: ContinuousClock.Instant) {
        tokens = min(burst, tokens + max(0, (now - updated) / .seconds(1)) * perSecond)
        updated = now
    }
}

/// Enrolment is the one door that a stranger may knock at, so knocking is bounded: for each key, each address, and in all.
///
/// The table of buckets is bounded as well: when it is full, those that have refilled go, and if there is none, a
/// newcomer is refused until there is.
struct EnrollmentLimiter {
    private var all: TokenBucket
    private var buckets: [String: TokenBucket] = [:]
    private let bucketsMax = 4096

    init(now: ContinuousClock.Instant) { all = TokenBucket(perSecond: 100, burst: 400, now: now) }

    mutating func allows(key: String, host: String, now: ContinuousClock.Instant) -> Bool {
        // A fleet behind one address enrols at 20 a second after the first 200; an agent repeats itself every few seconds.
        take("key \(key)", perSecond: 1, burst: 5, now: now) && take("host \(host)", perSecond: 20, burst: 200, now: now)
            && all.take(now: now)
    }

    private mutating func take(_ name: String, perSecond: Double, burst: Double, now: ContinuousClock.Instant) -> Bool {
        if buckets[name] == nil {
            if buckets.count >= bucketsMax {
                for key in Array(buckets.keys) where buckets[key]?.isFull(now: now) == true { buckets[key] = nil }
                guard buckets.count < bucketsMax else { return false }
            }
            buckets[name] = TokenBucket(perSecond: perSecond, burst: burst, now: now)
        }
        return buckets[name]?.take(now: now) ?? false
    }
}
