// What is expected to come, learned from what came.

/// How often each shape was asked for, by the numbers that a `Fleet` gives to shapes.
public struct WorkloadMix: Hashable, Sendable {
    /// Arrivals of each shape.
    public private(set) var counts: [Double] = []
    public private(set) var arrivals = 0.0
    /// Tasks that ended, of as many arrivals. Both fade alike, so that their ratio says how it has been lately.
    private var recentArrivals = 0.0
    private var recentEnds = 0.0
    /// An arrival counts half or less after as many more.
    private static let halfLife = 4096.0
    /// So many tasks for a whole device are expected before any has come.
    static let prior = 16.0

    public init() {}

    public mutating func expect(_ shape: Int, times: Double) {
        while counts.count <= shape { counts.append(0) }
        counts[shape] += times
        arrivals += times
    }

    public mutating func arrive(_ shape: Int, times: Double) {
        expect(shape, times: times)
        let fading = Self.halfLife / (Self.halfLife + times)
        recentArrivals = recentArrivals * fading + times
        recentEnds *= fading
    }

    public mutating func end() { recentEnds += 1 }

    /// 0 while a cluster fills; 1 when as many tasks end as come.
    public var churn: Double { recentArrivals > 0 ? min(1, recentEnds / recentArrivals) : 0 }

    /// The most frequent shapes that make up `share` of all, with their part of that.
    public func typical(share: Double) -> [(shape: Int, weight: Double)] {
        let order = counts.indices.filter { counts[$0] > 0 }.sorted { (-counts[$0], $0) < (-counts[$1], $1) }
        var taken: [(shape: Int, weight: Double)] = []
        var sum = 0.0
        for shape in order where sum < share * arrivals {
            taken.append((shape, counts[shape]))
            sum += counts[shape]
        }
        return taken.map { ($0.shape, $0.weight / sum) }
    }
}
