// Lanes that wait for a limit, not for room.

import ClusterModel

/// By the limit and the class, so that one look tells for all that are alike whether they may go on.
struct Parking: Sendable {
    private var lanes: [QuotaMiss.Limit: [RequestClassID: Set<LaneID>]] = [:]
    private var limits: [LaneID: QuotaMiss.Limit] = [:]
    /// Lanes that had room which would have been granted larger, or of another model, than they may have: other room may do.
    private var choosy: Set<LaneID> = []

    init() {}

    var hasChoosy: Bool { !choosy.isEmpty }

    /// Whatever has changed may be what they want.
    mutating func takeChoosy() -> [LaneID] {
        let taken = choosy.sorted()
        choosy = []
        for lane in taken { if let limit = limits.removeValue(forKey: lane) { lanes[limit]?[lane.shape]?.remove(lane) } }
        return taken
    }

    var isEmpty: Bool { limits.isEmpty }
    func contains(_ lane: LaneID) -> Bool { !limits.isEmpty && limits[lane] != nil }

    /// - Parameter isByGrant: it may have so much as it asks for, and was offered more.
    mutating func park(_ lane: LaneID, under limit: QuotaMiss.Limit, isByGrant: Bool = false) {
        if isByGrant { choosy.insert(lane) }
        guard limits.updateValue(limit, forKey: lane) == nil else { return }
        lanes[limit, default: [:]][lane.shape, default: []].insert(lane)
    }

    /// Lanes that may go on now that an account holds less: of each class under each limit that counts the account all, if one may.
    mutating func takeEased(by account: AccountID, _ core: borrowing SchedulerCore) -> [LaneID] {
        var taken: [LaneID] = []
        for limit in core.limits(of: account) {
            for (shape, parked) in (lanes[limit] ?? [:]).sorted(by: { $0.key < $1.key }) {
                if isOver(parked, under: limit, core) { taken += take(shape, under: limit) }
            }
        }
        return taken
    }

    /// A lane that waits for something else by now waits under that from now on: the old limit may never change again.
    private mutating func isOver(_ parked: Set<LaneID>, under limit: QuotaMiss.Limit, _ core: borrowing SchedulerCore) -> Bool {
        for lane in parked {
            guard let job = core.queue.first(of: lane), let row = core.jobs[job], let miss = core.quotaMiss(of: row) else { return true }
            guard miss.limit != limit else { continue }
            lanes[limit]?[lane.shape]?.remove(lane)
            limits[lane] = nil
            park(lane, under: miss.limit)
        }
        return false
    }

    mutating func takeAll() -> [LaneID] {
        defer { self = Parking() }
        return limits.keys.sorted()
    }

    private mutating func take(_ shape: RequestClassID, under limit: QuotaMiss.Limit) -> [LaneID] {
        let taken = lanes[limit]?.removeValue(forKey: shape)?.sorted() ?? []
        if lanes[limit]?.isEmpty == true { lanes[limit] = nil }
        for lane in taken {
            limits[lane] = nil
            choosy.remove(lane)
        }
        return taken
    }
}

extension SchedulerCore {
    /// Every limit that may let more start when the account holds less.
    fileprivate borrowing func limits(of account: AccountID) -> [QuotaMiss.Limit] {
        var limits: [QuotaMiss.Limit] = [.guarantees(isFirm: true), .guarantees(isFirm: false)]
        for count in accounts[account].quotas { limits.append(.quota(quotas.rows[count.quota].record.name, user: count.user)) }
        for queue in accounts.path(from: accounts.ancestor(of: account, at: .queue)) {
            limits += [.queueCeiling(accounts[queue].name), .queueBorrowing(accounts[queue].name)]
        }
        return limits
    }
}

extension LaneID: Comparable {
    static func < (left: LaneID, right: LaneID) -> Bool {
        let order: (LaneID) -> (Int32, AccountID, RequestClassID, UInt8, Int) = {
            ($0.priority, $0.account, $0.shape, $0.length, $0.isPreemptible ? 1 : 0)
        }
        return order(left) < order(right)
    }
}
