/// A set of numbers kept as sorted, disjoint, non-adjacent ranges: a million queued tasks of one array are one range.
public struct IntervalSet: Hashable, Sendable {
    public struct Interval: Hashable, Sendable {
        public var first: UInt64
        public var last: UInt64
    }

    public private(set) var intervals: [Interval] = []
    /// Members in all.
    public private(set) var count: UInt64 = 0

    public init() {}

    public init(first: UInt64, last: UInt64) {
        intervals = [Interval(first: first, last: last)]
        count = last - first + 1
    }

    public var isEmpty: Bool { intervals.isEmpty }
    public var first: UInt64? { intervals.first?.first }

    /// The position of the first interval that ends at or after `value`.
    private func position(of value: UInt64) -> Int {
        var low = 0
        var high = intervals.count
        while low < high {
            let middle = (low + high) / 2
            if intervals[middle].last < value { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// How many members are less than `value`.
    public func count(below value: UInt64) -> UInt64 {
        var count: UInt64 = 0
        for interval in intervals {
            guard interval.first < value else { break }
            count += min(interval.last, value - 1) - interval.first + 1
        }
        return count
    }

    public func contains(_ value: UInt64) -> Bool {
        let index = position(of: value)
        return index < intervals.count && intervals[index].first <= value
    }

    /// The smallest member that is at least `value`.
    public func first(from value: UInt64) -> UInt64? {
        let index = position(of: value)
        guard index < intervals.count else { return nil }
        return max(intervals[index].first, value)
    }

    /// True when `value` was not a member.
    @discardableResult
    public mutating func insert(_ value: UInt64) -> Bool {
        let index = position(of: value)
        if index < intervals.count, intervals[index].first <= value { return false }
        count += 1
        let joinsRight = index < intervals.count && intervals[index].first == value + 1
        let joinsLeft = index > 0 && intervals[index - 1].last + 1 == value
        switch (joinsLeft, joinsRight) {
        case (true, true):
            intervals[index - 1].last = intervals[index].last
            intervals.remove(at: index)
        case (true, false): intervals[index - 1].last = value
        case (false, true): intervals[index].first = value
        case (false, false): intervals.insert(Interval(first: value, last: value), at: index)
        }
        return true
    }

    /// True when `value` was a member.
    @discardableResult
    public mutating func remove(_ value: UInt64) -> Bool {
        let index = position(of: value)
        guard index < intervals.count, intervals[index].first <= value else { return false }
        count -= 1
        let interval = intervals[index]
        switch (interval.first == value, interval.last == value) {
        case (true, true): intervals.remove(at: index)
        case (true, false): intervals[index].first = value + 1
        case (false, true): intervals[index].last = value - 1
        case (false, false):
            intervals[index].last = value - 1
            intervals.insert(Interval(first: value + 1, last: interval.last), at: index + 1)
        }
        return true
    }

    public mutating func removeAll() {
        intervals.removeAll()
        count = 0
    }

    /// Bytes of storage, for tests that bound memory.
    public var storageBytes: Int { intervals.capacity * MemoryLayout<Interval>.stride }
}

extension IntervalSet: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(UInt64(intervals.count))
        var previous: UInt64 = 0
        for interval in intervals {
            writer.write(interval.first - previous)
            writer.write(interval.last - interval.first)
            previous = interval.last
        }
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init()
        let intervalCount = try reader.readCount()
        var previous: UInt64 = 0
        for index in 0..<intervalCount {
            let (first, overflow) = previous.addingReportingOverflow(try reader.readUInt64())
            let length = try reader.readUInt64()
            let (last, overflow2) = first.addingReportingOverflow(length)
            guard !overflow, !overflow2, last < .max, index == 0 || first > previous + 1 else {
                throw .malformed("intervals are not ascending")
            }
            intervals.append(Interval(first: first, last: last))
            count += length + 1
            previous = last
        }
    }
}
