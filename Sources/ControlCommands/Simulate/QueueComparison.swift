import SimulationKit

/// Two policies on the same jobs, job by job.
struct QueueComparison {
    let policy: QueuePolicy
    let beside: QueuePolicy
    /// Of the second by the first; nil where the first has none.
    private(set) var ratios: [(name: String, ratio: Double?)] = []
    /// Jobs that waited more than a second less, or longer, than under the first.
    private(set) var sooner = 0
    private(set) var later = 0

    init(_ outcome: QueueOutcome, beside first: QueueOutcome) {
        (policy, beside) = (outcome.policy, first.policy)
        ratios = [
            ("meanWait", outcome.wait.mean, first.wait.mean), ("p99Wait", outcome.wait.ninetyNine, first.wait.ninetyNine),
            ("longestWait", outcome.wait.most, first.wait.most), ("gangWait", outcome.gangWait.mean, first.gangWait.mean),
            ("meanCompletion", outcome.completion.mean, first.completion.mean), ("used", outcome.usedPercent, first.usedPercent),
        ].map { ($0.0, $0.2 > 0 ? $0.1 / $0.2 : nil) }
        for (own, other) in zip(outcome.waits, first.waits) {
            if own < other - 1 { sooner += 1 } else if own > other + 1 { later += 1 }
        }
    }

    var json: JSONValue {
        .object(
            JSONObject(
                [.init(name: "policy", value: .string(policy.rawValue)), .init(name: "beside", value: .string(beside.rawValue))]
                    + ratios.map { .init(name: $0.name, value: $0.ratio.map { .number(Decimals.text($0, 3)) } ?? .null) }
                    + [.init(name: "jobsSooner", value: .integer(sooner)), .init(name: "jobsLater", value: .integer(later))]))
    }
}

extension QueueReport {
    /// The others beside the first.
    var comparisons: [QueueComparison] {
        guard let first = outcomes.first else { return [] }
        return outcomes.dropFirst().map { QueueComparison($0, beside: first) }
    }

    var comparisonTable: String {
        var table = Table(
            [.init("BESIDE \((outcomes.first?.policy.rawValue ?? "").uppercased())")]
                + ["WAIT", "99 %", "LONGEST", "GANGS' WAIT", "JCT", "USED", "JOBS SOONER", "LATER"].map { .init($0, isRightAligned: true) })
        for comparison in comparisons {
            table.append(
                [.init(comparison.policy.rawValue)]
                    + comparison.ratios.map { .init($0.ratio.map { "× \(Decimals.text($0, 2))" } ?? "-") }
                    + [.init("\(comparison.sooner)"), .init("\(comparison.later)")])
        }
        return table.text(isWide: false, hasColour: false)
    }
}
