// Words that must not stand in code, where, and what to write in their place.

/// A sequence of tokens that must not occur.
struct BannedWord {
    /// As in the source, tokens separated by blanks: `Task {`.
    var words: String
    var replacement: String
    /// A second look at a place where the words stand; true when it really breaks the rule.
    var applies: @Sendable (_ code: ArraySlice<Token>, _ match: Range<Int>) -> Bool = { _, _ in true }

    func lines(in code: [Token]) -> [Int] {
        let pattern = words.split(separator: " ").map(String.init)
        guard code.count >= pattern.count else { return [] }
        return (0...(code.count - pattern.count)).compactMap { start in
            let match = start..<(start + pattern.count)
            guard zip(code[match], pattern).allSatisfy({ $0.kind != .literal && $0.text == $1 }) else { return nil }
            return applies(code[...], match) ? code[start].line : nil
        }
    }
}

enum BannedWords {
    /// For the targets that decide: `ImportTable.pureTargets`.
    static let inPureTargets: [BannedWord] = [
        BannedWord(words: "Foundation", replacement: "the standard library; what needs Foundation belongs to an adapter"),
        BannedWord(words: "Date (", replacement: "`LogicalTime`, given as an argument"),
        BannedWord(words: "ContinuousClock", replacement: "`LogicalTime`, given as an argument"),
        BannedWord(words: "SuspendingClock", replacement: "`LogicalTime`, given as an argument"),
        BannedWord(words: ". now", replacement: "`LogicalTime`, given as an argument", applies: isMemberOfTypeOrImplicit),
        BannedWord(words: "random (", replacement: "chance given as an argument, drawn by the caller"),
        BannedWord(words: "randomElement (", replacement: "chance given as an argument, drawn by the caller"),
        BannedWord(words: "shuffle (", replacement: "an order that follows from the state"),
        BannedWord(words: "shuffled (", replacement: "an order that follows from the state"),
        BannedWord(words: "SystemRandomNumberGenerator", replacement: "a generator given by the caller"),
        BannedWord(words: "Hasher (", replacement: "canonical bytes; `Hasher` is seeded anew in each process"),
        BannedWord(words: "hashValue", replacement: "canonical bytes; hash values differ between processes"),
        BannedWord(words: "async", replacement: "a synchronous function; waiting belongs to an engine"),
        BannedWord(words: "await", replacement: "an effect that an engine carries out"),
        BannedWord(words: "Task {", replacement: "an effect that an engine carries out"),
        BannedWord(words: "Task . detached", replacement: "an effect that an engine carries out"),
        BannedWord(words: "print (", replacement: "an effect or an event; logging belongs to the shells"),
        BannedWord(words: "debugPrint (", replacement: "an effect or an event; logging belongs to the shells"),
        BannedWord(words: "static var", replacement: "`static let`, or state of the value that needs it", applies: isStored),
        BannedWord(words: "nonisolated ( unsafe )", replacement: "state of the value that needs it"),
    ]

    static let inSources: [BannedWord] = [
        BannedWord(words: "try !", replacement: "`try` with a handled error, or a `precondition` that says why it cannot fail"),
        BannedWord(
            words: "fatalError (", replacement: "a reason in the text: what was expected and what was found", applies: givesNoReason),
    ]

    private static let unfinished = ["TODO", "FIXME", "XXX"]

    // MARK: Checks

    static func findings(in file: SourceFile, pureTargets: Set<String>) -> [Finding] {
        let tokens = SwiftTokens.scan(file.text)
        let code = tokens.filter { $0.kind != .comment }
        var rules: [BannedWord] = []
        if file.folders.first == "Sources" { rules += inSources }
        if file.folders.first == "Sources", let target = file.target, pureTargets.contains(target) { rules += inPureTargets }
        let words = rules.flatMap { rule in
            rule.lines(in: code).map { Finding(path: file.path, line: $0, message: "`\(rule.words)`: use \(rule.replacement)") }
        }
        let marks = tokens.filter { $0.kind == .comment }.flatMap { comment in
            unfinishedMarks(in: comment.text).map { Finding(path: file.path, line: comment.line, message: $0) }
        }
        return (words + marks).sorted { $0.line < $1.line }
    }

    /// For files of other languages, where comments and code are not told apart.
    static func unfinishedMarks(inTextOf file: SourceFile) -> [Finding] {
        file.text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().flatMap { number, line in
            unfinishedMarks(in: String(line)).map { Finding(path: file.path, line: number + 1, message: $0) }
        }
    }

    private static func unfinishedMarks(in text: String) -> [String] {
        let words = Set(text.split { !$0.isLetter && !$0.isNumber && $0 != "_" })
        return unfinished.filter { words.contains(Substring($0)) }.map { "\($0): finish it, or open an issue" }
    }

    // MARK: Second looks

    /// `Clock.now` and `.now` read a clock; `state.now` reads a value.
    @Sendable private static func isMemberOfTypeOrImplicit(_ code: ArraySlice<Token>, _ match: Range<Int>) -> Bool {
        guard match.lowerBound > code.startIndex else { return true }
        let owner = code[match.lowerBound - 1]
        if owner.kind == .word { return owner.text.first?.isUppercase == true || ["return", "in", "case"].contains(owner.text) }
        return ![")", "]", "}", "?", "!"].contains(owner.text)
    }

    /// A computed property has a body and no initial value.
    @Sendable private static func isStored(_ code: ArraySlice<Token>, _ match: Range<Int>) -> Bool {
        for token in code[match.upperBound...] {
            if token.text == "{" { return false }
            if token.text == "=" || token.isFirstOnLine { return true }
        }
        return true
    }

    @Sendable private static func givesNoReason(_ code: ArraySlice<Token>, _ match: Range<Int>) -> Bool {
        guard match.upperBound < code.endIndex else { return true }
        let reason = code[match.upperBound]
        if reason.text == ")" || reason.text.isEmpty { return true }
        guard reason.kind == .literal else { return false }
        return ["todo", "not implemented", "unimplemented"].contains { reason.text.lowercased().contains($0) }
    }
}
