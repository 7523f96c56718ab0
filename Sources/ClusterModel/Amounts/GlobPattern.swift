/// A shell-like pattern over names of device models: `*` any run, `?` any one character, `|` alternatives; ASCII letters
/// match in either case. Matching takes time linear in the text for each alternative and `*`.
public struct GlobPattern: Hashable, Sendable {
    private let alternatives: [[UInt8]]

    public init(_ text: String) {
        alternatives = text.split(separator: "|", omittingEmptySubsequences: false).map { $0.utf8.map(Self.lowercased) }
    }

    public func matches(_ text: String) -> Bool {
        let bytes = text.utf8.map(Self.lowercased)
        return alternatives.contains { Self.matches($0, bytes) }
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }

    /// Greedy with one point to come back to: the last `*` is the only one that ever needs to grow.
    private static func matches(_ pattern: [UInt8], _ text: [UInt8]) -> Bool {
        var patternIndex = 0
        var textIndex = 0
        var star: (pattern: Int, text: Int)?
        while textIndex < text.count {
            if patternIndex < pattern.count, pattern[patternIndex] == UInt8(ascii: "*") {
                star = (patternIndex, textIndex)
                patternIndex += 1
            } else if patternIndex < pattern.count, pattern[patternIndex] == UInt8(ascii: "?") || pattern[patternIndex] == text[textIndex] {
                patternIndex += 1
                textIndex += 1
            } else if let last = star {
                star = (last.pattern, last.text + 1)
                patternIndex = last.pattern + 1
                textIndex = last.text + 1
            } else {
                return false
            }
        }
        return pattern[patternIndex...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
