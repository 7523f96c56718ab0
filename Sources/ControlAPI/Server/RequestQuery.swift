import ClusterModel

/// The query of a request. Only names that the endpoint lists are valid, and only some may come more than once: a
/// misspelt filter that is ignored would answer another question than was asked.
struct RequestQuery: Sendable {
    private static let repeatable: Set<String> = ["label", "state"]
    private static let countMax = 128

    private var values: [(name: String, text: String)] = []

    init(_ query: String?, valid: [String]) throws(Problem) {
        guard let query, !query.isEmpty else { return }
        let pairs = query.split(separator: "&", maxSplits: Self.countMax)
        guard pairs.count <= Self.countMax else { throw .invalid("query", "has more than \(Self.countMax) parameters") }
        var problems: [FieldProblem] = []
        for pair in pairs {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decode(halves[0]), let text = halves.count == 2 ? Self.decode(halves[1]) : "" else {
                throw .invalid("query", "'\(pair.prefix(80))' is not percent-encoded UTF-8")
            }
            if !valid.contains(name) {
                let known = valid.isEmpty ? "this call takes none" : "valid: \(valid.sorted().joined(separator: ", "))"
                problems.append(
                    FieldProblem(code: .unknownField, field: String(name.prefix(80)), message: "unknown query parameter; \(known)"))
            } else if !Self.repeatable.contains(name), values.contains(where: { $0.name == name }) {
                problems.append(FieldProblem(code: .invalid, field: name, message: "comes more than once"))
            }
            values.append((name, text))
        }
        guard problems.isEmpty else { throw .invalid(problems) }
    }

    /// Percent-encoded UTF-8 (RFC 3986, 2.1); nil for anything else. `+` stands for itself: it is common in times, and nothing here holds spaces.
    static func decode(_ text: Substring) -> String? {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(Hexadecimal.value(ofDigit:)),
                let low = rest.popFirst().flatMap(Hexadecimal.value(ofDigit:))
            else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// nil when absent or empty.
    func text(_ name: String) -> String? {
        values.first { $0.name == name }.flatMap { $0.text.isEmpty ? nil : $0.text }
    }

    func texts(_ name: String) -> [String] { values.filter { $0.name == name && !$0.text.isEmpty }.map(\.text) }

    func integer<Number: FixedWidthInteger>(_ name: String, _ range: ClosedRange<Number>) throws(Problem) -> Number? {
        guard let text = text(name) else { return nil }
        guard text.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }), let number = Number(text),
            range.contains(number)
        else { throw .invalid(name, "'\(text.prefix(80))' — expected a whole number \(range.lowerBound) … \(range.upperBound)") }
        return number
    }

    /// A flag that is there, as in `?follow`, or says so.
    func flag(_ name: String) throws(Problem) -> Bool {
        guard let value = values.first(where: { $0.name == name })?.text else { return false }
        switch value {
        case "", "1", "true": return true
        case "0", "false": return false
        default: throw .invalid(name, "'\(value.prefix(80))' — expected true or false")
        }
    }

    func time(_ name: String) throws(Problem) -> LogicalTime? {
        guard let text = text(name) else { return nil }
        guard let time = Timestamp.parse(text) else { throw .invalid(name, "'\(text.prefix(80))' — expected \(Timestamp.forms)") }
        return time
    }

    func choice<Choice: CaseIterable>(_ name: String, named spelling: (Choice) -> String) throws(Problem) -> Choice? {
        guard let text = text(name) else { return nil }
        guard let choice = Choice.allCases.first(where: { spelling($0) == text }) else {
            let valid = Choice.allCases.map(spelling).joined(separator: ", ")
            throw .invalid(name, "'\(text.prefix(80))' — expected one of \(valid)")
        }
        return choice
    }

    /// How many items a page has at most.
    func limit(max: Int = 1000) throws(Problem) -> Int { try integer("limit", 1...max) ?? min(100, max) }
}
