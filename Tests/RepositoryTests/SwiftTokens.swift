// A scanner of Swift source that is exact about what is code, comment and string, and about nothing else.
//
// The rules of this folder look for words in code; a word in a comment or a string breaks no rule. Code inside an
// interpolation is code. Regular expression literals are recognised by what stands before the slash.

struct Token: Equatable {
    enum Kind: Equatable {
        /// An identifier, a keyword, a directive such as `#if`, or a number.
        case word
        /// One character of an operator or a bracket.
        case mark
        /// A string or regular expression literal; its text has no delimiters and no interpolations.
        case literal
        case comment
    }

    var kind: Kind
    var text: String
    var line: Int
    /// Nothing but white space and comments stands before it on its line.
    var isFirstOnLine = false
}

struct SwiftTokens {
    private let bytes: [UInt8]
    private var position = 0
    private var line = 1
    private var lastCodeLine = 0
    private var tokens: [Token] = []

    private init(_ text: String) { bytes = Array(text.utf8) }

    /// All tokens, comments among them.
    static func scan(_ text: String) -> [Token] {
        var scanner = SwiftTokens(text)
        scanner.scanCode(untilClosingParenthesis: false)
        return scanner.tokens
    }

    /// The tokens without comments.
    static func code(_ text: String) -> [Token] { scan(text).filter { $0.kind != .comment } }

    // MARK: Bytes

    private func byte(_ offset: Int = 0) -> UInt8 { position + offset < bytes.count ? bytes[position + offset] : 0 }

    private func starts(with text: StaticString) -> Bool {
        text.withUTF8Buffer { pattern in
            position + pattern.count <= bytes.count && zip(pattern, bytes[position...]).allSatisfy { $0 == $1 }
        }
    }

    private mutating func advance(_ count: Int = 1) {
        for _ in 0..<count where position < bytes.count {
            if bytes[position] == UInt8(ascii: "\n") { line += 1 }
            position += 1
        }
    }

    private mutating func append(_ kind: Token.Kind, _ text: some Sequence<UInt8>, line start: Int) {
        let isFirst = kind != .comment && start != lastCodeLine
        tokens.append(Token(kind: kind, text: String(decoding: Array(text), as: UTF8.self), line: start, isFirstOnLine: isFirst))
        if kind != .comment { lastCodeLine = line }
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"), UInt8(ascii: "$"), 0x80...:
            true
        default: false
        }
    }

    // MARK: Code

    private mutating func scanCode(untilClosingParenthesis: Bool) {
        var depth = 0
        while position < bytes.count {
            let next = byte()
            if starts(with: "//") {
                scanLineComment()
            } else if starts(with: "/*") {
                scanBlockComment()
            } else if let hashes = delimiterHashes(before: UInt8(ascii: "\"")) {
                scanString(hashes: hashes)
            } else if let hashes = delimiterHashes(before: UInt8(ascii: "/")), hashes > 0 || slashOpensExpression {
                scanExpression(hashes: hashes)
            } else if Self.isWordByte(next) || next == UInt8(ascii: "#") || next == UInt8(ascii: "`") {
                scanWord()
            } else if next == UInt8(ascii: " ") || next == UInt8(ascii: "\n") || next == UInt8(ascii: "\t") || next == UInt8(ascii: "\r") {
                advance()
            } else {
                if next == UInt8(ascii: "(") { depth += 1 }
                if next == UInt8(ascii: ")") {
                    depth -= 1
                    if untilClosingParenthesis, depth < 0 { return }
                }
                append(.mark, [next], line: line)
                advance()
            }
        }
    }

    private mutating func scanWord() {
        let start = position
        repeat { advance() } while position < bytes.count && (Self.isWordByte(byte()) || byte() == UInt8(ascii: "`"))
        append(.word, bytes[start..<position].lazy.filter { $0 != UInt8(ascii: "`") }, line: line)
    }

    private mutating func scanLineComment() {
        let start = position
        while position < bytes.count, byte() != UInt8(ascii: "\n") { position += 1 }
        append(.comment, bytes[start..<position], line: line)
    }

    /// Block comments nest. One token a line, so that findings name the right one.
    private mutating func scanBlockComment() {
        var depth = 0
        var start = position
        repeat {
            if starts(with: "/*") {
                depth += 1
                advance(2)
            } else if starts(with: "*/") {
                depth -= 1
                advance(2)
            } else {
                if byte() == UInt8(ascii: "\n") {
                    append(.comment, bytes[start..<position], line: line)
                    start = position + 1
                }
                advance()
            }
        } while depth > 0 && position < bytes.count
        append(.comment, bytes[start..<position], line: line)
    }

    // MARK: Literals

    /// How many `#` stand here before a delimiter; nil when no literal starts here.
    private func delimiterHashes(before delimiter: UInt8) -> Int? {
        var hashes = 0
        while byte(hashes) == UInt8(ascii: "#") { hashes += 1 }
        return byte(hashes) == delimiter ? hashes : nil
    }

    /// A slash after an operand divides; after an opening bracket, a comma or an operator it opens an expression.
    private var slashOpensExpression: Bool {
        let next = byte(1)
        guard next != UInt8(ascii: " "), next != UInt8(ascii: "="), next != UInt8(ascii: "\n"), next != 0 else { return false }
        let rest = bytes[(position + 1)...].prefix { $0 != UInt8(ascii: "\n") }
        guard rest.contains(UInt8(ascii: "/")) else { return false }
        guard let last = tokens.last(where: { $0.kind != .comment }) else { return true }
        switch last.kind {
        case .mark: return "([{,:;=!&|?>".contains(last.text)
        case .word: return ["return", "in", "case", "try", "await", "where"].contains(last.text)
        case .literal, .comment: return false
        }
    }

    private mutating func scanExpression(hashes: Int) {
        let start = position + hashes + 1
        let first = line
        advance(hashes + 1)
        while position < bytes.count {
            if byte() == UInt8(ascii: "\\") {
                advance(2)
            } else if byte() == UInt8(ascii: "/"), (0..<hashes).allSatisfy({ byte(1 + $0) == UInt8(ascii: "#") }) {
                break
            } else {
                advance()
            }
        }
        append(.literal, bytes[start..<min(position, bytes.count)], line: first)
        advance(hashes + 1)
    }

    /// The literal becomes one token; the code of its interpolations follows it.
    private mutating func scanString(hashes: Int) {
        let first = line
        let place = tokens.count
        advance(hashes)
        let isMultiline = starts(with: "\"\"\"")
        let quotes = isMultiline ? 3 : 1
        advance(quotes)
        append(.literal, [], line: first)
        var content: [UInt8] = []
        while position < bytes.count {
            if closesString(quotes: quotes, hashes: hashes) {
                advance(quotes + hashes)
                break
            }
            if byte() == UInt8(ascii: "\\"), (0..<hashes).allSatisfy({ byte(1 + $0) == UInt8(ascii: "#") }) {
                advance(1 + hashes)
                if byte() == UInt8(ascii: "(") {
                    advance()
                    scanCode(untilClosingParenthesis: true)
                }
                advance()
            } else if byte() == UInt8(ascii: "\n"), !isMultiline {
                break
            } else {
                content.append(byte())
                advance()
            }
        }
        tokens[place].text = String(decoding: content, as: UTF8.self)
        lastCodeLine = line
    }

    private func closesString(quotes: Int, hashes: Int) -> Bool {
        (0..<quotes).allSatisfy { byte($0) == UInt8(ascii: "\"") }
            && (0..<hashes).allSatisfy { byte(quotes + $0) == UInt8(ascii: "#") }
    }
}
