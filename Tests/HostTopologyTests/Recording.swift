// Exports of real machines. They are other people's data, so they are not part of the project: the folder that
// SUANPAN_TOPOLOGIES names holds them, and without it the tests that need one say so by name.

import ClusterModel
import ClusterPorts
import Foundation
import Testing

@testable import HostTopology

/// A recorded machine and what is on it, read off the recording by hand.
struct Recording: Sendable, CustomTestStringConvertible {
    /// Devices, in the order of their PCI addresses.
    struct Devices: Sendable {
        var kind = DeviceKind.gpu
        var vendor: [String] = []
        var models: [String] = []
        var memoryKiB: [Int64] = []
        var nodes: [UInt32?] = []
        var addresses: [String] = []
    }

    var file: String
    var summary: TopologySummary
    var devices = Devices()

    var testDescription: String { file }

    static var folder: String? { ProcessInfo.processInfo.environment["SUANPAN_TOPOLOGIES"] }

    /// Whether the folder is there at all; a folder without one of the files is an error, not a skip.
    static var areAvailable: Bool { folder.map { FileManager.default.fileExists(atPath: $0) } ?? false }

    func xml() throws -> [UInt8] { try Self.xml(file) }

    static func xml(_ file: String) throws -> [UInt8] {
        [UInt8](try run("/bin/gzip", ["-dc", "\(folder ?? ".")/\(file)"]))
    }

    /// Unpacks a recorded tree of /proc and /sys and hands over its root.
    static func withTree<T>(_ name: String, _ body: (String) throws -> T) throws -> T {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("suanpan-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        _ = try run("/bin/tar", ["xjf", "\(folder ?? ".")/\(name).tar.bz2", "-C", directory.path])
        return try body(directory.appendingPathComponent(name).path)
    }
}

struct CommandFailure: Error {
    var command: String
    var status: Int32
}

/// The standard output of a tool.
func run(_ tool: String, _ arguments: [String]) throws -> Data {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: tool)
    process.arguments = arguments
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
        throw CommandFailure(command: "\(tool) \(arguments.joined(separator: " "))", status: process.terminationStatus)
    }
    return data
}

/// Stands in for SHA-256: the tests only look at what goes in.
let length: @Sendable ([UInt8]) -> [UInt8] = { bytes in withUnsafeBytes(of: UInt32(bytes.count).bigEndian) { [UInt8]($0) } }

extension HwlocDiscovery {
    func inventory() throws -> NodeInventory {
        try discover(name: "node", address: "192.0.2.1", labels: []).inventory
    }
}

extension Trait where Self == ConditionTrait {
    static var recordedMachines: Self {
        .enabled(if: Recording.areAvailable, "SUANPAN_TOPOLOGIES names no folder of recorded machines")
    }
}
