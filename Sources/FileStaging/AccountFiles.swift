import CLinuxShim
import ClusterModel
import ContentFiles
import Glibc

/// Files as the job's user meets them. An agent that is root lets the kernel judge every access by that user's rights:
/// a link that a job laid leads nowhere that the job itself could not go.
struct AccountFiles: Sendable {
    let userID: UInt32
    let groupID: UInt32

    /// Runs `body` with the account's rights. Synchronous: the rights belong to the thread, and are gone when this returns.
    func asAccount<Result>(_ body: () throws -> Result) throws -> Result {
        guard geteuid() == 0, userID != 0 else { return try body() }
        let result = suanpan_enter_account(userID, groupID)
        guard result == 0 else { throw StagingError("the job's user \(userID) cannot be taken on") }
        defer { suanpan_leave_account() }
        return try body()
    }

    static func problem(_ what: String, _ number: Int32 = errno) -> StagingError {
        StagingError("\(what): \(String(cString: strerror(number)))")
    }

    // MARK: Directories

    /// The job's directory, which its attempts share, and within it the attempt's own, new and empty.
    func makeWorkDirectory(_ path: String) throws {
        let parent = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        if mkdir(parent, 0o755) == 0, geteuid() == 0 {
            guard lchown(parent, userID, groupID) == 0 else { throw Self.problem("\(parent) cannot be given to the job's user") }
        }
        try asAccount {
            if mkdir(path, 0o755) == 0 { return }
            guard errno == EEXIST else { throw Self.problem("the work directory cannot be made") }
            // Of an earlier try that was cut short.
            try remove(path)
            guard mkdir(path, 0o755) == 0 else { throw Self.problem("the work directory cannot be made") }
        }
    }

    /// Secrets in memory, for the job's user alone.
    func placeSecrets(_ secrets: [(name: String, value: [UInt8])], in directory: String) throws {
        try removeSecrets(directory)
        guard mkdir(directory, 0o700) == 0 else { throw Self.problem("the directory of secrets cannot be made") }
        for (name, value) in secrets {
            let descriptor = open("\(directory)/\(name)", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o400)
            guard descriptor >= 0 else { throw Self.problem("secret '\(name)' cannot be placed") }
            defer { close(descriptor) }
            guard value.withUnsafeBytes({ Glibc.write(descriptor, $0.baseAddress, $0.count) }) == value.count,
                geteuid() != 0 || fchown(descriptor, userID, groupID) == 0
            else { throw Self.problem("secret '\(name)' cannot be placed") }
        }
        guard geteuid() != 0 || lchown(directory, userID, groupID) == 0 else { throw Self.problem("the secrets cannot be handed over") }
    }

    /// The directory lies where only the agent may name things, its files are the account's.
    func removeSecrets(_ directory: String) throws {
        var status = stat()
        guard lstat(directory, &status) == 0 else { return }
        // Not handed over yet: nobody else has been there.
        if status.st_uid == geteuid() { return try remove(directory) }
        try asAccount { for name in try names(in: directory) { try remove("\(directory)/\(name)") } }
        guard rmdir(directory) == 0 || errno == ENOENT else { throw Self.problem("secrets cannot be removed") }
    }

    /// As the account; what others put there stays.
    func removeAll(_ path: String) throws { try asAccount { try remove(path) } }

    /// Follows no link.
    private func remove(_ path: String) throws {
        if unlink(path) == 0 || errno == ENOENT { return }
        guard errno == EISDIR || errno == EPERM else { throw Self.problem("\(path) cannot be removed") }
        for name in try names(in: path) { try remove("\(path)/\(name)") }
        guard rmdir(path) == 0 || errno == ENOENT else { throw Self.problem("\(path) cannot be removed") }
    }

    private func names(in path: String) throws -> [String] {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0, let directory = fdopendir(descriptor) else { throw Self.problem("\(path) cannot be read") }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let bytes = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: UInt8.self, capacity: 256) { Array(UnsafeBufferPointer(start: $0, count: strlen(pointer))) }
            }
            guard let name = String(validating: bytes, as: UTF8.self) else {
                throw StagingError("\(path) holds a name that is not UTF-8")
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    // MARK: Placing

    /// Puts one entry of a tree below `base`.
    ///
    /// - Parameters:
    ///   - content: a file of the cache; nil for directories and links.
    ///   - isShared: the content is linked rather than copied where that is possible: its readers cannot change it.
    func place(_ entry: FileTree.Entry, below base: String, content: String?, isShared: Bool) throws {
        let path = "\(base)/\(entry.path)"
        switch entry.kind {
        case .directory: try asAccount { try makeDirectories(entry.path, below: base) }
        case .link(let target):
            try asAccount {
                try makeParents(of: entry.path, below: base)
                _ = unlink(path)
                guard symlink(target, path) == 0 else { throw Self.problem("'\(entry.path)' cannot be made") }
            }
        case .file(_, _, let isExecutable):
            guard let content else { return }
            let source = open(content, O_RDONLY | O_CLOEXEC)
            guard source >= 0 else { throw Self.problem("the cache lost a file") }
            defer { close(source) }
            let parent = try asAccount { () throws -> Int32 in
                try makeParents(of: entry.path, below: base)
                _ = unlink(path)
                return open(String(path[..<path.lastIndex(of: "/")!]), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            }
            guard parent >= 0 else { throw Self.problem("'\(entry.path)' cannot be made") }
            defer { close(parent) }
            let name = String(path[path.index(after: path.lastIndex(of: "/")!)...])
            if isShared, !isExecutable, owns(parent), linkat(AT_FDCWD, content, parent, name, 0) == 0 { return }
            try asAccount { try copy(source, to: path, mode: isExecutable ? 0o755 : 0o644, named: entry.path) }
        }
    }

    private func owns(_ directory: Int32) -> Bool {
        var status = stat()
        return fstat(directory, &status) == 0 && status.st_uid == (geteuid() == 0 ? userID : geteuid())
    }

    private func makeParents(of path: String, below base: String) throws {
        if let slash = path.lastIndex(of: "/") { try makeDirectories(String(path[..<slash]), below: base) }
    }

    func makeDirectories(_ path: String, below base: String) throws {
        if path.isEmpty { return }
        let whole = "\(base)/\(path)"
        if mkdir(whole, 0o755) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/") else { throw Self.problem("'\(path)' cannot be made") }
        try makeDirectories(String(path[..<slash]), below: base)
        guard mkdir(whole, 0o755) == 0 || errno == EEXIST else { throw Self.problem("'\(path)' cannot be made") }
    }

    /// In the kernel, which shares the blocks where the file system can (copy_file_range(2)).
    private func copy(_ source: Int32, to path: String, mode: mode_t, named name: String) throws {
        let target = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        guard target >= 0 else { throw Self.problem("'\(name)' cannot be made") }
        defer { close(target) }
        var buffer: [UInt8] = []
        while true {
            var count = buffer.isEmpty ? suanpan_copy_range(source, target, 1 << 30) : 0
            if [EXDEV, EINVAL, ENOSYS, EOPNOTSUPP].map({ -Int($0) }).contains(count) { buffer = [UInt8](repeating: 0, count: 1 << 20) }
            if !buffer.isEmpty {
                count = Glibc.read(source, &buffer, buffer.count)
                if count < 0 || (count > 0 && Glibc.write(target, buffer, count) != count) { count = -Int(errno) }
            }
            if count == 0 { return }
            if count < 0, count != -Int(EINTR) { throw Self.problem("'\(name)' cannot be written", Int32(-count)) }
        }
    }

    // MARK: Collecting

    /// The tree below `path` of the work directory, its entries moved below `destination`; nil when nothing is there.
    func survey(_ path: String, in workDirectory: String, destination: String) throws -> [FileTree.Entry]? {
        try asAccount {
            let whole = path.isEmpty ? workDirectory : "\(workDirectory)/\(path)"
            var status = stat()
            guard lstat(whole, &status) == 0 else { return nil }
            var entries: [FileTree.Entry] = []
            try survey(whole, as: destination, status, into: &entries)
            return entries
        }
    }

    private func survey(_ path: String, as name: String, _ status: stat, into entries: inout [FileTree.Entry]) throws {
        switch status.st_mode & S_IFMT {
        case S_IFDIR:
            let names = try names(in: path)
            if names.isEmpty, !name.isEmpty { entries.append(FileTree.Entry(path: name, kind: .directory)) }
            for child in names {
                var status = stat()
                guard lstat("\(path)/\(child)", &status) == 0 else { continue }
                try survey("\(path)/\(child)", as: RelativePath.join(name, child), status, into: &entries)
                if entries.count > FileTree.entriesMax { throw StagingError("the outputs have more than \(FileTree.entriesMax) files") }
            }
        case S_IFLNK:
            var buffer = [UInt8](repeating: 0, count: RelativePath.bytesMax + 1)
            let count = buffer.withUnsafeMutableBytes { readlink(path, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count) }
            guard count > 0, let target = String(validating: buffer[..<count], as: UTF8.self) else { return }
            entries.append(FileTree.Entry(path: name, kind: .link(target: target)))
        case S_IFREG:
            let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
            guard descriptor >= 0 else { throw Self.problem("'\(name)' cannot be read") }
            defer { close(descriptor) }
            let digest: ContentDigest
            let size: Int64
            do throws(FileReadError) { (digest, size) = try ContentHash.digest(of: descriptor) } catch {
                throw Self.problem("'\(name)' cannot be read", error.number)
            }
            entries.append(FileTree.Entry(path: name, kind: .file(digest, size: size, isExecutable: status.st_mode & 0o100 != 0)))
        default: break
        }
    }

    /// Whether the account sees something there.
    func exists(_ path: String) throws -> Bool {
        try asAccount {
            var status = stat()
            return lstat(path, &status) == 0
        }
    }

    /// A small file that the account can read; nil when there is none.
    func readSmall(_ path: String) throws -> String? {
        let descriptor = try asAccount { open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) }
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        return count < 0 ? nil : String(validating: bytes[..<count], as: UTF8.self)
    }

    /// A file of the work directory, to be read.
    func openOutput(_ path: String, in workDirectory: String) throws -> Int32 {
        let descriptor = try asAccount { open("\(workDirectory)/\(path)", O_RDONLY | O_CLOEXEC | O_NOFOLLOW) }
        guard descriptor >= 0 else { throw Self.problem("'\(path)' cannot be read") }
        return descriptor
    }
}
