import Testing

@Suite struct BannedWordsTests {
    private let pure = ImportTable.project.pureTargets

    @Test func swiftFilesHoldNoBannedWord() throws {
        for file in try Checkout.swiftFiles(below: "Sources") + Checkout.swiftFiles(below: "Tests") where !file.isGenerated {
            for finding in BannedWords.findings(in: file, pureTargets: pure) { Issue.record("\(finding)") }
        }
    }

    @Test func otherFilesAreFinished() throws {
        let kinds = [".c", ".h", ".sh", ".py", ".proto", ".yaml", ".sql"]
        for folder in ["Sources", "Tests", "Deploy", "Protocols"] {
            for path in try Checkout.paths(below: folder) where kinds.contains(where: path.hasSuffix) {
                let file = SourceFile(path: path, text: try Checkout.text(path))
                for finding in BannedWords.unfinishedMarks(inTextOf: file) { Issue.record("\(finding)") }
            }
        }
    }

    private func messages(_ text: String, in path: String) -> [String] {
        BannedWords.findings(in: SourceFile(path: path, text: text), pureTargets: pure).map(\.message)
    }

    // MARK: Each check catches what it is for

    @Test(
        "Planted in a pure target it is found, elsewhere it is not",
        arguments: [
            "let x = Date()", "let t: T = .now", "let t = ContinuousClock.now", "f(.now)", "return .now", "let n = Int.random(in: 0..<4)",
            "x.shuffled()", "x.randomElement()", "func f() async {}", "let y = await g()", "Task { f() }", "Task\n{ f() }",
            "Task.detached { f() }", "print(x)", "static var cache: [Int] = []", "static var cache = 1\n",
            "static var shared: C\n let x = 1",
            "nonisolated(unsafe) var x = 1", "let n = Foundation.sin(1)", "\"\\(Int.random(in: 0..<4))\"", "var h = Hasher()",
            "x.hashValue",
        ])
    func planted(text: String) {
        let found = messages(text, in: "Sources/SchedulingCore/Planted.swift")
        #expect(!found.isEmpty)
        #expect(found.allSatisfy { $0.contains("use ") }, "the message names the replacement")
        #expect(messages(text, in: "Sources/SchedulerEngine/Fine.swift") == [])
        #expect(messages(text, in: "Tests/SchedulingCoreTests/Fine.swift") == [])
    }

    @Test(
        "What only looks alike passes in a pure target",
        arguments: [
            "// await the Date()", "let s = \"print(x) .now\"", "state.now", "step(at: world.now)", "f().now", "let now = at", "dates(1)",
            "static var size: Int { 64 }", "static var size: Int\n{ 64 }", "let asynchronous = 1", "Task(1)", "var task: Task",
            "printed(x)",
            "func hash(into hasher: inout Hasher) {}", "x?.now",
        ])
    func lookalike(text: String) { #expect(messages(text, in: "Sources/Placement/Fine.swift") == []) }

    @Test(
        "Careless ends are found in every target",
        arguments: ["try! f()", "fatalError()", "fatalError(\"\")", "fatalError(\"not implemented\")", "// TODO: later", "/* a\n FIXME */"])
    func careless(text: String) {
        #expect(messages(text, in: "Sources/ControlAPI/Planted.swift").count == 1)
    }

    @Test("A reason, a handled error and a word in a string pass", arguments: ["fatalError(\"row \\(id) lost\")", "try f()", "\"TODO\""])
    func careful(text: String) { #expect(messages(text, in: "Sources/ControlAPI/Fine.swift") == []) }

    @Test func testsMayForceATry() { #expect(messages("try! f()", in: "Tests/EngineTests/Fine.swift") == []) }

    @Test func lineAndMarkOfOtherFiles() {
        let file = SourceFile(path: "Deploy/planted.sh", text: "true\n# FIXME x\nTODOS=1\n")
        #expect(BannedWords.unfinishedMarks(inTextOf: file).map(\.line) == [2])
    }
}
