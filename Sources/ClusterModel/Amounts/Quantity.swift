// Text forms of amounts, as in job files and on the command line. Every parser names what would be valid.

/// Why a text is not an amount. `expected` completes the sentence "expected …".
public struct QuantityError: Error, Equatable, Sendable {
    public let text: String
    public let expected: String

    public init(text: String, expected: String) {
        self.text = text
        self.expected = expected
    }
}

public enum Quantity {
    public static let cpuForms = "cores such as 2, 0.5 or 500m"
    public static let byteForms = "bytes such as 512MiB, 4GiB, 2G or a plain number"
    public static let spanForms = "a duration such as 30s, 10m, 2h, 1d12h or a plain number of seconds"
    public static let computeUnitForms = "compute units such as 200 or 0.5"
    public static let deviceForms = "devices such as 8 or 0.5"
    public static let shareForms = "a share of one device such as 250m, 0.25 or 1"

    /// Milli-cores: `2`, `0.5`, `500m`. At most three decimals; never negative.
    public static func cpuMilli(_ text: String) throws(QuantityError) -> Int64 {
        try milli(text, expected: cpuForms)
    }

    /// Thousandths of devices: `8`, `0.5`.
    public static func deviceMilli(_ text: String) throws(QuantityError) -> Int64 { try milli(text, expected: deviceForms) }

    /// Thousandths of one device, 1 … 1000.
    public static func shareMilli(_ text: String) throws(QuantityError) -> Int64 {
        let value = try milli(text, expected: shareForms)
        guard (1...1000).contains(value) else { throw QuantityError(text: text, expected: shareForms) }
        return value
    }

    /// Milli-CU: `200`, `0.5`, `500m`.
    public static func computeUnitsMilli(_ text: String) throws(QuantityError) -> Int64 {
        let value = try milli(text, expected: computeUnitForms)
        guard value > 0 else { throw QuantityError(text: text, expected: computeUnitForms) }
        return value
    }

    private static func milli(_ text: String, expected: String) throws(QuantityError) -> Int64 {
        if text.hasSuffix("m"), let value = Int64(strictDecimal: text.dropLast()) { return value }
        guard let value = scaled(text, by: 1000) else { throw QuantityError(text: text, expected: expected) }
        return value
    }

    /// Bytes; binary suffixes Ki Mi Gi Ti Pi and decimal K M G T P, each with or without `B`.
    public static func bytes(_ text: String) throws(QuantityError) -> Int64 {
        var body = Substring(text)
        if body.hasSuffix("B") { body = body.dropLast() }
        var scale: Int64 = 1
        let units: [(String, Int64)] = [
            ("Ki", 1 << 10), ("Mi", 1 << 20), ("Gi", 1 << 30), ("Ti", 1 << 40), ("Pi", 1 << 50),
            ("K", 1_000), ("M", 1_000_000), ("G", 1_000_000_000), ("T", 1_000_000_000_000), ("P", 1_000_000_000_000_000),
        ]
        if let unit = units.first(where: { body.hasSuffix($0.0) }) {
            scale = unit.1
            body = body.dropLast(unit.0.count)
        }
        guard let value = scaled(body, by: scale) else { throw QuantityError(text: text, expected: byteForms) }
        return value
    }

    /// A duration: `90`, `30s`, `10m`, `2h`, `1d12h30m`.
    public static func span(_ text: String) throws(QuantityError) -> Span {
        if let seconds = Int64(strictDecimal: text) { return try checked(seconds, text) }
        var total: Int64 = 0
        var digits = ""
        var lastUnit = Int64.max
        for character in text {
            if character.isASCII, character.isNumber {
                digits.append(character)
                continue
            }
            let unit: Int64? = ["d": 86_400, "h": 3_600, "m": 60, "s": 1][character]
            guard let unit, unit < lastUnit, let count = Int64(strictDecimal: digits) else {
                throw QuantityError(text: text, expected: spanForms)
            }
            let (part, overflow) = count.multipliedReportingOverflow(by: unit)
            let (sum, overflow2) = total.addingReportingOverflow(part)
            guard !overflow, !overflow2 else { throw QuantityError(text: text, expected: spanForms) }
            total = sum
            lastUnit = unit
            digits = ""
        }
        guard digits.isEmpty, lastUnit != .max else { throw QuantityError(text: text, expected: spanForms) }
        return try checked(total, text)
    }

    private static func checked(_ seconds: Int64, _ text: String) throws(QuantityError) -> Span {
        guard seconds <= 3_155_760_000 else { throw QuantityError(text: text, expected: "at most 100 years") }
        return .seconds(seconds)
    }

    /// An exact decimal times `scale`; nil when it is not a whole number after scaling, negative or too large.
    private static func scaled(_ text: some StringProtocol, by scale: Int64) -> Int64? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = Int64(strictDecimal: parts[0]) else { return nil }
        let (scaledWhole, overflow) = whole.multipliedReportingOverflow(by: scale)
        guard !overflow else { return nil }
        guard parts.count == 2 else { return scaledWhole }
        let fraction = parts[1]
        guard (1...9).contains(fraction.utf8.count), fraction.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
            let numerator = Int64(fraction, radix: 10)
        else { return nil }
        var denominator: Int64 = 1
        for _ in fraction.utf8 { denominator *= 10 }
        let (product, overflow2) = numerator.multipliedReportingOverflow(by: scale)
        guard !overflow2, product % denominator == 0 else { return nil }
        let (sum, overflow3) = scaledWhole.addingReportingOverflow(product / denominator)
        return overflow3 ? nil : sum
    }
}
