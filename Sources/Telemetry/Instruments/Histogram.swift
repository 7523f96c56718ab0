import Synchronization

/// How amounts are spread over fixed steps. Amounts are integers in the smallest unit that is measured; the text divides
/// them by `scale`. Observing costs a search over the steps and two atomic instructions.
public final class Histogram: Sendable {
    /// Upper bounds, inclusive, ascending.
    public let bounds: [Int64]
    /// Smallest units in one unit of the text: 10^9 for seconds that are measured in nanoseconds.
    public let scale: Double
    /// One for each bound, and one for what exceeds them all.
    private let buckets: [Counter]
    private let sum = Atomic<Int64>(0)

    public init(bounds: [Int64], scale: Double = 1) {
        precondition(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }, "bounds of a histogram ascend")
        self.bounds = bounds
        self.scale = scale
        buckets = Counter.array(count: bounds.count + 1)
    }

    /// Of durations that are given in nanoseconds.
    public static func seconds(_ bounds: [Double]) -> Histogram {
        Histogram(bounds: bounds.map { Int64(($0 * 1e9).rounded()) }, scale: 1e9)
    }

    /// A clock that stood still or a peer that exaggerates must not make the sum fall: less than nothing counts as nothing.
    public func observe(_ amount: Int64, count: UInt64 = 1) {
        let amount = max(0, amount)
        var index = 0
        while index < bounds.count, bounds[index] < amount { index += 1 }
        buckets[index].add(count)
        sum.wrappingAdd(amount &* Int64(truncatingIfNeeded: count), ordering: .relaxed)
    }

    public var isEmpty: Bool { buckets.allSatisfy { $0.total == 0 } }

    /// Read while others observe: the counts agree with each other, the sum may be of an instant earlier or later.
    var standing: (cumulative: [UInt64], sum: Double) {
        var count: UInt64 = 0
        let cumulative = buckets.map { bucket in
            count += bucket.total
            return count
        }
        return (cumulative, Double(sum.load(ordering: .relaxed)) / scale)
    }
}
