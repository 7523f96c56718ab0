// How long a job's runs are expected to take: by what the user says, else by what runs like it took.

import ClusterModel

/// How much longer one run of a job is expected to go on.
struct RunTimeOutlook: Hashable, Sendable {
    /// On average.
    var mean: Span
    /// By then it is taken to be gone where somebody waits for its room; nil: nothing is known.
    var bound: Span?

    /// Most runs, times this: what others wait for is not left to three chances in four.
    static let margin: Int64 = 4
}

extension SchedulerCore {
    /// - Parameters:
    ///   - age: for how long it has run.
    ///   - done: what it had done before, in runs that were preempted.
    func outlook(of row: JobRow, after age: Span, done: Span = .zero) -> RunTimeOutlook {
        outlook(of: row.specification, kinds: RunTimeKey.kinds(of: row.specification, user: row.user), after: age, done: done)
    }

    /// How long the next gang of a job is expected to run, less what it has done.
    func outlook(of row: JobRow) -> RunTimeOutlook {
        let done = row.specification.unitCount == 1 && row.hasHistory ? row.history.progress[0] : nil
        return outlook(of: row, after: .zero, done: done ?? .zero)
    }

    /// As the other, for whoever has the job's kinds at hand.
    func outlook(of specification: JobSpecification, kinds: [RunTimeKey], after run: Span, done: Span = .zero) -> RunTimeOutlook {
        let age = run + done
        let milliseconds = max(0, age.nanoseconds / 1_000_000)
        var outlook: RunTimeOutlook
        if let estimate = specification.estimate {
            // Estimates are exceeded: then by a part of what has passed, and by a minute at least.
            let left = age < estimate ? estimate.nanoseconds - age.nanoseconds : max(60_000_000_000, age.nanoseconds / 4)
            outlook = RunTimeOutlook(mean: Span(nanoseconds: left), bound: Span(nanoseconds: left))
        } else {
            outlook = RunTimeOutlook(
                mean: .milliseconds(runTimes.mean(of: kinds, beyond: milliseconds)),
                bound: runTimes.most(of: kinds, beyond: milliseconds).map { .milliseconds(RunTimeOutlook.margin * $0) })
        }
        // A limit is certain: no attempt runs longer.
        guard let limit = specification.timeLimit else { return outlook }
        let left = Span(nanoseconds: max(0, limit.nanoseconds - run.nanoseconds))
        return RunTimeOutlook(mean: min(outlook.mean, left), bound: min(outlook.bound ?? left, left))
    }

    /// A gang that ended by itself, or at its limit, says how long its like takes.
    mutating func learnRunTime(of ended: EndedAttempt, _ row: JobRow) {
        guard rules >= 1, ended.end.cause == .exited || ended.end.cause == .timeLimit, ended.end.elapsed > .zero,
            case .finished = ended.disposition
        else { return }
        let ordinal = ended.attempt.task.index / row.gangSize
        let run = ended.end.elapsed + (row.hasHistory ? row.history.progress[ordinal] ?? .zero : .zero)
        runTimes.learn(run, of: RunTimeKey.kinds(of: row.specification, user: row.user))
    }
}
