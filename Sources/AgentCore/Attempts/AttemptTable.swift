import ClusterModel

/// The attempts of a node, and when which of them needs a look. No operation of one attempt looks at the others.
struct AttemptTable: Sendable {
    private struct Entry {
        var attempt: LocalAttempt
        /// The instant under which it stands in `alarms`; `.max` for not at all.
        var alarm: Int64
    }

    private struct Alarm: Comparable {
        var at: Int64
        var attempt: AttemptID

        static func < (left: Alarm, right: Alarm) -> Bool { (left.at, left.attempt) < (right.at, right.attempt) }
    }

    /// For look-up; iterate sorted keys.
    private var entries: [AttemptID: Entry] = [:]
    /// Holds more than it should: an alarm that was moved stays at its old instant until it comes up. The first one is true.
    private var alarms = BinaryHeap<Alarm>()
    /// Those that end with the lease.
    private(set) var dependsOnLease: Set<AttemptID> = []
    /// Those that have something to say while they run, by their terms.
    private(set) var withMail: Set<AttemptID> = []
    /// Processing units of those that have some for themselves.
    private var processors: [AttemptID: [UInt32]] = [:]
    var processorsTaken: Set<UInt32> { processors.isEmpty ? [] : Set(processors.values.joined()) }

    /// Looks at every attempt.
    var liveCount: Int { entries.values.count { $0.attempt.isLive } }
    /// Sorted; looks at every attempt.
    var ids: [AttemptID] { entries.keys.sorted() }
    /// `.max` for never.
    var earliestAlarm: Int64 { alarms.first?.at ?? .max }

    /// Stale ones with them.
    var alarmCount: Int { alarms.count }

    subscript(id: AttemptID) -> LocalAttempt? {
        get { entries[id]?.attempt }
        set {
            if let attempt = newValue {
                let alarm = attempt.alarm
                let known = entries.updateValue(Entry(attempt: attempt, alarm: alarm), forKey: id)
                if alarm != .max, known?.alarm != alarm { alarms.insert(Alarm(at: alarm, attempt: id)) }
                if attempt.dependsOnLease { dependsOnLease.insert(id) } else { dependsOnLease.remove(id) }
                if attempt.terms.hasMail { if attempt.hasProcess { withMail.insert(id) } else { withMail.remove(id) } }
                if !attempt.terms.processors.isEmpty { processors[id] = attempt.isLive ? attempt.terms.processors : nil }
            } else {
                entries[id] = nil
                dependsOnLease.remove(id)
                withMail.remove(id)
                processors[id] = nil
            }
            discardStaleAlarms()
        }
    }

    /// Takes the alarms that are due, sorted; each of these attempts must be set again, which sets its next alarm.
    mutating func takeDue(at now: Int64) -> [AttemptID] {
        var due: [AttemptID] = []
        while let alarm = alarms.first, alarm.at <= now {
            alarms.removeFirst()
            guard entries[alarm.attempt]?.alarm == alarm.at else { continue }
            entries[alarm.attempt]?.alarm = .max
            due.append(alarm.attempt)
        }
        return due.sorted()
    }

    private mutating func discardStaleAlarms() {
        while let alarm = alarms.first, entries[alarm.attempt]?.alarm != alarm.at { alarms.removeFirst() }
        // Moved alarms pile up behind the first: so many, and the cost of a clearing is shared by those that made it needed.
        if alarms.count > 2 * entries.count + 64 {
            alarms.keep { alarm in entries[alarm.attempt]?.alarm == alarm.at }
        }
    }
}
