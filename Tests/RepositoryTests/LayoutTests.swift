import Foundation
import Testing

@Suite struct LayoutTests {
    @Test(.enabled("needs a git checkout") { Checkout.isGitCheckout })
    func everyFileHasAPlace() throws {
        let targets = ManifestTarget.all(inManifest: try Checkout.text("Package.swift"))
        let paths = try Checkout.gitPaths()
        #expect(!paths.isEmpty)
        for finding in Layout.findings(inPaths: paths, targets: targets) { Issue.record("\(finding)") }
    }

    @Test func filesAndFunctionsAreShort() throws {
        for file in try Checkout.swiftFiles(below: "Sources") {
            for finding in Layout.sizeFindings(in: file) { Issue.record("\(finding)") }
        }
    }

    @Test(.enabled("needs a git checkout") { Checkout.isGitCheckout })
    func scriptsCanRun() throws {
        for path in try Checkout.gitPaths() {
            let url = Checkout.root.appendingPathComponent(path)
            let handle = try FileHandle(forReadingFrom: url)
            defer { try? handle.close() }
            let first = Array(try handle.read(upToCount: 2) ?? Data())
            let mode = try FileManager.default.attributesOfItem(atPath: url.path)[.posixPermissions] as? Int ?? 0
            if let finding = Layout.scriptFinding(path: path, firstBytes: first, isExecutable: mode & 0o111 != 0) {
                Issue.record("\(finding)")
            }
        }
    }

    // MARK: Each check catches what it is for

    @Test func misplacedFilesAreFound() {
        let targets = [ManifestTarget(name: "Placement"), ManifestTarget(name: "PlacementTests", isTest: true)]
        let bad = [
            "notes.txt", "scripts/build.sh", "Sources/Elsewhere/A.swift", "Sources/Placement/Utils/A.swift", "Sources/A.swift",
            "Tests/Placement/A.swift", "Tests/OtherTests/A.swift", "Deploy/New/a.yaml", "Sources/Placement/Stub.swift",
        ]
        let good = [
            "README.md", "LICENSE", ".gitignore", ".ci/run", "Sources/Placement/Fit.swift", "Tests/PlacementTests/FitTests.swift",
            "Tests/Benchmarks/Run/A.swift", "Deploy/test.sh", "Protocols/wire.md", "Sources/Placement/NewUtils.swift",
        ]
        #expect(Layout.findings(inPaths: bad, targets: targets).map(\.path) == bad)
        #expect(Layout.findings(inPaths: good, targets: targets) == [])
    }

    @Test func longFilesAreFoundAndGeneratedOnesPass() {
        let long = String(repeating: "// line\n", count: Layout.fileLinesMax + 1)
        #expect(Layout.sizeFindings(in: SourceFile(path: "Sources/A/Long.swift", text: long)).count == 1)
        #expect(Layout.sizeFindings(in: SourceFile(path: "Sources/A/Long.pb.swift", text: long)) == [])
        let fits = String(long.dropLast("// line\n".count))
        #expect(Layout.sizeFindings(in: SourceFile(path: "Sources/A/Fits.swift", text: fits)) == [])
    }

    @Test(
        "A long function is found however it is declared",
        arguments: [
            "func f() -> Int", "init?(x: [Int] = { [1] }()) throws", "deinit", "subscript(i: Int) -> Int",
            "func f<T>(\n_ t: T\n) where T: P",
        ])
    func longFunction(declaration: String) {
        let extra = declaration.filter { $0 == "\n" }.count
        let body = String(repeating: "    let s = \"}\" // }\n", count: Layout.functionLinesMax - 1 - extra)
        let long = "struct S {\n\(declaration) {\n\(body)}\n}\n"
        #expect(Layout.sizeFindings(in: SourceFile(path: "Sources/A/A.swift", text: long)).map(\.line) == [2])
        let fits = long.replacingOccurrences(of: "\(declaration) {\n    let s = \"}\" // }\n", with: "\(declaration) {\n")
        #expect(Layout.sizeFindings(in: SourceFile(path: "Sources/A/A.swift", text: fits)) == [])
    }

    @Test func requirementsCallsAndClosuresAreNoFunctions() {
        let text = """
            protocol P {
                func a() -> Int
                init(x: Int)
                var b: Int { get }
            }
            struct S { init() { self.init(x: 1); f { .init() } } }
            func g() {
                h {
                    1
                }
            }
            """
        let functions = FunctionLength.all(in: text)
        #expect(functions.map(\.name) == ["init", "g"])
        #expect(functions.map(\.lines) == [1, 5])
    }

    @Test func runBitsAreChecked() {
        func finding(_ path: String, _ first: String, _ runs: Bool) -> Finding? {
            Layout.scriptFinding(path: path, firstBytes: Array(first.utf8), isExecutable: runs)
        }
        #expect(finding("Deploy/a.sh", "#!", true) == nil)
        #expect(finding("README.md", "# ", false) == nil)
        #expect(finding("Deploy/a.sh", "#!", false) != nil)
        #expect(finding("Deploy/a.sh", "se", false) != nil)
        #expect(finding(".ci/run", "se", true) != nil)
        #expect(finding("README.md", "# ", true) != nil)
    }
}
