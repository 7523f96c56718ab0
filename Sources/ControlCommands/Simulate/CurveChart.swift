import Placement
import SimulationKit

/// Idle devices, and those idle in vain, over what has arrived.
struct CurveChart {
    var outcomes: [PlacementSimulation.Outcome]

    var svg: String {
        let xMax = max(100, outcomes.flatMap(\.curve).map(\.arrivedPercent).max() ?? 100)
        var picture = LineChart(xMax: xMax)
        picture.grid(xStep: 20) { "\(Int($0)) %" }
        picture.label(x: xMax / 2, "devices asked for, of all")
        picture.title("devices idle (solid), and idle in vain (dashed), of all")
        for outcome in outcomes {
            let full = outcome.unallocatedPercentAtFull.map { " (\(Decimals.text($0, 2)) %)" } ?? ""
            picture.line(
                outcome.policy.rawValue + full, solid: outcome.curve.map { ($0.arrivedPercent, $0.unallocatedPercent) },
                dashed: outcome.curve.map { ($0.arrivedPercent, $0.fragmentedPercent) })
        }
        return picture.svg
    }
}
