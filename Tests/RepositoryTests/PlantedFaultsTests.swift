import Foundation
import Testing

/// The list of faults that the simulation must find goes with the sources: a fault whose text has changed plants nothing.
@Suite struct PlantedFaultsTests {
    private struct Fault {
        var title: String
        var file: String
        var text: String
    }

    private static func faults() throws -> [Fault] {
        let list = try Checkout.text("Tests/SimulationTests/PlantedFaults/list.txt")
        return list.components(separatedBy: "\n## ").dropFirst().map { block in
            let lines = block.components(separatedBy: "\n")
            let file = lines.first { $0.hasPrefix("file: ") }?.dropFirst(6) ?? ""
            let old = lines.drop { !$0.hasPrefix("--- ") }.dropFirst().prefix { !$0.hasPrefix("+++ ") }
            return Fault(title: lines[0], file: String(file), text: old.map { $0 + "\n" }.joined())
        }
    }

    @Test func everyFaultIsPlantedInATextThatIsThereOnce() throws {
        let faults = try Self.faults()
        #expect(faults.count >= 25)
        #expect(Set(faults.map(\.title)).count == faults.count)
        for fault in faults {
            let source = try Checkout.text(fault.file)
            #expect(!fault.text.isEmpty && source.components(separatedBy: fault.text).count == 2, "\(fault.title): \(fault.file)")
        }
    }
}
