import ClusterModel
import Glibc

/// Contents that have come to this node, each once. Those that nobody uses go, the longest unused first, when there are
/// more than the limit says.
actor ContentCache {
    private struct Entry {
        var size: Int64
        var lastUse: UInt64
        var users: Int
    }

    private let directory: String
    private let sizeMax: Int64
    private var entries: [ContentDigest: Entry] = [:]
    private var size: Int64 = 0
    private var uses: UInt64 = 0
    private var arriving: [ContentDigest: Task<Void, any Error>] = [:]

    init(directory: String, sizeMax: Int64) throws {
        self.directory = directory
        self.sizeMax = sizeMax
        for path in [directory, "\(directory)/arriving"] where mkdir(path, 0o700) != 0 && errno != EEXIST {
            throw AccountFiles.problem("\(path) cannot be made")
        }
        // In the order in which they were used: names change the time of a file's status.
        var found: [(digest: ContentDigest, size: Int64, used: Int)] = []
        guard let listing = opendir(directory) else { throw AccountFiles.problem("\(directory) cannot be read") }
        defer { closedir(listing) }
        while let item = readdir(listing) {
            let name = withUnsafePointer(to: &item.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            var status = stat()
            guard let digest = ContentDigest(parsing: name), stat("\(directory)/\(name)", &status) == 0 else { continue }
            found.append((digest, Int64(status.st_size), status.st_mtim.tv_sec))
        }
        for item in found.sorted(by: { $0.used < $1.used }) {
            uses += 1
            entries[item.digest] = Entry(size: item.size, lastUse: uses, users: 0)
            size += item.size
        }
    }

    nonisolated func path(_ digest: ContentDigest) -> String { "\(directory)/\(digest)" }

    /// Holds the content until `release`; brings it with `fetch` when it is not there. Whoever asks for the same content
    /// meanwhile waits for the one that brings it.
    func acquire(_ digest: ContentDigest, fetch: @escaping @Sendable (Int32) async throws -> Void) async throws {
        while entries[digest] == nil {
            try Task.checkCancellation()
            if let task = arriving[digest] {
                // Its failure is its own: the next round tries for itself.
                _ = try? await task.value
                continue
            }
            let task = Task {
                // Before it is over for those who wait: they look here again.
                defer { arriving[digest] = nil }
                try await bring(digest, fetch)
            }
            arriving[digest] = task
            try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        }
        uses += 1
        entries[digest]?.lastUse = uses
        entries[digest]?.users += 1
        // Only now: what has just come would be the first to go while everything else is in use.
        evict()
        _ = utimensat(AT_FDCWD, path(digest), nil, 0)
    }

    func release(_ digests: [ContentDigest]) {
        for digest in digests { entries[digest]?.users -= 1 }
        evict()
    }

    private func bring(_ digest: ContentDigest, _ fetch: @Sendable (Int32) async throws -> Void) async throws {
        let arriving = "\(directory)/arriving/\(digest)"
        let descriptor = open(arriving, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw AccountFiles.problem("the cache takes no file") }
        defer { close(descriptor) }
        try await fetch(descriptor)
        var status = stat()
        guard fstat(descriptor, &status) == 0, fchmod(descriptor, 0o444) == 0, rename(arriving, path(digest)) == 0 else {
            throw AccountFiles.problem("the cache takes no file")
        }
        uses += 1
        entries[digest] = Entry(size: Int64(status.st_size), lastUse: uses, users: 0)
        size += Int64(status.st_size)
    }

    private func evict() {
        guard size > sizeMax else { return }
        for (digest, entry) in entries.sorted(by: { $0.value.lastUse < $1.value.lastUse }) where entry.users == 0 {
            guard size > sizeMax else { return }
            _ = unlink(path(digest))
            entries[digest] = nil
            size -= entry.size
        }
    }

    /// For tests: what lies there.
    var contents: Set<ContentDigest> { Set(entries.keys) }
}
