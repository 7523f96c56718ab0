/// Chance under a seed: SplitMix64 (Steele, Lea, Flood 2014), one stream for each purpose so that a draw added in one
/// place does not shift those of another.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64, stream: UInt64 = 0) {
        // Mixed before it is stepped: a seed that were only multiplied would give the draws of the seed before it, less the first.
        state = Self.mixed(Self.mixed(seed &+ 0x9E37_79B9_7F4A_7C15) &+ stream &* 0xD1B5_4A32_D192_ED03)
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mixed(state)
    }

    private static func mixed(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// 0 … bound-1; the bias of the remainder is below 2^-32 for the small bounds used here.
    public mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(bound, 1))) }

    /// The numbers below `count` in an order of chance (Fisher and Yates).
    public mutating func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        for index in order.indices.dropFirst().reversed() { order.swapAt(index, below(index + 1)) }
        return order
    }

    public mutating func between(_ low: Int64, _ high: Int64) -> Int64 { low + Int64(below(Int(high - low + 1))) }

    /// True once in `1000 / milli` draws.
    public mutating func chance(milli: Int) -> Bool { below(1000) < milli }
}
