import Glibc
public import NIOCore

/// An open file in parts, from its position on: as many bytes as were announced, or an error.
public struct FileParts: AsyncSequence, Sendable {
    public typealias Element = ByteBuffer

    private let descriptor: Int32
    private let size: Int64

    public init(_ descriptor: Int32, size: Int64) {
        self.descriptor = descriptor
        self.size = size
    }

    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let descriptor: Int32
        fileprivate var rest: Int64
        fileprivate var buffer = [UInt8](repeating: 0, count: 1 << 18)

        public mutating func next() async throws -> ByteBuffer? {
            guard rest > 0 else { return nil }
            var count = -1
            repeat { count = read(descriptor, &buffer, Int(Swift.min(Int64(buffer.count), rest))) } while count < 0 && errno == EINTR
            guard count > 0 else { throw FileReadError(number: count == 0 ? 0 : errno) }
            rest -= Int64(count)
            return ByteBuffer(bytes: buffer[..<count])
        }
    }

    public func makeAsyncIterator() -> Iterator { Iterator(descriptor: descriptor, rest: size) }
}
