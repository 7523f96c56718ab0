/// A JSON document as it was written: numbers keep their text, so `0.1` cores is exactly a hundred milli-cores, and
/// members keep their order, so errors come in the order of the document.
enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([JSONMember])

    /// For messages: what stands where something else was expected.
    var kindName: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    /// `null`, `false` and empty containers ask for nothing.
    var asksForNothing: Bool {
        switch self {
        case .null: true
        case .bool(let value): !value
        case .string(let text): text.isEmpty
        case .array(let items): items.isEmpty
        case .object(let members): members.isEmpty
        case .number: false
        }
    }
}

struct JSONMember: Hashable, Sendable {
    var name: String
    var value: JSONValue
}

/// Why a text is not JSON, and where.
struct JSONSyntaxError: Error, Hashable {
    var message: String
    /// Bytes before the offending one.
    var offset: Int

    func description(in document: [UInt8]) -> String {
        let before = document.prefix(offset)
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        let column = offset - (before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0) + 1
        return "line \(line), column \(column): \(message)"
    }
}
