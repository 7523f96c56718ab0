// Walks a request body by hand. Every complaint names the full path of its field and what would be valid there, and
// all complaints of a body come in one answer: a user should not learn of the second mistake after mending the first.

import ClusterModel

/// Where a value stands in a body; spelled only when something is wrong with it.
indirect enum FieldPath {
    case body
    case member(FieldPath, String)
    case item(FieldPath, Int)

    var text: String {
        switch self {
        case .body: ""
        case .member(.body, let name): name
        case .member(let parent, let name): "\(parent.text).\(name)"
        case .item(let parent, let index): "\(parent.text)[\(index)]"
        }
    }
}

/// One thing wrong with a request.
struct FieldProblem: Hashable {
    enum Code: String {
        case invalid
        case unknownField = "unknown_field"
        /// Part of the interface, but this version cannot honour it; ignoring it would run another job than asked.
        case unsupportedField = "unsupported_field"
    }

    var code: Code
    var field: String
    var message: String
}

/// Collects what is wrong with one body. A reference, because readers of nested objects share it.
final class FieldProblems {
    static let countMax = 100

    private(set) var list: [FieldProblem] = []

    func add(_ path: FieldPath, _ message: String, code: FieldProblem.Code = .invalid) {
        guard list.count < Self.countMax else { return }
        list.append(FieldProblem(code: code, field: path.text, message: message))
    }

    func add(_ errors: [FieldError]) {
        for error in errors where list.count < Self.countMax {
            list.append(FieldProblem(code: .invalid, field: error.field, message: error.message))
        }
    }

    /// "expected …, not …".
    func add(_ path: FieldPath, expected: String, not value: JSONValue) {
        let found =
            switch value {
            case .number(let text): String(text.prefix(80))
            case .string(let text): "'\(text.prefix(80))'"
            default: value.kindName
            }
        add(path, "\(found) — expected \(expected)")
    }
}

/// Reads one object's members, each at most once; what nobody asked for is unknown.
struct FieldReader {
    let path: FieldPath
    let problems: FieldProblems
    private let members: [JSONMember]
    private var known: [StaticString] = []

    /// Anything but an object is a complaint and reads as an empty one.
    init(_ value: JSONValue, at path: FieldPath, problems: FieldProblems) {
        self.path = path
        self.problems = problems
        if case .object(let members) = value {
            self.members = members
        } else {
            self.members = []
            let name = path.text
            problems.add(path, "\(name.isEmpty ? "the body is " : "")\(value.kindName) — expected an object")
        }
        known.reserveCapacity(40)
    }

    func path(of name: StaticString) -> FieldPath { .member(path, name.description) }

    /// The member as it is, `null` included; nil when absent.
    mutating func take(_ name: StaticString) -> JSONValue? {
        known.append(name)
        for member in members where Self.isEqual(member.name, name) { return member.value }
        return nil
    }

    /// Lengths first: a body is asked for thirty fields and has five.
    private static func isEqual(_ text: String, _ name: StaticString) -> Bool {
        text.utf8.count == name.utf8CodeUnitCount && name.withUTF8Buffer { text.utf8.elementsEqual($0) }
    }

    /// The member unless absent or `null`.
    mutating func value(_ name: StaticString) -> JSONValue? {
        guard let value = take(name), value != .null else { return nil }
        return value
    }

    mutating func string(_ name: StaticString, expected: String = "a string") -> String? {
        guard let value = value(name) else { return nil }
        if case .string(let text) = value { return text }
        problems.add(path(of: name), expected: expected, not: value)
        return nil
    }

    mutating func bool(_ name: StaticString) -> Bool? {
        guard let value = value(name) else { return nil }
        if case .bool(let flag) = value { return flag }
        problems.add(path(of: name), expected: "true or false", not: value)
        return nil
    }

    mutating func integer<Number: FixedWidthInteger>(_ name: StaticString, _ range: ClosedRange<Number>) -> Number? {
        guard let value = value(name) else { return nil }
        if case .number(let text) = value, let number = Number(text), range.contains(number) { return number }
        problems.add(path(of: name), expected: "a whole number \(range.lowerBound) … \(range.upperBound)", not: value)
        return nil
    }

    /// One of a type's names.
    mutating func choice<Choice: CaseIterable>(_ name: StaticString, named spelling: (Choice) -> String) -> Choice? {
        guard let value = value(name) else { return nil }
        if case .string(let text) = value, let choice = Choice.allCases.first(where: { spelling($0) == text }) { return choice }
        problems.add(path(of: name), expected: "one of " + Choice.allCases.map(spelling).joined(separator: ", "), not: value)
        return nil
    }

    /// A number, or a string with a unit, in one of the forms of `Quantity`.
    mutating func quantity<Amount>(
        _ name: StaticString, forms: String, _ parse: (String) throws(QuantityError) -> Amount
    ) -> Amount? {
        guard let value = value(name) else { return nil }
        switch value {
        case .number(let text), .string(let text):
            do throws(QuantityError) { return try parse(text) } catch {
                problems.add(path(of: name), expected: error.expected, not: value)
            }
        default: problems.add(path(of: name), expected: forms, not: value)
        }
        return nil
    }

    /// The member's items; nil when absent, `null` or not an array.
    mutating func items(_ name: StaticString) -> [JSONValue]? {
        guard let value = value(name) else { return nil }
        if case .array(let items) = value { return items }
        problems.add(path(of: name), expected: "an array", not: value)
        return nil
    }

    mutating func strings(_ name: StaticString) -> [String]? {
        guard let items = items(name) else { return nil }
        return items.enumerated().compactMap { index, item in
            if case .string(let text) = item { return text }
            problems.add(.item(path(of: name), index), expected: "a string", not: item)
            return nil
        }
    }

    /// Names and texts of an object whose members are data.
    mutating func map(_ name: StaticString) -> [NamedText]? {
        guard let value = value(name) else { return nil }
        guard case .object(let members) = value else {
            problems.add(path(of: name), expected: "an object of strings", not: value)
            return nil
        }
        return members.compactMap { member in
            if case .string(let text) = member.value { return NamedText(member.name, text) }
            problems.add(.member(path(of: name), member.name), expected: "a string, in quotes", not: member.value)
            return nil
        }
    }

    /// A field of the interface that this version cannot honour; asking for nothing is fine.
    mutating func refuse(_ names: StaticString...) {
        for name in names {
            guard let value = take(name), !value.asksForNothing else { continue }
            problems.add(path(of: name), "this version cannot honour it; leave it out or null", code: .unsupportedField)
        }
    }

    /// Call last: complains about every member that nothing asked for.
    func finish() {
        for member in members where !isKnown(member.name) {
            let valid = known.isEmpty ? "there are none" : "valid: " + known.map(\.description).sorted().joined(separator: ", ")
            problems.add(.member(path, String(member.name.prefix(80))), "unknown field; \(valid)", code: .unknownField)
        }
    }

    private func isKnown(_ name: String) -> Bool { known.contains { Self.isEqual(name, $0) } }
}
