import ClusterModel
import ContentFiles
import Glibc

/// A file or directory of this machine, by content.
struct LocalTree: Sendable {
    var tree: FileTree
    /// Where to read each content.
    var sources: [ContentDigest: (path: String, size: Int64)]

    private struct Found: Sendable {
        var path: String
        var name: String
        var isExecutable: Bool
    }

    /// Reads everything below `path` that the ignore file there does not leave behind. A file alone is a tree of one.
    ///
    /// - Parameter name: what a file alone is called in the tree; nil for its own name.
    static func read(_ path: String, as name: String? = nil) async throws(CommandFailure) -> LocalTree {
        var status = stat()
        guard stat(path, &status) == 0 else { throw CommandFailure(.usage, "\(path): \(SystemError.text(errno))") }
        var entries: [FileTree.Entry] = []
        var files: [Found] = []
        if status.st_mode & S_IFMT == S_IFDIR {
            let text = FileContent.read(path: "\(path)/\(IgnoreRules.fileName)", limit: 1 << 20).map { String(decoding: $0, as: UTF8.self) }
            try walk(path, "", IgnoreRules(parsing: text ?? ""), &entries, &files)
        } else {
            let own = name ?? String(path.split(separator: "/").last ?? "")
            files.append(Found(path: path, name: own, isExecutable: status.st_mode & 0o100 != 0))
        }
        let digests = try await hash(files)
        var sources: [ContentDigest: (path: String, size: Int64)] = [:]
        for (file, content) in zip(files, digests) {
            entries.append(
                FileTree.Entry(path: file.name, kind: .file(content.digest, size: content.size, isExecutable: file.isExecutable)))
            sources[content.digest] = (file.path, content.size)
        }
        do throws(FileTreeError) { return LocalTree(tree: try FileTree(entries), sources: sources) } catch {
            throw CommandFailure(.usage, "\(path): \(error.message)")
        }
    }

    private static func walk(
        _ path: String, _ name: String, _ rules: IgnoreRules, _ entries: inout [FileTree.Entry], _ files: inout [Found]
    ) throws(CommandFailure) {
        guard let directory = opendir(path) else { throw CommandFailure(.failed, "\(path): \(SystemError.text(errno))") }
        var children: [String] = []
        while let entry = readdir(directory) {
            let child = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
            }
            guard let child else {
                closedir(directory)
                throw CommandFailure(
                    .usage, "\(path) holds a name that is not UTF-8", remedy: "rename it, or leave it behind in \(IgnoreRules.fileName)")
            }
            if child != ".", child != ".." { children.append(child) }
        }
        closedir(directory)
        var kept = 0
        for child in children.sorted() {
            let whole = "\(path)/\(child)"
            let below = RelativePath.join(name, child)
            var status = stat()
            guard lstat(whole, &status) == 0 else { continue }
            let isDirectory = status.st_mode & S_IFMT == S_IFDIR
            if rules.ignores(below, isDirectory: isDirectory) { continue }
            kept += 1
            switch status.st_mode & S_IFMT {
            case S_IFDIR: try walk(whole, below, rules, &entries, &files)
            case S_IFREG: files.append(Found(path: whole, name: below, isExecutable: status.st_mode & 0o100 != 0))
            case S_IFLNK:
                var buffer = [UInt8](repeating: 0, count: RelativePath.bytesMax + 1)
                let count = buffer.withUnsafeMutableBytes { readlink(whole, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count) }
                if count > 0 {
                    entries.append(FileTree.Entry(path: below, kind: .link(target: String(decoding: buffer[..<count], as: UTF8.self))))
                }
            default: break
            }
        }
        if kept == 0, !name.isEmpty { entries.append(FileTree.Entry(path: name, kind: .directory)) }
    }

    /// Two at a time: hashing is as fast as one core is, and more would only jump about on the disk.
    private static func hash(_ files: [Found]) async throws(CommandFailure) -> [(digest: ContentDigest, size: Int64)] {
        let half = (files.count + 1) / 2
        let parts = [files[..<half], files[half...]]
        let results = await withTaskGroup(of: (Int, Result<[(digest: ContentDigest, size: Int64)], CommandFailure>).self) { group in
            for (index, part) in parts.enumerated() {
                group.addTask { (index, Result { () throws(CommandFailure) in try digests(of: part) }) }
            }
            var results: [Int: Result<[(digest: ContentDigest, size: Int64)], CommandFailure>] = [:]
            for await (index, result) in group { results[index] = result }
            return results
        }
        return try (results[0]?.get() ?? []) + (results[1]?.get() ?? [])
    }

    private static func digests(of files: ArraySlice<Found>) throws(CommandFailure) -> [(digest: ContentDigest, size: Int64)] {
        var digests: [(digest: ContentDigest, size: Int64)] = []
        for file in files {
            let descriptor = open(file.path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw CommandFailure(.failed, "\(file.path): \(SystemError.text(errno))") }
            defer { close(descriptor) }
            do throws(FileReadError) { digests.append(try ContentHash.digest(of: descriptor)) } catch {
                throw CommandFailure(.failed, "\(file.path): \(error)")
            }
        }
        return digests
    }
}
