import Crypto
import DaemonKit
import Glibc

/// Writes the members of a backup to a descriptor, one after the other, and keeps the sums that its end states.
struct BackupWriter: ~Copyable {
    private let descriptor: Int32
    private(set) var sums: [UInt8] = []
    private(set) var memberCount = 0

    private static let chunkBytes = 256 << 10

    init(to descriptor: Int32) { self.descriptor = descriptor }

    /// Adds a file as long as it is now: what is appended to it later belongs to the next backup.
    mutating func add(file path: String, as name: String) throws {
        let source = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard source >= 0 else {
            // Its retention has passed since the folder was listed.
            if errno == ENOENT { return }
            throw StartError("\(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { close(source) }
        var status = stat()
        guard fstat(source, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return }
        let size = Int64(status.st_size)
        try write(TarFormat.header(of: .init(name: name, size: size, modified: Int64(status.st_mtim.tv_sec))))
        var hash = SHA256()
        var left = size
        var chunk = [UInt8](repeating: 0, count: Self.chunkBytes)
        while left > 0 {
            let count = read(source, &chunk, Int(min(left, Int64(chunk.count))))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw StartError("\(path) cannot be read to its end: \(String(cString: strerror(errno)))") }
            let bytes = Array(chunk[..<count])
            hash.update(data: bytes)
            try write(bytes)
            left -= Int64(count)
        }
        try write([UInt8](repeating: 0, count: TarFormat.padding(after: size)))
        note(name, Hex.text(Array(hash.finalize())))
    }

    /// Adds every file below a folder, in the order of their names.
    mutating func add(folder path: String, as name: String) throws {
        for entry in try Self.entries(of: path) {
            switch entry.isFolder {
            case true: try add(folder: "\(path)/\(entry.name)", as: "\(name)/\(entry.name)")
            case false: try add(file: "\(path)/\(entry.name)", as: "\(name)/\(entry.name)")
            }
        }
    }

    /// Adds what is not part of the sums: themselves, and the manifest.
    mutating func add(_ bytes: [UInt8], as name: String, modified: Int64) throws {
        try write(TarFormat.header(of: .init(name: name, size: Int64(bytes.count), modified: modified)))
        try write(bytes)
        try write([UInt8](repeating: 0, count: TarFormat.padding(after: Int64(bytes.count))))
    }

    mutating func finish() throws { try write([UInt8](repeating: 0, count: 2 * TarFormat.blockBytes)) }

    private mutating func note(_ name: String, _ digest: String) {
        sums += "\(digest)  \(name)\n".utf8
        memberCount += 1
    }

    private static func entries(of folder: String) throws -> [(name: String, isFolder: Bool)] {
        guard let stream = opendir(folder) else {
            if errno == ENOENT { return [] }
            throw StartError("\(folder) cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { closedir(stream) }
        var entries: [(name: String, isFolder: Bool)] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            guard name != ".", name != ".." else { continue }
            var status = stat()
            guard lstat("\(folder)/\(name)", &status) == 0 else { continue }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: entries.append((name, true))
            case S_IFREG: entries.append((name, false))
            default: break
            }
        }
        return entries.sorted { $0.name < $1.name }
    }

    private func write(_ bytes: [UInt8]) throws {
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw StartError("the backup cannot be written: \(String(cString: strerror(errno)))") }
            done += count
        }
    }
}
