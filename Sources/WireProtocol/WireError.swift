/// Why bytes from a peer are not a message. Whoever receives one drops the frame and counts it; nothing else follows.
public enum WireError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Not protobuf, or text that is not UTF-8.
    case malformed
    case oversized(bytes: Int, limit: Int)
    /// A field without which the message means nothing.
    case missing(String)
    /// A number outside its range, a text or list that is too long, an enumeration value that this build does not know.
    case outOfRange(String)

    public var description: String {
        switch self {
        case .malformed: "not a message of suanpan.agent.v1"
        case .oversized(let bytes, let limit): "\(bytes) bytes; at most \(limit) are allowed"
        case .missing(let field): "\(field) is missing"
        case .outOfRange(let field): "\(field) is out of range"
        }
    }
}
