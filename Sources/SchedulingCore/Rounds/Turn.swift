// Whose turn it is: Protocols/lifecycle.md, "Order".

import ClusterModel
import Placement

/// How long a job waits without complaint: then room is set aside for it.
enum Patience {
    /// Twice as long as it is expected to run …
    static let runs: Int64 = 2
    /// … but at least half a minute: what room set aside costs is not worth less …
    static let least = Span.seconds(30)
    /// … but no longer than half a day …
    static let most = Span.seconds(12 * 3600)
    /// … or a quarter of that for a job that says how long it runs: room is set aside at less cost where less is guessed.
    static let mostWhereSaid = Span.seconds(3 * 3600)

    static func span(expecting run: Span, isSaid: Bool) -> Span {
        let (product, overflow) = run.nanoseconds.multipliedReportingOverflow(by: runs)
        let most = isSaid ? mostWhereSaid : most
        return overflow ? most : max(least, min(most, Span(nanoseconds: product)))
    }
}

/// A lane and its first job when it was put here; a lane may be here more than once.
struct Turn: Comparable, Sendable {
    var lane: LaneID
    var job: JobID
    /// For how long it has waited, in what it is expected to take of the cluster: time by part of all.
    var need: Double

    static func < (left: Turn, right: Turn) -> Bool {
        if left.lane.priority != right.lane.priority { return left.lane.priority > right.lane.priority }
        if left.need != right.need { return left.need > right.need }
        if left.job != right.job { return left.job < right.job }
        return left.lane.shape < right.lane.shape
    }
}

/// What a job is expected to take of the cluster, as it was when that was worked out.
struct Claim: Sendable {
    var job: JobID
    var waitingSince: LogicalTime
    /// Nanoseconds by part of all.
    var amount: Double
    var madeAt: LogicalTime

    /// For so long it is used again: what is expected changes slowly, and working it out costs more than all else of a turn.
    static let lifetime = Span.seconds(10)

    func turn(in lane: LaneID, at now: LogicalTime) -> Turn {
        Turn(lane: lane, job: job, need: Double(max(0, now.nanoseconds - waitingSince.nanoseconds)) / amount)
    }
}

extension SchedulerCore {
    borrowing func claim(of job: JobID, at now: LogicalTime) -> Claim {
        guard let row = jobs[job] else { return Claim(job: job, waitingSince: now, amount: 1, madeAt: now) }
        let run = Double(max(outlook(of: row).mean.nanoseconds, 1_000_000_000))
        return Claim(job: job, waitingSince: row.waitingSince, amount: run * max(share(of: row.shape), 1e-9), madeAt: now)
    }

    /// When a job that still waits gets room set aside. One of which something runs is served, however much of it waits.
    borrowing func overdueTime(of job: JobID, at now: LogicalTime) -> LogicalTime {
        guard let row = jobs[job] else { return .distantFuture }
        let specification = row.specification
        let isSaid = specification.estimate != nil || specification.timeLimit != nil
        let patience = Patience.span(expecting: outlook(of: row).mean, isSaid: isSaid)
        return row.live.isEmpty ? row.waitingSince + patience : now + patience
    }

    /// It has waited as long as anybody should: from then on shares do not count.
    private borrowing func hasStarved(_ job: JobID, at now: LogicalTime) -> Bool {
        guard let row = jobs[job] else { return false }
        let isSaid = row.specification.estimate != nil || row.specification.timeLimit != nil
        return now - row.waitingSince >= (isSaid ? Patience.mostWhereSaid : Patience.most)
    }

    /// How an overdue job stands beside others; the least is first, and what is empty before all.
    borrowing func overdueStanding(of job: JobID, in lane: LaneID, at now: LogicalTime) -> [Double] {
        hasStarved(job, at: now) ? [] : standing(of: lane, at: now)
    }

    /// Whether it waits, and nothing of it runs.
    borrowing func isUnserved(_ job: JobID, at now: LogicalTime) -> Bool {
        guard let row = jobs[job] else { return false }
        return row.live.isEmpty && row.readySet(at: now) != nil
    }

    /// The largest part of the cluster's cores, memory or devices that a gang of the class holds.
    private borrowing func share(of shape: RequestClassID) -> Double {
        guard let groups = shapes[shape]?.shape.groups else { return 0 }
        var (cpu, memory, devices): (Int64, Int64, Int64) = (0, 0, 0)
        for group in groups {
            let count = Int64(group.count)
            cpu += count * group.resources.cpuMilli
            memory += count * group.resources.memoryBytes
            devices += count * (group.resources.devices.map { Int64($0.count) * max(1, $0.shareMilli) } ?? 0)
        }
        let totals = offers.totals
        func part(_ amount: Int64, _ whole: Int64) -> Double { whole > 0 ? Double(amount) / Double(whole) : 0 }
        return max(part(cpu, totals.cpuMilli), part(memory, totals.memoryBytes), part(devices, totals.deviceMilli))
    }
}

extension JobRow {
    /// It could have begun then, for all that it asked for.
    var waitingSince: LogicalTime { max(submittedAt, specification.beginAt ?? .zero, history.releasedAt ?? .zero) }
}
