// swift-tools-version: 6.2
// The targets form a strict DAG, level by level; ARCHITECTURE.md has the table, RepositoryTests checks it.
//
// SUANPAN_CORE=1 trims the manifest to the pure core and its tests, for the short edit-test loop (CONTRIBUTING.md).

import PackageDescription

let coreOnly = Context.environment["SUANPAN_CORE"] == "1"

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

/// Pure targets are optimised in debug builds too: simulation seeds crawl otherwise.
let pure: [SwiftSetting] = strict + [.unsafeFlags(["-O"], .when(configuration: .debug))]

/// Generated code answers to its generator, not to our warnings.
let generated: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let httpClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioHTTP: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTPTypes: Target.Dependency = .product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let x509: Target.Dependency = .product(name: "X509", package: "swift-certificates")
let asn1: Target.Dependency = .product(name: "SwiftASN1", package: "swift-asn1")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")

// MARK: - Levels 0 to 2, and what drives them without I/O

let core: [Target] = [
    .target(name: "ClusterModel", swiftSettings: pure),
    .target(name: "Placement", dependencies: ["ClusterModel"], swiftSettings: pure),
    .target(name: "Metering", dependencies: ["ClusterModel"], swiftSettings: pure),
    .target(name: "SchedulingCore", dependencies: ["ClusterModel", "Placement", "Metering"], swiftSettings: pure),
    .target(name: "AgentCore", dependencies: ["ClusterModel"], swiftSettings: pure),
    .target(
        name: "SimulationKit", dependencies: ["ClusterModel", "Placement", "Metering", "SchedulingCore", "AgentCore"],
        swiftSettings: pure),
    .target(
        name: "SchedulerTestKit", dependencies: ["ClusterModel", "SchedulingCore"], swiftSettings: strict),
    .testTarget(name: "ClusterModelTests", dependencies: ["ClusterModel"], swiftSettings: strict),
    .testTarget(name: "PlacementTests", dependencies: ["ClusterModel", "Placement"], swiftSettings: strict),
    .testTarget(
        name: "SchedulingCoreTests",
        dependencies: ["ClusterModel", "Placement", "Metering", "SchedulingCore", "SchedulerTestKit", "SimulationKit"],
        exclude: ["Scenarios"], swiftSettings: strict),
    .testTarget(name: "AgentCoreTests", dependencies: ["ClusterModel", "AgentCore"], swiftSettings: strict),
    .testTarget(
        name: "SimulationTests", dependencies: ["ClusterModel", "Placement", "SimulationKit"],
        exclude: ["regressions.txt", "PlantedFaults"], swiftSettings: strict),
]

/// Programs that only measure: `SUANPAN_BENCHMARKS=1`.
let benchmarks: [Target] = [
    .executableTarget(
        name: "placement-speed", dependencies: ["ClusterModel", "SchedulingCore"], path: "Tests/Benchmarks/Placement/Speed",
        swiftSettings: strict)
]

// MARK: - Levels 3 to 7

let shell: [Target] = [
    .target(name: "WireProtocol", dependencies: ["ClusterModel", "SchedulingCore", "AgentCore", protobuf], swiftSettings: generated),
    .target(name: "LedgerHashing", dependencies: ["ClusterModel", "Metering", crypto], swiftSettings: strict),
    .target(name: "ClusterPorts", dependencies: ["ClusterModel", "Metering", "SchedulingCore", "AgentCore"], swiftSettings: strict),
    .target(name: "Telemetry", swiftSettings: strict),
    .target(
        name: "SchedulerEngine",
        dependencies: [
            "ClusterModel", "Placement", "Metering", "SchedulingCore", "ClusterPorts", "LedgerHashing", "Telemetry", lifecycle, logging,
        ],
        swiftSettings: strict),
    .target(
        name: "AgentEngine", dependencies: ["ClusterModel", "AgentCore", "ClusterPorts", lifecycle, logging],
        swiftSettings: strict),
    .systemLibrary(name: "CZMQ", providers: [.apt(["libzmq3-dev"])]),
    .systemLibrary(name: "CHwloc", providers: [.apt(["libhwloc-dev"])]),
    .systemLibrary(name: "CNUMA", providers: [.apt(["libnuma-dev"])]),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "CLinuxShim"),
    .target(
        name: "ZMQTransport",
        dependencies: [
            "CZMQ", "CLinuxShim", "ClusterModel", "SchedulingCore", "AgentCore", "ClusterPorts", "WireProtocol", crypto, logging,
        ],
        swiftSettings: strict),
    .target(
        name: "HostTopology", dependencies: ["CHwloc", "CNUMA", "CZlib", "ClusterModel", "ClusterPorts"], swiftSettings: strict),
    .target(
        name: "JournalSQLite",
        dependencies: [
            "ClusterModel", "Metering", "SchedulingCore", "ClusterPorts", "Telemetry", grdb,
            .product(name: "GRDBSQLite", package: "GRDB.swift"),
        ],
        swiftSettings: strict),
    .target(
        name: "TaskDrivers", dependencies: ["CLinuxShim", "ClusterModel", "AgentCore", "ClusterPorts", logging],
        swiftSettings: strict),
    .target(name: "FileTestKit", swiftSettings: strict),
    .target(name: "ContentFiles", dependencies: ["ClusterModel", crypto, nioCore], swiftSettings: strict),
    .target(
        name: "FileStorage", dependencies: ["CLinuxShim", "ClusterModel", "ClusterPorts", "ContentFiles", crypto], swiftSettings: strict),
    .target(
        name: "FileStaging",
        dependencies: [
            "CLinuxShim", "ClusterModel", "AgentCore", "ClusterPorts", "ContentFiles", httpClient, nioCore, nioHTTP, nioPosix, nioSSL,
            logging,
        ],
        swiftSettings: strict),
    .target(
        name: "ControlAPI",
        dependencies: [
            "ClusterModel", "Placement", "Metering", "SchedulingCore", "ClusterPorts", "Telemetry", crypto, hummingbird, hummingbirdCore,
            httpTypes, nioCore, nioHTTPTypes, nioPosix, nioSSL, nioTLS, logging,
        ],
        swiftSettings: strict),
    .target(name: "DaemonKit", dependencies: ["ClusterPorts", yams, logging], swiftSettings: strict),
    .target(
        name: "CoordinatorComposition",
        dependencies: [
            "ClusterModel", "Metering", "SchedulingCore", "ClusterPorts", "SchedulerEngine", "LedgerHashing", "ZMQTransport",
            "JournalSQLite", "FileStorage", "ControlAPI", "DaemonKit", "Telemetry", crypto, x509, asn1, arguments, yams, lifecycle, signals,
            logging,
        ],
        swiftSettings: strict),
    .target(
        name: "AgentComposition",
        dependencies: [
            "ClusterModel", "AgentCore", "ClusterPorts", "AgentEngine", "ZMQTransport", "HostTopology", "TaskDrivers", "FileStaging",
            "DaemonKit", "CLinuxShim", arguments, crypto, yams, lifecycle, logging,
        ],
        swiftSettings: strict),
    .target(
        name: "ControlCommands",
        dependencies: [
            "CLinuxShim", "CZlib", "ClusterModel", "ContentFiles", "Placement", "SimulationKit", arguments, yams, httpClient, nioCore,
            nioHTTP, nioPosix, nioSSL,
            x509, asn1,
        ],
        swiftSettings: strict),
    .executableTarget(name: "suanpan", dependencies: ["ControlCommands", arguments], swiftSettings: strict),
    .executableTarget(name: "suanpan-coordinator", dependencies: ["CoordinatorComposition", arguments], swiftSettings: strict),
    .executableTarget(name: "suanpan-agent", dependencies: ["AgentComposition", arguments], swiftSettings: strict),
    .executableTarget(
        name: "suanpan-launcher", dependencies: ["CLinuxShim"], cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
    .testTarget(name: "RepositoryTests", swiftSettings: strict),
    .testTarget(
        name: "WireProtocolTests", dependencies: ["ClusterModel", "SchedulingCore", "AgentCore", "WireProtocol"], swiftSettings: strict),
    .testTarget(
        name: "JournalTests",
        dependencies: ["ClusterModel", "Metering", "SchedulingCore", "ClusterPorts", "LedgerHashing", "JournalSQLite", "SchedulerTestKit"],
        swiftSettings: strict),
    .testTarget(
        name: "EngineTests",
        dependencies: [
            "ClusterModel", "Metering", "SchedulingCore", "AgentCore", "ClusterPorts", "SchedulerEngine", "AgentEngine", "LedgerHashing",
            "JournalSQLite", "SchedulerTestKit", "Telemetry", logging,
        ],
        swiftSettings: strict),
    .testTarget(
        name: "TransportTests",
        dependencies: ["CZMQ", "ClusterModel", "SchedulingCore", "AgentCore", "ClusterPorts", "WireProtocol", "ZMQTransport", logging],
        swiftSettings: strict),
    .testTarget(
        name: "HostTopologyTests", dependencies: ["ClusterModel", "ClusterPorts", "HostTopology"], swiftSettings: strict),
    .testTarget(
        name: "TaskDriverTests", dependencies: ["CLinuxShim", "ClusterModel", "AgentCore", "ClusterPorts", "TaskDrivers", logging],
        swiftSettings: strict),
    .testTarget(
        name: "FileStorageTests", dependencies: ["ClusterModel", "ClusterPorts", "ContentFiles", "FileStorage", "FileTestKit"],
        swiftSettings: strict),
    .testTarget(
        name: "FileStagingTests",
        dependencies: ["ClusterModel", "AgentCore", "ClusterPorts", "ContentFiles", "FileStaging", "FileTestKit", logging],
        swiftSettings: strict),
    .testTarget(
        name: "ControlAPITests",
        dependencies: [
            "ContentFiles", "FileStorage", "FileTestKit", "ClusterModel", "Placement", "Metering", "SchedulingCore", "ClusterPorts",
            "ControlAPI", "CoordinatorComposition", "Telemetry", hummingbird, httpTypes, nioCore, nioEmbedded, nioPosix, crypto,
            nioHTTPTypes, nioSSL, logging, yams,
            .product(name: "HummingbirdTesting", package: "hummingbird"),
        ],
        swiftSettings: strict),
    .testTarget(
        name: "ControlCommandsTests", dependencies: ["ClusterModel", "ContentFiles", "ControlCommands", "FileTestKit", nioSSL, yams],
        swiftSettings: strict),
    .testTarget(name: "DaemonKitTests", dependencies: ["ClusterPorts", "DaemonKit", logging], swiftSettings: strict),
    .testTarget(name: "TelemetryTests", dependencies: ["Telemetry"], swiftSettings: strict),
    .testTarget(
        name: "CoordinatorCompositionTests",
        dependencies: [
            "ClusterModel", "Metering", "SchedulingCore", "ClusterPorts", "LedgerHashing", "SchedulerEngine", "JournalSQLite",
            "FileStorage",
            "ControlAPI", "DaemonKit", "CoordinatorComposition", "SimulationKit", logging, x509, asn1,
        ],
        exclude: ["Corpus"], swiftSettings: strict),
    .testTarget(name: "IntegrationTests", exclude: ["Faults/Shim"], swiftSettings: strict),
]

let package = Package(
    name: "suanpan",
    dependencies: coreOnly
        ? []
        : [
            .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
            .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
            .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
            .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
            .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
            .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
            .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
            .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
            .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
            .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
            .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
            .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
            .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
            .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
            .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        ],
    targets: core + (coreOnly ? [] : shell) + (Context.environment["SUANPAN_BENCHMARKS"] == "1" ? benchmarks : [])
)
