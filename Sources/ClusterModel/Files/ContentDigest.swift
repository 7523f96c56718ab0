/// SHA-256 (FIPS 180-4) of some content: its name wherever files travel. Spelled as 64 lower-case hexadecimal digits.
public struct ContentDigest: Hashable, Sendable {
    public static let byteCount = 32

    /// 32 bytes.
    public let bytes: [UInt8]

    public init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// nil for anything but 64 lower-case hexadecimal digits: one digest has one spelling, and one path on a disk.
    public init?(parsing text: some StringProtocol) {
        let digits = Array(text.utf8)
        guard digits.count == Self.byteCount * 2 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        for position in stride(from: 0, to: digits.count, by: 2) {
            guard let high = Self.value(digits[position]), let low = Self.value(digits[position + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        self.bytes = bytes
    }

    public var text: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x61...0x66: digit - 0x61 + 10
        default: nil
        }
    }
}

extension ContentDigest {
    /// A part is as good as the whole: the bytes are spread evenly already.
    public func hash(into hasher: inout Hasher) {
        bytes.withUnsafeBytes { hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: $0.prefix(16))) }
    }
}

extension ContentDigest: Comparable, CustomStringConvertible {
    public static func < (left: Self, right: Self) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }
    public var description: String { text }
}

extension ContentDigest: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) { writer.write(bytes: bytes) }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        guard let digest = ContentDigest(bytes: try reader.readBytes()) else { throw .malformed("a digest has 32 bytes") }
        self = digest
    }
}
