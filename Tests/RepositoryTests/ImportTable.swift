// Which target may import what. This table is the law; ARCHITECTURE.md says why it is so.

/// One row: the target's level, what it names of its own package, and which foreign modules it may use.
struct ImportRule {
    var level: Int
    /// Targets named by this row. The core's targets of a lower level need no naming.
    var targets: Set<String> = []
    var modules: Set<String> = []
    /// No I/O, clock, chance, concurrency or globals.
    var isPure = false
    /// Holds no Swift.
    var isC = false
}

struct ImportTable {
    var rules: [String: ImportRule]

    /// Modules of the toolchain that reach outside a pure function.
    private static let platform: Set<String> = ["Foundation", "FoundationEssentials", "Glibc", "Dispatch", "Synchronization"]
    private static let collections: Set<String> = [
        "Collections", "BasicContainers", "BitCollections", "DequeModule", "HashTreeCollections", "HeapModule", "OrderedCollections",
    ]
    private static let service: Set<String> = ["Logging", "ServiceLifecycle", "UnixSignals"]

    static let project = ImportTable(rules: [
        "ClusterModel": ImportRule(level: 0, isPure: true),

        "Placement": ImportRule(level: 1, modules: collections, isPure: true),
        "Metering": ImportRule(level: 1, isPure: true),

        "SchedulingCore": ImportRule(level: 2, modules: collections, isPure: true),
        "AgentCore": ImportRule(level: 2, isPure: true),

        // Generated code uses Foundation; the conversions need no more than its essentials.
        "WireProtocol": ImportRule(level: 3, modules: ["SwiftProtobuf", "Foundation", "FoundationEssentials"]),
        "LedgerHashing": ImportRule(level: 3, modules: ["Crypto"]),
        // Protocols and the values that they carry.
        "ClusterPorts": ImportRule(level: 3, modules: ["FoundationEssentials"]),

        // Counters and their text; everything that counts may use it.
        "Telemetry": ImportRule(level: 3, modules: ["Synchronization"]),

        "SchedulerEngine": ImportRule(level: 4, targets: ["ClusterPorts", "LedgerHashing", "Telemetry"], modules: service.union(platform)),
        "AgentEngine": ImportRule(level: 4, targets: ["ClusterPorts"], modules: service.union(platform)),
        "SimulationKit": ImportRule(level: 4, isPure: true),
        "SchedulerTestKit": ImportRule(level: 4, targets: ["ClusterPorts"], modules: platform.union(["Testing"])),
        "FileTestKit": ImportRule(level: 4, modules: platform),
        "CZMQ": ImportRule(level: 4, isC: true),
        "CHwloc": ImportRule(level: 4, isC: true),
        "CNUMA": ImportRule(level: 4, isC: true),
        "CZlib": ImportRule(level: 4, isC: true),
        "CLinuxShim": ImportRule(level: 4, isC: true),

        "ZMQTransport": ImportRule(
            level: 5, targets: ["CZMQ", "CLinuxShim", "ClusterPorts", "WireProtocol"], modules: platform.union(["Crypto", "Logging"])),
        "HostTopology": ImportRule(level: 5, targets: ["CHwloc", "CNUMA", "CZlib", "ClusterPorts"], modules: platform),
        "JournalSQLite": ImportRule(level: 5, targets: ["ClusterPorts", "Telemetry"], modules: platform.union(["GRDB", "GRDBSQLite"])),
        "TaskDrivers": ImportRule(level: 5, targets: ["CLinuxShim", "ClusterPorts"], modules: platform.union(["Logging"])),
        // Digests and parts of open files, for both ends of a transfer.
        "ContentFiles": ImportRule(level: 4, modules: platform.union(["Crypto", "NIOCore"])),
        "FileStorage": ImportRule(level: 5, targets: ["CLinuxShim", "ClusterPorts", "ContentFiles"], modules: platform.union(["Crypto"])),
        "FileStaging": ImportRule(
            level: 5, targets: ["CLinuxShim", "ClusterPorts", "ContentFiles"],
            modules: platform.union(["AsyncHTTPClient", "Logging", "NIOCore", "NIOHTTP1", "NIOPosix", "NIOSSL"])),
        "ControlAPI": ImportRule(
            level: 5, targets: ["ClusterPorts", "Telemetry"],
            modules: platform.union([
                "Crypto", "HTTPTypes", "Hummingbird", "HummingbirdCore", "Logging", "NIOCore", "NIOHTTPTypes", "NIOPosix", "NIOSSL",
                "NIOTLS",
            ])),
        // What both daemons need of the system and of each other: clocks, key files, the pipe to the parent.
        "DaemonKit": ImportRule(level: 5, targets: ["ClusterPorts"], modules: platform.union(["Logging", "Yams"])),

        "CoordinatorComposition": ImportRule(
            level: 6,
            targets: [
                "ClusterPorts", "ControlAPI", "DaemonKit", "FileStorage", "JournalSQLite", "LedgerHashing", "SchedulerEngine", "Telemetry",
                "ZMQTransport",
            ],
            modules: platform.union(service).union(["ArgumentParser", "Crypto", "SwiftASN1", "X509", "Yams"])),
        "AgentComposition": ImportRule(
            level: 6,
            targets: [
                "AgentEngine", "CLinuxShim", "ClusterPorts", "DaemonKit", "FileStaging", "HostTopology", "TaskDrivers", "ZMQTransport",
            ],
            modules: platform.union(service).union(["ArgumentParser", "Crypto", "Yams"])),
        // Speaks REST only: it never links a daemon's half.
        "ControlCommands": ImportRule(
            level: 6, targets: ["CLinuxShim", "CZlib", "ContentFiles", "SimulationKit"],
            modules: platform.union([
                "ArgumentParser", "AsyncHTTPClient", "NIOCore", "NIOHTTP1", "NIOPosix", "NIOSSL", "SwiftASN1", "X509", "Yams",
            ])),

        // Measures only: SUANPAN_BENCHMARKS=1.
        "placement-speed": ImportRule(level: 7),

        "suanpan": ImportRule(level: 7, targets: ["ControlCommands"], modules: ["ArgumentParser"]),
        "suanpan-coordinator": ImportRule(level: 7, targets: ["CoordinatorComposition"], modules: ["ArgumentParser"]),
        "suanpan-agent": ImportRule(level: 7, targets: ["AgentComposition"], modules: ["ArgumentParser"]),
        "suanpan-launcher": ImportRule(level: 7, isC: true),
    ])

    var pureTargets: Set<String> { Set(rules.filter(\.value.isPure).keys) }

    /// The pure targets that ship; the simulation drives them and is held to the same words.
    static let coreTargets = ["AgentCore", "ClusterModel", "Metering", "Placement", "SchedulingCore"]

    func allowedImports(of target: String) -> Set<String> {
        guard let rule = rules[target] else { return [] }
        let coreBelow = Self.coreTargets.filter { (rules[$0]?.level ?? .max) < rule.level }
        return rule.targets.union(rule.modules).union(coreBelow)
    }

    // MARK: Checks

    /// Rows that name a target of their own level or above: the graph would not be level by level.
    func upwardRows() -> [String] {
        rules.flatMap { name, rule in
            rule.targets.filter { (rules[$0]?.level ?? .max) >= rule.level }.map { "\(name) names \($0), which is not below it" }
        }.sorted()
    }

    func findings(inSources files: [SourceFile]) -> [Finding] { files.flatMap(findings(in:)) }

    private func findings(in file: SourceFile) -> [Finding] {
        guard let target = file.target, let rule = rules[target] else {
            return [Finding(path: file.path, line: 0, message: "belongs to no target of the import table")]
        }
        if rule.isC { return [Finding(path: file.path, line: 0, message: "\(target) holds C only")] }
        let allowed = allowedImports(of: target)
        return ImportStatement.all(in: file.text).compactMap { statement in
            if statement.isReexported {
                return Finding(path: file.path, line: statement.line, message: "re-exports \(statement.module); import it where it is used")
            }
            guard !allowed.contains(statement.module) else { return nil }
            let list = allowed.isEmpty ? "nothing beside the standard library" : allowed.sorted().joined(separator: ", ")
            return Finding(
                path: file.path, line: statement.line,
                message: "\(target) (level \(rule.level)) may not import \(statement.module); it may import \(list)")
        }
    }

    /// Imports of a target of this package that the importing target does not depend on in the manifest. Such a build
    /// passes or fails by the order in which the targets happen to be compiled.
    static func undeclaredImports(in files: [SourceFile], manifest targets: [ManifestTarget]) -> [Finding] {
        let names = Set(targets.map(\.name))
        let declared = Dictionary(targets.map { ($0.name, $0.dependencies) }, uniquingKeysWith: { first, _ in first })
        return files.flatMap { file -> [Finding] in
            guard let target = file.target, let dependencies = declared[target] else { return [] }
            return ImportStatement.all(in: file.text).compactMap { statement in
                guard names.contains(statement.module), !dependencies.contains(statement.module), statement.module != target else {
                    return nil
                }
                return Finding(
                    path: file.path, line: statement.line,
                    message: "\(target) imports \(statement.module), which Package.swift does not list among its dependencies")
            }
        }
    }

    /// Targets that only the manifest or only the table knows.
    func findings(inManifest targets: [ManifestTarget]) -> [Finding] {
        let sources = Set(targets.filter { !$0.isTest }.map(\.name))
        let unknown = sources.subtracting(rules.keys).sorted().map { "target \($0) has no row in the import table" }
        let gone = Set(rules.keys).subtracting(sources).sorted().map { "the import table has a row for \($0), which is no target" }
        return (unknown + gone).map { Finding(path: "Package.swift", line: 0, message: $0) }
    }
}

struct ImportStatement: Equatable {
    var module: String
    var line: Int
    var isReexported = false

    private static let kinds: Set<String> = ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var"]
    private static let before: Set<String> = ["public", "package", "internal", "fileprivate", "private"]

    /// Every `import` of a file, with or without access level, attributes and kind.
    static func all(in text: String) -> [ImportStatement] {
        let tokens = SwiftTokens.code(text)
        return tokens.indices.compactMap { index in
            guard tokens[index].kind == .word, tokens[index].text == "import", startsStatement(index, in: tokens) else { return nil }
            var module = index + 1
            if module < tokens.count, kinds.contains(tokens[module].text) { module += 1 }
            guard module < tokens.count else { return nil }
            let attributes = tokens[..<index].reversed().prefix { $0.line == tokens[index].line }
            let isReexported = attributes.contains { $0.text == "_exported" }
            return ImportStatement(module: tokens[module].text, line: tokens[index].line, isReexported: isReexported)
        }
    }

    private static func startsStatement(_ index: Int, in tokens: [Token]) -> Bool {
        if index == 0 || tokens[index].isFirstOnLine { return true }
        let previous = tokens[index - 1]
        if before.contains(previous.text) || previous.text == ";" || previous.text == ")" { return true }
        return index > 1 && tokens[index - 2].text == "@"
    }
}

/// A target as the manifest declares it.
struct ManifestTarget: Equatable {
    var name: String
    var isTest = false
    /// What the manifest lists by name; products of other packages are constants there and not part of this.
    var dependencies: Set<String> = []

    /// `.target(name: "X"`, `.executableTarget(…`, `.systemLibrary(…`, `.testTarget(…`.
    static func all(inManifest text: String) -> [ManifestTarget] {
        let kinds: Set<String> = ["target", "executableTarget", "systemLibrary", "testTarget", "macro", "plugin", "binaryTarget"]
        let tokens = SwiftTokens.code(text)
        return tokens.indices.dropFirst().compactMap { index in
            guard kinds.contains(tokens[index].text), tokens[index - 1].text == ".", index + 4 < tokens.count,
                tokens[index + 1].text == "(", tokens[index + 2].text == "name", tokens[index + 4].kind == .literal
            else { return nil }
            return ManifestTarget(
                name: tokens[index + 4].text, isTest: tokens[index].text == "testTarget",
                dependencies: dependencies(after: index + 5, of: tokens))
        }
    }

    /// The literals of `, dependencies: […]` at `index`.
    private static func dependencies(after index: Int, of tokens: [Token]) -> Set<String> {
        guard index + 3 < tokens.count, tokens[index + 1].text == "dependencies" else { return [] }
        let list = tokens[(index + 3)...].prefix { $0.text != "]" }
        return Set(list.filter { $0.kind == .literal }.map(\.text))
    }
}
