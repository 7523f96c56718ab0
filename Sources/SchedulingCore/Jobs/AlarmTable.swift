import ClusterModel

/// Instants at which jobs have something ready. Adding one costs the logarithm of the number of distinct instants.
struct AlarmTable: Sendable {
    private var jobs: [LogicalTime: IntervalSet] = [:]
    /// The keys of `jobs`, each once, as a binary heap: the earliest first.
    private var heap: [LogicalTime] = []

    var earliest: LogicalTime? { heap.first }

    /// The same alarm twice is one.
    mutating func insert(_ job: JobID, at instant: LogicalTime) {
        if jobs[instant]?.insert(job.value) != nil { return }
        jobs[instant] = IntervalSet(first: job.value, last: job.value)
        var child = heap.count
        heap.append(instant)
        while child > 0, heap[(child - 1) / 2] > heap[child] {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// What is due, in order of time and job.
    mutating func remove(through now: LogicalTime) -> [JobID] {
        var due: [JobID] = []
        while let instant = heap.first, instant <= now {
            removeFirst()
            due += jobs.removeValue(forKey: instant)?.jobs ?? []
        }
        return due
    }

    private mutating func removeFirst() {
        let last = heap.removeLast()
        guard !heap.isEmpty else { return }
        heap[0] = last
        var parent = 0
        while true {
            let left = 2 * parent + 1
            guard left < heap.count else { return }
            let child = left + 1 < heap.count && heap[left + 1] < heap[left] ? left + 1 : left
            guard heap[child] < heap[parent] else { return }
            heap.swapAt(child, parent)
            parent = child
        }
    }

    /// All, in order of time and job.
    var all: [(at: LogicalTime, job: JobID)] {
        jobs.keys.sorted().flatMap { instant in (jobs[instant]?.jobs ?? []).map { (instant, $0) } }
    }
}

extension IntervalSet {
    fileprivate var jobs: [JobID] { intervals.flatMap { ($0.first...$0.last).map { JobID($0) } } }
}
