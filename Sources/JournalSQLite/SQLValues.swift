// How values of the model stand in columns, and how they come back.

import ClusterModel
import ClusterPorts
import FoundationEssentials
import GRDB

extension UInt64 {
    /// Counters never come near 2^63; a larger number can only be a reader's question, and is answered as 2^63 - 1.
    var column: DatabaseValue { Int64(clamping: self).databaseValue }
}

extension UInt32 {
    var column: DatabaseValue { Int64(self).databaseValue }
}

extension CountedIdentifier {
    var column: DatabaseValue { value.column }
}

extension [UInt8] {
    var column: DatabaseValue { Data(self).databaseValue }
}

/// One row of a query, read column by column in the order of the query.
struct ColumnReader {
    private let row: Row
    private let table: String
    private var index = 0

    init(_ row: Row, of table: String) {
        self.row = row
        self.table = table
    }

    /// Tables are STRICT, so a value of another type or outside its range is damage.
    private func damage(_ what: String) -> JournalError {
        JournalError(.unreadable, "a row of table \(table) cannot be read: column \(index) \(what); nothing was changed")
    }

    private mutating func next<Value: DatabaseValueConvertible & StatementColumnConvertible>() -> Value? {
        defer { index += 1 }
        return row[index]
    }

    mutating func integer<Value: FixedWidthInteger>(_: Value.Type = Value.self) throws(JournalError) -> Value {
        guard let number: Int64 = next() else { throw damage("is null") }
        guard let value = Value(exactly: number) else { throw damage("is \(number)") }
        return value
    }

    mutating func optionalInteger<Value: FixedWidthInteger>(_: Value.Type = Value.self) throws(JournalError) -> Value? {
        guard let number: Int64 = next() else { return nil }
        guard let value = Value(exactly: number) else { throw damage("is \(number)") }
        return value
    }

    mutating func identifier<ID: CountedIdentifier>(_: ID.Type = ID.self) throws(JournalError) -> ID {
        ID(try integer())
    }

    mutating func tag<Tag: CanonicalTag>(_: Tag.Type = Tag.self) throws(JournalError) -> Tag {
        let raw: UInt8 = try integer()
        guard let tag = Tag(rawValue: raw) else { throw damage("is \(raw)") }
        return tag
    }

    mutating func time() throws(JournalError) -> LogicalTime { LogicalTime(nanoseconds: try integer()) }

    mutating func optionalTime() throws(JournalError) -> LogicalTime? {
        try optionalInteger(Int64.self).map { LogicalTime(nanoseconds: $0) }
    }

    mutating func optionalText() -> String? { next() }

    mutating func text() throws(JournalError) -> String {
        guard let text: String = next() else { throw damage("is null") }
        return text
    }

    mutating func optionalBytes() -> [UInt8]? {
        (next() as Data?).map { [UInt8]($0) }
    }

    mutating func bytes() throws(JournalError) -> [UInt8] {
        guard let bytes = optionalBytes() else { throw damage("is null") }
        return bytes
    }

    mutating func value<Value: CanonicalValue>(_: Value.Type = Value.self) throws(JournalError) -> Value {
        let bytes = try bytes()
        do throws(CanonicalError) {
            return try Value(canonicalBytes: bytes)
        } catch {
            throw damage("is no \(Value.self) (\(error))")
        }
    }

    mutating func optionalValue<Value: CanonicalValue>(_: Value.Type = Value.self) throws(JournalError) -> Value? {
        if row.hasNull(atIndex: index) {
            index += 1
            return nil
        }
        return try value()
    }
}
