import ClusterPorts
import DaemonKit
import Foundation
import JournalSQLite
import Synchronization

/// Makes backups in a child: what copies, recovers and reads files neither takes the deciding process's memory nor can
/// bring it down. One at a time.
final class BackupService: BackupSource {
    /// Left by a coordinator that was killed; removed at the next start.
    private static let scratchPrefix = "backup-"
    private static let scratchSuffix = ".tmp"

    private let directory: String
    private let isBusy = Mutex(false)

    init(directory: String) {
        self.directory = directory
        for name in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        where name.hasPrefix(Self.scratchPrefix) && name.hasSuffix(Self.scratchSuffix) {
            try? FileManager.default.removeItem(atPath: "\(directory)/\(name)")
        }
    }

    func begin(includesLogs: Bool) async throws(BackupRefusal) -> any BackupStream {
        let isFree = isBusy.withLock { busy in
            defer { busy = true }
            return !busy
        }
        guard isFree else { throw .busy }
        let scratch = "\(directory)/\(Self.scratchPrefix)\(Hex.text(KeyFile.random(4)))\(Self.scratchSuffix)"
        do {
            let child = try Child(directory: directory, scratch: scratch, includesLogs: includesLogs) { [weak self] in
                self?.isBusy.withLock { $0 = false }
            }
            try await child.awaitFirstBytes()
            return child
        } catch {
            throw .failed("\(error)")
        }
    }

    /// One child and what it writes.
    private final class Child: BackupStream {
        private static let chunkBytes = 256 << 10

        private let process = Process()
        private let output = Pipe()
        private let errors = Pipe()
        private let scratch: String
        private let onEnd: @Sendable () -> Void
        /// Read before anyone asked, to know that there is something.
        private let first = Mutex<[UInt8]?>(nil)

        init(directory: String, scratch: String, includesLogs: Bool, onEnd: @escaping @Sendable () -> Void) throws {
            self.scratch = scratch
            self.onEnd = onEnd
            guard mkdir(scratch, 0o700) == 0 else {
                onEnd()
                throw StartError("\(scratch) cannot be made: \(String(cString: strerror(errno)))")
            }
            process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
            process.arguments =
                ["make-backup", "--data-dir", directory, "--scratch", scratch]
                + (includesLogs ? ["--folder", BackupFolder.logs.rawValue] : [])
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = output
            process.standardError = errors
            try process.run()
            try output.fileHandleForWriting.close()
            try errors.fileHandleForWriting.close()
        }

        /// A reader that has gone leaves a child that still writes: it ends with its pipe.
        deinit {
            try? output.fileHandleForReading.close()
            let (process, scratch, onEnd) = (process, scratch, onEnd)
            Task {
                if process.isRunning { process.terminate() }
                while process.isRunning { try? await Task.sleep(for: .milliseconds(50)) }
                try? FileManager.default.removeItem(atPath: scratch)
                onEnd()
            }
        }

        func awaitFirstBytes() async throws {
            let bytes = try await next()
            first.withLock { $0 = bytes }
        }

        func next() async throws -> [UInt8]? {
            let early = first.withLock { first in
                defer { first = nil }
                return first
            }
            if let early { return early }
            // A read waits for the child: not on a thread that requests share.
            let bytes = try await withTaskExecutorPreference(globalConcurrentExecutor) { try await self.readChunk() }
            if bytes.isEmpty {
                try await checkEnd()
                return nil
            }
            return bytes
        }

        @concurrent
        private func readChunk() async throws -> [UInt8] {
            var chunk = [UInt8](repeating: 0, count: Self.chunkBytes)
            while true {
                let count = read(output.fileHandleForReading.fileDescriptor, &chunk, chunk.count)
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { throw StartError("the backup cannot be read: \(String(cString: strerror(errno)))") }
                return Array(chunk[..<count])
            }
        }

        private func checkEnd() async throws {
            while process.isRunning { try await Task.sleep(for: .milliseconds(20)) }
            guard process.terminationStatus != 0 || process.terminationReason != .exit else { return }
            let said = String(decoding: errors.fileHandleForReading.availableData.prefix(1000), as: UTF8.self)
            let text = said.trimmingCharacters(in: .whitespacesAndNewlines)
            throw StartError(text.isEmpty ? "the program that makes the backup ended with \(process.terminationStatus)" : text)
        }
    }
}
