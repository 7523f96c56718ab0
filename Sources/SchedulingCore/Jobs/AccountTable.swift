// Whose jobs wait: the owners of live jobs, by short numbers.

import ClusterModel

/// On whose behalf a job runs.
struct AccountName: Hashable, Sendable {
    var tenant: String
    var project: String
    var user: String

    init(of specification: JobSpecification, user: String) {
        (tenant, project, self.user) = (specification.tenant, specification.project, user)
    }
}

/// Stands for an account in this process only: numbers are given anew when a state is read.
struct AccountID: Hashable, Comparable, Sendable {
    fileprivate(set) var value: UInt32

    /// Of a row that has just been read and has not entered the table.
    static let none = AccountID(value: .max)

    static func < (left: AccountID, right: AccountID) -> Bool { left.value < right.value }
}

/// Accounts of live jobs. One of which no job is left is forgotten.
struct AccountTable: Sendable {
    private var ids: [AccountName: AccountID] = [:]
    private var rows: [(name: AccountName, jobs: UInt32)] = []
    private var free: [AccountID] = []

    /// For a job that has come.
    mutating func enter(_ name: AccountName) -> AccountID {
        if let id = ids[name] {
            rows[Int(id.value)].jobs += 1
            return id
        }
        let id = free.popLast() ?? AccountID(value: UInt32(rows.count))
        if id.value == UInt32(rows.count) { rows.append((name, 1)) } else { rows[Int(id.value)] = (name, 1) }
        ids[name] = id
        return id
    }

    /// A job of it is gone.
    mutating func leave(_ id: AccountID) {
        let place = Int(id.value)
        rows[place].jobs -= 1
        guard rows[place].jobs == 0 else { return }
        ids[rows[place].name] = nil
        free.append(id)
    }
}
