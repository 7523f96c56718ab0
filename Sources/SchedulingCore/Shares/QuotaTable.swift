// Quotas with what is counted under each: Protocols/lifecycle.md, "Quotas".

import ClusterModel

/// Where something is counted: a quota, and of one that each user has for himself, whose.
struct QuotaCount: Hashable, Sendable {
    /// The place of the quota in the table.
    var quota: Int
    /// Empty where all are counted together.
    var user: String
}

/// What is counted under a quota.
struct QuotaUse: Hashable, Sendable {
    var held = RoomAmounts.zero
    /// Thousandths of devices, in the order of the quota's `models`.
    var models: [Int64]
    var tasks: Int64 = 0
    var queuedJobs: Int64 = 0
}

/// What would exceed a limit: the limit, and how it stands.
public struct QuotaMiss: Error, Hashable, Sendable {
    public enum Limit: Hashable, Sendable {
        case quota(String, user: String)
        case queueCeiling(String)
        case queueBorrowing(String)
        /// Room that is kept for the guarantees of others: all of it from firm work, what is not lent from any.
        case guarantees(isFirm: Bool)
    }

    public var limit: Limit
    /// Such as "8 devices".
    public var most: String
    /// Nil where it makes no difference.
    public var held: String?
    public var requested: String

    /// Completes "waits: …".
    public var sentence: String {
        let held = held.map { ", \($0) held" } ?? ""
        return switch limit {
        case .quota(let name, let user):
            "the quota '\(name)' allows \(most)\(user.isEmpty ? "" : " to '\(user)'")\(held), \(requested) more requested"
        case .queueCeiling(let queue): "the queue '\(queue)' has a ceiling of \(most)\(held), \(requested) more requested"
        case .queueBorrowing(let queue):
            "the queue '\(queue)' may hold \(most), its guarantee and what it borrows\(held), \(requested) more requested"
        case .guarantees(isFirm: true):
            "only \(most) are not kept for the guarantees of other queues, \(requested) requested; a job that is preemptible may use them"
        case .guarantees(isFirm: false):
            "only \(most) are not kept for the guarantees of other queues, which do not lend them; \(requested) requested"
        }
    }
}

struct QuotaTable: Sendable {
    struct Row: Sendable {
        let record: QuotaRecord
        let patterns: [GlobPattern]
        var uses: [String: QuotaUse] = [:]

        init(_ record: QuotaRecord) {
            self.record = record
            patterns = record.models.map { GlobPattern($0.pattern) }
        }

        var unused: QuotaUse { QuotaUse(models: [Int64](repeating: 0, count: record.models.count)) }
    }

    /// In the order of their names.
    private(set) var rows: [Row] = []

    init() {}

    init(_ records: [QuotaRecord]) { rows = records.sorted { $0.name < $1.name }.map { Row($0) } }

    var isEmpty: Bool { rows.isEmpty }

    /// Where what an account holds is counted.
    func counts(of name: AccountName) -> [QuotaCount] {
        rows.indices.compactMap { index in
            let record = rows[index].record
            func isNamed(_ selector: String?, _ text: String) -> Bool { selector.map { $0 == text } ?? true }
            guard isNamed(record.tenant, name.tenant), isNamed(record.project, name.project), isNamed(record.user, name.user),
                isNamed(record.queue, name.queue)
            else { return nil }
            return QuotaCount(quota: index, user: record.isForEachUser ? name.user : "")
        }
    }

    func use(_ count: QuotaCount) -> QuotaUse { rows[count.quota].uses[count.user] ?? rows[count.quota].unused }

    mutating func update(_ count: QuotaCount, _ body: (inout QuotaUse, Row) -> Void) {
        let row = rows[count.quota]
        var use = use(count)
        body(&use, row)
        rows[count.quota].uses[count.user] = use == row.unused ? nil : use
    }
}

extension QuotaTable.Row {
    /// What of it the grants are, in the order of `models`.
    func models(of grants: [DeviceGrant], devices: [Device]) -> [Int64] {
        patterns.map { pattern in
            grants.reduce(0) { sum, grant in
                guard Int(grant.index) < devices.count, pattern.matches(devices[Int(grant.index)].model) else { return sum }
                return sum + grant.shareMilli
            }
        }
    }

    /// Why so much more would be too much.
    func miss(of use: QuotaUse, user: String, adding amounts: RoomAmounts, tasks: Int64, models: [Int64]) -> QuotaMiss? {
        let limit = QuotaMiss.Limit.quota(record.name, user: user)
        for kind in RoomKind.allCases {
            guard let most = record.room[kind], amounts[kind] > 0, use.held[kind] + amounts[kind] > most else { continue }
            return QuotaMiss(limit: limit, most: kind.text(most), held: kind.text(use.held[kind]), requested: kind.text(amounts[kind]))
        }
        for (index, model) in record.models.enumerated() where index < models.count && models[index] > 0 {
            guard use.models[index] + models[index] > model.deviceMilli else { continue }
            let like = " like '\(model.pattern)'"
            return QuotaMiss(
                limit: limit, most: RoomKind.devices.text(model.deviceMilli) + like, held: RoomKind.devices.text(use.models[index]),
                requested: RoomKind.devices.text(models[index]))
        }
        if let most = record.runningTasks, tasks > 0, use.tasks + tasks > Int64(most) {
            return QuotaMiss(limit: limit, most: "\(most) running tasks", held: "\(use.tasks)", requested: "\(tasks)")
        }
        return nil
    }
}
