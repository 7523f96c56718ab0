// Canonical forms of the small building blocks.

extension UInt32: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) { writer.write(UInt64(self)) }
    public init(from reader: inout CanonicalReader) throws(CanonicalError) { self = try reader.readUInt32() }
}

extension UInt64: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) { writer.write(self) }
    public init(from reader: inout CanonicalReader) throws(CanonicalError) { self = try reader.readUInt64() }
}

extension Int64: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) { writer.write(self) }
    public init(from reader: inout CanonicalReader) throws(CanonicalError) { self = try reader.readInt64() }
}

extension Int32: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) { writer.write(Int64(self)) }
    public init(from reader: inout CanonicalReader) throws(CanonicalError) { self = try reader.readInt32() }
}

extension String: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) { writer.write(self) }
    public init(from reader: inout CanonicalReader) throws(CanonicalError) { self = try reader.readString() }
}

extension LogicalTime: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) { writer.write(nanoseconds) }
    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(nanoseconds: try reader.readInt64())
    }
}

extension Span: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) { writer.write(nanoseconds) }
    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(nanoseconds: try reader.readInt64())
    }
}

extension CountedIdentifier where Self: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) { writer.write(value) }
    public init(from reader: inout CanonicalReader) throws(CanonicalError) { self.init(try reader.readUInt64()) }
}

extension JobID: CanonicalValue {}
extension NodeID: CanonicalValue {}
extension RequestClassID: CanonicalValue {}
extension Fence: CanonicalValue {}
extension Epoch: CanonicalValue {}
extension SessionID: CanonicalValue {}

extension TaskID: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(job)
        writer.write(index)
    }
    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(job: try reader.read(), index: try reader.readUInt32())
    }
}

extension AttemptID: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(task)
        writer.write(number)
    }
    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(task: try reader.read(), number: try reader.readUInt32())
    }
}

/// A name and its text: an environment variable, a label.
public struct NamedText: Hashable, Sendable, CanonicalValue {
    public var name: String
    public var text: String

    public init(_ name: String, _ text: String) {
        self.name = name
        self.text = text
    }

    public func write(to writer: inout CanonicalWriter) {
        writer.write(name)
        writer.write(text)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(try reader.readString(), try reader.readString())
    }
}

/// An enumeration whose raw value is its tag in canonical bytes; raw values are never reused.
public protocol CanonicalTag: CanonicalValue, RawRepresentable where RawValue == UInt8 {}

extension CanonicalTag {
    public func write(to writer: inout CanonicalWriter) { writer.write(rawValue) }
    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        let raw = try reader.readUInt8()
        guard let value = Self(rawValue: raw) else { throw .malformed("unknown tag \(raw) of \(Self.self)") }
        self = value
    }
}
