// When a job comes again: Protocols/lifecycle.md, "Recurring jobs".

public struct Recurrence: Hashable, Sendable {
    /// Boxed: few jobs recur, and rows of jobs are copied wherever they are looked at.
    public indirect enum Rule: Hashable, Sendable {
        /// So long after the run before was due.
        case every(Span)
        /// By a calendar whose clock is so far ahead of UTC.
        case calendar(CalendarRule, offset: Span)
    }

    public var rule: Rule
    /// A run may begin while the one before it is not over.
    public var mayOverlap: Bool
    /// No run is due later; nil: for ever.
    public var until: LogicalTime?

    /// Less would be a service, not a job.
    public static let shortest = Span.seconds(10)
    /// As ISO 8601 has them.
    public static let offsetMax = Span.seconds(24 * 3600)
    /// The label that all runs of one job have: the number of the first.
    public static let seriesLabel = "series"

    public init(rule: Rule, mayOverlap: Bool = false, until: LogicalTime? = nil) {
        self.rule = rule
        self.mayOverlap = mayOverlap
        self.until = until
    }

    public var isByCalendar: Bool {
        if case .calendar = rule { true } else { false }
    }

    /// When the next run is due: the first time of the rule after `now`, however many have been missed. nil: no more.
    ///
    /// - Parameter due: when the last one was.
    public func next(after now: LogicalTime, due: LogicalTime) -> LogicalTime? {
        let next: LogicalTime
        switch rule {
        case .every(let period):
            guard period > .zero else { return nil }
            let passed = max(0, (now - due).nanoseconds) / period.nanoseconds
            let (advance, overflow) = (passed + 1).multipliedReportingOverflow(by: period.nanoseconds)
            guard !overflow else { return nil }
            next = due + Span(nanoseconds: advance)
        case .calendar(let calendar, let offset):
            let clock = max(now, due) + offset
            let second: Int64 = 1_000_000_000
            guard let seconds = calendar.next(after: clock.nanoseconds / second) else { return nil }
            let (instant, overflow) = seconds.multipliedReportingOverflow(by: second)
            guard !overflow else { return nil }
            next = LogicalTime(nanoseconds: instant - offset.nanoseconds)
        }
        guard next < .distantFuture, until.map({ next <= $0 }) ?? true else { return nil }
        return next
    }

    func validate() -> [FieldError] {
        var errors: [FieldError] = []
        switch rule {
        case .every(let period):
            if period < Self.shortest { errors.append(FieldError("recur.every", "must be at least \(Self.shortest.wholeSeconds)s")) }
        case .calendar(_, let offset):
            if max(offset.nanoseconds, -offset.nanoseconds) >= Self.offsetMax.nanoseconds || offset.nanoseconds % 60_000_000_000 != 0 {
                errors.append(FieldError("recur.offset", "expected \(ClockOffset.forms)"))
            }
        }
        return errors
    }
}

/// How far a clock is ahead of UTC, as ISO 8601 writes it. Names of time zones are not taken: what a name means changes with the
/// tables of a machine, and the same journal must mean the same on every one.
public enum ClockOffset {
    public static let forms = "Z, +HH:MM or -HH:MM, such as +08:00"

    public static func parse(_ text: String) throws(QuantityError) -> Span {
        if text == "Z" || text == "UTC" { return .zero }
        let parts = text.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
        guard let sign = text.first, sign == "+" || sign == "-", parts.count == 2,
            parts.allSatisfy({ $0.utf8.count == 2 && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let hours = Int64(parts[0]), let minutes = Int64(parts[1]), hours < 24, minutes < 60
        else { throw QuantityError(text: text, expected: forms) }
        let seconds = (hours * 60 + minutes) * 60
        return .seconds(sign == "-" ? -seconds : seconds)
    }

    public static func text(_ offset: Span) -> String {
        guard offset != .zero else { return "Z" }
        let minutes = offset.wholeSeconds / 60
        let (hours, rest) = abs(minutes).quotientAndRemainder(dividingBy: 60)
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(minutes < 0 ? "-" : "+")\(two(hours)):\(two(rest))"
    }
}

extension Recurrence: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        switch rule {
        case .every(let period):
            writer.write(UInt8(1))
            writer.write(period)
        case .calendar(let calendar, let offset):
            writer.write(UInt8(2))
            writer.write(calendar.text)
            writer.write(offset)
        }
        writer.write(mayOverlap)
        writer.write(until)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        let rule: Rule
        switch try reader.readUInt8() {
        case 1: rule = .every(try reader.read())
        case 2:
            let text = try reader.readString()
            guard let calendar = try? CalendarRule(parsing: text) else { throw .malformed("'\(text)' is no calendar") }
            rule = .calendar(calendar, offset: try reader.read())
        case let tag: throw .malformed("unknown rule \(tag) of a recurring job")
        }
        self.init(rule: rule, mayOverlap: try reader.readBool(), until: try reader.readOptional())
    }
}
