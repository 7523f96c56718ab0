public import ClusterModel
public import ClusterPorts
import ContentFiles
import Crypto
import Glibc

/// The store on a local disk. Every path is made of checked names and digests, never of a request's text.
///
/// Single contents are not forced to the disk; keeping a tree is, once for all of it. What a power cut may have torn
/// since then is read again at the next start, and thrown away where its digest is wrong.
public struct DiskFileStore: FileStore {
    let paths: StorePaths
    /// Bytes that stay free on the disk, which holds the journal too.
    let reserve: @Sendable () -> Int64

    public static let contentSizeMax = FileTree.fileSizeMax
    /// A gibibyte, or a tenth of a small disk.
    private static let reserveMax: Int64 = 1 << 30

    /// - Parameters:
    ///   - directory: made when it is missing; for its owner alone.
    ///   - bootID: of this boot of the machine; another than the last one's means that the disk may have lost writes.
    public init(directory: String, bootID: String) throws(FileStoreError) {
        paths = StorePaths(root: directory)
        reserve = {
            var status = statvfs()
            guard statvfs(directory, &status) == 0 else { return 0 }
            return min(Self.reserveMax, Int64(status.f_blocks) * Int64(status.f_frsize) / 10)
        }
        for folder in ["content", "tenants"] { try Directories.make("\(directory)/\(folder)", below: directory) }
        try verifyAfterPowerCut(bootID: bootID)
    }

    // MARK: Uploads

    public func standing(of digest: ContentDigest, tenant: String) async throws(FileStoreError) -> UploadStanding {
        try await onDisk { () throws(FileStoreError) in
            if let size = use(digest, tenant) { return .whole(size: size) }
            var status = stat()
            return .partial(size: stat(paths.upload(digest, by: tenant), &status) == 0 ? Int64(status.st_size) : 0)
        }
    }

    public func receive(
        _ digest: ContentDigest, tenant: String, from offset: Int64, total: Int64, next: @Sendable () async throws -> [UInt8]?
    ) async throws(FileStoreError) -> UploadStanding {
        guard (0...Self.contentSizeMax).contains(total), (0...total).contains(offset) else {
            throw FileStoreError(.size, "a content has 0 … \(Self.contentSizeMax) bytes, and a part lies within it")
        }
        return try await onDisk { () throws(FileStoreError) in
            if let size = use(digest, tenant) { return .whole(size: size) }
            try checkRoom(for: total - offset)
            try Directories.make("\(paths.tenant(tenant))/uploads", below: paths.root)
            let path = paths.upload(digest, by: tenant)
            let file = try OpenFile(path, O_RDWR | O_CREAT)
            guard flock(file.descriptor, LOCK_EX | LOCK_NB) == 0 else {
                throw FileStoreError(.busy, "another upload of this content is under way")
            }
            let present = try file.size()
            guard offset == present else {
                throw FileStoreError(.offset(expected: present), "the part begins at \(offset); \(present) bytes are there")
            }
            var hash = SHA256()
            try file.hash(present, into: &hash)
            let end = try await take(next, into: file, at: present, total: total, &hash)
            guard end == total else { return .partial(size: end) }
            guard ContentDigest(bytes: Array(hash.finalize())) == digest else {
                _ = unlink(path)
                throw FileStoreError(.digest, "the content's digest is another")
            }
            try adopt(path, as: digest, tenant)
            return .whole(size: total)
        }
    }

    private func take(
        _ next: @Sendable () async throws -> [UInt8]?, into file: borrowing OpenFile, at start: Int64, total: Int64, _ hash: inout SHA256
    ) async throws(FileStoreError) -> Int64 {
        var position = start
        var checkedAt = start
        while position < total {
            let bytes: [UInt8]?
            do { bytes = try await next() } catch {
                throw FileStoreError(.interrupted, "the upload broke off after \(position) of \(total) bytes")
            }
            guard let bytes else { return position }
            guard position + Int64(bytes.count) <= total else { throw FileStoreError(.size, "more than the \(total) bytes announced") }
            try file.write(bytes, at: position)
            bytes.withUnsafeBytes { hash.update(bufferPointer: $0) }
            position += Int64(bytes.count)
            // Others fill the disk meanwhile.
            if position - checkedAt > 64 << 20 {
                try checkRoom(for: total - position)
                checkedAt = position
            }
        }
        return position
    }

    private func checkRoom(for bytes: Int64) throws(FileStoreError) {
        var status = statvfs()
        guard statvfs(paths.root, &status) == 0 else { throw ioError("the disk of \(paths.root) cannot be looked at") }
        let free = Int64(status.f_bavail) * Int64(status.f_frsize)
        guard free - bytes >= reserve() else {
            throw FileStoreError(.full, "\(bytes) bytes more would leave too little room on the coordinator's disk; \(free) are free")
        }
    }

    /// The upload becomes the tenant's own, sharing what another tenant may have brought already.
    private func adopt(_ upload: String, as digest: ContentDigest, _ tenant: String) throws(FileStoreError) {
        let content = paths.content(digest)
        let owned = paths.owned(digest, by: tenant)
        try Directories.make(String(content.dropLast(digest.text.count + 1)), below: paths.root)
        try Directories.make(String(owned.dropLast(digest.text.count + 1)), below: paths.root)
        _ = chmod(upload, 0o400)
        if link(upload, content) != 0, errno != EEXIST { throw ioError("\(content) cannot be made") }
        if link(content, owned) != 0, errno != EEXIST { throw ioError("\(owned) cannot be made") }
        _ = unlink(upload)
    }

    /// The size of content that the tenant has, which counts as used now.
    private func use(_ digest: ContentDigest, _ tenant: String) -> Int64? {
        let path = paths.owned(digest, by: tenant)
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        _ = utimensat(AT_FDCWD, path, nil, 0)
        return Int64(status.st_size)
    }

    // MARK: Trees

    public func keepTree(_ digest: ContentDigest, tenant: String, text: [UInt8]) async throws(FileStoreError) -> [ContentDigest] {
        guard ContentHash.digest(of: text) == digest else { throw FileStoreError(.digest, "the tree's digest is another") }
        let tree: FileTree
        do throws(FileTreeError) { tree = try FileTree(parsing: text) } catch { throw FileStoreError(.tree, error.message) }
        return try await onDisk { () throws(FileStoreError) in
            var missing: [ContentDigest] = []
            for (content, size) in tree.contents {
                guard let present = use(content, tenant) else {
                    missing.append(content)
                    continue
                }
                guard present == size else {
                    throw FileStoreError(.tree, "the tree says that \(content) has \(size) bytes; it has \(present)")
                }
            }
            guard missing.isEmpty else { return missing }
            if use(digest, tenant) == nil {
                try checkRoom(for: Int64(text.count))
                try write(text, to: paths.upload(digest, by: tenant))
                try adopt(paths.upload(digest, by: tenant), as: digest, tenant)
                try synchronise()
            }
            return []
        }
    }

    public func tree(_ digest: ContentDigest, tenant: String) async throws(FileStoreError) -> FileTree? {
        try await onDisk { () throws(FileStoreError) in try readTree(digest, tenant) }
    }

    private func readTree(_ digest: ContentDigest, _ tenant: String) throws(FileStoreError) -> FileTree? {
        guard let size = use(digest, tenant), size <= FileTree.bytesMax else { return nil }
        return try? FileTree(parsing: try read(paths.owned(digest, by: tenant), size: size))
    }

    public func location(of digest: ContentDigest, tenant: String) async throws(FileStoreError) -> (path: String, size: Int64)? {
        try await onDisk { () throws(FileStoreError) in use(digest, tenant).map { (paths.owned(digest, by: tenant), $0) } }
    }

    // MARK: Outputs

    public func keepOutputs(_ tree: ContentDigest, of attempt: AttemptID, tenant: String) async throws(FileStoreError) {
        try await onDisk { () throws(FileStoreError) in
            guard use(tree, tenant) != nil else { throw FileStoreError(.tree, "there is no tree \(tree)") }
            let folder = paths.outputs(of: attempt.task.job, by: tenant)
            try Directories.make(folder, below: paths.root)
            let path = "\(folder)/\(attempt.task.index).\(attempt.number)"
            try write(Array(tree.text.utf8), to: path + ".new")
            guard rename(path + ".new", path) == 0 else { throw ioError("\(path) cannot be made") }
            try synchronise()
        }
    }

    public func outputs(of job: JobID, tenant: String) async throws(FileStoreError) -> [(attempt: AttemptID, tree: ContentDigest)] {
        try await onDisk { () throws(FileStoreError) in
            let folder = paths.outputs(of: job, by: tenant)
            var last: [UInt32: (attempt: AttemptID, tree: ContentDigest)] = [:]
            for name in Directories.names(in: folder) {
                guard let attempt = AttemptID(parsing: "\(job).\(name)"), last[attempt.task.index].map({ $0.attempt < attempt }) ?? true,
                    let text = try? read("\(folder)/\(name)", size: Int64(ContentDigest.byteCount * 2)),
                    let tree = ContentDigest(parsing: String(decoding: text, as: UTF8.self))
                else { continue }
                last[attempt.task.index] = (attempt, tree)
            }
            return last.values.sorted { $0.attempt < $1.attempt }
        }
    }

    // MARK: Files

    func read(_ path: String, size: Int64) throws(FileStoreError) -> [UInt8] {
        let file = try OpenFile(path, O_RDONLY)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(size))
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count < size {
            let count = pread(file.descriptor, &buffer, min(buffer.count, Int(size) - bytes.count), off_t(bytes.count))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw ioError("\(path) cannot be read", count == 0 ? EIO : errno) }
            bytes += buffer[..<count]
        }
        return bytes
    }

    private func write(_ bytes: [UInt8], to path: String) throws(FileStoreError) {
        try Directories.make(String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]), below: paths.root)
        let file = try OpenFile(path, O_WRONLY | O_CREAT | O_TRUNC)
        try file.write(bytes, at: 0)
    }

    /// Blocking work, off the thread of the caller's socket.
    func onDisk<Result: Sendable>(
        _ work: @Sendable () async throws(FileStoreError) -> Result
    ) async throws(FileStoreError) -> Result {
        do {
            return try await withTaskExecutorPreference(globalConcurrentExecutor) { try await work() }
        } catch let error as FileStoreError {
            throw error
        } catch { throw FileStoreError(.io, "\(error)") }
    }
}
