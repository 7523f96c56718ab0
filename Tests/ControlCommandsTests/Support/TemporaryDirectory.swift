import Glibc

@testable import ControlCommands

/// A directory that goes with its owner.
final class TemporaryDirectory: Sendable {
    let path: String

    struct Failure: Error {}

    init() throws {
        var template = Array("/tmp/suanpan-test-XXXXXX".utf8CString)
        guard let path = mkdtemp(&template) else { throw Failure() }
        self.path = String(cString: path)
    }

    deinit { Self.remove(path) }

    func write(_ name: String, _ text: String, mode: mode_t = 0o600) throws {
        let descriptor = open("\(path)/\(name)", O_WRONLY | O_CREAT | O_TRUNC, mode)
        guard descriptor >= 0 else { throw Failure() }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fchmod(descriptor, mode) == 0 else { throw Failure() }
    }

    func read(_ name: String) -> String? {
        FileContent.read(path: "\(path)/\(name)", limit: 1 << 20).map { String(decoding: $0, as: UTF8.self) }
    }

    private static func remove(_ path: String) {
        if let directory = opendir(path) {
            while let entry = readdir(directory) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name != ".", name != ".." { remove("\(path)/\(name)") }
            }
            closedir(directory)
            rmdir(path)
        } else {
            unlink(path)
        }
    }
}
