import ClusterModel
import ClusterPorts
import Synchronization

/// Output in memory. Counts what readers take, so that tests can say how much is read ahead of a client.
final class FakeLogStore: LogStore {
    private struct Key: Hashable {
        var attempt: AttemptID
        var stream: LogStream
    }

    private struct State {
        var bytes: [Key: [UInt8]] = [:]
        var complete: Set<Key> = []
        var endless: Set<Key> = []
        var bytesRead = 0
        var readersWaiting = 0
    }

    private let state = Mutex(State())

    var bytesRead: Int { state.withLock { $0.bytesRead } }
    var readersWaiting: Int { state.withLock { $0.readersWaiting } }

    func write(_ attempt: AttemptID, _ stream: LogStream, _ text: String, completes: Bool = false) {
        state.withLock { state in
            let key = Key(attempt: attempt, stream: stream)
            state.bytes[key, default: []] += text.utf8
            if completes { state.complete.insert(key) }
        }
    }

    func complete(_ attempt: AttemptID) {
        for stream in LogStream.allCases { write(attempt, stream, "", completes: true) }
    }

    /// A stream that always has more.
    func makeEndless(_ attempt: AttemptID, _ stream: LogStream) {
        state.withLock { _ = $0.endless.insert(Key(attempt: attempt, stream: stream)) }
    }

    func read(
        _ attempt: AttemptID, _ stream: LogStream, offset: Int64, limit: Int, follow: Bool
    ) async throws(JournalError) -> LogSlice {
        let key = Key(attempt: attempt, stream: stream)
        state.withLock { $0.readersWaiting += 1 }
        defer { state.withLock { $0.readersWaiting -= 1 } }
        while true {
            let slice: LogSlice? = state.withLock { state in
                if state.endless.contains(key) {
                    state.bytesRead += limit
                    return LogSlice(bytes: Array(repeating: UInt8(ascii: "x"), count: limit), isComplete: false)
                }
                let all = state.bytes[key] ?? []
                let start = min(Int(offset), all.count)
                let bytes = Array(all[start..<min(start + limit, all.count)])
                let isComplete = state.complete.contains(key) && start + bytes.count == all.count
                guard !bytes.isEmpty || isComplete || !follow else { return nil }
                state.bytesRead += bytes.count
                return LogSlice(bytes: bytes, isComplete: isComplete)
            }
            if let slice { return slice }
            do { try await Task.sleep(for: .milliseconds(2)) } catch { return LogSlice(bytes: [], isComplete: false) }
        }
    }

    func append(_ chunk: LogChunk) -> LogAck? { nil }
    func expect(_ attempt: AttemptID, stdoutBytes: Int64, stderrBytes: Int64) {}
}
