import SimulationKit

/// Devices in use, and jobs that wait, over time.
struct QueueChart {
    var outcomes: [QueueOutcome]

    private var days: Double { max(1e-3, (outcomes.flatMap(\.samples).map(\.at).max() ?? 0) / 86_400) }
    private var waitingMost: Double { Double(max(1, outcomes.flatMap(\.samples).map(\.waitingJobs).max() ?? 1)) }

    var svg: String {
        var picture = LineChart(xMax: days)
        picture.label(x: days / 2, "days")
        picture.title("devices in use (solid), of all, and jobs waiting (dashed), of at most \(Int(waitingMost))")
        picture.grid(xStep: Self.step(days)) { Decimals.text($0, days < 5 ? 1 : 0) }
        for outcome in outcomes {
            picture.line(
                "\(outcome.policy.rawValue) (\(Decimals.text(outcome.wait.mean, 0)) s)",
                solid: outcome.samples.map { ($0.at / 86_400, $0.usedPercent) },
                dashed: outcome.samples.map { ($0.at / 86_400, 100 * Double($0.waitingJobs) / waitingMost) })
        }
        return picture.svg
    }

    /// About eight ticks, at 1, 2 or 5 times a power of ten.
    private static func step(_ span: Double) -> Double {
        var power = 1e-3
        while power * 80 < span { power *= 10 }
        return [1, 2, 5, 10].map { $0 * power }.first { span / $0 <= 8 } ?? 10 * power
    }
}
