import Foundation
import Testing

/// Protocols/faults.md names a test for every fault; each must be there.
@Suite struct FaultTableTests {
    private static func rows() throws -> [(number: String, tests: [String])] {
        let page = try Checkout.text("Protocols/faults.md")
        let table = page.components(separatedBy: "## The table")[1]
        return table.split(separator: "\n").filter { $0.hasPrefix("| F") }.map { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            let words = cells[4].components(separatedBy: "`").enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
            return (cells[0], words.filter { !$0.contains("/") && !$0.hasSuffix(".py") })
        }
    }

    @Test func everyFaultOfOneCoordinatorHasARow() throws {
        let numbers = try Self.rows().map(\.number)
        #expect(numbers == (1...31).filter { $0 != 20 }.map { "F\($0)" }, "F20 needs a second coordinator with a store of its own")
    }

    @Test func everyTestItNamesIsThere() throws {
        for row in try Self.rows() {
            #expect(!row.tests.isEmpty, "\(row.number) has no test")
            for test in row.tests {
                let parts = test.split(separator: ".")
                #expect(parts.count == 2, "\(row.number): \(test)")
                let sources = try Checkout.swiftFiles(below: "Tests/\(parts[0])")
                #expect(sources.contains { $0.text.contains("func \(parts[1])(") }, "\(row.number): there is no \(test)")
            }
        }
    }
}
