internal import ClusterPorts

/// Which drops to log: each peer and cause once a minute, with how many were kept quiet since. Peers beyond the bound
/// share one line, so a flood of them fills neither memory nor log.
struct DropRegister {
    struct Line: Hashable {
        let peer: String
        /// Drops like this one that were not logged.
        let suppressed: Int
    }

    private struct Key: Hashable {
        let cause: TransportDrop
        let peer: String
    }

    private struct Entry {
        var loggedAt: ContinuousClock.Instant
        var suppressed = 0
    }

    static let interval = Duration.seconds(60)
    private var entries: [Key: Entry] = [:]
    private let entriesMax: Int

    init(entriesMax: Int = 1024) { self.entriesMax = entriesMax }

    /// nil: do not log.
    mutating func record(_ cause: TransportDrop, peer: String, now: ContinuousClock.Instant) -> Line? {
        var key = Key(cause: cause, peer: peer)
        if entries[key] == nil, entries.count >= entriesMax {
            entries = entries.filter { now - $0.value.loggedAt < Self.interval }
            if entries.count >= entriesMax { key = Key(cause: cause, peer: "others") }
        }
        guard let entry = entries[key], now - entry.loggedAt < Self.interval else {
            let suppressed = entries[key]?.suppressed ?? 0
            entries[key] = Entry(loggedAt: now)
            return Line(peer: key.peer, suppressed: suppressed)
        }
        entries[key]?.suppressed += 1
        return nil
    }
}
