import ClusterModel
import ClusterPorts
import SchedulingCore

/// An object with what is held under it, as replies have it.
struct ShareJSON {
    private let share: ShareView
    private let principal: Principal

    init(_ share: ShareView, _ principal: Principal) {
        (self.share, self.principal) = (share, principal)
    }

    func write(to writer: inout JSONWriter) {
        writer.member("id", share.object.id.name)
        switch share.object {
        case .tenant(let tenant):
            writer.member("name", tenant.name)
            writer.member("weight", tenant.weight)
        case .project(let project):
            writer.member("name", project.name)
            writer.member("tenant", project.tenant)
            writer.member("weight", project.weight)
        case .queue(let queue): write(queue, to: &writer)
        case .quota(let quota): write(quota, to: &writer)
        case .user(let user):
            writer.member("name", user.name)
            writer.member("uid", user.account?.userID)
            writer.member("gid", user.account?.groupID)
            writer.member("weight", user.weight)
        case .pool(let pool):
            writer.member("name", pool.name)
            // Who else may use it is nobody's business but the administrator's.
            writer.member("tenants", strings: principal.role == .admin ? pool.tenants : pool.tenants.filter { $0 == principal.tenant })
            writer.member("open", pool.tenants.isEmpty)
            writer.member("nodes", share.uses.first?.nodes ?? 0)
            writer.member("capacity") { amounts(share.uses.first?.capacity, to: &$0) }
        }
        // What others hold under a quota that each has for himself is theirs to know.
        let uses = share.uses.filter { $0.user == nil || principal.role == .admin || $0.user == principal.user }
        if case .quota(let quota) = share.object, quota.isForEachUser {
            writer.member("uses", items: uses) { writer, use in writer.object { write(use, to: &$0) } }
        } else {
            writer.member("use") { write(uses.first, to: &$0) }
        }
    }

    private func write(_ queue: QueueRecord, to writer: inout JSONWriter) {
        writer.member("name", queue.name)
        writer.member("parent", queue.parent.isEmpty ? nil : queue.parent)
        writer.member("weight", queue.weight)
        for (name, bounds) in Self.bounds(of: queue) { writer.member(name) { write(bounds, to: &$0) } }
        if queue.name == QueueRecord.rootName {
            writer.member("halfLifeSeconds", (queue.halfLife ?? QueueRecord.usualHalfLife).wholeSeconds)
        }
    }

    private static func bounds(of queue: QueueRecord) -> [(StaticString, RoomBounds)] {
        [("guarantee", queue.guarantee), ("ceiling", queue.ceiling), ("borrow", queue.borrow), ("lend", queue.lend)]
    }

    private func write(_ quota: QuotaRecord, to writer: inout JSONWriter) {
        writer.member("name", quota.name)
        writer.member("tenant", quota.tenant)
        writer.member("project", quota.project)
        writer.member("user", quota.user)
        writer.member("queue", quota.queue)
        writer.member("eachUser", quota.isForEachUser)
        writer.member("limits") { writer in
            write(quota.room, to: &writer)
            write(quota.models, to: &writer)
            if let most = quota.runningTasks { writer.member("runningTasks", most) }
            if let most = quota.queuedJobs { writer.member("queuedJobs", most) }
        }
    }

    private func write(_ bounds: RoomBounds, to writer: inout JSONWriter) {
        if let amount = bounds.cpuMilli { writer.member("cpuMilli", amount) }
        if let amount = bounds.memoryBytes { writer.member("memoryBytes", amount) }
        if let amount = bounds.deviceMilli { writer.member("deviceMilli", amount) }
        if let amount = bounds.computeUnitsMilli { writer.member("computeUnitsMilli", amount) }
    }

    private func write(_ models: [QuotaRecord.Models], to writer: inout JSONWriter) {
        guard !models.isEmpty else { return }
        writer.member("models", items: models) { writer, models in
            writer.object {
                $0.member("model", models.pattern)
                $0.member("deviceMilli", models.deviceMilli)
            }
        }
    }

    private func amounts(_ amounts: RoomAmounts?, to writer: inout JSONWriter) {
        writer.member("cpuMilli", amounts?[.cpu] ?? 0)
        writer.member("memoryBytes", amounts?[.memory] ?? 0)
        writer.member("deviceMilli", amounts?[.devices] ?? 0)
        writer.member("computeUnitsMilli", amounts?[.computeUnits] ?? 0)
    }

    private func write(_ use: ShareUse?, to writer: inout JSONWriter) {
        if let user = use?.user { writer.member("user", user) }
        amounts(use?.held, to: &writer)
        writer.member("runningTasks", use?.tasks ?? 0)
        if case .quota(let quota) = share.object {
            writer.member("queuedJobs", use?.jobs ?? 0)
            let counted = zip(quota.models, use?.models ?? []).map { QuotaRecord.Models(pattern: $0.pattern, deviceMilli: $1) }
            write(counted, to: &writer)
        } else if case .pool = share.object {
            return
        } else {
            writer.member("jobs", use?.jobs ?? 0)
            writer.member("recentMilli", use?.recentMilli ?? 0)
        }
    }
}
