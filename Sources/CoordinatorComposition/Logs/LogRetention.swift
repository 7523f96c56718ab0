import ClusterModel
import Glibc

/// What is known of a job whose output is kept.
enum OutputOwner: Hashable, Sendable {
    case live
    case ended(at: LogicalTime)
    /// Its rows are gone, or it is of a time before a restore.
    case unknown
}

/// Removes output that is past its retention: folders of jobs in `logs/<job mod 1000>/<job>`, file by file.
struct LogRetention {
    var directory: String
    /// Called after every few files.
    var pause: () async throws -> Void
    var owner: (JobID) async throws -> OutputOwner

    private static let filesBetweenPauses = 100

    /// Removes the output of jobs that ended before `cutoff`, and of unknown ones to which nothing was added since.
    func run(cutoff: LogicalTime) async throws {
        for branch in Self.names(in: directory) {
            for folder in Self.names(in: "\(directory)/\(branch)") {
                guard let number = UInt64(folder) else { continue }
                let path = "\(directory)/\(branch)/\(folder)"
                // A file that was made since the cutoff: the job had not ended then. Spares a look at its row.
                guard let changed = Self.changed(path), changed < cutoff else { continue }
                switch try await owner(JobID(number)) {
                case .live: continue
                case .ended(let at) where at >= cutoff: continue
                case .ended, .unknown: try await remove(path)
                }
            }
            // Only when it is empty.
            rmdir("\(directory)/\(branch)")
            try await pause()
        }
    }

    private func remove(_ folder: String) async throws {
        var count = 0
        for name in Self.names(in: folder) {
            unlink("\(folder)/\(name)")
            count += 1
            if count.isMultiple(of: Self.filesBetweenPauses) { try await pause() }
        }
        rmdir(folder)
    }

    private static func changed(_ path: String) -> LogicalTime? {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return nil }
        return LogicalTime(nanoseconds: Int64(status.st_mtim.tv_sec) * 1_000_000_000)
    }

    private static func names(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }
}
