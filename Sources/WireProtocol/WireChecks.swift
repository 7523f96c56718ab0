internal import ClusterModel
internal import FoundationEssentials

// Checks of single fields. Each takes the field's name for the error, as a StaticString so that the good case costs nothing.

func checked(_ value: UInt64, _ field: StaticString) throws(WireError) -> Int64 {
    guard let amount = Int64(exactly: value) else { throw .outOfRange("\(field)") }
    return amount
}

func checked(_ value: UInt64, _ field: StaticString) throws(WireError) -> Span {
    Span(nanoseconds: try checked(value, field))
}

func checked(_ value: UInt32, max: UInt32, _ field: StaticString) throws(WireError) -> UInt32 {
    guard value <= max else { throw .outOfRange("\(field)") }
    return value
}

func checked(_ text: String, max: Int, _ field: StaticString) throws(WireError) -> String {
    // No text of the protocol may hold a NUL: the agent hands them to the kernel, which would cut there.
    guard text.utf8.count <= max, !text.utf8.contains(0) else { throw .outOfRange("\(field)") }
    return text
}

func checked(count: Int, max: Int, _ field: StaticString) throws(WireError) {
    guard count <= max else { throw .outOfRange("\(field)") }
}

func checked(_ data: Data, count: Int, _ field: StaticString) throws(WireError) -> [UInt8] {
    guard data.count == count else { throw .outOfRange("\(field)") }
    return [UInt8](data)
}

func checked(_ data: Data, max: Int, _ field: StaticString) throws(WireError) -> [UInt8] {
    guard data.count <= max else { throw .outOfRange("\(field)") }
    return [UInt8](data)
}

/// A place below a directory, or the directory itself: what an agent joins to a path of its own.
func checked(path: String, _ field: StaticString) throws(WireError) -> String {
    guard path.isEmpty || RelativePath.isValid(path) else { throw .outOfRange("\(field)") }
    return path
}

/// Protobuf's enumerations use the model's tags as their numbers, so one conversion serves all; a number that this build
/// does not know is an error.
func checked<Tag: CanonicalTag>(_ rawValue: Int, _ field: StaticString) throws(WireError) -> Tag {
    guard let byte = UInt8(exactly: rawValue), let tag = Tag(rawValue: byte) else { throw .outOfRange("\(field)") }
    return tag
}

func attempt(job: UInt64, index: UInt32, number: UInt32) throws(WireError) -> AttemptID {
    guard job > 0, number > 0 else { throw .outOfRange("attempt") }
    return AttemptID(job: JobID(job), index: index, number: number)
}

extension UInt64 {
    /// Amounts and lengths of time are never negative; should one be, zero is the nearest that can be said.
    init(amount: Int64) { self = UInt64(Swift.max(0, amount)) }
    init(_ span: Span) { self.init(amount: span.nanoseconds) }
}

extension String {
    /// The text itself, or as many whole characters as fit.
    func fitting(bytes: Int) -> String {
        guard utf8.count > bytes else { return self }
        var fitting = self
        while fitting.utf8.count > bytes { fitting.removeLast() }
        return fitting
    }
}

extension Array {
    /// `map` whose error is a `WireError`.
    func mapped<Value>(_ transform: (Element) throws(WireError) -> Value) throws(WireError) -> [Value] {
        var values: [Value] = []
        values.reserveCapacity(count)
        for element in self { values.append(try transform(element)) }
        return values
    }
}
