// Which jobs have room set aside for them, and where: Protocols/lifecycle.md, "Reservations".

import ClusterModel
import Placement

/// Lives in the loop, like the cursor that it is a part of: what is in it follows from the state.
struct ReservationBook: Sendable {
    /// Most jobs with room set aside, and the part of the nodes that all but the first of them may have.
    private static let jobsMax = 16
    private static let partOfNodes = 10
    /// Plans are made at most once a second, and a millisecond for each node: what they cost stays a small part of all.
    private static func interval(nodes: Int) -> Span { .milliseconds(Int64(max(1000, nodes))) }

    /// The first job of a lane, when it becomes overdue or since it has.
    private struct Waiting: Comparable, Sendable {
        var at: LogicalTime
        var lane: LaneID

        static func < (left: Waiting, right: Waiting) -> Bool {
            left.at != right.at ? left.at < right.at : left.lane.shape < right.lane.shape
        }
        static func == (left: Waiting, right: Waiting) -> Bool { (left.at, left.lane) == (right.at, right.lane) }
    }

    /// An overdue job: first those that have waited as long as patience ever lasts, whoever's they are; then by the shares of its account and
    /// its priority; then the first come.
    private struct Overdue: Comparable, Sendable {
        var lane: LaneID
        var job: JobID
        /// Of its account, and of those above it; empty for what has waited as long as patience ever lasts.
        var standing: [Double]

        static func < (left: Overdue, right: Overdue) -> Bool {
            left.standing == right.standing ? left.job < right.job : left.standing.lexicographicallyPrecedes(right.standing)
        }
        static func == (left: Overdue, right: Overdue) -> Bool { (left.lane, left.job) == (right.lane, right.job) }
    }

    /// In the order in which they were planned: each has what those before it left.
    private(set) var reservations: [Reservation] = []
    private var aside: [NodeID: Int] = [:]
    /// Lanes that found no room, until their first job is overdue.
    private var watched = BinaryHeap<Waiting>()
    private var isWatched: Set<LaneID> = []
    /// Lanes whose first job is overdue.
    private var overdue: [LaneID] = []
    private var needsPlan = false
    /// Rises whenever what is set aside changes.
    private(set) var version: UInt64 = 0
    private var lastPlan = LogicalTime.zero
    /// When the first of the claims lapses that nodes are set aside for.
    private var claimsEnd: LogicalTime?
    private var interval = Span.zero

    init() {}

    /// What somebody else has set aside.
    ///
    /// - Parameter fleet: all nodes; those that are set aside leave it.
    init(_ rooms: [ReservedRoom], _ fleet: inout Fleet, of core: borrowing SchedulerCore, at now: LogicalTime) {
        for room in rooms {
            // Limits may be felt by now that were not when it was set aside.
            guard let row = core.jobs[room.job], let shape = core.allowedWay(of: row) ?? core.shapes[row.shape]?.shape else { continue }
            let isClaim = core.isClaiming(room.job, at: now)
            reserve(Set(room.nodes), for: room.job, shape, from: room.start, first: room.firstStart, isClaim: isClaim, &fleet)
        }
    }

    var isEmpty: Bool { reservations.isEmpty }
    func isAside(_ node: NodeID) -> Bool { aside[node] != nil }
    var nodesAside: Set<NodeID> { Set(aside.keys) }

    /// When the book wants to be looked at.
    var nextWake: LogicalTime? {
        var plan = needsPlan ? lastPlan + interval : nil
        // One that has lapsed is given up at the next look.
        if let end = claimsEnd.map({ $0 + .milliseconds(1) }) { plan = plan.map { min($0, end) } ?? end }
        guard let watch = watched.first?.at else { return plan }
        return plan.map { min($0, watch) } ?? watch
    }

    // MARK: What changed

    /// False: the node is not set aside.
    mutating func follow(_ node: NodeID, _ offer: NodeOffer?) -> Bool {
        guard let place = aside[node] else { return false }
        if let offer { reservations[place].fleet.set(offer, for: node) } else { reservations[place].fleet.remove(node) }
        if offer?.outage != nil || offer == nil { needsPlan = true }
        reservations[place].isStirred = true
        return true
    }

    /// A node that has more room, and now holds a task of a job in the book, is that job's: the next plan decides which nodes it
    /// gives up for it.
    ///
    /// - Parameter fleet: has the node, and knows the job's gang by its own numbers.
    mutating func capture(_ node: NodeID, _ offer: NodeOffer, from fleet: inout Fleet) {
        for place in reservations.indices where fleet.holdsAny(of: reservations[place].wanted, on: node) {
            fleet.remove(node)
            reservations[place].fleet.set(offer, for: node)
            reservations[place].nodes.insert(node)
            reservations[place].isStirred = true
            aside[node] = place
            needsPlan = true
            version += 1
            return
        }
    }

    /// A lane that found no room.
    mutating func watch(_ lane: LaneID, of core: borrowing SchedulerCore, at now: LogicalTime) {
        guard !isWatched.contains(lane), let job = core.queue.first(of: lane) else { return }
        isWatched.insert(lane)
        watched.insert(Waiting(at: core.overdueTime(of: job, at: now), lane: lane))
    }

    mutating func drop() {
        let next = version + 1
        self = ReservationBook()
        version = next
        needsPlan = true
    }

    /// Somebody was stopped for somebody else: plans are made anew before anything is placed.
    mutating func noteClaim() {
        needsPlan = true
        lastPlan = .zero
    }

    // MARK: Plans

    /// Whether plans are to be made now.
    mutating func isDue(of core: borrowing SchedulerCore, at now: LogicalTime) -> Bool {
        while let first = watched.first, first.at <= now {
            watched.removeFirst()
            guard let job = core.queue.first(of: first.lane) else {
                isWatched.remove(first.lane)
                continue
            }
            let at = core.overdueTime(of: job, at: now)
            if at > now {
                watched.insert(Waiting(at: at, lane: first.lane))
            } else {
                overdue.append(first.lane)
                needsPlan = true
            }
        }
        if reservations.contains(where: { $0.start < now }) {
            needsPlan = true
            claimsEnd = nil
        }
        return needsPlan && now >= lastPlan + interval
    }

    /// Room of jobs that no longer wait for it is everybody's again.
    ///
    /// - Returns: nodes that were given up.
    mutating func release(_ fleet: inout Fleet, of core: borrowing SchedulerCore, at now: LogicalTime) -> [NodeID] {
        var (kept, givenUp): ([Reservation], [NodeID]) = ([], [])
        for reservation in reservations {
            if core.isUnserved(reservation.job, at: now) || core.isClaiming(reservation.job, at: now) {
                kept.append(reservation)
            } else {
                givenUp += reservation.nodes.sorted()
            }
        }
        guard kept.count < reservations.count else { return [] }
        for node in givenUp { if let offer = core.offers[node] { fleet.set(offer, for: node) } }
        reservations = kept
        aside.removeAll(keepingCapacity: true)
        for place in kept.indices { for node in kept[place].nodes { aside[node] = place } }
        needsPlan = true
        // Others may have been stopped there for somebody else too.
        if core.preemptionClaims.count > 0 { noteClaim() }
        version += 1
        return givenUp
    }

    /// Sets room aside for those that are overdue, in their order, anew.
    ///
    /// - Parameter fleet: all nodes but those set aside; what is given up goes back to it, what is taken leaves it.
    /// - Returns: nodes that were given up.
    mutating func plan(_ fleet: inout Fleet, of core: borrowing SchedulerCore, at now: LogicalTime) -> [NodeID] {
        let before = reservations
        let asideBefore = aside
        // In order: sets have one of their own in each process.
        for node in aside.keys.sorted() { if let offer = core.offers[node] { fleet.set(offer, for: node) } }
        (reservations, aside, needsPlan, lastPlan) = ([], [:], false, now)
        version += 1
        interval = Self.interval(nodes: core.offers.ids.count)
        let budget = max(1, core.offers.ids.count / Self.partOfNodes)
        for job in core.preemptionClaims.ids where core.isClaiming(job, at: now) {
            guard let claim = core.preemptionClaims[job], let shape = core.jobs[job].flatMap({ core.allowedWay(of: $0) }) else { continue }
            reserve(Set(claim.nodes), for: job, shape, from: claim.until, first: claim.until, isClaim: true, &fleet)
        }
        let claims = (jobs: reservations.count, nodes: aside.count)
        claimsEnd = reservations.map(\.start).min()
        var candidates = BinaryHeap<Overdue>()
        enterOverdue(&candidates, of: core, at: now)
        guard candidates.first != nil else { return asideBefore.keys.filter { aside[$0] == nil }.sorted() }
        let projection = RoomProjection(of: core, at: now)
        while let candidate = candidates.removeFirst(), reservations.count - claims.jobs < Self.jobsMax {
            // Of a lane whose first may not have what it asks for, none may.
            guard let row = core.jobs[candidate.job], let shape = core.allowedWay(of: row) else { continue }
            if let next = core.queue.first(of: candidate.lane, from: candidate.job.value + 1), core.overdueTime(of: next, at: now) <= now {
                candidates.insert(
                    Overdue(lane: candidate.lane, job: next, standing: core.overdueStanding(of: next, in: candidate.lane, at: now)))
            }
            let known = before.first { $0.job == candidate.job }
            guard !reservations.contains(where: { $0.job == candidate.job }),
                let found = projection.start(of: shape, in: fleet, preferring: known?.nodes ?? [])
            else { continue }
            let nodes = aside.count - claims.nodes + found.nodes.count
            guard reservations.count == claims.jobs || nodes <= budget else { break }
            reserve(found.nodes, for: candidate.job, shape, from: found.at, first: known?.firstStart ?? found.at, isClaim: false, &fleet)
        }
        return asideBefore.keys.filter { aside[$0] == nil }.sorted()
    }

    private mutating func reserve(
        _ nodes: Set<NodeID>, for job: JobID, _ shape: RequestClass, from start: LogicalTime, first: LogicalTime, isClaim: Bool,
        _ fleet: inout Fleet
    ) {
        // What is set aside for somebody else comes when he has started.
        let nodes = nodes.filter { aside[$0] == nil }
        var made = Reservation(job: job, shape: shape, wanted: fleet.shape(of: shape), start: start, firstStart: first, nodes: nodes)
        made.isClaim = isClaim
        for node in nodes.sorted() {
            if let offer = fleet[node] { made.fleet.set(offer, for: node) }
            fleet.remove(node)
            aside[node] = reservations.count
        }
        reservations.append(made)
    }

    /// Lanes whose first job is no longer overdue, or of which nothing waits, are watched again or forgotten.
    private mutating func enterOverdue(_ candidates: inout BinaryHeap<Overdue>, of core: borrowing SchedulerCore, at now: LogicalTime) {
        var still: [LaneID] = []
        for lane in overdue {
            guard let job = core.queue.first(of: lane) else {
                isWatched.remove(lane)
                continue
            }
            let at = core.overdueTime(of: job, at: now)
            if at <= now {
                still.append(lane)
                candidates.insert(Overdue(lane: lane, job: job, standing: core.overdueStanding(of: job, in: lane, at: now)))
            } else {
                watched.insert(Waiting(at: at, lane: lane))
            }
        }
        overdue = still
    }

    // MARK: Starts

    /// What kept one from starting may have been a limit.
    mutating func stir() { for place in reservations.indices { reservations[place].isStirred = true } }

    /// The next job in the book whose nodes changed and now hold it whole, with its places.
    mutating func nextStart() -> (job: JobID, places: [TaskPlace])? {
        for place in reservations.indices where reservations[place].isStirred {
            reservations[place].isStirred = false
            if let places = reservations[place].fleet.placeGang(reservations[place].gang) { return (reservations[place].job, places) }
        }
        return nil
    }

    /// Places on nodes set aside for work that is expected to be gone by the time they are needed.
    ///
    /// - Parameters:
    ///   - id: nil for a class that no job is of.
    ///   - run: nil: it has a right to the room, and need not be gone, but where somebody was stopped for another.
    mutating func backfill(
        _ id: RequestClassID?, _ shape: RequestClass, lasting run: Span?, limit: Int, at now: LogicalTime
    ) -> [TaskPlace]? {
        for place in reservations.indices where run.map({ now + $0 <= reservations[place].start }) ?? !reservations[place].isClaim {
            let gang = reservations[place].gang(of: id, shape)
            if shape.gangSize > 1 {
                if let places = reservations[place].fleet.placeGang(gang) { return places }
            } else {
                let places = reservations[place].fleet.place(gang, limit: limit)
                if !places.isEmpty { return places }
            }
        }
        return nil
    }

    /// All nodes but those that somebody was stopped on for another.
    ///
    /// - Parameter fleet: all that are not set aside.
    func widened(_ fleet: Fleet) -> Fleet {
        var wide = fleet
        for reservation in reservations where !reservation.isClaim {
            for node in reservation.nodes.sorted() { if let offer = reservation.fleet[node] { wide.set(offer, for: node) } }
        }
        return wide
    }

    /// False: the node is not set aside.
    mutating func take(_ place: TaskPlace) -> Bool {
        guard let owner = aside[place.node] else { return false }
        reservations[owner].fleet.take(place.allocation, on: place.node)
        return true
    }

    var rooms: [ReservedRoom] {
        reservations.map { ReservedRoom(job: $0.job, nodes: $0.nodes.sorted(), start: $0.start, firstStart: $0.firstStart) }
    }
}
