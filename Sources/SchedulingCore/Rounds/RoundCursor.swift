// Where a round stands.

import ClusterModel
import Placement

/// Which class is next, which found no room, and an index over what is free. Lives in the loop, not in the state: what is left
/// of it after a restart is worked out again, and the journal says what was chosen.
public struct RoundCursor: Sendable {
    /// A job counts for so many tasks at most in what is expected: else one large array would be all of it.
    private static let tasksCountedMax: UInt64 = 1000

    /// Every lane with a job that may start is in here.
    private var turns = TurnTree()
    private enum Standing: Sendable {
        /// It found no room. So it stays until some node has more room and holds a part of it.
        case blocked
        /// It was blocked until one of `revivers` had more room: only there may it find any in this round.
        case revived
    }

    /// Of classes that are not open.
    private var standings = Table<RequestClassID, Standing>()
    private var blockedCount = 0
    /// What the first jobs of lanes are expected to take.
    private var claims: [LaneID: Claim] = [:]
    private static let claimsMax = 1 << 16
    /// Jobs of a lane below this number cannot use room for reasons of their own.
    private var skips: [LaneID: UInt64] = [:]
    var parking = Parking()
    var preemption = PreemptionLook()
    /// Nodes that may have more room than when classes were blocked, until that is looked at.
    private var grown: Set<NodeID> = []
    private var revived: [RequestClassID] = []
    private var revivers: Set<NodeID> = []
    /// What a class is to the fleet.
    private var gangs = Table<RequestClassID, GangShape>()
    /// Nodes that a job which spreads its tasks has used, until none is left that it has not.
    private var used: [JobID: Set<NodeID>] = [:]
    /// Jobs whose nodes are remembered, at most: those that are gone are forgotten then.
    private static let spreadJobsMax = 1024
    /// All nodes but those that are set aside.
    var fleet = Fleet()
    var reservations = ReservationBook()

    public init() {}

    /// Groups of equal nodes that all rounds judged, for tests that pin work.
    public var candidatesExamined: Int { fleet.candidatesExamined }
    var classesRemembered: Int { standings.count }

    // MARK: What changed

    /// Offers that changed, as they are now.
    mutating func follow(_ changed: [NodeID], of core: borrowing SchedulerCore, mayHaveGrown: Bool) {
        for id in changed {
            let offer = core.offers[id]
            if reservations.follow(id, offer) {
                // Nothing else is placed there.
            } else if let offer {
                fleet.set(offer, for: id)
                if mayHaveGrown, !reservations.isEmpty { reservations.capture(id, offer, from: &fleet) }
            } else {
                fleet.remove(id)
            }
            if mayHaveGrown, blockedCount > 0 || !revived.isEmpty || parking.hasChoosy { grown.insert(id) }
        }
    }

    /// Lanes that have another first job.
    mutating func follow(_ lanes: [LaneID], of core: borrowing SchedulerCore, at now: LogicalTime) {
        for lane in lanes {
            if standings[lane.shape] == .blocked { reservations.watch(lane, of: core, at: now) }
            if standings[lane.shape] != .blocked || !reservations.isEmpty { enter(lane, core, now) }
        }
    }

    /// Shapes and kinds of nodes that are gone are forgotten with the index, before they are most of it.
    mutating func renewIfOld(_ core: borrowing SchedulerCore) {
        let isOfOldShapes = fleet.shapeCount > 4096 && fleet.shapeCount > 4 * core.shapes.count
        guard isOfOldShapes || fleet.isOfOldKinds else { return }
        renew(core)
    }

    mutating func renew(_ core: borrowing SchedulerCore) {
        fleet = Fleet()
        gangs = Table()
        reservations.drop()
        for id in core.liveJobIDs { if let row = core.jobs[id] { expect(row.specification) } }
        follow(core.offers.ids, of: core, mayHaveGrown: false)
        // The book has forgotten whose patience it waits for.
        for id in standings.ids where standings[id] == .blocked {
            for lane in core.queue.lanes(of: id) { reservations.watch(lane, of: core, at: core.time) }
        }
    }

    /// Tasks of a job that has come.
    mutating func expect(_ specification: JobSpecification) {
        for part in fleet.shape(of: RequestClass(of: specification)).parts {
            let tasks = UInt64(part.count) * UInt64(specification.unitCount)
            fleet.arrive(part.choices[0], times: Double(min(tasks, Self.tasksCountedMax)))
        }
    }

    /// Jobs that could not use room may be able to now.
    mutating func forgetSkips(_ core: borrowing SchedulerCore, at now: LogicalTime) {
        let lanes = skips.keys
        skips.removeAll(keepingCapacity: true)
        for lane in lanes where standings[lane.shape] != .blocked { enter(lane, core, now) }
    }

    private mutating func enter(_ lane: LaneID, _ core: borrowing SchedulerCore, _ now: LogicalTime) {
        guard !parking.contains(lane), let job = core.queue.first(of: lane, from: skips[lane] ?? 0) else { return }
        turns.insert(turn(of: job, in: lane, core, now), core, at: now)
    }

    private mutating func turn(of job: JobID, in lane: LaneID, _ core: borrowing SchedulerCore, _ now: LogicalTime) -> Turn {
        if let known = claims[lane], known.job == job, now < known.madeAt + Claim.lifetime { return known.turn(in: lane, at: now) }
        if claims.count >= Self.claimsMax { claims.removeAll() }
        let claim = core.claim(of: job, at: now)
        claims[lane] = claim
        return claim.turn(in: lane, at: now)
    }

    // MARK: Whose turn it is

    /// The first job that is not passed over.
    mutating func next(of core: borrowing SchedulerCore, at now: LogicalTime) -> (lane: LaneID, job: JobID)? {
        unblock(core, now)
        while let turn = turns.first(core, at: now) {
            if standings[turn.lane.shape] == .revived, !fitsRevivers(turn.lane.shape) { block(turn.lane, core, now) }
            let isOpen = standings[turn.lane.shape] != .blocked || !reservations.isEmpty
            let mayStart = isOpen && !parking.contains(turn.lane)
            let first = mayStart ? core.queue.first(of: turn.lane, from: firstTried(of: turn.lane)) : nil
            if first == turn.job { return (turn.lane, turn.job) }
            turns.removeFirst()
            if let first { turns.insert(self.turn(of: first, in: turn.lane, core, now), core, at: now) }
        }
        // What is open has no row: classes come and go, and only those that wait may cost.
        for id in revived where standings[id] == .revived { standings.remove(id) }
        revived.removeAll(keepingCapacity: true)
        revivers.removeAll(keepingCapacity: true)
        return nil
    }

    private func firstTried(of lane: LaneID) -> UInt64 { skips.isEmpty ? 0 : skips[lane] ?? 0 }

    private mutating func fitsRevivers(_ shape: RequestClassID) -> Bool {
        guard let gang = gangs[shape] else { return true }
        return revivers.contains { fleet.holdsAny(of: gang, on: $0) || reservations.isAside($0) }
    }

    /// A class as the fleet sees it.
    mutating func gang(of id: RequestClassID, _ shape: RequestClass) -> GangShape {
        if let known = gangs[id] { return known }
        let made = fleet.shape(of: shape)
        gangs.set(made, for: id)
        return made
    }

    /// Where one task of a job goes that spreads them, node after node, and around again.
    mutating func spread(_ task: GangShape, of job: JobID, _ core: borrowing SchedulerCore) -> TaskPlace? {
        if used.count >= Self.spreadJobsMax { used = used.filter { core.jobs.contains($0.key) } }
        let place = fleet.place(task, apartFrom: used[job] ?? [])
        if let place {
            used[job, default: []].insert(place.node)
            return place
        }
        let again = fleet.place(task, limit: 1).first
        used[job] = again.map { [$0.node] }
        return again
    }

    /// The job cannot use room for reasons of its own.
    mutating func skip(_ job: JobID, in lane: LaneID) { skips[lane] = job.value + 1 }

    /// The lane has as much as it may have: it is not tried before the limit has changed.
    mutating func park(_ lane: LaneID, under limit: QuotaMiss.Limit, isByGrant: Bool = false) {
        parking.park(lane, under: limit, isByGrant: isByGrant)
    }

    /// Accounts that hold more or less than before: those that wait for one of them to hold less are tried again.
    mutating func follow(accounts: [AccountChange], _ core: borrowing SchedulerCore, at now: LogicalTime) {
        for account in Set(accounts.map(\.account)).sorted() { turns.rerank(account, core, at: now) }
        let eased = Set(accounts.lazy.filter(\.isEased).map(\.account))
        guard !eased.isEmpty else { return }
        reservations.stir()
        guard !parking.isEmpty else { return }
        for account in eased.sorted() { enterUnblocked(parking.takeEased(by: account, core), core, now) }
        if parking.hasChoosy { enterUnblocked(parking.takeChoosy(), core, now) }
    }

    private mutating func enterUnblocked(_ lanes: [LaneID], _ core: borrowing SchedulerCore, _ now: LogicalTime) {
        for lane in lanes where standings[lane.shape] != .blocked || !reservations.isEmpty { enter(lane, core, now) }
    }

    /// Accounts may have been forgotten, whose numbers others get: only lanes that there are may be known here.
    mutating func forgetAccounts(_ core: borrowing SchedulerCore, at now: LogicalTime) {
        turns = TurnTree()
        parking = Parking()
        enterUnblocked(core.queue.allLanes, core, now)
    }

    /// Limits, or what there is in all, have changed.
    mutating func unpark(_ core: borrowing SchedulerCore, at now: LogicalTime) {
        reservations.stir()
        enterUnblocked(parking.takeAll(), core, now)
    }

    /// Whether nothing but room that is set aside for others may hold a task of the class.
    func isBlocked(_ shape: RequestClassID) -> Bool { standings[shape] == .blocked }

    /// The lane found no room: in this round it is not tried again, nor is any of its class but on room that is set aside.
    mutating func giveUp(_ lane: LaneID, _ core: borrowing SchedulerCore, at now: LogicalTime) {
        block(lane, core, now)
        if turns.first(core, at: now)?.lane == lane { turns.removeFirst() }
    }

    private mutating func block(_ lane: LaneID, _ core: borrowing SchedulerCore, _ now: LogicalTime) {
        if standings[lane.shape] != .blocked {
            standings.set(.blocked, for: lane.shape)
            blockedCount += 1
            for lane in core.queue.lanes(of: lane.shape) { reservations.watch(lane, of: core, at: now) }
        }
    }

    /// Nodes that others may use again.
    mutating func noteGrowth(_ nodes: [NodeID]) {
        if blockedCount > 0 || !revived.isEmpty || parking.hasChoosy { grown.formUnion(nodes) }
    }

    /// Classes of which a node that has grown holds a task are looked at again.
    private mutating func unblock(_ core: borrowing SchedulerCore, _ now: LogicalTime) {
        guard !grown.isEmpty else { return }
        defer { grown.removeAll(keepingCapacity: true) }
        if parking.hasChoosy { enterUnblocked(parking.takeChoosy(), core, now) }
        // Also for those that were revived before and have not had their turn.
        revivers.formUnion(grown)
        let nodes = Array(grown)
        let known = revived.count
        for id in standings.ids where standings[id] == .blocked {
            guard core.shapes.contains(id) else {
                forget(id)
                continue
            }
            let mayFit =
                gangs[id].map { gang in nodes.contains { fleet.holdsAny(of: gang, on: $0) || reservations.isAside($0) } } ?? true
            guard mayFit else { continue }
            standings.set(.revived, for: id)
            blockedCount -= 1
            revived.append(id)
        }
        guard revived.count > known else { return }
        for id in revived[known...] { for lane in core.queue.lanes(of: id) { enter(lane, core, now) } }
    }

    /// No job is of the class any more.
    private mutating func forget(_ id: RequestClassID) {
        if standings.remove(id) == .blocked { blockedCount -= 1 }
        gangs.remove(id)
    }
}
