import ClusterModel

/// RFC 3339 in UTC, to the nanosecond where there is one. The arithmetic is the proleptic Gregorian calendar's, over
/// 400-year eras of 146097 days that begin on 1 March, so that a leap day is the last of its year.
enum Timestamp {
    static let forms = "an RFC 3339 time such as 2026-01-31T08:00:00Z"

    private static let daySeconds: Int64 = 86_400
    private static let nanosecondsPerSecond: Int64 = 1_000_000_000

    static func text(_ time: LogicalTime) -> String {
        let (seconds, fraction) = floorDivide(time.nanoseconds, by: nanosecondsPerSecond)
        let (day, second) = floorDivide(seconds, by: daySeconds)
        let (year, month, monthDay) = civil(fromDay: day)
        var text: [UInt8] = []
        text.reserveCapacity(30)
        append(year, digits: 4, to: &text)
        text.append(UInt8(ascii: "-"))
        append(month, digits: 2, to: &text)
        text.append(UInt8(ascii: "-"))
        append(monthDay, digits: 2, to: &text)
        text.append(UInt8(ascii: "T"))
        append(second / 3600, digits: 2, to: &text)
        text.append(UInt8(ascii: ":"))
        append(second / 60 % 60, digits: 2, to: &text)
        text.append(UInt8(ascii: ":"))
        append(second % 60, digits: 2, to: &text)
        if fraction > 0 {
            text.append(UInt8(ascii: "."))
            append(fraction, digits: 9, to: &text)
            while text.last == UInt8(ascii: "0") { text.removeLast() }
        }
        text.append(UInt8(ascii: "Z"))
        return String(decoding: text, as: UTF8.self)
    }

    /// nil unless RFC 3339 with seconds and a zone; a leap second counts as the second after it.
    static func parse(_ text: String) -> LogicalTime? {
        var rest = Array(text.utf8)[...]
        guard let year = number(&rest, digits: 4), skip(&rest, "-"), let month = number(&rest, digits: 2), (1...12).contains(month),
            skip(&rest, "-"), let monthDay = number(&rest, digits: 2), (1...length(ofMonth: month, year)).contains(monthDay),
            skip(&rest, "T", "t", " "), let hour = number(&rest, digits: 2), hour < 24, skip(&rest, ":"),
            let minute = number(&rest, digits: 2), minute < 60, skip(&rest, ":"), let second = number(&rest, digits: 2), second <= 60,
            let fraction = fraction(&rest), let zone = zone(&rest), rest.isEmpty
        else { return nil }
        let days = day(ofYear: year, month, monthDay)
        let seconds = days * daySeconds + hour * 3600 + minute * 60 + second - zone
        let (product, overflow) = seconds.multipliedReportingOverflow(by: nanosecondsPerSecond)
        let (sum, overflow2) = product.addingReportingOverflow(fraction)
        return overflow || overflow2 ? nil : LogicalTime(nanoseconds: sum)
    }

    // MARK: - Text

    private static func append(_ value: Int64, digits: Int, to text: inout [UInt8]) {
        var scale: Int64 = 1
        for _ in 1..<digits { scale *= 10 }
        while scale > 0 {
            text.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / scale % 10))
            scale /= 10
        }
    }

    private static func number(_ rest: inout ArraySlice<UInt8>, digits: Int) -> Int64? {
        guard rest.count >= digits else { return nil }
        var value: Int64 = 0
        for byte in rest.prefix(digits) {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        rest = rest.dropFirst(digits)
        return value
    }

    private static func skip(_ rest: inout ArraySlice<UInt8>, _ choices: Unicode.Scalar...) -> Bool {
        guard let first = rest.first, choices.contains(where: { UInt8(ascii: $0) == first }) else { return false }
        rest = rest.dropFirst()
        return true
    }

    /// Nanoseconds of an optional `.123…`; further digits are dropped. nil when the point stands alone.
    private static func fraction(_ rest: inout ArraySlice<UInt8>) -> Int64? {
        guard skip(&rest, ".") else { return 0 }
        let digits = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        guard !digits.isEmpty else { return nil }
        rest = rest.dropFirst(digits.count)
        var value: Int64 = 0
        for position in 0..<9 {
            let index = digits.startIndex + position
            value = value * 10 + (index < digits.endIndex ? Int64(digits[index] - UInt8(ascii: "0")) : 0)
        }
        return value
    }

    /// Seconds east of UTC.
    private static func zone(_ rest: inout ArraySlice<UInt8>) -> Int64? {
        if skip(&rest, "Z", "z") { return 0 }
        let sign: Int64 = rest.first == UInt8(ascii: "-") ? -1 : 1
        guard skip(&rest, "+", "-"), let hours = number(&rest, digits: 2), hours < 24, skip(&rest, ":"),
            let minutes = number(&rest, digits: 2), minutes < 60
        else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }

    // MARK: - Calendar

    private static func floorDivide(_ value: Int64, by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    /// Days since 1970-01-01.
    private static func day(ofYear year: Int64, _ month: Int64, _ monthDay: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = floorDivide(shifted, by: 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + monthDay - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func civil(fromDay day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = floorDivide(day + 719_468, by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    private static func length(ofMonth month: Int64, _ year: Int64) -> Int64 {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }
}
