import ClusterModel

/// Instants at which jobs have something ready. Adding one costs the logarithm of the number of distinct instants.
struct AlarmTable: Sendable {
    private var jobs: [LogicalTime: IntervalSet] = [:]
    /// The keys of `jobs`, each once.
    private var instants = BinaryHeap<LogicalTime>()

    var earliest: LogicalTime? { instants.first }

    /// The same alarm twice is one.
    mutating func insert(_ job: JobID, at instant: LogicalTime) {
        if jobs[instant]?.insert(job.value) != nil { return }
        jobs[instant] = IntervalSet(first: job.value, last: job.value)
        instants.insert(instant)
    }

    /// What is due, in order of time; each job once.
    func due(at now: LogicalTime) -> [JobID] {
        var seen: Set<JobID> = []
        return instants.elements(through: now).flatMap { jobs[$0]?.jobs ?? [] }.filter { seen.insert($0).inserted }
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
