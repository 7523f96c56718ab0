// Output of attempts, kept as files: `logs/<job mod 1000>/<job>/<index>.<number>.<out|err>`, created at the first byte.

import ClusterModel
import ClusterPorts
import Glibc
import Synchronization

/// The central store of output. Chunks arrive on the transport's thread and go to the page cache at once; readers wait
/// without holding anybody up.
final class FileLogStore: LogStore {
    private struct StreamID: Hashable {
        var attempt: AttemptID
        var stream: LogStream
    }

    private struct Entry {
        /// Bytes kept.
        var size: Int64
        /// Bytes that there will be; nil while the attempt runs or nothing tells.
        var expected: Int64?
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
    }

    private struct State {
        var entries: [StreamID: Entry] = [:]
        var lastWaiter: UInt64 = 0
    }

    /// After the end of an attempt its missing bytes are waited for so long, then counted as lost with their node.
    private static let missingBytesPatience = Duration.seconds(30)

    private let directory: String
    private let streamBytesMax: Int64
    /// How an attempt ended, from the tables: what a restarted coordinator no longer has in memory.
    private let endOf: @Sendable (AttemptID) async -> AttemptEnd?
    private let state = Mutex(State())

    init(directory: String, streamBytesMax: Int64, endOf: @escaping @Sendable (AttemptID) async -> AttemptEnd?) {
        self.directory = directory
        self.streamBytesMax = streamBytesMax
        self.endOf = endOf
    }

    private func path(of id: StreamID) -> (directory: String, file: String) {
        let job = id.attempt.task.job.value
        let folder = "\(directory)/\(job % 1000)/\(job)"
        let suffix = id.stream == .stdout ? "out" : "err"
        return (folder, "\(folder)/\(id.attempt.task.index).\(id.attempt.number).\(suffix)")
    }

    // MARK: Writing

    func append(_ chunk: LogChunk) -> LogAck? {
        guard let stream = LogStream(rawValue: chunk.stream), chunk.offset >= 0 else { return nil }
        let id = StreamID(attempt: chunk.attempt, stream: stream)
        return state.withLock { state -> LogAck? in
            var entry = state.entries[id] ?? Entry(size: size(of: id))
            defer { state.entries[id] = entry }
            let end = chunk.offset + Int64(chunk.bytes.count)
            if chunk.offset <= entry.size, end > entry.size, end <= streamBytesMax {
                let fresh = chunk.bytes.dropFirst(Int(entry.size - chunk.offset))
                guard write(Array(fresh), to: id, at: entry.size) else { return nil }
                entry.size = end
                wake(&entry)
            }
            let isFull = end > streamBytesMax
            let ack = LogAck(attempt: chunk.attempt, stream: chunk.stream, offset: isFull ? end : entry.size, isComplete: isFull)
            if isFull { entry.expected = entry.size }
            return ack
        }
    }

    private func size(of id: StreamID) -> Int64 {
        var status = stat()
        return stat(path(of: id).file, &status) == 0 ? Int64(status.st_size) : 0
    }

    /// False when the disk refuses: no acknowledgement, so the agent keeps the bytes and sends them again.
    private func write(_ bytes: [UInt8], to id: StreamID, at offset: Int64) -> Bool {
        let (folder, file) = path(of: id)
        var descriptor = open(file, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        if descriptor < 0, errno == ENOENT {
            _ = mkdir(directory, 0o700)
            _ = mkdir("\(directory)/\(id.attempt.task.job.value % 1000)", 0o700)
            _ = mkdir(folder, 0o700)
            descriptor = open(file, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        }
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, off_t(offset) + off_t(done)) }
            guard count > 0 else { return false }
            done += count
        }
        return true
    }

    func expect(_ attempt: AttemptID, stdoutBytes: Int64, stderrBytes: Int64) {
        state.withLock { state in
            for (stream, bytes) in [(LogStream.stdout, stdoutBytes), (.stderr, stderrBytes)] {
                let id = StreamID(attempt: attempt, stream: stream)
                // Nobody waits and nothing is there: the tables know it, no memory is spent.
                guard var entry = state.entries[id] else { continue }
                entry.expected = min(bytes, streamBytesMax)
                wake(&entry)
                state.entries[id] = entry.size >= bytes && entry.waiters.isEmpty ? nil : entry
            }
        }
    }

    private func wake(_ entry: inout Entry) {
        for continuation in entry.waiters.values { continuation.resume() }
        entry.waiters.removeAll()
    }

    // MARK: Reading

    func read(
        _ attempt: AttemptID, _ stream: LogStream, offset: Int64, limit: Int, follow: Bool
    ) async throws(JournalError) -> LogSlice {
        // Not on the thread of the reader's socket, which others share: a disk may be slow.
        let result: Result<LogSlice, JournalError> = await withTaskExecutorPreference(globalConcurrentExecutor) {
            do throws(JournalError) {
                return .success(try await look(attempt, stream, offset: offset, limit: limit, follow: follow))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private func look(
        _ attempt: AttemptID, _ stream: LogStream, offset: Int64, limit: Int, follow: Bool
    ) async throws(JournalError) -> LogSlice {
        let id = StreamID(attempt: attempt, stream: stream)
        var patienceEnds: ContinuousClock.Instant?
        while true {
            let bytes = try readFile(id, offset: offset, limit: limit)
            let expected = await expected(of: id)
            let position = offset + Int64(bytes.count)
            if !bytes.isEmpty { return LogSlice(bytes: bytes, isComplete: expected.map { position >= $0 } ?? false) }
            if let expected, offset >= expected { return LogSlice(bytes: [], isComplete: true) }
            if !follow || Task.isCancelled { return LogSlice(bytes: [], isComplete: false) }
            if expected != nil {
                let deadline = patienceEnds ?? .now + Self.missingBytesPatience
                patienceEnds = deadline
                if .now >= deadline { return LogSlice(bytes: [], isComplete: true) }
            }
            await awaitChange(of: id, beyond: offset)
        }
    }

    private func readFile(_ id: StreamID, offset: Int64, limit: Int) throws(JournalError) -> [UInt8] {
        let file = path(of: id).file
        let descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        if descriptor < 0 {
            if errno == ENOENT { return [] }
            throw JournalError(.io, "the output \(file) cannot be opened: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            let result = pread(descriptor, buffer.baseAddress, limit, off_t(offset))
            failed = result < 0
            count = max(0, result)
        }
        if failed { throw JournalError(.io, "the output \(file) cannot be read") }
        return bytes
    }

    private func expected(of id: StreamID) async -> Int64? {
        if let known = state.withLock({ $0.entries[id]?.expected }) { return known }
        guard let end = await endOf(id.attempt) else { return nil }
        return min(id.stream == .stdout ? end.stdoutBytes : end.stderrBytes, streamBytesMax)
    }

    /// Returns when there is news of the stream, at the latest after a second.
    private func awaitChange(of id: StreamID, beyond offset: Int64) async {
        let number = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isThere = state.withLock { state -> Bool in
                    var entry = state.entries[id] ?? Entry(size: size(of: id))
                    if entry.size > offset || Task.isCancelled { return true }
                    entry.waiters[number] = continuation
                    state.entries[id] = entry
                    return false
                }
                if isThere { return continuation.resume() }
                Task {
                    try? await Task.sleep(for: .seconds(1))
                    self.release(id, number)
                }
            }
        } onCancel: {
            release(id, number)
        }
    }

    private func release(_ id: StreamID, _ number: UInt64) {
        let continuation = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard var entry = state.entries[id] else { return nil }
            let continuation = entry.waiters.removeValue(forKey: number)
            let isSettled = entry.waiters.isEmpty && entry.size == 0 && entry.expected == nil
            state.entries[id] = isSettled ? nil : entry
            return continuation
        }
        continuation?.resume()
    }
}
