/// A picture of curves in per cent over something else, as SVG.
struct LineChart {
    private let xMax: Double
    private var body = ""
    private var lines = 0

    private static let (width, height, left, top, right, bottom) = (860.0, 420.0, 60.0, 30.0, 190.0, 50.0)
    /// Told apart by those who see few colours (Okabe and Ito 2008).
    private static let colours = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000"]

    init(xMax: Double) { self.xMax = xMax }

    var svg: String {
        """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" font-family="sans-serif" font-size="12">
        <rect width="100%" height="100%" fill="white"/>

        """ + body + "</svg>\n"
    }

    mutating func grid(xStep: Double, _ name: (Double) -> String) {
        for tick in stride(from: 0.0, through: 100, by: 20) {
            rule(x(0), y(tick), x(xMax), y(tick), "#ddd")
            text(Self.left - 8, y(tick) + 4, "end", "\(Int(tick)) %")
        }
        for tick in stride(from: 0.0, through: xMax, by: xStep) {
            rule(x(tick), y(0), x(tick), y(100), "#ddd")
            text(x(tick), y(0) + 18, "middle", name(tick))
        }
    }

    /// What the horizontal axis shows.
    mutating func label(x at: Double, _ words: String) { text(x(at), Self.height - 10, "middle", words) }
    mutating func title(_ words: String) { text(Self.left, Self.top - 12, "start", words) }

    /// Two curves of one colour, with its name.
    mutating func line(_ name: String, solid: [(Double, Double)], dashed: [(Double, Double)]) {
        let colour = Self.colours[lines % Self.colours.count]
        curve(solid, colour, "")
        curve(dashed, colour, " stroke-dasharray=\"5 4\"")
        let y = Self.top + 20 + Double(lines) * 20
        rule(Self.width - Self.right + 20, y, Self.width - Self.right + 44, y, colour)
        text(Self.width - Self.right + 50, y + 4, "start", name)
        lines += 1
    }

    private func x(_ value: Double) -> Double { Self.left + (Self.width - Self.left - Self.right) * value / xMax }
    private func y(_ percent: Double) -> Double { Self.top + (Self.height - Self.top - Self.bottom) * (1 - percent / 100) }

    private mutating func rule(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ colour: String) {
        let at = [x1, y1, x2, y2].map { Decimals.text($0, 1) }
        body += "<line x1=\"\(at[0])\" y1=\"\(at[1])\" x2=\"\(at[2])\" y2=\"\(at[3])\" stroke=\"\(colour)\"/>\n"
    }

    private mutating func text(_ x: Double, _ y: Double, _ anchor: String, _ words: String) {
        body += "<text x=\"\(Decimals.text(x, 1))\" y=\"\(Decimals.text(y, 1))\" text-anchor=\"\(anchor)\">\(words)</text>\n"
    }

    private mutating func curve(_ points: [(Double, Double)], _ colour: String, _ style: String) {
        let path = points.map { "\(Decimals.text(x($0.0), 1)),\(Decimals.text(y($0.1), 1))" }.joined(separator: " ")
        body += "<polyline fill=\"none\" stroke=\"\(colour)\" stroke-width=\"1.5\"\(style) points=\"\(path)\"/>\n"
    }
}
