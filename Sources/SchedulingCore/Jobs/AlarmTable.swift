import ClusterModel

/// Instants at which jobs have something ready. Adding one costs the logarithm of the number of distinct instants.
struct AlarmTable: Sendable {
    private var jobs: [LogicalTime: IntervalSet] = [:]
    /// The keys of `jobs`, and such as have lost all their jobs but for the first.
    private var instants = BinaryHeap<LogicalTime>()

    var earliest: LogicalTime? { instants.first }

    /// The same alarm twice is one.
    mutating func insert(_ job: JobID, at instant: LogicalTime) {
        if jobs[instant]?.insert(job.value) != nil { return }
        jobs[instant] = IntervalSet(first: job.value, last: job.value)
        instants.insert(instant)
    }

    /// The first of what is due, in order of time.
    func due(at now: LogicalTime, most: Int) -> [JobID] {
        var due: [JobID] = []
        var last: LogicalTime?
        for instant in instants.elements(through: now) where instant != last {
            guard due.count < most else { break }
            due += jobs[instant]?.jobs ?? []
            last = instant
        }
        return Array(due.prefix(most))
    }

    /// Does nothing where there is no such alarm.
    mutating func remove(_ job: JobID, at instant: LogicalTime) {
        guard jobs[instant]?.remove(job.value) == true, jobs[instant]?.isEmpty == true else { return }
        jobs[instant] = nil
        // Of others that are empty the heap is rid when they come first.
        while let first = instants.first, jobs[first] == nil { instants.removeFirst() }
    }

    /// What is due, in order of time and job.
    mutating func remove(through now: LogicalTime) -> [JobID] {
        var due: [JobID] = []
        while let instant = instants.first, instant <= now {
            instants.removeFirst()
            due += jobs.removeValue(forKey: instant)?.jobs ?? []
        }
        return due
    }

    /// All, in order of time and job.
    var all: [(at: LogicalTime, job: JobID)] {
        jobs.keys.sorted().flatMap { instant in (jobs[instant]?.jobs ?? []).map { (instant, $0) } }
    }
}

extension IntervalSet {
    fileprivate var jobs: [JobID] { intervals.flatMap { ($0.first...$0.last).map { JobID($0) } } }
}
