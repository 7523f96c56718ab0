import Foundation
import Testing

/// Golden scenarios: text in, what was decided out. `UPDATE_GOLDEN=1 swift test` rewrites the expectations; read the diff.
@Suite struct ScenarioTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Scenarios")

    static let names: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".txt") }.sorted()
    }()

    @Test func scenariosAreFound() { #expect(Self.names.count >= 5) }

    @Test(arguments: names) func theTraceIsAsWritten(name: String) throws {
        let file = Self.folder.appending(path: name)
        let text = try String(contentsOf: file, encoding: .utf8)
        var runner = ScenarioRunner()
        let actual = runner.run(text)
        #expect(runner.violations.isEmpty, "\(runner.violations)")
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            try actual.write(to: file, atomically: true, encoding: .utf8)
        }
        #expect(actual == text, "\(name): run with UPDATE_GOLDEN=1 and read the diff")
    }
}
