import ClusterModel
import Testing

@Suite("When a job comes again") struct RecurrenceTests {
    /// 2026-11-23T00:00:00Z, a Monday.
    private static let monday = LogicalTime(nanoseconds: 1_795_392_000_000_000_000)

    private static func calendar(_ text: String, offset: Span = .zero) throws -> Recurrence {
        Recurrence(rule: .calendar(try CalendarRule(parsing: text), offset: offset))
    }

    /// Hours after that Monday began; minutes as fractions.
    private static func hours(_ next: LogicalTime?) -> Double? { next.map { Double(($0 - monday).wholeSeconds) / 3600 } }

    /// Minutes after that Monday began. Limited by day and weekday, either will do: the 25th, or the Friday after it.
    private static let matches: [(text: String, minutes: Int)] = [
        ("0 * * * *", 60), ("*/15 * * * *", 15), ("30 3 * * *", 210), ("30 3 * * 2-5", 1650), ("0 12 * * sun", 9360), ("0 12 * * 7", 9360),
        ("5/20 0 * * *", 5), ("59 23 * * *", 1439), ("05 03 * * *", 185), ("0 0 1 dec *", 11_520), ("0 0 1,24 * *", 1440), ("@daily", 1440),
        ("@weekly", 8640),
        ("@monthly", 11_520), ("0 6-8/2 * * mon", 360), ("0 0 25 * 5", 2880), ("0 0 30 * 5", 5760),
    ]

    @Test("the next minute that matches", arguments: matches)
    func calendar(_ text: String, _ minutes: Int) throws {
        let next = try Self.calendar(text).next(after: Self.monday, due: Self.monday)
        #expect(next.map { ($0 - Self.monday).wholeSeconds } == Int64(60 * minutes))
    }

    @Test("leap days come, also after a century without one")
    func leapDays() throws {
        let rule = try Self.calendar("0 0 29 2 *")
        // 2028-02-29.
        let first = try #require(rule.next(after: Self.monday, due: Self.monday))
        #expect(first == LogicalTime(nanoseconds: 1_835_395_200_000_000_000))
        // From 2096-02-29 on the next is 2104-02-29.
        let late = LogicalTime(nanoseconds: 3981312000_000_000_000)
        let next = try #require(rule.next(after: late, due: late))
        #expect((next - late).wholeSeconds / 86_400 == 8 * 365 + 1)
    }

    @Test("a clock ahead of UTC strikes earlier")
    func offsets() throws {
        let shanghai = try ClockOffset.parse("+08:00")
        let rule = try Self.calendar("30 3 * * *", offset: shanghai)
        #expect(Self.hours(rule.next(after: Self.monday, due: Self.monday)) == 19.5)
        for text in ["+08:00", "-03:30", "Z"] { #expect(ClockOffset.text(try ClockOffset.parse(text)) == text) }
        for text in ["8", "+8:00", "08:00", "+24:00", "Europe/Berlin"] {
            #expect(throws: QuantityError.self) { try ClockOffset.parse(text) }
        }
    }

    @Test(
        "what is no calendar is refused",
        arguments: [
            "", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "5-1 * * * *", "*/0 * * * *", "a * * * *", "0 0 31 2 *", "1- * * * *",
        ])
    func mistakes(_ text: String) { #expect(throws: QuantityError.self) { try CalendarRule(parsing: text) } }

    @Test("whatever was missed, the next time is the first to come")
    func missed() {
        let hourly = Recurrence(rule: .every(.hour), until: Self.monday + .seconds(8 * 3600))
        #expect(Self.hours(hourly.next(after: Self.monday, due: Self.monday)) == 1)
        #expect(Self.hours(hourly.next(after: Self.monday + .seconds(5 * 3600 + 1), due: Self.monday)) == 6)
        #expect(Self.hours(hourly.next(after: Self.monday + .seconds(7 * 3600), due: Self.monday)) == 8)
        #expect(hourly.next(after: Self.monday + .seconds(8 * 3600), due: Self.monday) == nil, "it has ended")
        #expect(hourly.next(after: Self.monday, due: .distantFuture) == nil)
    }

    @Test("it is read as it was written")
    func coding() throws {
        let until = Self.monday
        for recurrence in [
            Recurrence(rule: .every(.hour)),
            Recurrence(rule: .calendar(try CalendarRule(parsing: "@daily"), offset: .seconds(-3600)), mayOverlap: true, until: until),
        ] { #expect(try Recurrence(canonicalBytes: recurrence.canonicalBytes) == recurrence) }
    }
}
