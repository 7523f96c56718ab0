// The policies that schedulers are compared with, on the same cluster and under the same rules of placement.

import ClusterModel

/// Policies for a queue, by the names that papers give them.
public enum QueuePolicy: String, CaseIterable, Sendable {
    /// The product's own.
    case suanpan
    /// First come, first served; who does not fit holds up all behind.
    case fifo
    /// First come, first served; who does not fit is passed over.
    case fifoSkip = "fifo-skip"
    /// The first that does not fit is given a start; others run before it where they do not delay it (Lifka 1995). It is told run times:
    /// the true ones unless estimates are given.
    case easy
    /// The shortest first by true run times; who does not fit is passed over.
    case sjfSkip = "sjf-skip"
    /// What has the least left runs, by true run times; to stop and go on costs nothing.
    case srtf
    /// What has had little runs before what has had much, first come within both; to stop and go on costs nothing (two queues, as
    /// Tiresias has them: Gu et al., NSDI 2019).
    case las
}

/// One run of a baseline.
public struct QueueBaseline: Sendable {
    private struct Running: Sendable {
        var job: Int
        var begun: Int64
        var end: Int64
        var places: [(node: Int, devices: Int)]
    }

    /// Seconds times devices that a job has in the first of the two queues.
    private static let firstQueue: Int64 = 3200

    private let jobs: [QueuedJob]
    private let cluster: QueueCluster
    private let policy: QueuePolicy
    private let estimates: Estimates
    private var free: [Int]
    /// In order of submission.
    private var waiting: [Int] = []
    /// By job.
    private var running: [Int: Running] = [:]
    private var ends = BinaryHeap<End>()
    /// Nanoseconds that a job has run.
    private var served: [Int64]
    private var next = 0
    private var now: Int64 = 0
    public private(set) var segments: [RunSegment] = []

    private struct End: Comparable {
        var at: Int64
        var job: Int
        static func < (left: End, right: End) -> Bool { (left.at, left.job) < (right.at, right.job) }
    }

    /// - Parameters:
    ///   - jobs: in order of submission.
    ///   - policy: not the product's own.
    public init(_ policy: QueuePolicy, of jobs: [QueuedJob], on cluster: QueueCluster, estimates: Estimates) {
        (self.policy, self.jobs, self.cluster, self.estimates) = (policy, jobs, cluster, estimates)
        free = Array(repeating: cluster.devicesPerNode, count: cluster.nodes)
        served = Array(repeating: 0, count: jobs.count)
    }

    public var isDone: Bool { next == jobs.count && running.isEmpty && waiting.isEmpty }
    public var jobsEnded: Int { jobs.count - waiting.count - running.count - (jobs.count - next) }
    private var isPreemptive: Bool { policy == .srtf || policy == .las }

    /// Goes on to the next instant at which something happens.
    public mutating func step() throws(TraceFailure) {
        while let end = ends.first, running[end.job]?.end != end.at { ends.removeFirst() }
        var instant = Int64.max
        if next < jobs.count { instant = jobs[next].submitted.nanoseconds }
        if let end = ends.first { instant = min(instant, end.at) }
        guard instant < .max else { throw TraceFailure("\(jobs[waiting[0]].name) asks for more devices than there are") }
        now = instant
        while let end = ends.first, end.at <= now {
            ends.removeFirst()
            if running[end.job]?.end == end.at { stop(end.job) }
        }
        while next < jobs.count, jobs[next].submitted.nanoseconds <= now {
            waiting.append(next)
            next += 1
        }
        if isPreemptive { rearrange() } else { fill() }
    }

    // MARK: Placement

    /// The fullest node that holds it; a job larger than a node takes whole nodes and one more.
    private func places(of job: Int, in free: [Int], but kept: Set<Int> = []) -> [(node: Int, devices: Int)]? {
        var places: [(node: Int, devices: Int)] = []
        for part in cluster.parts(of: jobs[job].devices) {
            var best: Int?
            for node in free.indices where free[node] >= part && !kept.contains(node) {
                if places.contains(where: { $0.node == node }) { continue }
                if best.map({ free[node] < free[$0] }) ?? true { best = node }
            }
            guard let best else { return nil }
            places.append((best, part))
        }
        return places
    }

    private mutating func start(_ job: Int, _ places: [(node: Int, devices: Int)]) {
        for place in places { free[place.node] -= place.devices }
        let end = now + jobs[job].duration.nanoseconds - served[job]
        running[job] = Running(job: job, begun: now, end: end, places: places)
        ends.insert(End(at: end, job: job))
    }

    private mutating func stop(_ job: Int) {
        guard let run = running.removeValue(forKey: job) else { return }
        for place in run.places { free[place.node] += place.devices }
        served[job] += now - run.begun
        guard now > run.begun || run.end == run.begun else { return }
        segments.append(
            RunSegment(job: job, start: Span(nanoseconds: run.begun), end: Span(nanoseconds: now), places: run.places))
    }

    // MARK: Without preemption

    private mutating func fill() {
        let order =
            policy == .sjfSkip
            ? waiting.sorted { (jobs[$0].duration.nanoseconds, $0) < (jobs[$1].duration.nanoseconds, $1) } : waiting
        var started: Set<Int> = []
        /// Sizes that found no room.
        var blocked: Set<Int> = []
        var kept: (at: Int64, nodes: Set<Int>)?
        for job in order where !blocked.contains(jobs[job].devices) {
            if let kept, !endsBefore(kept.at, job) {
                // Room beyond what the first will have is for everybody.
                guard let places = places(of: job, in: free, but: kept.nodes) else { continue }
                start(job, places)
                started.insert(job)
            } else if let places = places(of: job, in: free) {
                start(job, places)
                started.insert(job)
            } else if policy == .fifo {
                break
            } else if policy == .easy, kept == nil {
                kept = shadow(of: job)
                if free.allSatisfy({ $0 == 0 }) { break }
            } else {
                blocked.insert(jobs[job].devices)
            }
        }
        if !started.isEmpty { waiting.removeAll { started.contains($0) } }
    }

    private func estimate(_ job: Int) -> Int64 { (estimates.estimate(of: jobs[job]) ?? jobs[job].duration).nanoseconds }
    private func endsBefore(_ instant: Int64, _ job: Int) -> Bool { now + estimate(job) <= instant }

    /// When the first that waits will fit, as far as is known, and on which nodes.
    private func shadow(of job: Int) -> (at: Int64, nodes: Set<Int>) {
        var free = free
        let sorted = running.values.map { (at: max(now, $0.begun + estimate($0.job)), run: $0) }.sorted {
            ($0.at, $0.run.job) < ($1.at, $1.run.job)
        }
        for (at, run) in sorted {
            for place in run.places { free[place.node] += place.devices }
            if let places = places(of: job, in: free) { return (at, Set(places.map(\.node))) }
        }
        return (.max, [])
    }

    // MARK: With preemption

    /// Who runs is chosen anew; who stays, stays where it is.
    private mutating func rearrange() {
        let candidates = waiting + running.keys
        func had(_ job: Int) -> Int64 { served[job] + (running[job].map { now - $0.begun } ?? 0) }
        let keyed: [(key: Int64, job: Int)] = candidates.map { job in
            if policy == .srtf { return (jobs[job].duration.nanoseconds - had(job), job) }
            return (had(job) / 1_000_000_000 * Int64(jobs[job].devices) < Self.firstQueue ? 0 : 1, job)
        }
        var room = Array(repeating: cluster.devicesPerNode, count: cluster.nodes)
        var chosen: [(job: Int, places: [(node: Int, devices: Int)])] = []
        var blocked: Set<Int> = []
        for (_, job) in keyed.sorted(by: { ($0.key, $0.job) < ($1.key, $1.job) }) where !blocked.contains(jobs[job].devices) {
            let stays = running[job].flatMap { run in run.places.allSatisfy { room[$0.node] >= $0.devices } ? run.places : nil }
            guard let places = stays ?? places(of: job, in: room) else {
                if running[job] == nil { blocked.insert(jobs[job].devices) }
                continue
            }
            for place in places { room[place.node] -= place.devices }
            chosen.append((job, places))
        }
        let before = Set(running.keys)
        let moved = chosen.filter { choice in
            running[choice.job].map { !$0.places.elementsEqual(choice.places) { $0 == $1 } } ?? true
        }
        let kept = Set(chosen.map(\.job)).subtracting(moved.map(\.job))
        for job in before.subtracting(kept).sorted() {
            stop(job)
            waiting.append(job)
        }
        for (job, places) in moved { start(job, places) }
        let started = Set(moved.map(\.job))
        waiting.removeAll { started.contains($0) }
        waiting.sort()
    }
}
