// JSON as the interface shows it. Objects keep the order of their keys and numbers keep their spelling, so that
// `-o json` prints what the coordinator said and no integer passes through a floating-point type.

/// One JSON value.
enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    /// The literal as it was written.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
}

/// The members of an object in their order.
struct JSONObject: Hashable, Sendable {
    struct Member: Hashable, Sendable {
        var name: String
        var value: JSONValue

        init(name: String, value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    private(set) var members: [Member]

    init(_ members: [Member] = []) { self.members = members }

    /// The last member of that name, as most parsers read duplicates; setting nil removes it, setting a new one appends.
    subscript(name: String) -> JSONValue? {
        get { members.last { $0.name == name }?.value }
        set {
            guard let newValue else {
                members.removeAll { $0.name == name }
                return
            }
            if let index = members.lastIndex(where: { $0.name == name }) {
                members[index].value = newValue
            } else {
                members.append(Member(name: name, value: newValue))
            }
        }
    }

    var isEmpty: Bool { members.isEmpty }
}

extension JSONValue {
    /// The member of an object; nil for a missing one, for `null`, and where this is no object.
    subscript(name: String) -> JSONValue? {
        guard case .object(let object) = self, let value = object[name], value != .null else { return nil }
        return value
    }

    var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    var flag: Bool? {
        guard case .bool(let flag) = self else { return nil }
        return flag
    }

    var items: [JSONValue]? {
        guard case .array(let items) = self else { return nil }
        return items
    }

    var members: [JSONObject.Member]? {
        guard case .object(let object) = self else { return nil }
        return object.members
    }

    /// A whole number; nil for a fraction and for what does not fit.
    var integer: Int64? {
        guard case .number(let literal) = self else { return nil }
        return Int64(literal)
    }

    var double: Double? {
        guard case .number(let literal) = self else { return nil }
        return Double(literal)
    }

    /// A string or a number as text: identifiers are either.
    var scalarText: String? {
        switch self {
        case .string(let text), .number(let text): text
        case .bool(let flag): flag ? "true" : "false"
        case .null, .array, .object: nil
        }
    }

    static func integer(_ value: some BinaryInteger) -> JSONValue { .number(String(value)) }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral,
    ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral
{
    init(stringLiteral value: String) { self = .string(value) }
    init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    init(integerLiteral value: Int64) { self = .number(String(value)) }
    init(booleanLiteral value: Bool) { self = .bool(value) }

    init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(elements.map { JSONObject.Member(name: $0.0, value: $0.1) }))
    }
}
