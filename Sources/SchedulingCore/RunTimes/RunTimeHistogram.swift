import ClusterModel

/// How long runs of one kind took: counts in buckets of a quarter of an octave each, from a second to half a year.
///
/// What is new outweighs what is old: at `totalMax` all counts are halved.
struct RunTimeHistogram: Hashable, Sendable {
    static let bucketCount = 96
    static let totalMax: UInt32 = 1024

    /// None is above `totalMax`.
    private(set) var counts = [UInt16](repeating: 0, count: bucketCount)
    private(set) var total: UInt32 = 0
    /// Milliseconds of all runs that are counted.
    private(set) var sum: Int64 = 0

    init() {}

    /// The bucket of a length; four of equal width to each doubling.
    static func bucket(of milliseconds: Int64) -> Int {
        let quarters = milliseconds / 250
        guard quarters >= 4 else { return 0 }
        let octave = Int64.bitWidth - quarters.leadingZeroBitCount - 3
        return min(bucketCount - 1, 4 * octave + Int(quarters >> Int64(octave)) - 4)
    }

    /// Where a bucket begins, in milliseconds.
    static func start(of bucket: Int) -> Int64 { (4 + Int64(bucket % 4)) * 250 << Int64(bucket / 4) }
    static func middle(of bucket: Int) -> Int64 { (start(of: bucket) + start(of: bucket + 1)) / 2 }

    mutating func add(_ run: Span) {
        let milliseconds = max(0, run.nanoseconds / 1_000_000)
        if total >= Self.totalMax { halve() }
        counts[Self.bucket(of: milliseconds)] += 1
        total += 1
        sum += min(milliseconds, Self.start(of: Self.bucketCount))
    }

    private mutating func halve() {
        let before = Int64(total)
        total = 0
        for index in counts.indices {
            counts[index] = (counts[index] + 1) / 2
            total += UInt32(counts[index])
        }
        sum = sum / before * Int64(total)
    }

    /// Runs that took longer than `age`, and the sum of what they took beyond it, in milliseconds.
    func rest(beyond age: Int64) -> (count: Int64, sum: Int64) {
        guard age > 0 else { return (Int64(total), sum) }
        var (count, rest): (Int64, Int64) = (0, 0)
        for index in Self.bucket(of: age)..<Self.bucketCount where counts[index] > 0 && Self.middle(of: index) > age {
            count += Int64(counts[index])
            rest += Int64(counts[index]) * (Self.middle(of: index) - age)
        }
        return (count, rest)
    }

    /// A length that `part` in 100 of the runs longer than `age` did not exceed; nil where fewer than `least` were longer.
    func length(reachedBy part: Int64, beyond age: Int64, least: Int64) -> Int64? {
        let (count, _) = rest(beyond: age)
        guard count >= max(1, least) else { return nil }
        var missing = (count * part + 99) / 100
        for index in Self.bucket(of: age)..<Self.bucketCount where counts[index] > 0 && (age == 0 || Self.middle(of: index) > age) {
            missing -= Int64(counts[index])
            if missing <= 0 { return Self.start(of: index + 1) }
        }
        return nil
    }
}

extension RunTimeHistogram: CanonicalValue {
    /// Only what is not zero: most are nearly empty.
    func write(to writer: inout CanonicalWriter) {
        writer.write(sum)
        writer.write(UInt64(counts.lazy.filter { $0 > 0 }.count))
        for index in counts.indices where counts[index] > 0 {
            writer.write(UInt8(index))
            writer.write(UInt32(counts[index]))
        }
    }

    init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init()
        sum = try reader.readInt64()
        for _ in 0..<(try reader.readCount()) {
            let index = Int(try reader.readUInt8())
            guard index < Self.bucketCount else { throw .malformed("bucket \(index) of run times") }
            let count = try reader.readUInt32()
            guard count <= Self.totalMax else { throw .malformed("\(count) runs in a bucket") }
            counts[index] = UInt16(count)
            total += count
        }
    }
}
