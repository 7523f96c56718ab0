public import ClusterModel
import Crypto
import Glibc

/// Digests of contents.
public enum ContentHash {
    public static func digest(of bytes: [UInt8]) -> ContentDigest {
        var hash = SHA256()
        bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
        return finish(hash)
    }

    /// Reads an open file from its position to its end.
    ///
    /// - Throws: `FileReadError`.
    public static func digest(of descriptor: Int32) throws(FileReadError) -> (digest: ContentDigest, size: Int64) {
        var hash = SHA256()
        var size: Int64 = 0
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileReadError(number: errno)
            }
            buffer.withUnsafeBytes { hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            size += Int64(count)
        }
        return (finish(hash), size)
    }

    private static func finish(_ hash: SHA256) -> ContentDigest {
        guard let digest = ContentDigest(bytes: Array(hash.finalize())) else { preconditionFailure("SHA-256 has 32 bytes") }
        return digest
    }
}

/// An open file could not be read on.
public struct FileReadError: Error, Hashable, Sendable, CustomStringConvertible {
    public var number: Int32

    public init(number: Int32) { self.number = number }

    public var description: String { number == 0 ? "it has become shorter" : String(cString: strerror(number)) }
}
