import Foundation

/// Something that breaks a rule of the repository, where, and what would be right.
struct Finding: Equatable, CustomStringConvertible {
    var path: String
    var line: Int
    var message: String

    var description: String { line > 0 ? "\(path):\(line): \(message)" : "\(path): \(message)" }
}

/// A file by its path from the repository's root.
struct SourceFile {
    var path: String
    var text: String

    var folders: [String] { path.split(separator: "/").dropLast().map(String.init) }
    var name: String { path.split(separator: "/").last.map(String.init) ?? path }

    /// The target that a path such as `Sources/Placement/Fit.swift` belongs to.
    var target: String? {
        let parts = path.split(separator: "/")
        return parts.count > 2 && (parts[0] == "Sources" || parts[0] == "Tests") ? String(parts[1]) : nil
    }

    var isGenerated: Bool { name.hasSuffix(".pb.swift") || text.hasPrefix("// Made by ") }
}

/// The working tree that these tests were compiled from.
enum Checkout {
    /// Found from this file, through links, so that a scratch package may link to the tests.
    static let root: URL = {
        var url = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        for _ in 0..<3 { url.deleteLastPathComponent() }
        return url
    }()

    static var isGitCheckout: Bool { FileManager.default.fileExists(atPath: root.appendingPathComponent(".git").path) }

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    /// Swift files below a folder, sorted by path.
    static func swiftFiles(below folder: String) throws -> [SourceFile] {
        try paths(below: folder).filter { $0.hasSuffix(".swift") }.map { SourceFile(path: $0, text: try text($0)) }
    }

    /// Regular files below a folder, sorted by path.
    static func paths(below folder: String) throws -> [String] {
        let names = try FileManager.default.subpathsOfDirectory(atPath: root.appendingPathComponent(folder).path)
        return names.map { "\(folder)/\($0)" }.filter(isFile).sorted()
    }

    /// What git knows or would take at the next `git add`; a file removed but not yet committed is left out.
    static func gitPaths() throws -> [String] {
        let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        // A checkout owned by another user (a container's volume) is refused by git otherwise.
        let output = try run(["git", "-c", "safe.directory=\(root.path)", "-C", root.path] + list)
        return Set(output.split(separator: "\0").map(String.init)).filter(isFile).sorted()
    }

    static func isFile(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path, isDirectory: &isDirectory)
        return exists && !isDirectory.boolValue
    }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path)
    }
}

struct CommandFailure: Error, CustomStringConvertible {
    var command: [String]
    var status: Int32

    var description: String { "`\(command.joined(separator: " "))` ended with \(status)" }
}

/// Runs a program from PATH and returns its output. Input goes through a file: a pipe could block both sides.
func run(_ command: [String], input: String = "") throws -> String {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("repository-tests-\(UUID().uuidString)")
    try Data(input.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    process.standardInput = try FileHandle(forReadingFrom: file)
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
        throw CommandFailure(command: command, status: process.terminationStatus)
    }
    return String(decoding: bytes, as: UTF8.self)
}
