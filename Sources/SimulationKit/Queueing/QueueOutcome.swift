import ClusterModel

/// What a policy made of a trace.
public struct QueueOutcome: Hashable, Sendable {
    /// Seconds, over some jobs.
    public struct Times: Hashable, Sendable {
        public var mean = 0.0
        public var half = 0.0
        public var ninety = 0.0
        public var ninetyNine = 0.0
        public var most = 0.0

        init(_ times: [Double]) {
            guard !times.isEmpty else { return }
            let sorted = times.sorted()
            func part(_ percent: Int) -> Double { sorted[min(sorted.count - 1, sorted.count * percent / 100)] }
            mean = times.reduce(0, +) / Double(times.count)
            (half, ninety, ninetyNine, most) = (part(50), part(90), part(99), sorted[sorted.count - 1])
        }
    }

    /// How things stood at an instant.
    public struct Sample: Hashable, Sendable {
        /// Since the beginning of the trace, in seconds.
        public var at: Double
        public var usedPercent: Double
        public var waitingJobs: Int
    }

    public var policy: QueuePolicy
    public var jobs: Int
    /// From submission to start; where jobs are preempted, all that they were there longer than they ran.
    public var wait: Times
    /// Of jobs that take a whole node or more.
    public var gangWait: Times
    /// From submission to end.
    public var completion: Times
    public var preemptions: Int
    /// Until the last job was submitted.
    public var usedPercent: Double
    /// Jain's index over the virtual clusters' mean waits in proportion to their run times: 1 where all are served alike
    /// (Jain, Chiu, Hawe 1984). nil with fewer than two.
    public var fairness: Double?
    public var samples: [Sample]
    /// Of each job, in their order.
    public var waits: [Double]

    private static let sampleCount = 400

    /// - Parameter segments: of all jobs; of each in order of time.
    public init(policy: QueuePolicy, jobs: [QueuedJob], on cluster: QueueCluster, segments: [RunSegment]) {
        self.policy = policy
        self.jobs = jobs.count
        var (first, last) = (Array(repeating: Int64.max, count: jobs.count), Array(repeating: Int64(0), count: jobs.count))
        for segment in segments {
            first[segment.job] = min(first[segment.job], segment.start.nanoseconds)
            last[segment.job] = max(last[segment.job], segment.end.nanoseconds)
        }
        func seconds(_ nanoseconds: Int64) -> Double { Double(nanoseconds) / 1e9 }
        let waits = jobs.indices.map { seconds(last[$0] - jobs[$0].submitted.nanoseconds - jobs[$0].duration.nanoseconds) }
        self.waits = waits
        wait = Times(waits)
        gangWait = Times(jobs.indices.filter { jobs[$0].devices >= cluster.devicesPerNode }.map { waits[$0] })
        completion = Times(jobs.indices.map { seconds(last[$0] - jobs[$0].submitted.nanoseconds) })
        preemptions = segments.count - jobs.count
        fairness = Self.fairness(of: jobs, waits)
        let span = max(1, jobs.last?.submitted.nanoseconds ?? 1)
        let held = segments.reduce(0.0) { sum, segment in
            let length = max(0, min(segment.end.nanoseconds, span) - segment.start.nanoseconds)
            return sum + seconds(length) * Double(segment.places.reduce(0) { $0 + $1.devices })
        }
        let capacity = Double(cluster.nodes * cluster.devicesPerNode)
        usedPercent = 100 * held / (capacity * seconds(span))
        samples = Self.samples(of: jobs, first, segments, span: last.max() ?? span, capacity)
    }

    private static func fairness(of jobs: [QueuedJob], _ waits: [Double]) -> Double? {
        var sums: [String: (wait: Double, run: Double)] = [:]
        for index in jobs.indices {
            sums[jobs[index].tenant, default: (0, 0)].wait += waits[index]
            sums[jobs[index].tenant, default: (0, 0)].run += Double(jobs[index].duration.nanoseconds) / 1e9
        }
        guard sums.count > 1 else { return nil }
        // A stretch of one is no wait at all.
        let stretches = sums.keys.sorted().map { 1 + (sums[$0]?.wait ?? 0) / max(1, sums[$0]?.run ?? 0) }
        let (sum, squares) = stretches.reduce(into: (0.0, 0.0)) { $0 = ($0.0 + $1, $0.1 + $1 * $1) }
        return sum * sum / (Double(stretches.count) * squares)
    }

    private static func samples(
        of jobs: [QueuedJob], _ first: [Int64], _ segments: [RunSegment], span: Int64, _ capacity: Double
    ) -> [Sample] {
        let step = max(1, span / Int64(sampleCount))
        var used = Array(repeating: 0, count: sampleCount + 2)
        var waiting = used
        /// The first sample at an instant or after it.
        func place(_ at: Int64) -> Int { min(sampleCount + 1, Int((at + step - 1) / step)) }
        for segment in segments {
            let devices = segment.places.reduce(0) { $0 + $1.devices }
            used[place(segment.start.nanoseconds)] += devices
            used[place(segment.end.nanoseconds)] -= devices
        }
        for index in jobs.indices {
            waiting[place(jobs[index].submitted.nanoseconds)] += 1
            waiting[place(first[index])] -= 1
        }
        var (usedNow, waitingNow) = (0, 0)
        return (0...sampleCount).map { index in
            usedNow += used[index]
            waitingNow += waiting[index]
            return Sample(
                at: Double(Int64(index) * step) / 1e9, usedPercent: 100 * Double(usedNow) / capacity, waitingJobs: waitingNow)
        }
    }
}
