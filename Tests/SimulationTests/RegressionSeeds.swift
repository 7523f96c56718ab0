import Foundation

enum RegressionSeeds {
    /// One seed a line, `#` begins a comment.
    static let all: [UInt64] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "regressions.txt")
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { line in
            UInt64(line.prefix { $0 != "#" }.filter { !$0.isWhitespace })
        }
    }()
}
