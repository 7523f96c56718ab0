import Testing

@Suite struct ImportTableTests {
    private let table = ImportTable.project

    @Test func sourcesImportWhatTheTableAllows() throws {
        let files = try Checkout.swiftFiles(below: "Sources")
        #expect(!files.isEmpty)
        for finding in table.findings(inSources: files) { Issue.record("\(finding)") }
    }

    @Test func manifestAndTableNameTheSameTargets() throws {
        let targets = ManifestTarget.all(inManifest: try Checkout.text("Package.swift"))
        #expect(!targets.isEmpty)
        for finding in table.findings(inManifest: targets) { Issue.record("\(finding)") }
    }

    @Test func everyImportIsADependencyInTheManifest() throws {
        let targets = ManifestTarget.all(inManifest: try Checkout.text("Package.swift"))
        #expect(targets.filter { !$0.dependencies.isEmpty }.count > targets.count / 2)
        let files = try Checkout.swiftFiles(below: "Sources") + Checkout.swiftFiles(below: "Tests")
        for finding in ImportTable.undeclaredImports(in: files, manifest: targets) { Issue.record("\(finding)") }
    }

    @Test func theTableIsLevelByLevel() {
        #expect(table.upwardRows() == [])
        #expect(table.pureTargets == Set(ImportTable.coreTargets).union(["SimulationKit"]))
        for target in table.pureTargets {
            let forbidden: Set = ["Foundation", "FoundationEssentials", "Dispatch", "Glibc", "Logging", "Synchronization"]
            #expect(table.allowedImports(of: target).isDisjoint(with: forbidden), "\(target) is pure")
        }
    }

    // MARK: Each check catches what it is for

    @Test(
        "A forbidden import is found however it is written",
        arguments: [
            "import Foundation", "public import Foundation", "@preconcurrency import Foundation", "import struct Foundation.Date",
            "internal import Foundation", "@_spi(Testing) import Foundation", "@_implementationOnly import Foundation",
            "import Foundation.NSData", "import ClusterModel; import Foundation", "#if true\n  import Foundation\n#endif",
        ])
    func forbiddenImport(text: String) {
        let found = table.findings(inSources: [SourceFile(path: "Sources/Placement/Planted.swift", text: text)])
        #expect(found.count == 1)
        #expect(found.first?.message.contains("may not import Foundation") == true)
    }

    @Test(
        "What is allowed passes",
        arguments: ["import ClusterModel", "// import Foundation", "let s = \"import Foundation\"", "f(import: 1)"])
    func allowedImport(text: String) {
        #expect(table.findings(inSources: [SourceFile(path: "Sources/Placement/Fine.swift", text: text)]) == [])
    }

    @Test func importsUpwardsAcrossHalvesAndFromUnknownFoldersAreFound() {
        func count(_ target: String, _ text: String) -> Int {
            table.findings(inSources: [SourceFile(path: "Sources/\(target)/Planted.swift", text: text)]).count
        }
        #expect(count("ClusterModel", "import Placement") == 1)
        #expect(count("Placement", "import Metering") == 1)
        #expect(count("AgentComposition", "import JournalSQLite") == 1)
        #expect(count("ControlCommands", "import CoordinatorComposition") == 1)
        #expect(count("ControlAPI", "import SchedulerEngine") == 1)
        #expect(count("Elsewhere", "let x = 1") == 1)
        #expect(count("CLinuxShim", "let x = 1") == 1)
        #expect(count("ZMQTransport", "@_exported import WireProtocol") == 1)
    }

    @Test func anUnknownTargetOfTheManifestIsFound() {
        let manifest = """
            // .target(name: "Commented"),
            .target(name: "ClusterModel"), .executableTarget(
                name: "surprise", dependencies: ["ClusterModel", logging]), .testTarget(name: "AnyTests"), .systemLibrary(name: "CNew")
            """
        let targets = ManifestTarget.all(inManifest: manifest)
        #expect(targets.map(\.name) == ["ClusterModel", "surprise", "AnyTests", "CNew"])
        #expect(targets.map(\.dependencies) == [[], ["ClusterModel"], [], []])
        let messages = table.findings(inManifest: targets).map(\.message)
        #expect(messages.filter { $0.contains("has no row") }.count == 2)
        #expect(messages.contains { $0.contains("row for Placement") })
    }

    @Test func anImportThatTheManifestDoesNotListIsFound() {
        let targets = [
            ManifestTarget(name: "Low"), ManifestTarget(name: "High", dependencies: ["Low"]),
            ManifestTarget(name: "HighTests", isTest: true, dependencies: ["High"]),
        ]
        func found(_ path: String, _ text: String) -> [Finding] {
            ImportTable.undeclaredImports(in: [SourceFile(path: path, text: text)], manifest: targets)
        }
        #expect(found("Sources/High/A.swift", "import Low\nimport Elsewhere").isEmpty)
        #expect(found("Tests/HighTests/A.swift", "@testable import High").isEmpty)
        #expect(found("Tests/HighTests/A.swift", "import High\nimport Low").map(\.line) == [2])
    }

    @Test func anUpwardRowIsFound() {
        let bad = ImportTable(rules: ["Low": ImportRule(level: 1, targets: ["High"]), "High": ImportRule(level: 2)])
        #expect(bad.upwardRows() == ["Low names High, which is not below it"])
    }
}
