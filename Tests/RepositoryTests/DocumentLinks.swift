// Links and named paths of the Markdown documents.

import Foundation

struct DocumentLinks {
    /// Answers whether a path from the root exists.
    var exists: (String) -> Bool
    /// The text of a Markdown document, for its headings.
    var text: (String) -> String?

    func findings(in file: SourceFile) -> [Finding] {
        Self.lines(of: file.text).flatMap { number, line in
            let broken = Self.targets(in: line).compactMap { problem(ofLink: $0, from: file) }
            let missing = Self.namedPaths(in: line).filter { !exists($0) }.map { "names '\($0)', which does not exist" }
            return (broken + missing).map { Finding(path: file.path, line: number, message: $0) }
        }
    }

    private func problem(ofLink link: String, from file: SourceFile) -> String? {
        if link.contains("://") || link.hasPrefix("mailto:") { return nil }
        if link.hasPrefix("/") { return "link '\(link)' is absolute; make it relative" }
        let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let decoded = parts[0].removingPercentEncoding ?? parts[0]
        guard let path = decoded.isEmpty ? file.path : Self.resolve(decoded, from: file.folders) else {
            return "link '\(link)' leaves the repository"
        }
        if !exists(path) { return "link '\(link)' leads nowhere" }
        guard parts.count == 2, path.hasSuffix(".md"), let target = path == file.path ? file.text : text(path) else { return nil }
        return Self.anchors(of: target).contains(parts[1]) ? nil : "link '\(link)': \(path) has no such heading"
    }

    /// A path from the root; nil when it leaves it.
    static func resolve(_ link: String, from folders: [String]) -> String? {
        var parts = folders
        for part in link.split(separator: "/") where part != "." {
            if part == ".." {
                if parts.popLast() == nil { return nil }
            } else {
                parts.append(String(part))
            }
        }
        return parts.joined(separator: "/")
    }

    // MARK: Reading Markdown

    /// Numbered lines outside fenced blocks.
    private static func lines(of text: String) -> [(Int, String)] {
        var isFenced = false
        return text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { number, line in
            if line.drop(while: { $0 == " " }).hasPrefix("```") {
                isFenced.toggle()
                return nil
            }
            return isFenced ? nil : (number + 1, String(line))
        }
    }

    /// `[text](target)`, `![text](target "title")` and `[name]: target`, outside code spans.
    static func targets(in line: String) -> [String] {
        let prose = outsideCode(line)
        let inline = prose.components(separatedBy: "](").dropFirst().compactMap { $0.split(separator: ")").first }
        let definition = prose.hasPrefix("[") ? prose.components(separatedBy: "]: ").dropFirst().prefix(1).map { $0[...] } : []
        return (inline + definition).compactMap { $0.split(separator: " ").first }.map { target in
            String(target.drop { $0 == "<" }.prefix { $0 != ">" })
        }
    }

    /// Code spans that name a path of the repository, such as `Deploy/test.sh`; a pattern (`<Name>`, `*`, `…`) names none.
    static func namedPaths(in line: String) -> [String] {
        let spans = line.split(separator: "`", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
        return spans.compactMap { span in
            guard let first = span.split(separator: " ").first.map(String.init), first.contains("/"),
                Layout.topFolders.contains(String(first.prefix { $0 != "/" })), !first.contains(where: { "<>*{}[]…$".contains($0) })
            else { return nil }
            return first.hasSuffix("/") ? String(first.dropLast()) : first
        }
    }

    private static func outsideCode(_ line: String) -> String {
        line.split(separator: "`", omittingEmptySubsequences: false).enumerated().map { $0 % 2 == 0 ? String($1) : "code" }.joined()
    }

    /// Headings as GitHub spells their anchors.
    static func anchors(of text: String) -> Set<String> {
        let headings = lines(of: text).map(\.1).filter { $0.hasPrefix("#") }
        return Set(
            headings.map { heading in
                let words = heading.drop { $0 == "#" || $0 == " " }.lowercased()
                return String(
                    words.filter { $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" || $0 == "_" }.map { $0 == " " ? "-" : $0 })
            })
    }
}
