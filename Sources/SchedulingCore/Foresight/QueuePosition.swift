// How much goes before a job, as things stand: Protocols/lifecycle.md, "Order" and "Foresight".

import ClusterModel

/// A place in the order in which jobs are tried. Shares move with every start, so it is true of one moment.
public struct QueuePosition: Hashable, Sendable {
    /// Jobs that would be tried before it, now.
    public var ahead: Int
    /// All jobs that could start for all that they asked for, it among them.
    public var waiting: Int
    /// There are so many that not all were looked at.
    public var isLeast: Bool
    /// What those ahead are expected to take: seconds of the whole cluster.
    var work: Double
}

extension SchedulerCore {
    /// Lanes and jobs that are looked at, at most.
    private static let stepsMax = 100_000
    /// What it takes to count those of a lane that came before a job.
    private static let jobsPerStep = 64

    /// nil: it could not start for reasons of its own.
    borrowing func position(of job: JobID, at now: LogicalTime) -> QueuePosition? {
        guard let row = jobs[job], row.readySet(at: now) != nil else { return nil }
        let claim = claim(of: job, at: now)
        let own = Place(account: row.account, standing: standing(of: row.lane, at: now), turn: claim.turn(in: row.lane, at: now))
        return position(of: own, lane: row.lane, at: now)
    }

    /// Of a job that would come now.
    borrowing func position(of specification: JobSpecification, user: String, at now: LogicalTime) -> QueuePosition {
        let name = AccountName(of: specification, user: user)
        let account = accounts.known(name)
        // Whoever has never held anything goes before those who have.
        var standing = accounts.path(from: account.id).reversed().filter { $0 != .root }.flatMap { id -> [Double] in
            let rank = rank(of: id, at: now)
            return [Double(rank.tier), rank.value] + (accounts[id].level == .tenant ? [-Double(specification.priority)] : [])
        }
        for level in account.missing { standing += [1, 0] + (level == .tenant ? [-Double(specification.priority)] : []) }
        let turn = Turn(
            lane: LaneID(priority: specification.priority, account: account.id, shape: RequestClassID(.max)), job: JobID(lastJob + 1),
            need: 0)
        var position = position(
            of: Place(account: account.missing.isEmpty ? account.id : nil, standing: standing, turn: turn), lane: nil, at: now)
        position.waiting += 1
        return position
    }

    private struct Place {
        /// nil: no job is of it.
        var account: AccountID?
        var standing: [Double]
        var turn: Turn
    }

    private borrowing func position(of own: Place, lane: LaneID?, at now: LogicalTime) -> QueuePosition {
        var position = QueuePosition(ahead: 0, waiting: 0, isLeast: false, work: 0)
        var standings: [LaneID: [Double]] = [:]
        var steps = 0
        queue.forEachLane { other, first, jobs in
            steps += 1
            position.waiting += jobs
            var ahead = 0
            if other == lane {
                steps += jobs / Self.jobsPerStep
                ahead = queue.count(in: other, before: own.turn.job)
            } else if other.account == own.account, other.priority == own.turn.lane.priority {
                // Of one user those go first that have waited longest for what they need; who has just come goes last.
                if own.turn.need == 0 { ahead = jobs }
                var next: JobID? = first
                while own.turn.need > 0, let job = next, steps < Self.stepsMax, claim(of: job, at: now).turn(in: other, at: now) < own.turn
                {
                    ahead += 1
                    steps += 1
                    next = queue.first(of: other, from: job.value + 1)
                }
            } else {
                let band = LaneID(priority: other.priority, account: other.account, shape: RequestClassID(0))
                let known = standings[band] ?? standing(of: other, at: now)
                standings[band] = known
                // Equals go by who came first.
                let isEqual = known == own.standing
                if isEqual { steps += jobs / Self.jobsPerStep }
                ahead = isEqual ? queue.count(in: other, before: own.turn.job) : known.lexicographicallyPrecedes(own.standing) ? jobs : 0
            }
            position.ahead += ahead
            if ahead > 0 { position.work += claim(of: first, at: now).amount / 1e9 * Double(units(of: first)) * Double(ahead) }
            return steps < Self.stepsMax
        }
        position.isLeast = steps >= Self.stepsMax
        return position
    }

    /// Gangs of a job that wait.
    private borrowing func units(of job: JobID) -> UInt64 { jobs[job]?.waiting.reduce(0) { $0 + $1.units.count } ?? 0 }
}
