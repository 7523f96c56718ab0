/// What happened last in a run, for people. A class, so that keeping a line changes nothing of the run.
final class SimulationLog {
    /// Lines that are kept; none are made when it is 0.
    var limit = 0
    private var kept: [String] = []

    var lines: [String] { kept.suffix(limit) }

    func note(_ step: Int, _ now: Int64, _ text: @autoclosure () -> String) {
        guard limit > 0 else { return }
        kept.append("step \(step), \(now / 1_000_000) ms: \(text())")
        if kept.count > 2 * limit { kept.removeFirst(limit) }
    }
}
