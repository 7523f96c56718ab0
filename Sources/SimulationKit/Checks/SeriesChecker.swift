import ClusterModel
import SchedulingCore

/// What is promised of jobs that recur, from the events alone: one run waits at most, each run calls the next in its own batch, due times rise,
/// and runs that may not overlap do not.
struct SeriesChecker {
    private struct Run {
        var series: String
        var recurrence: Recurrence
        var due: LogicalTime
        var hasBegun = false
        var hasEnded = false
    }

    /// For look-up; iterate sorted keys.
    private var runs: [JobID: Run] = [:]
    private var runsOfSeries: [String: [JobID]] = [:]
    private var cancelled: Set<JobID> = []

    mutating func note(_ batch: Batch) -> [String] {
        var violations: [String] = []
        var called: [String: LogicalTime] = [:]
        for event in batch.events {
            switch event {
            case .jobAccepted(let job):
                guard let recurrence = job.specification.recurrence,
                    let series = job.specification.labels.first(where: { $0.name == Recurrence.seriesLabel })?.text
                else { break }
                let due = job.specification.beginAt ?? job.at
                if let last = runsOfSeries[series]?.last.flatMap({ runs[$0] }), last.due >= due {
                    violations.append("run \(job.id) of series \(series) is due no later than the one before it")
                }
                runs[job.id] = Run(series: series, recurrence: recurrence, due: due)
                runsOfSeries[series, default: []].append(job.id)
                called[series] = nil
            case .jobCancelRequested(let job, _): cancelled.insert(job)
            case .unitsPlaced(let placed):
                guard let run = runs[placed.job], !run.hasBegun else { break }
                violations += begin(placed.job, run, at: placed.at, &called)
            case .jobFinished(let job):
                guard let run = runs[job.id] else { break }
                runs[job.id]?.hasEnded = true
                if !run.hasBegun, job.reason == .maxPending, !cancelled.contains(job.id) { called[run.series] = run.due }
            default: break
            }
        }
        // Nothing is said of how long a series goes on here: those of the simulation have no end of their own.
        for series in called.keys.sorted() { violations.append("series \(series) ends without having been cancelled") }
        for series in runsOfSeries.keys.sorted() {
            let open = (runsOfSeries[series] ?? []).filter { runs[$0]?.hasBegun == false && runs[$0]?.hasEnded == false }
            if open.count > 1 { violations.append("runs \(open) of series \(series) wait at once") }
        }
        return violations
    }

    private mutating func begin(
        _ id: JobID, _ run: Run, at now: LogicalTime, _ called: inout [String: LogicalTime]
    ) -> [String] {
        runs[id]?.hasBegun = true
        called[run.series] = run.due
        var violations: [String] = []
        if now < run.due { violations.append("run \(id) of series \(run.series) begins before it is due") }
        let others = (runsOfSeries[run.series] ?? []).filter { $0 < id && runs[$0]?.hasBegun == true && runs[$0]?.hasEnded == false }
        if !run.recurrence.mayOverlap, let other = others.first {
            violations.append("run \(id) of series \(run.series) begins while run \(other) goes on")
        }
        return violations
    }
}
