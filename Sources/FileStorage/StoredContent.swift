import ClusterModel
import ClusterPorts
import Crypto
import Glibc

/// Where everything lies below the store's directory.
///
///     content/ab/<digest>            each content once
///     tenants/<tenant>/ab/<digest>   a hard link to it: the tenant has brought it
///     tenants/<tenant>/uploads/…     what has arrived of others
///     tenants/<tenant>/outputs/<job mod 1000>/<job>/<index>.<number>   the tree that an attempt left behind
struct StorePaths: Sendable {
    let root: String

    func content(_ digest: ContentDigest) -> String { "\(root)/content/\(digest.text.prefix(2))/\(digest.text)" }
    func tenant(_ tenant: String) -> String { "\(root)/tenants/\(tenant)" }
    func owned(_ digest: ContentDigest, by name: String) -> String { "\(tenant(name))/\(digest.text.prefix(2))/\(digest.text)" }
    func upload(_ digest: ContentDigest, by name: String) -> String { "\(tenant(name))/uploads/\(digest.text)" }
    func outputs(of job: JobID, by name: String) -> String { "\(tenant(name))/outputs/\(job.value % 1000)/\(job)" }
    /// When the last `syncfs` began, and in which boot of the machine.
    var synced: String { "\(root)/synced" }
}

/// The system's word on what it would not do.
func ioError(_ what: String, _ number: Int32 = errno) -> FileStoreError {
    FileStoreError(number == ENOSPC || number == EDQUOT ? .full : .io, "\(what): \(String(cString: strerror(number)))")
}

/// A descriptor that closes itself.
struct OpenFile: ~Copyable {
    let descriptor: Int32

    init(_ path: String, _ flags: Int32, mode: mode_t = 0o600) throws(FileStoreError) {
        descriptor = open(path, flags | O_CLOEXEC | O_NOFOLLOW, mode)
        if descriptor < 0 { throw ioError("\(path) cannot be opened") }
    }

    deinit { close(descriptor) }

    func size() throws(FileStoreError) -> Int64 {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw ioError("a file cannot be read") }
        return Int64(status.st_size)
    }

    func write(_ bytes: [UInt8], at offset: Int64) throws(FileStoreError) {
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, off_t(offset) + off_t(done)) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw ioError("a file cannot be written") }
            done += count
        }
    }

    /// Feeds the first `size` bytes to `hash`.
    func hash(_ size: Int64, into hash: inout SHA256) throws(FileStoreError) {
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var offset: Int64 = 0
        while offset < size {
            let wanted = Int(min(Int64(buffer.count), size - offset))
            let count = pread(descriptor, &buffer, wanted, off_t(offset))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw ioError("a file cannot be read", count == 0 ? EIO : errno) }
            buffer.withUnsafeBytes { hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            offset += Int64(count)
        }
    }
}

enum Directories {
    /// Makes the directory and those above it up to `root`, for their owner alone.
    static func make(_ path: String, below root: String) throws(FileStoreError) {
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, path.count > root.count, let slash = path.lastIndex(of: "/") else {
            throw ioError("\(path) cannot be made")
        }
        try make(String(path[..<slash]), below: root)
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw ioError("\(path) cannot be made") }
    }

    /// The names in a directory, sorted; none when it is not there.
    static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
