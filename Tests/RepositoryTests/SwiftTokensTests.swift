import Testing

@Suite struct SwiftTokensTests {
    private func words(_ text: String) -> [String] { SwiftTokens.code(text).filter { $0.kind == .word }.map(\.text) }

    @Test(
        "Words in comments and strings are not code",
        arguments: [
            "a // hidden", "a /* hidden */ ", "a /* x /* hidden */ hidden */ ", "a \"hidden\"", "a #\"hidden \"hidden\" \\(hidden)\"#",
            "a \"\"\"\n  hidden \"hidden\"\n  \"\"\"", "a \"\\\"hidden\"", "a(/hidden\"/)", "a = #/hidden/x\"/#",
        ])
    func hidden(text: String) {
        #expect(words(text) == ["a"])
        #expect(words(text + "\nb") == ["a", "b"])
    }

    @Test(
        "Code between literals is seen",
        arguments: [
            "\"x \\(a + f(\"y\")) z\" b", "#\"x \\#(a.f()) \\(y)\"# b", "\"\"\"\n \\(a) f\n\"\"\"\nb", "a / f / b", "x(/y/) + a + f + b",
        ])
    func seen(text: String) {
        let found = words(text)
        #expect(found.contains("a") && found.contains("b"))
    }

    @Test func linesAreCounted() {
        let text = "a\n/* x\n y */ b\n\"\"\"\n x\n \"\"\" c\n  d e"
        let lines = SwiftTokens.code(text).filter { $0.kind == .word }.map { "\($0.text)\($0.line)" }
        #expect(lines == ["a1", "b3", "c6", "d7", "e7"])
        #expect(SwiftTokens.scan(text).filter { $0.kind == .comment }.map(\.line) == [2, 3])
        #expect(SwiftTokens.code(text).filter(\.isFirstOnLine).map(\.text) == ["a", "b", "\n x\n ", "d"])
    }

    @Test func directivesAndQuotedNames() {
        #expect(words("#if DEBUG\nfunc `init`() {}\n#endif") == ["#if", "DEBUG", "func", "init", "#endif"])
    }
}
