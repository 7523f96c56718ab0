import ClusterModel

/// What stays behind when a directory travels: `.suanpanignore` in its top, with the lines of a `.gitignore`.
///
/// Known are comments, `!` for exceptions, a slash at the end for directories, one within for paths from the top, `*`, `?`
/// and `**`. The last rule that matches decides. `.git` stays behind always.
struct IgnoreRules: Sendable {
    static let fileName = ".suanpanignore"

    private struct Rule: Sendable {
        var pattern: [Substring]
        var isException: Bool
        var isForDirectories: Bool
    }

    private var rules: [Rule] = []

    init(parsing text: String = "") {
        for line in [".git/"] + text.split(whereSeparator: \.isNewline).map(String.init) {
            var pattern = Substring(line)
            while pattern.last == " " || pattern.last == "\t" || pattern.last == "\r" { pattern.removeLast() }
            guard !pattern.isEmpty, !pattern.hasPrefix("#") else { continue }
            let isException = pattern.hasPrefix("!")
            if isException { pattern.removeFirst() }
            let isForDirectories = pattern.hasSuffix("/")
            if isForDirectories { pattern.removeLast() }
            guard !pattern.isEmpty else { continue }
            let isFromTop = pattern.contains("/")
            var parts = pattern.split(separator: "/", omittingEmptySubsequences: true)
            if !isFromTop { parts.insert("**", at: 0) }
            rules.append(Rule(pattern: parts, isException: isException, isForDirectories: isForDirectories))
        }
    }

    /// Whether the entry stays behind; of a directory, everything below it does too.
    func ignores(_ path: String, isDirectory: Bool) -> Bool {
        let names = path.split(separator: "/")
        let rule = rules.last { ($0.isForDirectories ? isDirectory : true) && Self.matches($0.pattern[...], names[...]) }
        return rule.map { !$0.isException } ?? false
    }

    private static func matches(_ pattern: ArraySlice<Substring>, _ names: ArraySlice<Substring>) -> Bool {
        guard let first = pattern.first else { return names.isEmpty }
        if first == "**" {
            let rest = pattern.dropFirst()
            // At the end it stands for everything below, elsewhere for any number of directories.
            if rest.isEmpty { return !names.isEmpty }
            return names.indices.contains { matches(rest, names[$0...]) }
        }
        guard let name = names.first, matchesName(Array(first.utf8), Array(name.utf8)) else { return false }
        return matches(pattern.dropFirst(), names.dropFirst())
    }

    /// One name, by the greedy algorithm that needs no recursion: linear for each star.
    private static func matchesName(_ pattern: [UInt8], _ name: [UInt8]) -> Bool {
        var position = 0
        var place = 0
        var retry: (place: Int, position: Int)?
        while position < name.count {
            if place < pattern.count, pattern[place] == UInt8(ascii: "*") {
                retry = (place + 1, position)
                place += 1
            } else if place < pattern.count, pattern[place] == UInt8(ascii: "?") || pattern[place] == name[position] {
                place += 1
                position += 1
            } else if let last = retry {
                place = last.place
                position = last.position + 1
                retry = (place, position)
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
