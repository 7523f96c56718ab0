/// Cluster time in nanoseconds since 1970-01-01T00:00:00Z. Strictly a value: the shell reads clocks and passes it in.
public struct LogicalTime: Hashable, Comparable, Sendable {
    public let nanoseconds: Int64

    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    public static let zero = LogicalTime(nanoseconds: 0)
    public static let distantFuture = LogicalTime(nanoseconds: .max)

    public static func < (left: LogicalTime, right: LogicalTime) -> Bool { left.nanoseconds < right.nanoseconds }

    /// Saturates: a far deadline is the distant future, not a trap.
    public static func + (time: LogicalTime, span: Span) -> LogicalTime {
        let (sum, overflow) = time.nanoseconds.addingReportingOverflow(span.nanoseconds)
        return overflow ? .distantFuture : LogicalTime(nanoseconds: sum)
    }

    public static func - (later: LogicalTime, earlier: LogicalTime) -> Span {
        Span(nanoseconds: later.nanoseconds &- earlier.nanoseconds)
    }

    /// The start of the UTC hour after this instant.
    public var nextHour: LogicalTime {
        let hour = Span.hour.nanoseconds
        return LogicalTime(nanoseconds: (nanoseconds / hour + 1) * hour)
    }
}

/// A length of time in nanoseconds.
public struct Span: Hashable, Comparable, Sendable {
    public let nanoseconds: Int64

    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    public static let zero = Span(nanoseconds: 0)
    public static let hour = Span.seconds(3600)

    public static func seconds(_ count: Int64) -> Span {
        let (product, overflow) = count.multipliedReportingOverflow(by: 1_000_000_000)
        return Span(nanoseconds: overflow ? .max : product)
    }

    public static func milliseconds(_ count: Int64) -> Span {
        let (product, overflow) = count.multipliedReportingOverflow(by: 1_000_000)
        return Span(nanoseconds: overflow ? .max : product)
    }

    /// Saturates.
    public static func + (left: Span, right: Span) -> Span {
        let (sum, overflow) = left.nanoseconds.addingReportingOverflow(right.nanoseconds)
        return Span(nanoseconds: overflow ? .max : sum)
    }

    /// Rounded toward zero.
    public var wholeSeconds: Int64 { nanoseconds / 1_000_000_000 }

    public static func < (left: Span, right: Span) -> Bool { left.nanoseconds < right.nanoseconds }
}
