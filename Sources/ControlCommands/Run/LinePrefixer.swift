/// Puts `<index>| ` before each line, so that the output of several tasks can be told apart. Only whole lines pass.
struct LinePrefixer: Sendable {
    private let prefix: [UInt8]
    private var partial: [UInt8] = []

    /// A line longer than this is passed in pieces, so that memory stays bounded.
    static let lineBytesMax = 64 << 10

    init(index: Int64) { prefix = Array("\(index)| ".utf8) }

    mutating func whole(lines bytes: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            output += prefix + partial + rest[...end]
            partial = []
            rest = rest[(end + 1)...]
        }
        partial += rest
        if partial.count > Self.lineBytesMax {
            output += prefix + partial + [UInt8(ascii: "\n")]
            partial = []
        }
        return output
    }

    /// What is left when the stream ends.
    mutating func remainder() -> [UInt8] {
        defer { partial = [] }
        return partial.isEmpty ? [] : prefix + partial + [UInt8(ascii: "\n")]
    }
}
