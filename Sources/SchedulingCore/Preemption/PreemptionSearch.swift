// Whom a job may take room from, and whom it takes it from: Protocols/lifecycle.md, "Preemption".

import ClusterModel
import Placement

/// What a preemptible gang is promised.
enum PreemptionContract {
    /// It runs so long at least.
    static let lease = Span.seconds(60)
    /// From what happens to the look that it leads to, and a millisecond for each node: what looks cost stays a small part of all.
    static func interval(nodes: Int) -> Span { .milliseconds(Int64(max(1000, nodes))) }
    /// Until the next look where nothing happens: leases end in the meantime.
    static let patience = Span.seconds(10)
    /// Gangs that stop at one look, at most: more are looked for when these are gone.
    static let gangsMax = 256
    /// Jobs that are waited for at once.
    static let jobsMax = 64
    /// For those that wait long, only what writes checkpoints gives way, once it has run so long …
    static let stretch = Span.seconds(2 * 3600)
    /// … when it has lost no more than this part of the time between two checkpoints …
    static let partLost: Int64 = 6
    /// … if it is expected to go on for so many times what the other is expected to take, in parts of the cluster by time …
    static let timesAsLong = 3.0
    /// … and unless it has waited so long itself.
    static let delayMax = Span.seconds(4 * 3600)
    /// Lanes, and jobs of each, that are looked at for those that have waited longest.
    static let lanesMax = 4096
    static let jobsOfLane = 3
    /// After its grace, until the room of a gang that does not end is given up.
    static let slack = Span.seconds(30)
}

/// When victims are looked for.
struct PreemptionLook: Sendable {
    var lastLook: LogicalTime?
    /// The first time since then that something happened.
    var stirredAt: LogicalTime?
    /// nil: nothing waits that anything could be stopped for.
    var nextLook: LogicalTime?
}

/// A gang that may be stopped.
struct PreemptionVictim: Sendable {
    var job: JobID
    var ordinal: UInt32
    var tenant: AccountID
    var queue: AccountID
    var priority: Int32
    var grace: Span
    var places: [TaskPlace]
    /// nil where it is on several.
    var onlyNode: NodeID?
    var amounts: RoomAmounts
    /// What is lost: what it has held since it began, or wrote its last checkpoint as far as anybody knows, in parts of the cluster by
    /// seconds.
    var loss: Double
    /// What it is expected to hold yet, in the same; nil where it gives way to nobody just for waiting.
    var rest: Double?
}

/// Why a job may take room.
enum PreemptionCause: Sendable {
    /// A queue that it is in has less than its guarantee.
    case guarantee
    /// Of its tenant it is the most important.
    case priority
    /// It has waited longest for what it needs.
    case waiting
}

/// One look: who could be stopped, and what would be free then.
struct PreemptionSearch {
    private var victims: [PreemptionVictim] = []
    /// What queues hold without those that have been told to stop, where there are any.
    private var held: [AccountID: RoomAmounts] = [:]
    private var isTaken: [Bool] = []
    /// Nodes that nobody has set aside.
    private var fleet: Fleet
    private(set) var gangsTaken = 0

    init(of core: borrowing SchedulerCore, on fleet: Fleet, at now: LogicalTime) {
        self.fleet = fleet
        (victims, held) = core.victims(at: now)
        isTaken = [Bool](repeating: false, count: victims.count)
    }

    var isEmpty: Bool { victims.isEmpty }
    /// Whether anybody gives way to those that wait long.
    var isYielding: Bool { victims.contains { $0.rest != nil } }

    /// Room for one gang of a job, and whom it costs; nil where no allowed victims make any, or none are needed.
    mutating func room(
        for shape: RequestClass, of candidate: PreemptionCandidate, _ core: borrowing SchedulerCore
    ) -> (gangs: [PreemptionVictim], nodes: Set<NodeID>)? {
        let allowed = victims.indices.filter { !isTaken[$0] && mayTake(victims[$0], for: candidate, core) }
        guard !allowed.isEmpty else { return nil }
        let gang = fleet.shape(of: shape)
        guard fleet.placeGang(gang) == nil else { return nil }
        for order in orders(of: allowed, shape.leastAmounts, core) {
            if let found = take(order, for: gang, of: candidate, core) { return found }
        }
        return nil
    }

    /// Ways in which victims are tried: those of one node after the other, where the node has enough and they lose least; then all,
    /// those first that lose least.
    private func orders(of allowed: [Int], _ needed: RoomAmounts, _ core: borrowing SchedulerCore) -> [[Int]] {
        var byNode: [NodeID: [Int]] = [:]
        for index in allowed { if let node = victims[index].onlyNode { byNode[node, default: []].append(index) } }
        var costs: [(cost: Double, node: NodeID, order: [Int])] = []
        for (node, indices) in byNode {
            guard let offer = fleet[node], offer.outage == nil else { continue }
            var free = core.roomFree(on: node, offer)
            var (cost, order): (Double, [Int]) = (0, [])
            for index in indices.sorted(by: { (victims[$0].loss, $0) < (victims[$1].loss, $1) }) {
                if needed.firstExcess(over: free) == nil { break }
                free += victims[index].amounts
                cost += victims[index].loss
                order.append(index)
            }
            if needed.firstExcess(over: free) == nil, !order.isEmpty { costs.append((cost, node, order)) }
        }
        let single = costs.sorted { ($0.cost, $0.node) < ($1.cost, $1.node) }.prefix(8).map(\.order)
        // Nodes that are emptied cheaply, one after the other: what a large gang needs is whole nodes.
        let nodes = byNode.map { node, indices in
            (cost: indices.reduce(0) { $0 + victims[$1].loss } / Double(max(1, indices.count)), node: node, order: indices)
        }
        let several = nodes.sorted { ($0.cost, $0.node) < ($1.cost, $1.node) }.flatMap(\.order)
        let rest = allowed.filter { victims[$0].onlyNode == nil }.sorted {
            (victims[$0].loss, $0) < (victims[$1].loss, $1)
        }
        return single + [several + rest]
    }

    /// Takes victims in an order until the gang fits, then gives back those that it does not need.
    private mutating func take(
        _ order: [Int], for gang: GangShape, of candidate: PreemptionCandidate, _ core: borrowing SchedulerCore
    ) -> (gangs: [PreemptionVictim], nodes: Set<NodeID>)? {
        var taken: [Int] = []
        var places: [TaskPlace]?
        for index in order where gangsTaken + taken.count < PreemptionContract.gangsMax {
            // Each of them was allowed alone: together they may be too many of one queue.
            guard mayTake(victims[index], for: candidate, core) else { continue }
            free(index, core)
            taken.append(index)
            places = fleet.placeGang(gang)
            if places != nil { break }
        }
        guard var found = places else {
            for index in taken { keep(index, core) }
            return nil
        }
        for index in taken.dropLast().reversed() {
            keep(index, core)
            if let fewer = fleet.placeGang(gang) {
                found = fewer
                taken.removeAll { $0 == index }
            } else {
                free(index, core)
            }
        }
        gangsTaken += taken.count
        // The room is spoken for.
        for place in found { fleet.take(place.allocation, on: place.node) }
        return (taken.sorted().map { victims[$0] }, Set(found.map(\.node)))
    }

    private mutating func free(_ index: Int, _ core: borrowing SchedulerCore) {
        isTaken[index] = true
        for place in victims[index].places where fleet.serves(place.node) { fleet.give(place.allocation, on: place.node) }
        shift(-1, index, core)
    }

    private mutating func keep(_ index: Int, _ core: borrowing SchedulerCore) {
        isTaken[index] = false
        for place in victims[index].places where fleet.serves(place.node) { fleet.take(place.allocation, on: place.node) }
        shift(1, index, core)
    }

    private mutating func shift(_ sign: Int64, _ index: Int, _ core: borrowing SchedulerCore) {
        for queue in core.accounts.path(from: victims[index].queue) {
            held[queue] = (held[queue] ?? core.accounts[queue].held) + victims[index].amounts * sign
        }
    }

    /// A tenant's own less important work; or work of queues that have more than their guarantee, and would still.
    private func mayTake(_ victim: PreemptionVictim, for candidate: PreemptionCandidate, _ core: borrowing SchedulerCore) -> Bool {
        guard victim.job != candidate.job else { return false }
        switch candidate.cause {
        case .priority: return victim.tenant == candidate.tenant && victim.priority < candidate.priority
        case .waiting:
            guard let rest = victim.rest, rest >= PreemptionContract.timesAsLong * candidate.work else { return false }
            guard victim.tenant != candidate.tenant || victim.priority <= candidate.priority else { return false }
            return leavesGuarantees(victim, for: candidate, core)
        case .guarantee:
            // Within the queue whose guarantee it is, nobody takes from anybody.
            guard !core.accounts.path(from: victim.queue).contains(candidate.guaranteed) else { return false }
            return leavesGuarantees(victim, for: candidate, core)
        }
    }

    /// No queue but the candidate's own is left with less than is guaranteed to it.
    private func leavesGuarantees(
        _ victim: PreemptionVictim, for candidate: PreemptionCandidate, _ core: borrowing SchedulerCore
    ) -> Bool {
        let own = core.accounts.path(from: candidate.queue)
        return core.accounts.path(from: victim.queue).allSatisfy { queue in
            guard !own.contains(queue), let record = core.accounts[queue].bounds.record else { return true }
            let left = (held[queue] ?? core.accounts[queue].held) - victim.amounts
            return RoomKind.allCases.allSatisfy { victim.amounts[$0] == 0 || left[$0] >= record.guarantee[$0] ?? 0 }
        }
    }
}

/// A job that may take room from others.
struct PreemptionCandidate: Sendable {
    var job: JobID
    var cause: PreemptionCause
    var priority: Int32
    var tenant: AccountID
    var queue: AccountID
    /// The queue whose guarantee it is.
    var guaranteed = AccountID.root
    /// What it is expected to take: seconds by part of the cluster. Of those that wait long only.
    var work = 0.0
}

extension SchedulerCore {
    /// Whether anything runs that may be preempted.
    var holdsPreemptible: Bool { accounts[.root].held != accounts[.root].firm }

    /// Gangs that have run for their lease, that nobody has stopped yet, and behind which nothing is lined up; and what queues hold without
    /// those that have been stopped.
    fileprivate borrowing func victims(at now: LogicalTime) -> (victims: [PreemptionVictim], held: [AccountID: RoomAmounts]) {
        var victims: [PreemptionVictim] = []
        var held: [AccountID: RoomAmounts] = [:]
        let total = roomTotal
        for node in nodes.ids {
            for attempt in (nodes[node]?.liveAttempts ?? []).sorted() {
                guard let (row, ordinal, rank, unit) = liveTask(attempt), row.specification.isPreemptible,
                    unit.tasks.firstIndex(where: \.isLive) == rank
                else { continue }
                let victim = victim(attempt.task.job, row, ordinal, unit, total, now)
                if unit.stopReason != nil || row.isCancelling {
                    for queue in accounts.path(from: victim.queue) { held[queue] = (held[queue] ?? accounts[queue].held) - victim.amounts }
                } else if unit.tasks.allSatisfy({ now - $0.heldSince >= PreemptionContract.lease && row.successors[$0.slot].isEmpty }) {
                    victims.append(victim)
                }
            }
        }
        return (victims, held)
    }

    private borrowing func victim(
        _ job: JobID, _ row: JobRow, _ ordinal: UInt32, _ unit: LiveUnit, _ total: RoomAmounts, _ now: LogicalTime
    ) -> PreemptionVictim {
        let places = unit.tasks.filter(\.isLive).map { TaskPlace(node: $0.node, allocation: $0.allocation) }
        let amounts = amounts(of: places)
        let since = unit.tasks.map(\.heldSince).min() ?? now
        let share = amounts.dominantShare(of: total)
        let lost = now - row.lastCheckpoint(of: ordinal, since: since, at: now)
        return PreemptionVictim(
            job: job, ordinal: ordinal, tenant: accounts.ancestor(of: row.account, at: .tenant),
            queue: accounts.ancestor(of: row.account, at: .queue), priority: row.specification.priority, grace: row.specification.grace,
            places: places, onlyNode: places.allSatisfy { $0.node == places[0].node } ? places.first?.node : nil, amounts: amounts,
            // Each further try of a gang weighs as an hour: nobody is stopped again and again.
            loss: share * (Double(lost.nanoseconds) / 1e9 + 3600 * Double(row.history.preemptions[ordinal] ?? 0)),
            rest: rest(of: row, ordinal, since: since, lost: lost, at: now).map { share * $0 })
    }

    /// Tasks alone that leave some of their node's devices, or cores, to others: what takes whole nodes waits too long for them to give any
    /// up.
    private borrowing func isPartOfNode(_ unit: LiveUnit) -> Bool {
        guard unit.tasks.count == 1, let task = unit.tasks.first, let inventory = offers[task.node]?.inventory else { return false }
        guard !task.allocation.devices.isEmpty else { return task.allocation.cpuMilli < inventory.cpuMilli }
        return task.allocation.devices.count < inventory.devices.count
    }

    /// How many seconds longer a gang is expected to run that gives way to those that wait long; nil: it does not.
    private borrowing func rest(of row: JobRow, _ ordinal: UInt32, since: LogicalTime, lost: Span, at now: LogicalTime) -> Double? {
        guard let interval = row.specification.checkpointInterval, now - since >= PreemptionContract.stretch,
            lost.nanoseconds <= interval.nanoseconds / PreemptionContract.partLost, let unit = row.live[ordinal], isPartOfNode(unit)
        else { return nil }
        let kept = row.history.progress[ordinal] ?? .zero
        guard now - row.waitingSince <= PreemptionContract.delayMax + (now - since) + kept else { return nil }
        return Double(outlook(of: row, after: now - since, done: kept).mean.nanoseconds) / 1e9
    }

    fileprivate func roomFree(on node: NodeID, _ offer: NodeOffer) -> RoomAmounts {
        let strengths = nodes[node]?.strengths ?? []
        var devices: Int64 = 0
        var units: Int64 = 0
        for (index, room) in offer.room.devices.enumerated() {
            devices += room.shareMilliFree
            units += (index < strengths.count ? strengths[index] : 0) * room.shareMilliFree / 1000
        }
        return RoomAmounts(
            cpuMilli: offer.room.cpuMilliFree, memoryBytes: offer.room.memoryBytesFree, deviceMilli: devices, computeUnitsMilli: units)
    }

    /// Jobs that may take room, in their order: tenants by their shares, of each the most important first come. What was preempted itself takes
    /// nothing but what is guaranteed.
    borrowing func preemptionCandidates(at now: LogicalTime) -> [PreemptionCandidate] {
        guard holdsPreemptible else { return [] }
        let waiting = accounts.all.filter { accounts[$0].level == .tenant && accounts[$0].lanesWaiting > 0 }
        let total = roomTotal
        let tenants = waiting.map { (score: accounts.score(of: $0, at: now, capacity: total), tenant: $0) }
        var candidates: [PreemptionCandidate] = []
        for (_, tenant) in tenants.sorted(by: { ($0.score, $0.tenant) < ($1.score, $1.tenant) }) {
            guard candidates.count < PreemptionContract.jobsMax else { break }
            candidates += self.candidates(of: tenant, at: now)
        }
        // What is guaranteed is nobody's wish: it goes first.
        return candidates.filter { $0.cause == .guarantee } + candidates.filter { $0.cause == .priority }
    }

    /// Lanes in an order that is the same in every process: account by account.
    private borrowing func lanesInOrder(most: Int) -> [LaneID] {
        var lanes: [LaneID] = []
        for account in accounts.all where accounts[account].level == .user && accounts[account].lanesWaiting > 0 {
            guard lanes.count < most else { break }
            lanes += queue.lanes(of: account).sorted()
        }
        return Array(lanes.prefix(most))
    }

    /// Jobs of which nothing runs, those first that have waited longest for what they need.
    private borrowing func waitingCandidates(at now: LogicalTime) -> [PreemptionCandidate] {
        var waiting: [(turn: Turn, work: Double)] = []
        for lane in lanesInOrder(most: PreemptionContract.lanesMax) {
            var next = queue.first(of: lane)
            for _ in 0..<PreemptionContract.jobsOfLane {
                guard let job = next else { break }
                next = queue.first(of: lane, from: job.value + 1)
                guard isUnserved(job, at: now), !isClaiming(job, at: now) else { continue }
                let claim = claim(of: job, at: now)
                waiting.append((claim.turn(in: lane, at: now), claim.amount / 1e9))
            }
        }
        waiting.sort { $0.turn.need != $1.turn.need ? $0.turn.need > $1.turn.need : $0.turn.job < $1.turn.job }
        return waiting.prefix(PreemptionContract.jobsMax).map { entry in
            let lane = entry.turn.lane
            return PreemptionCandidate(
                job: entry.turn.job, cause: .waiting, priority: lane.priority, tenant: accounts.ancestor(of: lane.account, at: .tenant),
                queue: accounts.ancestor(of: lane.account, at: .queue), work: entry.work)
        }
    }

    private borrowing func candidates(of tenant: AccountID, at now: LogicalTime) -> [PreemptionCandidate] {
        var lanes: [LaneID] = []
        for project in accounts[tenant].children where accounts[project].lanesWaiting > 0 {
            for user in accounts[project].children where accounts[user].lanesWaiting > 0 { lanes += queue.lanes(of: user) }
        }
        let queueID = accounts.ancestor(of: tenant, at: .queue)
        let first = lanes.compactMap { lane in queue.first(of: lane).map { (priority: -lane.priority, job: $0, lane: lane) } }
        var candidates: [PreemptionCandidate] = []
        for (_, job, lane) in first.sorted(by: { ($0.priority, $0.job) < ($1.priority, $1.job) }) {
            var next: JobID? = job
            while let job = next, candidates.count < PreemptionContract.jobsMax {
                next = queue.first(of: lane, from: job.value + 1)
                guard let row = jobs[job], let ready = row.readySet(at: now), row.startAllowance > 0, !isClaiming(job, at: now),
                    let amounts = shapes[row.shape]?.shape.leastAmounts
                else { continue }
                let candidate = preemptionCandidate(
                    job, amounts, priority: row.specification.priority, tenant: tenant, queue: queueID,
                    wasPreempted: row.waiting[ready].reason == .preempted)
                if let candidate { candidates.append(candidate) }
                // All of the lane are alike, but for what was preempted itself.
                if candidate == nil, accounts[tenant].held == accounts[tenant].firm { break }
            }
        }
        return candidates
    }

    /// By what a job may take room; nil: by nothing.
    ///
    /// - Parameters:
    ///   - tenant: nil where nothing of it has ever been there.
    ///   - wasPreempted: itself.
    borrowing func preemptionCandidate(
        _ job: JobID, _ amounts: RoomAmounts, priority: Int32, tenant: AccountID?, queue: AccountID, wasPreempted: Bool
    ) -> PreemptionCandidate? {
        var candidate = PreemptionCandidate(job: job, cause: .guarantee, priority: priority, tenant: tenant ?? .none, queue: queue)
        if let owner = guaranteeOwner(of: queue, for: amounts, beside: [:]) {
            candidate.guaranteed = owner
            return candidate
        }
        guard let tenant, accounts[tenant].held != accounts[tenant].firm, !wasPreempted else { return nil }
        candidate.cause = .priority
        return candidate
    }

    /// Whether the queue of a request holds no more than its guarantee with it, and with what is kept for others of the queue.
    borrowing func isWithinGuarantee(_ applicant: Applicant?, at now: LogicalTime) -> Bool {
        guard let applicant, !accounts.isUnbounded else { return false }
        let claimed = preemptionClaims.count > 0 ? claimedAmounts(at: now) : [:]
        return guaranteeOwner(of: applicant.queue, for: applicant.shape.leastAmounts, beside: claimed) != nil
    }

    /// The queue whose guarantee holds so much more.
    ///
    /// - Parameter claimed: what is kept already for jobs of queues that have not started.
    private borrowing func guaranteeOwner(
        of queue: AccountID, for amounts: RoomAmounts, beside claimed: [AccountID: RoomAmounts]
    ) -> AccountID? {
        accounts.path(from: queue).first { id in
            guard let record = accounts[id].bounds.record, !record.guarantee.isEmpty else { return false }
            let kinds = RoomKind.allCases.filter { record.guarantee[$0] != nil && amounts[$0] > 0 }
            let held = accounts[id].held + (claimed[id] ?? .zero)
            return !kinds.isEmpty && kinds.allSatisfy { held[$0] + amounts[$0] <= record.guarantee[$0] ?? 0 }
        }
    }

    /// Room that was taken for jobs of a tenant and that they have not used.
    private borrowing func spokenFor(_ tenant: AccountID, at now: LogicalTime) -> (amounts: RoomAmounts, tasks: Int64) {
        var spoken: (amounts: RoomAmounts, tasks: Int64) = (.zero, 0)
        for job in preemptionClaims.ids where isClaiming(job, at: now) {
            guard let row = jobs[job], accounts.ancestor(of: row.account, at: .tenant) == tenant, let claim = preemptionClaims[job],
                let amounts = shapes[row.shape]?.shape.leastAmounts
            else { continue }
            spoken.amounts += amounts * Int64(claim.units)
            spoken.tasks += Int64(claim.units) * Int64(row.gangSize)
        }
        return spoken
    }

    /// Room that was taken for jobs of queues and that they have not used.
    private borrowing func claimedAmounts(at now: LogicalTime) -> [AccountID: RoomAmounts] {
        var claimed: [AccountID: RoomAmounts] = [:]
        for job in preemptionClaims.ids where isClaiming(job, at: now) {
            guard let row = jobs[job], let claim = preemptionClaims[job], let amounts = shapes[row.shape]?.shape.leastAmounts else {
                continue
            }
            for queue in accounts.path(from: accounts.ancestor(of: row.account, at: .queue)) {
                claimed[queue, default: .zero] += amounts * Int64(claim.units)
            }
        }
        return claimed
    }

    /// What is stopped now so that others can start; one event for each of them.
    ///
    /// - Parameters:
    ///   - fleet: nodes that nobody has set aside.
    ///   - wide: those too that are set aside for who only waits: what is guaranteed goes before that.
    borrowing func decidePreemptions(on fleet: Fleet, wide: () -> Fleet, at now: LogicalTime) -> [Event] {
        guard holdsPreemptible else { return [] }
        let candidates = preemptionCandidates(at: now)
        let guaranteed = candidates.filter { $0.cause == .guarantee }
        if !guaranteed.isEmpty {
            var search = PreemptionSearch(of: self, on: wide(), at: now)
            let events = decidePreemptions(for: guaranteed, &search, at: now)
            // The rest at the next look: it is another search.
            if !events.isEmpty { return events }
        }
        var search = PreemptionSearch(of: self, on: fleet, at: now)
        guard !search.isEmpty else { return [] }
        let others = candidates.filter { $0.cause != .guarantee } + (search.isYielding ? waitingCandidates(at: now) : [])
        return decidePreemptions(for: others, &search, at: now)
    }

    private borrowing func decidePreemptions(
        for candidates: [PreemptionCandidate], _ search: inout PreemptionSearch, at now: LogicalTime
    ) -> [Event] {
        var events: [Event] = []
        var claimed = claimedAmounts(at: now)
        var spoken: [AccountID: (amounts: RoomAmounts, tasks: Int64)] = [:]
        var served: Set<JobID> = []
        for candidate in candidates where !search.isEmpty && search.gangsTaken < PreemptionContract.gangsMax {
            guard !served.contains(candidate.job), let row = jobs[candidate.job], let way = allowedWay(of: row),
                let amounts = shapes[row.shape]?.shape.leastAmounts
            else {
                continue
            }
            var gangs: [PreemptionVictim] = []
            var nodes: Set<NodeID> = []
            var units: UInt32 = 0
            // Tasks alone of a job are many alike: as many as may start and find somebody.
            let most =
                row.gangSize > 1 || candidate.cause == .waiting
                ? 1 : min(row.startAllowance, Int(clamping: row.waiting.first?.units.count ?? 0), 64)
            while units < most {
                let isGuaranteed = guaranteeOwner(of: candidate.queue, for: amounts, beside: claimed) == candidate.guaranteed
                // Whatever the tenant is about to get counts, as if all of it were under the same limits.
                let (more, tasks) = spoken[candidate.tenant] ?? spokenFor(candidate.tenant, at: now)
                guard candidate.cause != .guarantee || isGuaranteed, quotaMiss(of: row, beside: more, tasks: tasks) == nil,
                    let room = search.room(for: way, of: candidate, self)
                else { break }
                gangs += room.gangs
                nodes.formUnion(room.nodes)
                units += 1
                spoken[candidate.tenant] = (more + amounts, tasks + Int64(row.gangSize))
                for queue in accounts.path(from: candidate.queue) { claimed[queue, default: .zero] += amounts }
            }
            guard units > 0 else { continue }
            served.insert(candidate.job)
            let grace = gangs.map(\.grace).max() ?? .zero
            let preemption = Preemption(
                job: candidate.job, units: units,
                gangs: gangs.map { Preemption.Gang(job: $0.job, ordinal: $0.ordinal, grace: $0.grace) }, nodes: nodes.sorted(),
                until: now + grace + PreemptionContract.slack, at: now)
            events.append(.gangsPreempted(preemption))
        }
        return events
    }
}
