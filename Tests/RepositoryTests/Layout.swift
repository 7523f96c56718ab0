// What may lie where: names at the top, one folder a target, and sizes that a reader can hold.

import Foundation

enum Layout {
    static let topFolders: Set<String> = ["Sources", "Tests", "Deploy", "Protocols"]
    static let topFiles: Set<String> = [
        "Package.swift", "README.md", "README.zh-CN.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "LICENSE",
        "NOTICE",
    ]
    /// Names that say nothing about what is inside.
    static let emptyNames: Set<String> = ["Common", "Helper", "Helpers", "Misc", "New", "Old", "Util", "Utilities", "Utils"]
    static let fileLinesMax = 600
    static let functionLinesMax = 70

    // MARK: Names

    static func findings(inPaths paths: [String], targets: [ManifestTarget]) -> [Finding] {
        paths.compactMap { path in
            problem(ofPath: path, targets: targets).map { Finding(path: path, line: 0, message: $0) }
        }
    }

    private static func problem(ofPath path: String, targets: [ManifestTarget]) -> String? {
        let parts = path.split(separator: "/").map(String.init)
        if parts[0].hasPrefix(".") { return nil }
        guard parts.count > 1 else {
            return topFiles.contains(path) ? nil : "no file of this name belongs at the top"
        }
        guard topFolders.contains(parts[0]) else { return "no folder '\(parts[0])' belongs at the top" }
        if let folder = parts.dropLast().first(where: emptyNames.contains) {
            return "folder '\(folder)' says nothing; name it after what it holds"
        }
        guard parts[0] == "Sources" || parts[0] == "Tests" else { return nil }
        if parts[0] == "Tests", parts[1] == "Benchmarks" { return nil }
        guard parts.count > 2, targets.contains(where: { $0.name == parts[1] && $0.isTest == (parts[0] == "Tests") }) else {
            return "'\(parts[0])/\(parts[1])' is no target of Package.swift"
        }
        return parts.last == "Stub.swift" ? "a target comes with its first real file, not with a stub" : nil
    }

    // MARK: Sizes

    static func sizeFindings(in file: SourceFile) -> [Finding] {
        guard !file.isGenerated else { return [] }
        let lines = file.text.split(separator: "\n", omittingEmptySubsequences: false).count - (file.text.hasSuffix("\n") ? 1 : 0)
        var findings: [Finding] = []
        if lines > fileLinesMax {
            findings.append(Finding(path: file.path, line: 0, message: "\(lines) lines; a file has at most \(fileLinesMax)"))
        }
        for function in FunctionLength.all(in: file.text) where function.lines > functionLinesMax {
            let message = "\(function.name) has \(function.lines) lines; a function has at most \(functionLinesMax)"
            findings.append(Finding(path: file.path, line: function.line, message: message))
        }
        return findings
    }

    // MARK: Run bits

    /// A script has a first line that names its interpreter, and the run bit; nothing else has the bit.
    static func scriptFinding(path: String, firstBytes: [UInt8], isExecutable: Bool) -> Finding? {
        let hasInterpreter = firstBytes.starts(with: Array("#!".utf8))
        let mustRun = path.hasSuffix(".sh") || path == ".ci/run"
        if mustRun, !hasInterpreter { return Finding(path: path, line: 1, message: "does not begin with #!") }
        if hasInterpreter, !isExecutable { return Finding(path: path, line: 0, message: "begins with #! and lacks the run bit") }
        if !hasInterpreter, isExecutable { return Finding(path: path, line: 0, message: "has the run bit and does not begin with #!") }
        return nil
    }
}

/// A function's name, place and length, from its first line to the one of its closing brace.
struct FunctionLength: Equatable {
    var name: String
    var line: Int
    var lines: Int

    private static let introducers: Set<String> = ["func", "init", "deinit", "subscript"]
    /// Words that begin the next declaration when a requirement of a protocol has no body.
    private static let declarations: Set<String> = [
        "func", "init", "deinit", "subscript", "var", "let", "case", "static", "class", "struct", "enum", "actor", "protocol", "extension",
        "typealias", "associatedtype", "mutating", "nonmutating", "borrowing", "consuming", "public", "package", "internal", "fileprivate",
        "private", "override", "final", "nonisolated", "isolated", "@", "#if", "#else", "#elseif", "#endif", "}",
    ]

    static func all(in text: String) -> [FunctionLength] {
        let code = SwiftTokens.code(text)
        return code.indices.compactMap { index in
            guard code[index].kind == .word, introducers.contains(code[index].text), isDeclaration(index, in: code),
                let open = bodyStart(after: index, in: code), let close = bodyEnd(from: open, in: code)
            else { return nil }
            let isNamed = code[index].text == "func" && index + 1 < code.count
            let name = isNamed ? code[index + 1].text : code[index].text
            return FunctionLength(name: name, line: code[index].line, lines: code[close].line - code[index].line + 1)
        }
    }

    /// `self.init(…)` and `.init(…)` are calls.
    private static func isDeclaration(_ index: Int, in code: [Token]) -> Bool { index == 0 || code[index - 1].text != "." }

    private static func bodyStart(after index: Int, in code: [Token]) -> Int? {
        var depth = 0
        for place in code.indices[(index + 1)...] {
            let token = code[place]
            if token.kind == .literal { continue }
            switch token.text {
            case "(", "[": depth += 1
            case ")", "]": depth -= 1
            case "{" where depth == 0: return place
            default: if depth == 0, token.isFirstOnLine, declarations.contains(token.text) { return nil }
            }
            if depth < 0 { return nil }
        }
        return nil
    }

    private static func bodyEnd(from open: Int, in code: [Token]) -> Int? {
        var depth = 0
        for place in code.indices[open...] where code[place].kind == .mark {
            if code[place].text == "{" { depth += 1 }
            if code[place].text == "}" { depth -= 1 }
            if depth == 0 { return place }
        }
        return nil
    }
}
