// The canonical encoding: one byte form for each value, fixed field order, no names, no alignment.
// Journal records, snapshots, state digests and usage rows use it, so that equal values have equal bytes in every
// process (ARCHITECTURE.md, "One canonical encoding"). Protocols/journal.md is the specification.
//
//   unsigned   LEB128, at most 10 bytes, shortest form
//   signed     zigzag, then as unsigned
//   bytes      count, then the bytes; text is UTF-8 bytes
//   optional   0 | 1 value
//   list       count, then the elements

/// Appends canonical bytes to a buffer.
public struct CanonicalWriter: Sendable {
    public private(set) var bytes: [UInt8]

    public init(reservingCapacity capacity: Int = 64) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    public mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    @inline(__always)
    public mutating func write(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    public mutating func write(_ value: UInt32) { write(UInt64(value)) }
    public mutating func write(_ value: UInt8) { bytes.append(value) }
    public mutating func write(_ value: Int64) { write(UInt64(bitPattern: (value << 1) ^ (value >> 63))) }
    public mutating func write(_ value: Int32) { write(Int64(value)) }
    public mutating func write(_ value: Bool) { bytes.append(value ? 1 : 0) }
    public mutating func write(_ value: String) { write(bytes: Array(value.utf8)) }

    public mutating func write(bytes value: [UInt8]) {
        write(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    public mutating func write(_ value: some CanonicalValue) { value.write(to: &self) }

    public mutating func write<Value: CanonicalValue>(_ value: Value?) {
        write(value != nil)
        if let value { value.write(to: &self) }
    }

    public mutating func write(_ list: some Collection<some CanonicalValue>) {
        write(UInt64(list.count))
        for element in list { element.write(to: &self) }
    }
}

/// A value with one canonical byte form.
public protocol CanonicalValue: Sendable {
    func write(to writer: inout CanonicalWriter)
    init(from reader: inout CanonicalReader) throws(CanonicalError)
}

extension CanonicalValue {
    public var canonicalBytes: [UInt8] {
        var writer = CanonicalWriter()
        write(to: &writer)
        return writer.bytes
    }

    /// Reads a value that fills `bytes` to the last one.
    public init(canonicalBytes bytes: [UInt8]) throws(CanonicalError) {
        var reader = CanonicalReader(bytes)
        try self.init(from: &reader)
        try reader.finish()
    }
}
