import Placement
import SimulationKit

/// Idle devices, and those idle in vain, over what has arrived.
struct CurveChart {
    var outcomes: [PlacementSimulation.Outcome]

    private static let (width, height, left, top, right, bottom) = (860.0, 420.0, 60.0, 30.0, 190.0, 50.0)
    /// Told apart by those who see few colours (Okabe and Ito 2008).
    private static let colours = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9"]

    private var xMax: Double { max(100, outcomes.flatMap(\.curve).map(\.arrivedPercent).max() ?? 100) }

    var svg: String {
        var text = """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" font-family="sans-serif" font-size="12">
            <rect width="100%" height="100%" fill="white"/>

            """
        for tick in stride(from: 0.0, through: 100, by: 20) {
            text += line(x(0), y(tick), x(xMax), y(tick), "#ddd") + label(Self.left - 8, y(tick) + 4, "end", "\(Int(tick)) %")
        }
        for tick in stride(from: 0.0, through: xMax, by: 20) {
            text += line(x(tick), y(0), x(tick), y(100), "#ddd") + label(x(tick), y(0) + 18, "middle", "\(Int(tick)) %")
        }
        text += label(x(xMax / 2), Self.height - 10, "middle", "devices asked for, of all")
        text += label(Self.left, Self.top - 12, "start", "devices idle (solid), and idle in vain (dashed), of all")
        for (index, outcome) in outcomes.enumerated() {
            let colour = Self.colours[index % Self.colours.count]
            text += curve(outcome.curve.map { ($0.arrivedPercent, $0.unallocatedPercent) }, colour, "")
            text += curve(outcome.curve.map { ($0.arrivedPercent, $0.fragmentedPercent) }, colour, " stroke-dasharray=\"5 4\"")
            let y = Self.top + 20 + Double(index) * 20
            text += line(Self.width - Self.right + 20, y, Self.width - Self.right + 44, y, colour)
            let full = outcome.unallocatedPercentAtFull.map { " (\(Decimals.text($0, 2)) %)" } ?? ""
            text += label(Self.width - Self.right + 50, y + 4, "start", outcome.policy.rawValue + full)
        }
        return text + "</svg>\n"
    }

    private func x(_ percent: Double) -> Double { Self.left + (Self.width - Self.left - Self.right) * percent / xMax }
    private func y(_ percent: Double) -> Double { Self.top + (Self.height - Self.top - Self.bottom) * (1 - percent / 100) }

    private func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ colour: String) -> String {
        let at = [x1, y1, x2, y2].map { Decimals.text($0, 1) }
        return "<line x1=\"\(at[0])\" y1=\"\(at[1])\" x2=\"\(at[2])\" y2=\"\(at[3])\" stroke=\"\(colour)\"/>\n"
    }

    private func label(_ x: Double, _ y: Double, _ anchor: String, _ words: String) -> String {
        "<text x=\"\(Decimals.text(x, 1))\" y=\"\(Decimals.text(y, 1))\" text-anchor=\"\(anchor)\">\(words)</text>\n"
    }

    private func curve(_ points: [(Double, Double)], _ colour: String, _ style: String) -> String {
        let path = points.map { "\(Decimals.text(x($0.0), 1)),\(Decimals.text(y($0.1), 1))" }.joined(separator: " ")
        return "<polyline fill=\"none\" stroke=\"\(colour)\" stroke-width=\"1.5\"\(style) points=\"\(path)\"/>\n"
    }
}
