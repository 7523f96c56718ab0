// What accounts hold, for people.

public import ClusterModel

/// What the jobs of a tenant, project or queue, or those under a quota, hold now.
public struct ShareUse: Hashable, Sendable {
    /// Set for each user where a quota is each user's own.
    public var user: String?
    public var held = RoomAmounts()
    /// Thousandths of devices, in the order of a quota's `models`.
    public var models: [Int64] = []
    public var tasks: Int64 = 0
    /// Live jobs; under a quota those that have not begun.
    public var jobs: Int64 = 0
    /// The largest part of the cluster's cores, memory, devices or compute units that they have held of late, on average, in
    /// thousandths; nil under a quota.
    public var recentMilli: Int64?
    /// Of a pool: how many nodes it has, and what they have together.
    public var nodes: Int?
    public var capacity: RoomAmounts?

    init() {}
}

extension SchedulerCore {
    /// - Returns: one, but for a quota that each user has for himself: one for each that holds something or waits.
    public func shareUse(of id: ShareObjectID, at now: LogicalTime) -> [ShareUse] {
        if id.kind == .pool { return [poolUse(of: id.name)] }
        guard id.kind == .quota else { return [shareUse(of: accounts(of: id), at: now)] }
        guard let place = quotas.rows.firstIndex(where: { $0.record.name == id.name }) else { return [] }
        let row = quotas.rows[place]
        let users = row.record.isForEachUser ? row.uses.keys.sorted() : [""]
        return users.map { user in
            let counted = quotas.use(QuotaCount(quota: place, user: user))
            var use = ShareUse()
            (use.user, use.held, use.models) = (row.record.isForEachUser ? user : nil, counted.held, counted.models)
            (use.tasks, use.jobs) = (counted.tasks, counted.queuedJobs)
            return use
        }
    }

    private func shareUse(of accounts: [AccountID], at now: LogicalTime) -> ShareUse {
        var use = ShareUse()
        var recent = SIMD4<Double>(repeating: 0)
        for id in accounts {
            let row = self.accounts[id]
            use.held += row.held
            use.tasks += Int64(row.tasks)
            use.jobs += Int64(row.jobs)
            recent += row.average.value(at: now, holding: row.held, halfLife: self.accounts.halfLife)
        }
        use.recentMilli = Int64(recent.dominantShare(of: roomTotal) * 1000)
        return use
    }

    private func accounts(of id: ShareObjectID) -> [AccountID] {
        switch id.kind {
        case .queue: accounts.known(queue: id.name).map { [$0] } ?? []
        case .tenant: accounts.all.filter { accounts[$0].level == .tenant && accounts[$0].name == id.name }
        case .project:
            accounts.all.filter {
                accounts[$0].level == .project && "\(accounts[accounts[$0].parent ?? .root].name)/\(accounts[$0].name)" == id.name
            }
        case .user: accounts.all.filter { accounts[$0].level == .user && accounts[$0].name == id.name }
        case .quota, .pool: []
        }
    }
}
