// Room that is set aside for a job that has waited beyond its patience.

public import ClusterModel
import Placement

/// Nodes that one job will start on. Others may use them in the meantime if they are expected to be gone in time.
struct Reservation: Sendable {
    let job: JobID
    /// When it was first set aside, the job was expected to start then.
    let firstStart: LogicalTime
    /// When it is expected to start.
    var start: LogicalTime
    var nodes: Set<NodeID>
    /// The nodes as they are. Its own, so that nothing else is placed there.
    var fleet = Fleet(policy: .bestfit)
    /// The job's gang, in the numbers of `fleet`.
    let gang: GangShape
    /// The same in the numbers of the fleet of all other nodes.
    let wanted: GangShape
    private var gangs = Table<RequestClassID, GangShape>()
    /// Others were stopped there for it.
    var isClaim = false
    /// Something on its nodes has changed since it was tried.
    var isStirred = true

    init(
        job: JobID, shape: RequestClass, wanted: GangShape, start: LogicalTime, firstStart: LogicalTime, nodes: Set<NodeID>
    ) {
        self.job = job
        self.wanted = wanted
        self.start = start
        self.firstStart = firstStart
        self.nodes = nodes
        gang = fleet.shape(of: shape)
    }

    /// Another class, in the numbers of `fleet`.
    mutating func gang(of id: RequestClassID?, _ shape: RequestClass) -> GangShape {
        guard let id else { return fleet.shape(of: shape) }
        if let known = gangs[id] { return known }
        let made = fleet.shape(of: shape)
        gangs.set(made, for: id)
        return made
    }
}

/// Room set aside, as people see it.
public struct ReservedRoom: Hashable, Sendable {
    public var job: JobID
    /// Ascending.
    public var nodes: [NodeID]
    public var start: LogicalTime
    public var firstStart: LogicalTime
}

/// The cluster as it is expected to become, while nothing new begins.
struct RoomProjection {
    /// What a task holds until then.
    private struct Release: Comparable {
        var at: LogicalTime
        /// By which it is looked at.
        var order: LogicalTime
        var node: NodeID
        var allocation: Allocation

        static func < (left: Release, right: Release) -> Bool {
            (left.order, left.at, left.node) < (right.order, right.at, right.node)
        }
        static func == (left: Release, right: Release) -> Bool {
            (left.order, left.at, left.node) == (right.order, right.at, right.node)
        }
    }

    private var releases: [(at: LogicalTime, job: JobID, node: NodeID, allocation: Allocation)] = []
    private let now: LogicalTime

    init(of core: borrowing SchedulerCore, at now: LogicalTime) {
        self.now = now
        // Of the tasks of an array all are of one kind.
        var kinds: [JobID: [RunTimeKey]] = [:]
        for node in core.nodes.ids {
            for attempt in (core.nodes[node]?.liveAttempts ?? []).sorted() {
                guard let (row, _, rank, unit) = core.liveTask(attempt) else { continue }
                let task = unit.tasks[rank]
                let known = kinds[attempt.task.job] ?? RunTimeKey.kinds(of: row.specification, user: row.user)
                kinds[attempt.task.job] = known
                let done = row.hasHistory ? row.history.progress[attempt.task.index / row.gangSize] ?? .zero : .zero
                let rest = core.outlook(of: row.specification, kinds: known, after: now - task.heldSince, done: done).mean
                releases.append((now + rest, attempt.task.job, node, task.allocation))
            }
        }
    }

    /// Where and when a gang can start first, with everything that ends by then gone.
    ///
    /// - Parameters:
    ///   - fleet: nodes that may be used, as they are now.
    ///   - preferred: nodes that are kept unless others are ready far earlier, so that plans do not change for nothing.
    func start(of shape: RequestClass, in fleet: Fleet, preferring preferred: Set<NodeID>) -> (at: LogicalTime, nodes: Set<NodeID>)? {
        var fleet = fleet
        let gang = fleet.shape(of: shape)
        let sorted = releases.lazy.filter { fleet.serves($0.node) }.map { release in
            let wait = release.at - now
            let order = preferred.contains(release.node) ? now + Span(nanoseconds: wait.nanoseconds / 5) : release.at
            return Release(at: release.at, order: order, node: release.node, allocation: release.allocation)
        }.sorted()
        var latest: [NodeID: LogicalTime] = [:]
        var nextLook = 0
        // Only a node that now holds a task of it brings a gang nearer.
        var isNearer = true
        for (index, release) in sorted.enumerated() {
            if isNearer, index >= nextLook {
                if let nodes = Self.nodes(of: gang, in: &fleet) { return (time(of: nodes, latest), nodes) }
                // What is looked at grows by a twentieth: few looks, and the start is hardly later for it.
                nextLook = index + 1 + index / 20
                isNearer = false
            }
            fleet.give(release.allocation, on: release.node)
            latest[release.node] = max(latest[release.node] ?? now, release.at)
            isNearer = isNearer || fleet.holdsAny(of: gang, on: release.node)
        }
        return Self.nodes(of: gang, in: &fleet).map { (time(of: $0, latest), $0) }
    }

    private static func nodes(of gang: GangShape, in fleet: inout Fleet) -> Set<NodeID>? {
        fleet.placeGang(gang).map { Set($0.map(\.node)) }
    }

    /// What is left of all that runs: seconds of the whole cluster.
    func work(of total: RoomAmounts, _ core: borrowing SchedulerCore) -> Double {
        releases.reduce(0) { sum, release in
            let held = RoomAmounts(of: release.allocation, strengths: core.nodes[release.node]?.strengths ?? [])
            return sum + held.dominantShare(of: total) * Double(max(0, (release.at - now).nanoseconds)) / 1e9
        }
    }

    /// The job whose end is the last that a start on these nodes waits for.
    func lastToEnd(on nodes: Set<NodeID>, by time: LogicalTime) -> JobID? {
        releases.lazy.filter { nodes.contains($0.node) && $0.at <= time }.max { ($0.at, $0.job) < ($1.at, $1.job) }?.job
    }

    private func time(of nodes: Set<NodeID>, _ latest: [NodeID: LogicalTime]) -> LogicalTime {
        nodes.reduce(now) { max($0, latest[$1] ?? now) }
    }
}
