// What somebody has held on average, what is long ago counting less.

import ClusterModel

/// The average of held amounts over all time before, weighted by one half for every half-life that has passed.
///
/// With `h` held since then, the average `a` becomes `a·d + h·(1 − d)`, `d = 2^(−elapsed / half-life)`: exact however often it is
/// looked at. `a` times half-life / ln 2 is the decayed use in amount-seconds.
struct DecayingAverage: Hashable, Sendable {
    private(set) var amounts = SIMD4<Double>(repeating: 0)
    private(set) var asOf = LogicalTime.zero

    init() {}

    func value(at now: LogicalTime, holding held: RoomAmounts, halfLife: Span) -> SIMD4<Double> {
        guard now > asOf else { return amounts }
        let kept = Self.kept(after: now - asOf, halfLife: halfLife)
        return amounts * kept + SIMD4<Double>(held.values) * (1 - kept)
    }

    mutating func settle(at now: LogicalTime, holding held: RoomAmounts, halfLife: Span) {
        guard now > asOf else { return }
        amounts = value(at: now, holding: held, halfLife: halfLife)
        asOf = now
    }

    /// 2^(−2^−k) for k from 1: square roots are exact in every implementation of IEEE 754, powers are not.
    private static let roots: [Double] = (1...32).reduce(into: []) { roots, _ in roots.append((roots.last ?? 0.5).squareRoot()) }

    /// The part that is left of the past.
    static func kept(after elapsed: Span, halfLife: Span) -> Double {
        let (halves, rest) = elapsed.nanoseconds.quotientAndRemainder(dividingBy: max(1, halfLife.nanoseconds))
        guard halves < 64 else { return 0 }
        var kept = 1 / Double(UInt64(1) << UInt64(halves))
        // The part of a half-life, bit by bit.
        var fraction = UInt32(Double(rest) / Double(max(1, halfLife.nanoseconds)) * 4_294_967_296)
        var root = 0
        while fraction != 0 {
            if fraction & 0x8000_0000 != 0 { kept *= roots[root] }
            fraction <<= 1
            root += 1
        }
        return kept
    }
}

extension DecayingAverage: CanonicalValue {
    func write(to writer: inout CanonicalWriter) {
        for index in 0..<4 { writer.write(amounts[index].bitPattern) }
        writer.write(asOf)
    }

    init(from reader: inout CanonicalReader) throws(CanonicalError) {
        for index in 0..<4 { amounts[index] = Double(bitPattern: try reader.readUInt64()) }
        guard (0..<4).allSatisfy({ amounts[$0].isFinite && amounts[$0] >= 0 }) else { throw .malformed("an average that is no amount") }
        asOf = try reader.read()
    }
}
