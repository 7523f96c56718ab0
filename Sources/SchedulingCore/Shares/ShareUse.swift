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

    public init() {}
}

extension SchedulerCore {
    /// - Returns: one, but for a quota that each user has for himself: one for each that holds something or waits.
    public func shareUse(of id: ShareObjectID, at now: LogicalTime) -> [ShareUse] {
        guard id.kind == .quota else { return shareUses(of: id.kind, named: id.name, at: now)[id.name] ?? [ShareUse()] }
        return quotaUses(id)
    }

    /// Of all objects of a kind, by name, in one look at what there is; of those that nothing is held of, nothing.
    public func shareUses(of kind: ShareObject.Kind, named only: String? = nil, at now: LogicalTime) -> [String: [ShareUse]] {
        switch kind {
        case .pool: return poolUses(of: only).mapValues { [$0] }
        case .quota:
            let ids = shareObjects(of: .quota).map(\.id)
            return Dictionary(uniqueKeysWithValues: ids.map { ($0.name, quotaUses($0)) })
        case .queue, .tenant, .project, .user:
            var found: [String: [AccountID]] = [:]
            for account in accounts.all {
                guard let name = objectName(of: account, kind), only == nil || only == name else { continue }
                found[name, default: []].append(account)
            }
            return found.mapValues { [shareUse(of: $0, at: now)] }
        }
    }

    private func quotaUses(_ id: ShareObjectID) -> [ShareUse] {
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

    /// What an account of the kind's level is of; nil for others.
    private func objectName(of account: AccountID, _ kind: ShareObject.Kind) -> String? {
        let row = accounts[account]
        switch (kind, row.level) {
        case (.queue, .queue), (.tenant, .tenant), (.user, .user): return row.name
        case (.project, .project): return "\(accounts[row.parent ?? .root].name)/\(row.name)"
        default: return nil
        }
    }
}
