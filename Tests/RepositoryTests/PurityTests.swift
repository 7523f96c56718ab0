import Foundation
import Testing

@Suite struct PurityTests {
    @Test("The core's objects ask for nothing impure", arguments: ImportTable.coreTargets)
    func core(target: String) throws {
        for object in try Purity.objects(of: target, buildFolder: try Purity.buildFolder()) {
            let symbols = try Purity.undefinedSymbols(of: object)
            for finding in Purity.findings(in: symbols, object: "\(target)/\(object.lastPathComponent)") { Issue.record("\(finding)") }
        }
    }

    // MARK: Each check catches what it is for

    @Test(
        "A compiled violation is found",
        arguments: [
            ("public func f() -> Int { Int.random(in: 0..<9) }", "draws chance"),
            ("public func f(_ x: [Int]) -> [Int] { x.shuffled() }", "draws chance"),
            ("public func f() -> Bool { ContinuousClock.now < .now }", "reads a clock"),
            ("public func f() { Task { } }", "runs a task"),
            ("public func f() async -> Int { await Task.yield(); return 1 }", "runs a task"),
            ("public func f() { print(1) }", "prints"),
            ("import Foundation\npublic func f() -> Date { Date() }", "uses Foundation"),
            ("import Glibc\npublic func f() -> Int { Int(time(nil)) }", "calls the C library"),
            ("public func f(_ x: Int) -> Int { var h = Hasher(); h.combine(x); return h.finalize() }", "hashes with a seed"),
        ])
    func planted(text: String, meaning: String) throws {
        let found = try compile(text)
        #expect(found.contains { $0.message.contains(meaning) }, "\(found)")
    }

    @Test func aPureObjectPasses() throws {
        let text = """
            public struct S: Hashable, Sendable { public var a: [String: Int] = [:] }
            public func f(_ s: S) throws -> [String] { s.a.keys.sorted().map { "\\($0) \\(s.hashValue == 0)" } }
            """
        #expect(try compile(text) == [])
    }

    @Test func aFolderWithoutObjectsFails() {
        #expect(throws: Purity.MissingObject.self) {
            try Purity.objects(of: "ClusterModel", buildFolder: FileManager.default.temporaryDirectory)
        }
    }

    private func compile(_ text: String) throws -> [Finding] {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("purity-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let source = folder.appendingPathComponent("Planted.swift")
        let object = folder.appendingPathComponent("Planted.o")
        try text.write(to: source, atomically: true, encoding: .utf8)
        _ = try run(["swiftc", "-O", "-parse-as-library", "-module-name", "Planted", "-c", source.path, "-o", object.path])
        return Purity.findings(in: try Purity.undefinedSymbols(of: object), object: "Planted.o")
    }
}
