// Which jobs have something to start, grouped by request class, so that a class that found no room is passed over as a
// whole, however many jobs of it wait. The order between the groups is a round's: `RoundCursor`.

import ClusterModel

/// Jobs of one priority and one request class.
struct LaneID: Hashable, Sendable {
    var priority: Int32
    var shape: RequestClassID

    /// Descending priority, then ascending class.
    fileprivate static func precedes(_ left: LaneID, _ right: LaneID) -> Bool {
        left.priority != right.priority ? left.priority > right.priority : left.shape < right.shape
    }
}

/// Jobs that have something ready to start, by lane.
public struct JobQueue: Hashable, Sendable {
    private struct Lane: Hashable, Sendable {
        var id: LaneID
        var jobs: IntervalSet
    }

    /// None is empty.
    private var lanes: [Lane] = []
    /// Lanes that got another first job since they were last taken; empty unless somebody asked for them.
    private var begun: [LaneID] = []
    private var isFollowed = false

    public init() {}

    public static func == (left: JobQueue, right: JobQueue) -> Bool { left.lanes == right.lanes }
    public func hash(into hasher: inout Hasher) { hasher.combine(lanes) }

    public var isEmpty: Bool { lanes.isEmpty }
    var laneIDs: [LaneID] { lanes.map(\.id) }

    /// Where the lane is, or where it would be.
    private func position(of id: LaneID) -> Int {
        var (low, high) = (0, lanes.count)
        while low < high {
            let middle = (low + high) / 2
            if LaneID.precedes(lanes[middle].id, id) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    mutating func insert(_ job: JobID, in id: LaneID) {
        let index = position(of: id)
        if index == lanes.count || lanes[index].id != id { lanes.insert(Lane(id: id, jobs: IntervalSet()), at: index) }
        guard lanes[index].jobs.insert(job.value), isFollowed, lanes[index].jobs.first == job.value else { return }
        begun.append(id)
    }

    mutating func remove(_ job: JobID, from id: LaneID) {
        let index = position(of: id)
        guard index < lanes.count, lanes[index].id == id else { return }
        lanes[index].jobs.remove(job.value)
        if lanes[index].jobs.isEmpty { lanes.remove(at: index) }
    }

    /// The first job of a lane whose number is at least `number`.
    func first(of id: LaneID, from number: UInt64) -> JobID? {
        let index = position(of: id)
        guard index < lanes.count, lanes[index].id == id else { return nil }
        return lanes[index].jobs.first(from: number).map { JobID($0) }
    }

    /// The first job of all: by priority, then by number.
    var first: JobID? {
        guard let priority = lanes.first?.id.priority else { return nil }
        let numbers = lanes.prefix { $0.id.priority == priority }.compactMap(\.jobs.first)
        return numbers.min().map { JobID($0) }
    }

    /// Lanes that have another first job than at the last call, some of them more than once; at the first call all lanes. A
    /// lane whose first job left is not among them.
    mutating func takeChanges() -> [LaneID] {
        guard isFollowed else {
            isFollowed = true
            return laneIDs
        }
        guard !begun.isEmpty else { return [] }
        defer { begun.removeAll(keepingCapacity: true) }
        return begun
    }
}
