// Minutes of the calendar, as crontab(5) spells them.

/// A set of minutes: those whose minute, hour, month and day all match. As in crontab(5), where both the day of the month and the day of
/// the week are limited, either will do (POSIX.1-2017, `crontab`).
public struct CalendarRule: Hashable, Sendable {
    public static let forms =
        "five fields such as '30 3 * * 1-5' (minute hour day month weekday), or @hourly, @daily, @weekly, @monthly, @yearly"

    /// A bit for each value.
    private var minutes: UInt64
    private var hours: UInt64
    private var days: UInt64
    private var months: UInt64
    private var weekdays: UInt64
    /// As it was written.
    public let text: String

    private struct Field {
        var range: ClosedRange<Int>
        var names: [String] = []

        static let all = [
            Field(range: 0...59), Field(range: 0...23), Field(range: 1...31),
            Field(range: 1...12, names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
            // 7 is Sunday as well.
            Field(range: 0...7, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
        ]
    }

    private static let shorthands = [
        "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *",
        "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
    ]

    public init(parsing text: String) throws(QuantityError) {
        let refusal = QuantityError(text: text, expected: Self.forms)
        guard text.utf8.count <= 256 else { throw refusal }
        let fields = (Self.shorthands[text.lowercased()] ?? text).split(whereSeparator: { $0 == " " || $0 == "\t" })
        guard fields.count == Field.all.count else { throw refusal }
        var sets: [UInt64] = []
        for (field, form) in zip(fields, Field.all) {
            guard let set = Self.set(field, form) else { throw refusal }
            sets.append(set)
        }
        if sets[4] & 1 << 7 != 0 { sets[4] |= 1 }
        (minutes, hours, days, months, weekdays) = (sets[0], sets[1], sets[2], sets[3], sets[4] & 0x7F)
        self.text = text
        // The 30th of February never comes.
        guard next(after: 0) != nil else { throw QuantityError(text: text, expected: "a day that comes") }
    }

    private static func set(_ text: Substring, _ field: Field) -> UInt64? {
        var set: UInt64 = 0
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = item.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count <= 2, let first = parts.first else { return nil }
            let bounds = first.split(separator: "-", omittingEmptySubsequences: false)
            var range = field.range
            if first != "*" {
                guard bounds.count <= 2, let low = value(bounds[0], field), let high = value(bounds[bounds.count - 1], field), low <= high
                else { return nil }
                // '5/15' is from five on, as in Vixie cron.
                range = low...(bounds.count == 1 && parts.count == 2 ? field.range.upperBound : high)
            }
            guard let step = parts.count == 2 ? number(parts[1]) : 1, step > 0 else { return nil }
            for value in stride(from: range.lowerBound, through: range.upperBound, by: step) { set |= 1 << UInt64(value) }
        }
        return set == 0 ? nil : set
    }

    private static func value(_ text: Substring, _ field: Field) -> Int? {
        if let index = field.names.firstIndex(of: text.lowercased()) { return index + (field.range.lowerBound == 1 ? 1 : 0) }
        guard let number = number(text), field.range.contains(number) else { return nil }
        return number
    }

    /// Tables of cron are written with leading zeros.
    private static func number(_ text: Substring) -> Int? {
        text.utf8.count <= 4 && text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
    }

    /// The first matching minute after an instant, both in seconds since 1970 on the calendar's own clock. nil: none in the next 28
    /// years, in which every combination of day and weekday comes, but for the years around 2100.
    func next(after seconds: Int64) -> Int64? {
        let from = (Self.floor(seconds, 60) + 1) * 60
        var day = Self.floor(from, 86_400)
        var minute = Int((from - day * 86_400) / 60)
        for _ in 0..<(28 * 366 + 1) {
            if includes(day: day), let match = firstMinute(from: minute) { return day * 86_400 + Int64(match) * 60 }
            day += 1
            minute = 0
        }
        return nil
    }

    private func firstMinute(from start: Int) -> Int? {
        for hour in start / 60..<24 where hours & 1 << UInt64(hour) != 0 {
            let first = hour == start / 60 ? start % 60 : 0
            let rest = (minutes >> UInt64(first)) << UInt64(first)
            if rest != 0 { return hour * 60 + rest.trailingZeroBitCount }
        }
        return nil
    }

    private func includes(day: Int64) -> Bool {
        let date = Self.date(of: day)
        guard months & 1 << UInt64(date.month) != 0 else { return false }
        // 1970 began on a Thursday.
        let weekday = day + 4 - Self.floor(day + 4, 7) * 7
        let isDay = days & 1 << UInt64(date.day) != 0
        let isWeekday = weekdays & 1 << UInt64(weekday) != 0
        let allDays: UInt64 = 0xFFFF_FFFE
        return days == allDays || weekdays == 0x7F ? isDay && isWeekday : isDay || isWeekday
    }

    /// Month and day of a day since 1970, proleptic Gregorian: in years that begin in March, so that the leap day comes last (H. Hinnant,
    /// "chrono-Compatible Low-Level Date Algorithms", 2014).
    private static func date(of day: Int64) -> (month: Int, day: Int) {
        let shifted = day + 719_468
        let dayOfEra = shifted - floor(shifted, 146_097) * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        return (Int(month < 10 ? month + 3 : month - 9), Int(dayOfYear - (153 * month + 2) / 5 + 1))
    }

    private static func floor(_ value: Int64, _ divisor: Int64) -> Int64 {
        let quotient = value / divisor
        return value % divisor < 0 ? quotient - 1 : quotient
    }
}
