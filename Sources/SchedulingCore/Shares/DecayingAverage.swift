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

    /// 2^(−2^−k) for k from 1, rounded: products of these are the same in every process, powers of a library are not.
    private static let roots: [Double] = [
        0x1.6a09e667f3bcdp-1, 0x1.ae89f995ad3adp-1, 0x1.d5818dcfba487p-1, 0x1.ea4afa2a490dap-1,
        0x1.f50765b6e4540p-1, 0x1.fa7c1819e90d8p-1, 0x1.fd3c22b8f71f1p-1, 0x1.fe9d96b2a23d9p-1,
        0x1.ff4eaca4391b6p-1, 0x1.ffa74ea381efcp-1, 0x1.ffd3a565efb65p-1, 0x1.ffe9d237fe372p-1,
        0x1.fff4e8fd40081p-1, 0x1.fffa7476f029dp-1, 0x1.fffd3a398c1bbp-1, 0x1.fffe9d1c4b0f3p-1,
        0x1.ffff4e8e06c7fp-1, 0x1.ffffa746fbb40p-1, 0x1.ffffd3a37bee0p-1, 0x1.ffffe9d1bd7c0p-1,
        0x1.fffff4e8de9f4p-1, 0x1.fffffa746f47fp-1, 0x1.fffffd3a37a21p-1, 0x1.fffffe9d1bd09p-1,
        0x1.ffffff4e8de82p-1, 0x1.ffffffa746f41p-1, 0x1.ffffffd3a37a0p-1, 0x1.ffffffe9d1bd0p-1,
        0x1.fffffff4e8de8p-1, 0x1.fffffffa746f4p-1, 0x1.fffffffd3a37ap-1, 0x1.fffffffe9d1bdp-1,
    ]

    /// The part that is left of the past.
    static func kept(after elapsed: Span, halfLife: Span) -> Double {
        let (halves, rest) = elapsed.nanoseconds.quotientAndRemainder(dividingBy: max(1, halfLife.nanoseconds))
        guard halves < 64 else { return 0 }
        var kept = 1 / Double(UInt64(1) << UInt64(halves))
        // The part of a half-life, bit by bit.
        var fraction = UInt32(min(Double(rest) / Double(max(1, halfLife.nanoseconds)) * 4_294_967_296, 4_294_967_295))
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
