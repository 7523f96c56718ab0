// Which jobs have something to start, grouped by account and request class, so that a class that found no room is passed over
// as a whole, however many jobs of it wait. The order between the groups is a round's: `RoundCursor`.

import ClusterModel

/// Jobs of one priority, one account and one request class, preemptible or not, that say the same of how long they run: among them the
/// first come is the first.
struct LaneID: Hashable, Sendable {
    var priority: Int32
    var account: AccountID
    var shape: RequestClassID
    /// The octave of seconds that they say they run at most; 0 where they say nothing.
    var length: UInt8 = 0
    var isPreemptible = false

    static func length(of specification: JobSpecification) -> UInt8 {
        guard let said = [specification.estimate, specification.timeLimit].compactMap(\.self).min() else { return 0 }
        return UInt8(64 - max(1, said.wholeSeconds).leadingZeroBitCount)
    }
}

/// Jobs that have something ready to start, by lane. Every change costs the logarithm of how many lanes there are.
struct JobQueue: Sendable {
    /// The lanes of one account.
    private struct Line: Sendable {
        var lanes: Set<LaneID> = []
        /// At least the first of every lane. Its own first is one of those.
        var heads = BinaryHeap<Head>()
    }

    /// The first job of a lane when it became that.
    private struct Head: Comparable, Sendable {
        var lane: LaneID
        var job: JobID

        static func < (left: Head, right: Head) -> Bool {
            (-left.lane.priority, left.job) < (-right.lane.priority, right.job)
        }
    }

    /// None is empty.
    private var lanes: [LaneID: IntervalSet] = [:]
    private var lanesOfShape = Table<RequestClassID, [LaneID]>()
    private var lines: [AccountID: Line] = [:]
    /// Lanes that got another first job since they were last taken; empty unless somebody asked for them.
    private var begun: [LaneID] = []
    private var isFollowed = false

    init() {}

    var isEmpty: Bool { lanes.isEmpty }
    /// In no order.
    func lanes(of shape: RequestClassID) -> [LaneID] { lanesOfShape[shape] ?? [] }

    /// - Returns: whether it is the first of a lane that was empty.
    mutating func insert(_ job: JobID, in id: LaneID) -> Bool {
        let isNew = lanes[id] == nil
        if isNew { lines[id.account, default: Line()].lanes.insert(id) }
        if isNew, lanesOfShape.update(id.shape, { $0.append(id) }) == nil { lanesOfShape.set([id], for: id.shape) }
        guard lanes[id, default: IntervalSet()].insert(job.value), lanes[id]?.first == job.value else { return false }
        lead(job, id)
        if isFollowed { begun.append(id) }
        return isNew
    }

    /// - Returns: whether it was the last of its lane.
    mutating func remove(_ job: JobID, from id: LaneID) -> Bool {
        guard let first = lanes[id]?.first, lanes[id]?.remove(job.value) == true else { return false }
        if let next = lanes[id]?.first {
            if first == job.value { lead(JobID(next), id) }
            dropStale(of: id.account)
            return false
        } else {
            lanes[id] = nil
            lines[id.account]?.lanes.remove(id)
            let isLast = lanesOfShape.update(id.shape) { others -> Bool in
                if let place = others.firstIndex(of: id) { others.remove(at: place) }
                return others.isEmpty
            }
            if isLast == true { lanesOfShape.remove(id.shape) }
            dropStale(of: id.account)
            return true
        }
    }

    private mutating func lead(_ job: JobID, _ id: LaneID) {
        lines[id.account]?.heads.insert(Head(lane: id, job: job))
        guard let line = lines[id.account], line.heads.count > 4 * line.lanes.count + 64 else { return }
        var seen: Set<LaneID> = []
        let lanes = lanes
        lines[id.account]?.heads.keep { lanes[$0.lane]?.first == $0.job.value && seen.insert($0.lane).inserted }
    }

    private mutating func dropStale(of account: AccountID) {
        guard let line = lines[account] else { return }
        guard !line.lanes.isEmpty else {
            lines[account] = nil
            return
        }
        while let head = lines[account]?.heads.first, lanes[head.lane]?.first != head.job.value { lines[account]?.heads.removeFirst() }
    }

    /// The first job of a lane whose number is at least `number`.
    func first(of id: LaneID, from number: UInt64 = 0) -> JobID? { lanes[id]?.first(from: number).map { JobID($0) } }

    /// How many jobs of a lane came before one.
    func count(in id: LaneID, before job: JobID) -> Int { lanes[id].map { Int($0.count(below: job.value)) } ?? 0 }

    /// Every lane that is not empty, in no order, until the body has had enough.
    func forEachLane(_ body: (LaneID, _ first: JobID, _ jobs: Int) -> Bool) {
        for (lane, jobs) in lanes {
            guard body(lane, JobID(jobs.first ?? 0), Int(jobs.count)) else { return }
        }
    }

    /// Lanes that are not empty, in order.
    var allLanes: [LaneID] { lanes.keys.sorted() }

    /// Lanes of an account that are not empty, in no order.
    func lanes(of account: AccountID) -> Set<LaneID> { lines[account]?.lanes ?? [] }

    /// The first job of an account: by priority, then by number.
    func first(of account: AccountID) -> JobID? { lines[account]?.heads.first?.job }

    /// Lanes that have another first job than at the last call, some of them more than once; at the first call all lanes. A
    /// lane whose first job left is not among them.
    mutating func takeChanges() -> [LaneID] {
        guard isFollowed else {
            isFollowed = true
            return Array(lanes.keys)
        }
        guard !begun.isEmpty else { return [] }
        defer { begun.removeAll(keepingCapacity: true) }
        return begun
    }
}
