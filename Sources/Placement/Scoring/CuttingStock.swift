// The linear program behind `ShareValues`.

/// Maximises the devices' filling: patterns of pieces, each at most as often as it is asked for.
///
/// Primal simplex over a basis of as many columns as there are sizes, and one; patterns enter as a knapsack finds them.
struct CuttingStock {
    static let capacity = 1000
    /// Far more than any mix needs. Whatever prices stand then are used.
    private static let stepsMax = 400
    private static let epsilon = 1e-7

    private let sizes: [Int]
    /// Rows of the basis' inverse, one a size, the last for the devices.
    private var inverse: [[Double]]
    private var amounts: [Double]
    /// What a unit of each basic column fills, in thousandths.
    private var filled: [Double]
    private(set) var prices: [Double]
    /// By rest: the most that pieces which fit into it are worth.
    private(set) var values: [Double]

    init(sizes: [Int], demand: [Double]) {
        self.sizes = sizes
        let rows = sizes.count + 1
        inverse = (0..<rows).map { row in (0..<rows).map { $0 == row ? 1 : 0 } }
        // As many devices as the demand fills: all of it is just too much, as in a cluster that is just full.
        let devices = zip(sizes, demand).reduce(0) { $0 + Double($1.0) * $1.1 } / Double(Self.capacity)
        amounts = (demand + [devices]).map { $0 / max(devices, Self.epsilon) * 1000 }
        filled = Array(repeating: 0, count: rows)
        prices = sizes.map(Double.init)
        values = Array(repeating: 0, count: Self.capacity + 1)
    }

    mutating func solve() {
        for _ in 0..<Self.stepsMax {
            let duals = rowDuals()
            prices = zip(sizes, duals).map { max(0, Double($0) - $1) }
            let choices = fillKnapsack()
            let device = duals[sizes.count]
            if let slack = duals.indices.first(where: { duals[$0] < -Self.epsilon }) {
                var column = Array(repeating: 0.0, count: duals.count)
                column[slack] = 1
                guard enter(column, filling: 0) else { return }
            } else if values[Self.capacity] > device + Self.epsilon {
                let (column, filling) = pattern(choices)
                guard enter(column, filling: filling) else { return }
            } else {
                return
            }
        }
    }

    private func rowDuals() -> [Double] {
        inverse.indices.map { column in inverse.indices.reduce(0) { $0 + filled[$1] * inverse[$1][column] } }
    }

    /// Unbounded knapsack over all rests at the present prices. Returns the piece that ends the best filling of each rest; -1: none.
    private mutating func fillKnapsack() -> [Int] {
        var choices = Array(repeating: -1, count: Self.capacity + 1)
        for rest in 1...Self.capacity {
            values[rest] = values[rest - 1]
            for (index, size) in sizes.enumerated() where size <= rest && values[rest - size] + prices[index] > values[rest] + Self.epsilon
            {
                values[rest] = values[rest - size] + prices[index]
                choices[rest] = index
            }
        }
        return choices
    }

    private func pattern(_ choices: [Int]) -> (column: [Double], filling: Double) {
        var column = Array(repeating: 0.0, count: sizes.count + 1)
        var (rest, filling) = (Self.capacity, 0)
        while rest > 0 {
            guard choices[rest] >= 0 else {
                rest -= 1
                continue
            }
            let piece = choices[rest]
            column[piece] += 1
            filling += sizes[piece]
            rest -= sizes[piece]
        }
        column[sizes.count] = 1
        return (column, Double(filling))
    }

    /// One pivot. False: the column can grow without bound, which only rounding can cause.
    private mutating func enter(_ column: [Double], filling: Double) -> Bool {
        let direction = inverse.map { row in zip(row, column).reduce(0) { $0 + $1.0 * $1.1 } }
        var leaving = -1
        for row in direction.indices where direction[row] > Self.epsilon {
            if leaving < 0 || amounts[row] * direction[leaving] < amounts[leaving] * direction[row] { leaving = row }
        }
        guard leaving >= 0 else { return false }
        let pivot = direction[leaving]
        for column in inverse.indices { inverse[leaving][column] /= pivot }
        amounts[leaving] /= pivot
        filled[leaving] = filling
        for row in direction.indices where row != leaving && direction[row] != 0 {
            for column in inverse.indices { inverse[row][column] -= direction[row] * inverse[leaving][column] }
            amounts[row] = max(0, amounts[row] - direction[row] * amounts[leaving])
        }
        return true
    }
}
