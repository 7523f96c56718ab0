import ClusterModel
import ClusterPorts

/// Finds where the last lines of a stream begin, by reading backwards in growing steps: a tail of a large log costs
/// as much as the tail is long, and memory for as many positions as lines were asked for.
struct LogTail {
    private static let chunkBytes = 64 << 10
    /// A tail is at most so long, whatever its lines.
    private static let spanMax: Int64 = 64 << 20

    let logs: any LogStore
    let attempt: AttemptID
    let stream: LogStream

    /// The offset of the first of the last `lineCount` lines of what there is now.
    func start(lineCount: Int) async throws(JournalError) -> Int64 {
        let end = try await end()
        guard lineCount > 0, end > 0 else { return end }
        var span = Int64(Self.chunkBytes)
        while true {
            let start = max(0, end - span)
            let lines = try await lineStarts(from: start, to: end, count: lineCount)
            if lines.count >= lineCount || start == 0 || span >= Self.spanMax { return lines.first ?? start }
            span *= 8
        }
    }

    /// The offsets of the last `count` lines that begin in a range; the first byte of a stream begins one.
    private func lineStarts(from start: Int64, to end: Int64, count: Int) async throws(JournalError) -> [Int64] {
        var starts: [Int64] = start == 0 ? [0] : []
        var offset = start
        while offset < end {
            let limit = Int(min(Int64(Self.chunkBytes), end - offset))
            let bytes = try await logs.read(attempt, stream, offset: offset, limit: limit, follow: false).bytes
            guard !bytes.isEmpty else { break }
            for (position, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") {
                let next = offset + Int64(position) + 1
                if next < end { starts.append(next) }
            }
            if starts.count > 2 * count { starts.removeFirst(starts.count - count) }
            offset += Int64(bytes.count)
        }
        return starts.suffix(count)
    }

    /// How long the stream is now: the store does not say, but a byte is there or not.
    private func end() async throws(JournalError) -> Int64 {
        guard try await hasByte(at: 0) else { return 0 }
        var last: Int64 = 0
        var step: Int64 = 1
        while try await hasByte(at: last + step) {
            last += step
            step *= 2
        }
        while step > 0 {
            if try await hasByte(at: last + step) { last += step } else { step /= 2 }
        }
        return last + 1
    }

    private func hasByte(at offset: Int64) async throws(JournalError) -> Bool {
        try await !logs.read(attempt, stream, offset: offset, limit: 1, follow: false).bytes.isEmpty
    }
}
