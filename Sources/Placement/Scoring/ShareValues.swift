// What the rest of a device is worth, given what is expected to come.
//
// Tasks that ask for parts of a device pack into it as pieces are cut from a stock: 470 + 470 leaves 60 that nobody wants,
// 650 + 320 leaves 30. The linear program of the cutting stock problem (Gilmore and Gomory, Operations Research 1961)
// finds how the expected pieces fill devices best; its dual values price each piece, and with them each rest.

/// Values in thousandths of the price that a whole device would fetch per thousandth: a piece's price is what a device
/// loses for the others by holding it.
public struct ShareValues: Hashable, Sendable {
    /// By rest, 0 … 1000 thousandths: the most that pieces which fit the rest are worth together.
    private let values: [Double]
    /// By share, 1 … 1000.
    private let prices: [Int64: Double]

    /// - Parameter demand: How many devices are asked for at each share, 1 … 1000 thousandths; only the ratios matter.
    public init(demand: [Int64: Double]) {
        let pieces = demand.filter { $0.value > 0 && (1...1000).contains($0.key) }.sorted { $0.key < $1.key }
        var program = CuttingStock(sizes: pieces.map { Int($0.key) }, demand: pieces.map(\.value))
        program.solve()
        values = program.values
        prices = Dictionary(uniqueKeysWithValues: zip(pieces.map(\.key), program.prices))
    }

    /// What `rest` thousandths of a device can still bring.
    public func value(ofRest rest: Int64) -> Double { values[Int(min(max(rest, 0), 1000))] }

    /// What a piece of this share brings. A share that is not expected brings what the best pieces would that fit into it.
    public func price(ofShare share: Int64) -> Double { prices[share] ?? value(ofRest: share) }

    /// What is lost when a piece of `share` goes onto a device with `rest`: 0 when it completes a best filling.
    public func loss(placing share: Int64, intoRest rest: Int64) -> Double {
        max(0, value(ofRest: rest) - value(ofRest: rest - share) - price(ofShare: share))
    }
}
