/// Why bytes are not a canonical value.
public enum CanonicalError: Error, Equatable, Sendable {
    case truncated
    case trailing(Int)
    /// Not the shortest form, an unknown tag, a count beyond the bytes at hand, or bytes that are not UTF-8.
    case malformed(String)
}

/// Reads canonical bytes; never allocates more than the bytes at hand can hold.
public struct CanonicalReader: Sendable {
    private let bytes: [UInt8]
    private var position = 0

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    public var remaining: Int { bytes.count - position }

    public func finish() throws(CanonicalError) {
        if remaining > 0 { throw .trailing(remaining) }
    }

    public mutating func readUInt8() throws(CanonicalError) -> UInt8 {
        guard position < bytes.count else { throw .truncated }
        defer { position += 1 }
        return bytes[position]
    }

    public mutating func readUInt64() throws(CanonicalError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try readUInt8()
            if shift == 63, byte > 1 { throw .malformed("number beyond 64 bits") }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 {
                if byte == 0, shift > 0 { throw .malformed("number not in its shortest form") }
                return value
            }
            shift += 7
            if shift > 63 { throw .malformed("number beyond 64 bits") }
        }
    }

    public mutating func readUInt32() throws(CanonicalError) -> UInt32 {
        guard let value = UInt32(exactly: try readUInt64()) else { throw .malformed("number beyond 32 bits") }
        return value
    }

    public mutating func readInt64() throws(CanonicalError) -> Int64 {
        let raw = try readUInt64()
        return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
    }

    public mutating func readInt32() throws(CanonicalError) -> Int32 {
        guard let value = Int32(exactly: try readInt64()) else { throw .malformed("number beyond 32 bits") }
        return value
    }

    public mutating func readBool() throws(CanonicalError) -> Bool {
        switch try readUInt8() {
        case 0: return false
        case 1: return true
        case let other: throw .malformed("\(other) is not a truth value")
        }
    }

    public mutating func readBytes() throws(CanonicalError) -> [UInt8] {
        let count = try readCount()
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    public mutating func readString() throws(CanonicalError) -> String {
        let count = try readCount()
        defer { position += count }
        let slice = bytes[position..<position + count]
        // Mends what is no UTF-8, which then differs; `validating` is an order of magnitude slower.
        let text = String(decoding: slice, as: UTF8.self)
        guard text.utf8.count == count, text.utf8.elementsEqual(slice) else { throw .malformed("text is not UTF-8") }
        return text
    }

    public mutating func read<Value: CanonicalValue>(_ type: Value.Type = Value.self) throws(CanonicalError) -> Value {
        try Value(from: &self)
    }

    public mutating func readOptional<Value: CanonicalValue>(
        _ type: Value.Type = Value.self
    ) throws(CanonicalError) -> Value? {
        try readBool() ? try Value(from: &self) : nil
    }

    public mutating func readList<Value: CanonicalValue>(
        _ type: Value.Type = Value.self
    ) throws(CanonicalError) -> [Value] {
        let count = try readCount()
        var list: [Value] = []
        list.reserveCapacity(Swift.min(count, 4096))
        for _ in 0..<count { list.append(try Value(from: &self)) }
        return list
    }

    /// A count of elements of at least one byte each, so it never exceeds what remains.
    public mutating func readCount() throws(CanonicalError) -> Int {
        let count = try readUInt64()
        guard count <= UInt64(remaining) else { throw .malformed("count \(count) exceeds the \(remaining) bytes left") }
        return Int(count)
    }
}
