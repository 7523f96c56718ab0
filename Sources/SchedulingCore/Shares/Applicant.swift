// What limits judge: whose a request is, and how large.

import ClusterModel
import Placement

/// A request by somebody: of a job that waits, or of one that nobody has submitted.
struct Applicant: Sendable {
    var shape: RequestClass
    /// The queue it is in; the root for one of which nothing is known.
    var queue: AccountID
    /// Where what it holds is counted.
    var counts: [QuotaCount]
    /// It cannot be preempted.
    var isFirm: Bool
}

extension SchedulerCore {
    /// nil where nothing bounds what jobs of its account hold.
    func limitedApplicant(_ row: JobRow) -> Applicant? {
        guard !isUnlimited(row), let shape = shapes[row.shape]?.shape else { return nil }
        return Applicant(
            shape: shape, queue: accounts.ancestor(of: row.account, at: .queue), counts: accounts[row.account].quotas,
            isFirm: !row.specification.isPreemptible)
    }

    /// Of a job that need not be there.
    func limitedApplicant(_ specification: JobSpecification, user: String) -> Applicant? {
        let counts = quotas.counts(of: AccountName(of: specification, user: user))
        guard !accounts.isUnbounded || !counts.isEmpty else { return nil }
        return Applicant(
            shape: RequestClass(of: specification), queue: accounts.known(queue: specification.queue) ?? .root, counts: counts,
            isFirm: !specification.isPreemptible)
    }

    /// Nothing bounds what jobs of the account hold.
    private func isUnlimited(_ row: JobRow) -> Bool { accounts.isUnbounded && (quotas.isEmpty || accounts[row.account].quotas.isEmpty) }

    // MARK: Of a job

    func quotaMiss(of row: JobRow, _ places: some Collection<TaskPlace>) -> QuotaMiss? {
        limitedApplicant(row).flatMap { quotaMiss(of: $0, places) }
    }

    func quotaMiss(of row: JobRow, beside more: RoomAmounts = .zero, tasks: Int64 = 0) -> QuotaMiss? {
        limitedApplicant(row).flatMap { quotaMiss(of: $0, beside: more, tasks: tasks) }
    }

    /// The first way of having devices in which a gang of the job may start as far as limits go; nil: none now.
    func allowedWay(of row: JobRow) -> RequestClass? {
        guard let applicant = limitedApplicant(row) else { return shapes[row.shape]?.shape }
        return allowedWay(of: applicant)
    }
}
