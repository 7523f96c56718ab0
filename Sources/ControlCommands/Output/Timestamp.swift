// RFC 3339 in requests and replies; local and short for people.

import Glibc

/// An instant in whole seconds since 1970, as the tables need it.
struct Timestamp: Hashable, Comparable, Sendable {
    var seconds: Int64

    init(seconds: Int64) { self.seconds = seconds }

    static func now() -> Timestamp { Timestamp(seconds: Int64(time(nil))) }

    static func < (left: Timestamp, right: Timestamp) -> Bool { left.seconds < right.seconds }

    /// `2026-01-31T08:00:00Z`, a fraction and an offset allowed; nil for anything else.
    init?(rfc3339 text: String) {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int64? {
            guard range.upperBound <= bytes.count else { return nil }
            var value: Int64 = 0
            for byte in bytes[range] {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 0x30)
            }
            return value
        }
        func has(_ character: Unicode.Scalar, at index: Int) -> Bool { index < bytes.count && bytes[index] == UInt8(ascii: character) }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19), has("-", at: 4), has("-", at: 7),
            has("T", at: 10) || has("t", at: 10) || has(" ", at: 10), has(":", at: 13), has(":", at: 16),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        var index = 19
        if has(".", at: index) {
            index += 1
            let start = index
            while index < bytes.count, (0x30...0x39).contains(bytes[index]) { index += 1 }
            guard index > start else { return nil }
        }
        var offset: Int64 = 0
        if has("Z", at: index) || has("z", at: index) {
            index += 1
        } else if has("+", at: index) || has("-", at: index) {
            guard let hours = number(index + 1..<index + 3), let minutes = number(index + 4..<index + 6), has(":", at: index + 3),
                hours < 24, minutes < 60
            else { return nil }
            offset = (hours * 60 + minutes) * 60 * (has("-", at: index) ? -1 : 1)
            index += 6
        } else {
            return nil
        }
        guard index == bytes.count else { return nil }
        let days = Self.days(year: year, month: month, day: day)
        seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset
    }

    /// Days since 1970-01-01 in the proleptic Gregorian calendar: years run from March, so that a leap day is the last.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// UTC with seconds, for requests.
    var rfc3339: String { formatted("%Y-%m-%dT%H:%M:%SZ", isLocal: false) }

    /// Local time for people: the clock time today, the date as well on any other day.
    func shortText(now: Timestamp) -> String {
        let isToday = formatted("%F", isLocal: true) == now.formatted("%F", isLocal: true)
        return formatted(isToday ? "%H:%M:%S" : "%F %H:%M", isLocal: true)
    }

    /// Local date and time.
    var longText: String { formatted("%F %H:%M:%S", isLocal: true) }

    private func formatted(_ format: String, isLocal: Bool) -> String {
        var instant = time_t(seconds)
        var parts = tm()
        if isLocal { localtime_r(&instant, &parts) } else { gmtime_r(&instant, &parts) }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
            let count = strftime(buffer.baseAddress!, buffer.count, format, &parts)
            return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }
}
