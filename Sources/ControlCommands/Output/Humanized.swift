/// Amounts as people read them. Only tables and sentences use these; JSON keeps the integers.
enum Humanized {
    /// `1.5 GiB`, `512 MiB`, `0 B`: binary units, at most one decimal, rounded down so that nothing looks larger than it is.
    static func bytes(_ count: Int64) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        var unit = 0
        var scale: Int64 = 1
        while unit < units.count - 1, count / scale >= 1024 {
            scale *= 1024
            unit += 1
        }
        let tenths = (count % scale) / max(scale / 10, 1)
        let whole = count / scale
        let hasDecimal = unit > 0 && whole < 100 && tenths > 0
        return hasDecimal ? "\(whole).\(min(tenths, 9)) \(units[unit])" : "\(whole) \(units[unit])"
    }

    /// Cores: `2`, `0.5`, `0.125`.
    static func cores(milli: Int64) -> String {
        let fraction = milli % 1000
        guard fraction != 0 else { return "\(milli / 1000)" }
        var digits = String(fraction + 1000).dropFirst()
        while digits.last == "0" { digits = digits.dropLast() }
        return "\(milli / 1000).\(digits)"
    }

    /// The two largest units: `45s`, `2m10s`, `3h`, `1d4h`.
    static func duration(seconds: Int64) -> String {
        let total = max(seconds, 0)
        let parts: [(Int64, String)] = [
            (total / 86_400, "d"), (total / 3_600 % 24, "h"), (total / 60 % 60, "m"), (total % 60, "s"),
        ]
        guard let first = parts.firstIndex(where: { $0.0 > 0 }) else { return "0s" }
        return parts[first...].prefix(2).filter { $0.0 > 0 }.map { "\($0.0)\($0.1)" }.joined()
    }

    /// `12ms`, `1.2s`, and from ten seconds on as `duration(seconds:)`.
    static func duration(milliseconds: Int64) -> String {
        switch milliseconds {
        case ..<1000: "\(max(milliseconds, 0))ms"
        case ..<10_000: "\(milliseconds / 1000).\(milliseconds % 1000 / 100)s"
        default: duration(seconds: milliseconds / 1000)
        }
    }

    /// Thousandths with up to three decimals and no unit: `0.25`.
    static func milli(_ value: Int64) -> String { cores(milli: value) }

    /// `1 node`, `3 nodes`.
    static func count(_ number: some BinaryInteger, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}
