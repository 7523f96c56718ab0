import Glibc

/// A 32-byte secret in a file of mode 0600, made at the first start.
public enum KeyFile {
    public static func load(_ path: String, making makeKey: () throws -> [UInt8]) throws -> [UInt8] {
        if let bytes = try read(path) { return bytes }
        let key = try makeKey()
        try PrivateFile.write(key, to: path)
        return key
    }

    /// nil when there is none.
    public static func read(_ path: String) throws -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        if descriptor < 0 {
            if errno == ENOENT { return nil }
            throw StartError("\(path) cannot be read: \(String(cString: strerror(errno))); it must belong to the user that runs the daemon")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & 0o077 == 0 else {
            throw StartError("\(path) can be read by others; run: chmod 600 \(path)")
        }
        var bytes = [UInt8](repeating: 0, count: 33)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        guard count == 32 else {
            throw StartError("\(path) does not hold a key of 32 bytes; restore it from a backup. Nothing was changed.")
        }
        return Array(bytes[..<32])
    }

    /// 32 bytes of the system's randomness.
    public static func random(_ count: Int = 32) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}

/// Files that only their owner may read, replaced whole or not at all.
public enum PrivateFile {
    public static func write(_ bytes: [UInt8], to path: String) throws {
        let draft = path + ".new"
        _ = unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw StartError("\(draft) cannot be created: \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw StartError("\(draft) cannot be written: \(String(cString: strerror(errno)))") }
            done += count
        }
        guard fsync(descriptor) == 0, rename(draft, path) == 0 else {
            throw StartError("\(path) cannot be replaced: \(String(cString: strerror(errno)))")
        }
        // Its name outlives a power failure too.
        let directory = open(path.contains("/") ? String(path[...path.lastIndex(of: "/")!]) : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { return }
        _ = fsync(directory)
        close(directory)
    }
}

/// Why a daemon does not start: a sentence that names the thing and the remedy.
public struct StartError: Error, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}
