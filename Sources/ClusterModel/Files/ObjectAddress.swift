/// A place in an object store that speaks S3: `s3://BUCKET`, `s3://BUCKET/OBJECT` or `s3://BUCKET/PREFIX`.
public struct ObjectAddress: Hashable, Sendable, CustomStringConvertible {
    public static let scheme = "s3://"
    public static let grammar = "s3://BUCKET/PATH, of at most 1024 bytes"

    public let bucket: String
    /// Without slashes at its ends; empty for the whole bucket.
    public let key: String

    /// nil for what is no such address. Bucket names are those of Amazon's rules, which other stores share.
    public init?(_ text: String) {
        guard text.hasPrefix(Self.scheme), text.utf8.count <= 1024 else { return nil }
        let parts = text.dropFirst(Self.scheme.count).split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let bucket = parts[0]
        let isNamed = bucket.utf8.allSatisfy {
            ($0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z")) || ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9"))
                || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
        }
        guard (3...63).contains(bucket.utf8.count), isNamed, bucket.first != "-", bucket.first != "." else { return nil }
        let segments = parts.count == 2 ? parts[1].split(separator: "/") : []
        // A store takes such keys; tools that treat them as paths do not agree on what they mean.
        guard segments.allSatisfy({ $0 != "." && $0 != ".." }), !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return nil }
        self.bucket = String(bucket)
        key = segments.joined(separator: "/")
    }

    public var description: String { key.isEmpty ? "\(Self.scheme)\(bucket)" : "\(Self.scheme)\(bucket)/\(key)" }

    /// A place below this one.
    public func appending(_ segment: String) -> String { "\(self)/\(segment)" }
}

extension JobOutput {
    /// Where it is kept instead of with the job; nil for those that are kept with the job.
    public var objectAddress: ObjectAddress? { ObjectAddress(destination) }
}
