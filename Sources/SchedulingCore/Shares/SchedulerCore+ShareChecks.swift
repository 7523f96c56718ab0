import ClusterModel
import Placement

extension SchedulerCore {
    /// What accounts and quotas count is what the jobs hold.
    func checkShares() -> [InvariantViolation] {
        var violations: [InvariantViolation] = []
        var held: [AccountID: RoomAmounts] = [:]
        var live: [AccountID: UInt32] = [:]
        var uses: [QuotaCount: QuotaUse] = [:]
        for id in jobs.ids {
            guard let row = jobs[id] else { continue }
            let places = heldPlaces(of: row)
            let amounts = places.reduce(RoomAmounts.zero) {
                $0 + RoomAmounts(of: $1.allocation, strengths: nodes[$1.node]?.strengths ?? [])
            }
            for account in accounts.path(from: row.account) {
                held[account, default: .zero] += amounts
                live[account, default: 0] += 1
            }
            for count in accounts[row.account].quotas {
                let quota = quotas.rows[count.quota]
                var use = uses[count] ?? quota.unused
                use.held += amounts
                use.tasks += Int64(places.count)
                use.queuedJobs += row.hasBegun ? 0 : 1
                for place in places {
                    let models = quota.models(of: place.allocation.devices, devices: offers[place.node]?.inventory.devices ?? [])
                    for index in models.indices { use.models[index] += models[index] }
                }
                uses[count] = use
            }
        }
        for account in accounts.all {
            let row = accounts[account]
            if row.held != held[account] ?? .zero || row.jobs != live[account] ?? 0 {
                let found =
                    "\(row.name): \(row.held.values) of \(row.jobs) jobs, not \((held[account] ?? .zero).values) of \(live[account] ?? 0)"
                violations.append(InvariantViolation(invariant: "S5 accounts hold what their tasks hold", found: found))
            }
        }
        for id in preemptionClaims.ids where !jobs.contains(id) {
            violations.append(InvariantViolation(invariant: "room is kept for jobs that live", found: "job \(id)"))
        }
        for (place, quota) in quotas.rows.enumerated() {
            for user in Set(quota.uses.keys).union(uses.keys.filter { $0.quota == place }.map(\.user)).sorted() {
                let count = QuotaCount(quota: place, user: user)
                guard quotas.use(count) != uses[count] ?? quota.unused else { continue }
                let found = "\(quota.record.name) '\(user)': \(quotas.use(count)), not \(uses[count] ?? quota.unused)"
                violations.append(InvariantViolation(invariant: "S5 quotas count what their tasks hold", found: found))
            }
        }
        return violations
    }
}
