public import Foundation

/// A directory that goes with its owner.
public final class TemporaryDirectory: Sendable {
    public let path: String

    public struct Failure: Error {}

    public init() throws {
        var template = Array("/tmp/suanpan-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure() }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file, making the directories above it.
    public func write(_ name: String, _ text: String, mode: mode_t = 0o600) throws {
        let file = "\(path)/\(name)"
        try FileManager.default.createDirectory(
            atPath: URL(filePath: file).deletingLastPathComponent().path, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: file))
        guard chmod(file, mode) == 0 else { throw Failure() }
    }

    /// Writes a program. Another process does: a child that some other test starts meanwhile would inherit the file while it
    /// is open for writing here, and then it cannot be run ("Text file busy").
    public func writeProgram(_ name: String, _ text: String) throws {
        try write("\(name).text", text)
        let copy = Process()
        copy.executableURL = URL(filePath: "/usr/bin/install")
        copy.arguments = ["-m", "755", "\(path)/\(name).text", "\(path)/\(name)"]
        try copy.run()
        copy.waitUntilExit()
        guard copy.terminationStatus == 0 else { throw Failure() }
    }

    /// The text of a file, nil when there is none.
    public func read(_ name: String) -> String? {
        FileManager.default.contents(atPath: "\(path)/\(name)").map { String(decoding: $0, as: UTF8.self) }
    }

    /// Paths of everything below, sorted.
    public func names(below folder: String = "") -> [String] {
        (FileManager.default.subpaths(atPath: "\(path)/\(folder)") ?? []).sorted()
    }
}
