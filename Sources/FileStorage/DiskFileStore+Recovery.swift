import CLinuxShim
public import ClusterModel
public import ClusterPorts
import Crypto
import Glibc

extension DiskFileStore {
    /// Everything written so far survives a power cut.
    func synchronise() throws(FileStoreError) {
        var began = timespec()
        clock_gettime(CLOCK_REALTIME, &began)
        let root = try OpenFile(paths.root, O_RDONLY | O_DIRECTORY)
        let result = suanpan_syncfs(root.descriptor)
        guard result == 0 else { throw ioError("the disk of \(paths.root) takes no more", -result) }
        // What changed while it synchronised belongs to the next time.
        var times = [began, began]
        _ = utimensat(AT_FDCWD, paths.synced, &times, 0)
    }

    /// After another boot than the last one, what came after the last `synchronise` may be torn: it is read again.
    func verifyAfterPowerCut(bootID: String) throws(FileStoreError) {
        var status = stat()
        let isKnown = stat(paths.synced, &status) == 0
        let last = isKnown ? (try? read(paths.synced, size: Int64(status.st_size))).map { String(decoding: $0, as: UTF8.self) } : nil
        if last != bootID {
            for folder in Directories.names(in: "\(paths.root)/content") {
                for name in Directories.names(in: "\(paths.root)/content/\(folder)") {
                    guard let digest = ContentDigest(parsing: name) else { continue }
                    try verify(digest, changedAfter: isKnown ? status.st_mtim : timespec())
                }
            }
            let file = try OpenFile(paths.synced, O_WRONLY | O_CREAT | O_TRUNC)
            try file.write(Array(bootID.utf8), at: 0)
            try synchronise()
        }
    }

    private func verify(_ digest: ContentDigest, changedAfter instant: timespec) throws(FileStoreError) {
        let path = paths.content(digest)
        var status = stat()
        guard stat(path, &status) == 0 else { return }
        let change = status.st_ctim
        guard (change.tv_sec, change.tv_nsec) >= (instant.tv_sec, instant.tv_nsec) else { return }
        var hash = SHA256()
        let file = try OpenFile(path, O_RDONLY)
        let isSound = (try? file.hash(Int64(status.st_size), into: &hash)) != nil && ContentDigest(bytes: Array(hash.finalize())) == digest
        if isSound { return }
        _ = unlink(path)
        for tenant in Directories.names(in: "\(paths.root)/tenants") { _ = unlink(paths.owned(digest, by: tenant)) }
    }

    // MARK: Removal

    /// Removes what nobody has used since `instant` (seconds since 1970) and nothing refers to: contents of trees that are
    /// themselves unused, uploads that were given up.
    ///
    /// - Parameter roots: trees to keep with all their contents, by tenant; those of outputs that are kept are added here.
    /// - Returns: bytes freed.
    public func sweep(unusedSince instant: Int64, keeping roots: [String: [ContentDigest]]) async throws(FileStoreError) -> Int64 {
        try await onDisk { () throws(FileStoreError) in
            var freed: Int64 = 0
            for tenant in Directories.names(in: "\(paths.root)/tenants") {
                try sweep(tenant, unusedSince: instant, keeping: Set(roots[tenant] ?? []))
            }
            for folder in Directories.names(in: "\(paths.root)/content") {
                for name in Directories.names(in: "\(paths.root)/content/\(folder)") {
                    let path = "\(paths.root)/content/\(folder)/\(name)"
                    var status = stat()
                    // Only its own name is left.
                    guard stat(path, &status) == 0, status.st_nlink == 1, status.st_mtim.tv_sec < instant else { continue }
                    if unlink(path) == 0 { freed += Int64(status.st_size) }
                }
            }
            return freed
        }
    }

    private func sweep(_ tenant: String, unusedSince instant: Int64, keeping roots: Set<ContentDigest>) throws(FileStoreError) {
        let base = paths.tenant(tenant)
        var kept = roots
        for thousand in Directories.names(in: "\(base)/outputs") {
            for job in Directories.names(in: "\(base)/outputs/\(thousand)") {
                for name in Directories.names(in: "\(base)/outputs/\(thousand)/\(job)") {
                    let path = "\(base)/outputs/\(thousand)/\(job)/\(name)"
                    if let text = try? read(path, size: Int64(ContentDigest.byteCount * 2)),
                        let tree = ContentDigest(parsing: String(decoding: text, as: UTF8.self))
                    {
                        kept.insert(tree)
                    }
                }
            }
        }
        for tree in kept {
            var status = stat()
            let path = paths.owned(tree, by: tenant)
            guard stat(path, &status) == 0, status.st_size <= FileTree.bytesMax,
                let parsed = try? FileTree(parsing: try read(path, size: Int64(status.st_size)))
            else { continue }
            for (content, _) in parsed.contents { kept.insert(content) }
        }
        for folder in Directories.names(in: base) where folder != "outputs" {
            for name in Directories.names(in: "\(base)/\(folder)") {
                let path = "\(base)/\(folder)/\(name)"
                var status = stat()
                guard stat(path, &status) == 0, status.st_mtim.tv_sec < instant else { continue }
                if folder != "uploads", let digest = ContentDigest(parsing: name), kept.contains(digest) { continue }
                _ = unlink(path)
            }
        }
    }

    /// Jobs that have left something behind, with their tenants.
    public func jobsWithOutputs() async throws(FileStoreError) -> [(tenant: String, job: JobID)] {
        try await onDisk { () throws(FileStoreError) in
            var jobs: [(tenant: String, job: JobID)] = []
            for tenant in Directories.names(in: "\(paths.root)/tenants") {
                let base = "\(paths.tenant(tenant))/outputs"
                for thousand in Directories.names(in: base) {
                    jobs += Directories.names(in: "\(base)/\(thousand)").compactMap { JobID(parsing: $0) }.map { (tenant, $0) }
                }
            }
            return jobs
        }
    }

    /// Forgets what attempts of these jobs left behind; the contents go with the next sweep.
    public func removeOutputs(of jobs: [JobID], tenant: String) async throws(FileStoreError) {
        try await onDisk { () throws(FileStoreError) in
            for job in jobs {
                let folder = paths.outputs(of: job, by: tenant)
                for name in Directories.names(in: folder) { _ = unlink("\(folder)/\(name)") }
                _ = rmdir(folder)
            }
        }
    }
}
