// Which job is next: priority, then first come. Grouped by request class, so that a class that found no room is passed
// over as a whole, however many jobs of it wait.

import ClusterModel

/// Jobs that have something ready to start.
public struct JobQueue: Hashable, Sendable {
    private struct Lane: Hashable, Sendable {
        var priority: Int32
        var shape: RequestClassID
        var jobs: IntervalSet
    }

    /// Descending priority, then ascending class; few, since classes and priorities are few.
    private var lanes: [Lane] = []

    public init() {}

    public var isEmpty: Bool { lanes.isEmpty }

    private func position(priority: Int32, shape: RequestClassID) -> Int {
        lanes.firstIndex { $0.priority < priority || ($0.priority == priority && $0.shape >= shape) } ?? lanes.count
    }

    mutating func insert(_ job: JobID, priority: Int32, shape: RequestClassID) {
        let index = position(priority: priority, shape: shape)
        if index == lanes.count || lanes[index].priority != priority || lanes[index].shape != shape {
            lanes.insert(Lane(priority: priority, shape: shape, jobs: IntervalSet()), at: index)
        }
        lanes[index].jobs.insert(job.value)
    }

    mutating func remove(_ job: JobID, priority: Int32, shape: RequestClassID) {
        let index = position(priority: priority, shape: shape)
        guard index < lanes.count, lanes[index].priority == priority, lanes[index].shape == shape else { return }
        lanes[index].jobs.remove(job.value)
        if lanes[index].jobs.isEmpty { lanes.remove(at: index) }
    }

    /// The first job, by priority then number, that is not passed over. `skips` says where to go on in a class whose
    /// leading jobs cannot use room for reasons of their own (an array at its limit).
    func next(passingOver blocked: Set<RequestClassID>, skipping skips: [RequestClassID: UInt64]) -> JobID? {
        var best: UInt64?
        var priority: Int32?
        for lane in lanes {
            if let priority, best != nil, lane.priority < priority { break }
            guard !blocked.contains(lane.shape), let job = lane.jobs.first(from: skips[lane.shape] ?? 0) else { continue }
            if best == nil || job < best! { best = job }
            priority = lane.priority
        }
        return best.map { JobID($0) }
    }
}
