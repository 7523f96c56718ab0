import Crypto
import Glibc
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// The agent's packages in one directory. A request names a file by the listing and never by a path: what is not listed
/// does not exist. Reads and hashes on threads of its own.
final class PackageShelf: Sendable {
    private struct Known {
        var version: FileVersion
        var digest: [UInt8]
    }

    /// Tells two states of a file apart.
    private struct FileVersion: Equatable {
        var inode: UInt64
        var sizeBytes: Int64
        var seconds: Int
        var nanoseconds: Int
    }

    static let packageCountMax = 64
    private static let chunkBytes = 256 << 10

    private let directory: String
    private let threads = NIOThreadPool.singleton
    private let known = Mutex<[String: Known]>([:])

    init(directory: String) { self.directory = directory }

    /// The newest package for each architecture, by architecture; empty when the directory is not there.
    func packages() async throws -> [AgentPackage] {
        try await threads.runIfActive { self.list() }
    }

    /// The package of this name, open to be read; nil when it is not listed.
    func open(_ name: String) async throws -> OpenPackage? {
        try await threads.runIfActive {
            guard let package = self.list().first(where: { $0.name == name }), let (descriptor, _) = self.openFile(name) else { return nil }
            return OpenPackage(package: package, descriptor: descriptor, threads: self.threads)
        }
    }

    private func list() -> [AgentPackage] {
        var newest: [String: (package: AgentPackage, version: FileVersion)] = [:]
        for name in names() {
            guard let (package, version) = describe(name) else { continue }
            if let other = newest[package.architecture]?.version,
                (other.seconds, other.nanoseconds) >= (version.seconds, version.nanoseconds)
            {
                continue
            }
            newest[package.architecture] = (package, version)
        }
        return newest.values.map(\.package).sorted { $0.architecture < $1.architecture }
    }

    private func names() -> [String] {
        guard let listing = opendir(directory) else { return [] }
        defer { closedir(listing) }
        var names: [String] = []
        while let entry = readdir(listing) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if AgentPackage.parts(ofName: name) != nil { names.append(name) }
        }
        return Array(names.sorted().prefix(Self.packageCountMax))
    }

    private func openFile(_ name: String) -> (descriptor: Int32, version: FileVersion)? {
        let descriptor = Glibc.open("\(directory)/\(name)", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            return nil
        }
        return (
            descriptor,
            FileVersion(
                inode: UInt64(status.st_ino), sizeBytes: Int64(status.st_size), seconds: status.st_mtim.tv_sec,
                nanoseconds: status.st_mtim.tv_nsec)
        )
    }

    private func describe(_ name: String) -> (AgentPackage, FileVersion)? {
        guard let parts = AgentPackage.parts(ofName: name), let (descriptor, version) = openFile(name) else { return nil }
        defer { close(descriptor) }
        let digest: [UInt8]
        if let seen = known.withLock({ $0[name] }), seen.version == version {
            digest = seen.digest
        } else {
            guard let fresh = Self.digest(of: descriptor) else { return nil }
            digest = fresh
            known.withLock { $0[name] = Known(version: version, digest: fresh) }
        }
        let package = AgentPackage(
            name: name, version: parts.version, architecture: parts.architecture, sizeBytes: version.sizeBytes, digest: digest)
        return (package, version)
    }

    private static func digest(of descriptor: Int32) -> [UInt8]? {
        var hash = SHA256()
        var chunk = [UInt8](repeating: 0, count: chunkBytes)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count == 0 { return Array(hash.finalize()) }
            guard count > 0 else { return nil }
            hash.update(data: chunk[..<count])
        }
    }
}

/// A package while it is sent. Its bytes are those of the file that was opened, whatever lies under its name by then.
final class OpenPackage: Sendable {
    let package: AgentPackage
    private let descriptor: Int32
    private let threads: NIOThreadPool

    static let chunkBytes = 128 << 10

    init(package: AgentPackage, descriptor: Int32, threads: NIOThreadPool) {
        self.package = package
        self.descriptor = descriptor
        self.threads = threads
    }

    deinit { close(descriptor) }

    /// Bytes from an offset on; empty at the end of the file, nil when it cannot be read.
    func read(from offset: Int64) async throws -> [UInt8]? {
        try await threads.runIfActive { [descriptor] in
            var chunk = [UInt8](repeating: 0, count: Self.chunkBytes)
            let count = pread(descriptor, &chunk, chunk.count, off_t(offset))
            return count < 0 ? nil : Array(chunk[..<count])
        }
    }
}
