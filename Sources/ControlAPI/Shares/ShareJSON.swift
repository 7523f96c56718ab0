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

    private func write(_ use: ShareUse?, to writer: inout JSONWriter) {
        if let user = use?.user { writer.member("user", user) }
        writer.member("cpuMilli", use?.held[.cpu] ?? 0)
        writer.member("memoryBytes", use?.held[.memory] ?? 0)
        writer.member("deviceMilli", use?.held[.devices] ?? 0)
        writer.member("computeUnitsMilli", use?.held[.computeUnits] ?? 0)
        writer.member("runningTasks", use?.tasks ?? 0)
        if case .quota(let quota) = share.object {
            writer.member("queuedJobs", use?.jobs ?? 0)
            let counted = zip(quota.models, use?.models ?? []).map { QuotaRecord.Models(pattern: $0.pattern, deviceMilli: $1) }
            write(counted, to: &writer)
        } else {
            writer.member("jobs", use?.jobs ?? 0)
            writer.member("recentMilli", use?.recentMilli ?? 0)
        }
    }
}
