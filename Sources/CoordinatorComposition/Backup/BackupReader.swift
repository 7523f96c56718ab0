import Crypto
import DaemonKit
import Glibc
import LedgerHashing

/// Reads a backup file, which is not trusted: every name is checked, every size bounded by the file's own.
final class BackupReader {
    static let journalName = "journal.sqlite"
    static let sumsName = "SHA256SUMS"
    static let manifestName = "manifest.json"
    private static let manifestBytesMax: Int64 = 1 << 20
    private static let chunkBytes = 256 << 10

    let path: String
    let manifest: BackupManifest
    private let descriptor: Int32
    private let members: [(member: TarFormat.Member, offset: Int64)]
    private let sums: (member: TarFormat.Member, offset: Int64)

    /// Reads the headers and the manifest.
    init(_ path: String) throws {
        self.path = path
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StartError("\(path) cannot be opened: \(String(cString: strerror(errno)))") }
        do {
            var members = try Self.members(of: descriptor, path)
            guard let last = members.popLast(), last.member.name == Self.manifestName, let sums = members.popLast(),
                sums.member.name == Self.sumsName, last.member.size <= Self.manifestBytesMax
            else { throw StartError("\(path) is no backup of this project, or not whole: its last members are missing; use another") }
            var bytes: [UInt8] = []
            try Self.read(descriptor, last.member, at: last.offset) { bytes += $0 }
            manifest = try BackupManifest(parsing: bytes)
            self.members = members
            self.sums = sums
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    private static func members(of descriptor: Int32, _ path: String) throws -> [(member: TarFormat.Member, offset: Int64)] {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw StartError("\(path) is no file") }
        let end = Int64(status.st_size)
        var members: [(member: TarFormat.Member, offset: Int64)] = []
        var offset: Int64 = 0
        while true {
            guard let block = bytes(of: descriptor, at: offset, count: TarFormat.blockBytes) else {
                throw StartError("\(path) is cut short: make the backup again, or use another")
            }
            guard let member = try TarFormat.member(header: block) else { return members }
            offset += Int64(TarFormat.blockBytes)
            guard member.size <= end - offset else { throw StartError("\(path) is cut short in \(member.name): use another backup") }
            guard isValid(member.name) else { throw StartError("\(path) holds '\(member.name.prefix(80))', which no backup has") }
            members.append((member, offset))
            offset += member.size + Int64(TarFormat.padding(after: member.size))
        }
    }

    /// The names at the top, and below the known folders any that stays below them.
    private static func isValid(_ name: String) -> Bool {
        if [journalName, sumsName, manifestName].contains(name) { return true }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count > 1, BackupFolder(rawValue: String(parts[0])) != nil else { return false }
        return parts.allSatisfy { part in
            !part.isEmpty && part != "." && part != ".."
                && part.unicodeScalars.allSatisfy {
                    $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || "._-".unicodeScalars.contains($0))
                }
        }
    }

    /// Compares every member with its digest; those that `wanted` names are written below `directory` on the way, for
    /// their owner alone.
    func extract(into directory: String, wanted: (String) -> Bool) throws {
        var expected: [UInt8] = []
        try Self.read(descriptor, sums.member, at: sums.offset) { expected += $0 }
        guard Hex.text(sha256(expected)) == manifest.sumsDigest else {
            throw StartError("\(path) is damaged: its list of digests is not the one that the manifest names; use another backup")
        }
        var lines = expected.split(separator: UInt8(ascii: "\n")).makeIterator()
        guard members.count == manifest.memberCount else { throw StartError("\(path) is damaged: members are missing; use another backup") }
        for (member, offset) in members {
            let output = wanted(member.name) ? try Self.create(member.name, in: directory) : -1
            defer { if output >= 0 { close(output) } }
            var hash = SHA256()
            try Self.read(descriptor, member, at: offset) { bytes in
                hash.update(data: bytes)
                if output >= 0 { try Self.write(bytes, to: output, "\(directory)/\(member.name)") }
            }
            let line = Array("\(Hex.text(Array(hash.finalize())))  \(member.name)".utf8)
            guard let stated = lines.next(), stated.elementsEqual(line) else {
                throw StartError("\(path) is damaged: \(member.name) is not what was written; use another backup")
            }
            if output >= 0 {
                var times = [timespec(tv_sec: Int(member.modified), tv_nsec: 0), timespec(tv_sec: Int(member.modified), tv_nsec: 0)]
                futimens(output, &times)
                guard fsync(output) == 0 else { throw StartError("\(directory) cannot be written: \(String(cString: strerror(errno)))") }
            }
        }
    }

    // MARK: Files

    private static func create(_ name: String, in directory: String) throws -> Int32 {
        var folder = directory
        for part in name.split(separator: "/").dropLast() {
            folder += "/\(part)"
            _ = mkdir(folder, 0o700)
        }
        let path = "\(directory)/\(name)"
        let output = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard output >= 0 else { throw StartError("\(path) cannot be created: \(String(cString: strerror(errno)))") }
        return output
    }

    private static func write(_ bytes: [UInt8], to output: Int32, _ path: String) throws {
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { Glibc.write(output, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw StartError("\(path) cannot be written: \(String(cString: strerror(errno))); free space there") }
            done += count
        }
    }

    private static func read(_ descriptor: Int32, _ member: TarFormat.Member, at offset: Int64, _ body: ([UInt8]) throws -> Void) throws {
        var position: Int64 = 0
        while position < member.size {
            let count = Int(min(member.size - position, Int64(chunkBytes)))
            guard let bytes = bytes(of: descriptor, at: offset + position, count: count) else {
                throw StartError("\(member.name) of the backup cannot be read to its end: \(String(cString: strerror(errno)))")
            }
            try body(bytes)
            position += Int64(count)
        }
    }

    private static func bytes(of descriptor: Int32, at offset: Int64, count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let step = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress! + done, count - done, off_t(offset) + off_t(done)) }
            if step < 0, errno == EINTR { continue }
            guard step > 0 else { return nil }
            done += step
        }
        return bytes
    }
}
