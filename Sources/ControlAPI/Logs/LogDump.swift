import ClusterModel
import ClusterPorts
import SchedulingCore

/// Sends what there is of the selected output and ends: task by task, standard output before standard error.
struct LogDump: Sendable {
    /// What one read asks for. With a prefix, also the longest line that is not cut.
    static let chunkBytes = 64 << 10
    static let prefixedChunkBytes = 8 << 10
    /// Tasks whose rows are fetched at once.
    static let pageSize: UInt32 = 512

    let selection: LogSelection
    let controlPlane: any ControlPlane

    var chunkBytes: Int { selection.isPrefixed ? Self.prefixedChunkBytes : Self.chunkBytes }

    @concurrent
    func run(_ indices: Range<UInt32>, into output: inout LogOutput) async throws {
        var first = indices.lowerBound
        while first < indices.upperBound {
            let page = first..<(first + min(Self.pageSize, indices.upperBound - first))
            for attempt in try await attempts(of: page) { try await send(attempt, into: &output) }
            first = page.upperBound
        }
    }

    @concurrent
    private func send(_ record: AttemptRecord, into output: inout LogOutput) async throws {
        let attempt = record.placement.attempt
        var missing: Int64 = 0
        for stream in selection.streams {
            var offset = try await start(of: attempt, stream)
            while true {
                let slice = try await controlPlane.logs.read(attempt, stream, offset: offset, limit: chunkBytes, follow: false)
                // An unfinished line goes out as it is once nothing else is left to read, or when it fills the chunk.
                let mustSendAll = slice.isComplete || !slice.bytes.contains(UInt8(ascii: "\n"))
                let sent = try await output.send(slice.bytes, of: attempt.task.index, mustSendAll: mustSendAll)
                offset += Int64(sent)
                if slice.bytes.isEmpty || (slice.isComplete && sent == slice.bytes.count) { break }
            }
            if let end = record.end { missing += max(0, end.byteCount(of: stream) - offset) }
        }
        let dropped = max(missing, record.end?.droppedBytes ?? 0)
        if dropped > 0 { try await output.sendDropped(dropped, of: attempt.task.index) }
    }

    /// Where the selection begins within a stream.
    func start(of attempt: AttemptID, _ stream: LogStream) async throws -> Int64 {
        guard let lines = selection.tail else { return 0 }
        return try await LogTail(logs: controlPlane.logs, attempt: attempt, stream: stream).start(lineCount: lines)
    }

    // MARK: - Rows

    /// The selected attempts of tasks in a range; tasks that have none are left out.
    func attempts(of indices: Range<UInt32>) async throws -> [AttemptRecord] {
        if let number = selection.attempt {
            return try await attempt(number, of: indices.lowerBound).map { [$0] } ?? []
        }
        return try await controlPlane.reads.lastAttempts(of: selection.job, indices: indices, selection.visibility)
    }

    func attempt(_ number: UInt32, of index: UInt32) async throws -> AttemptRecord? {
        try await attempts(from: number, of: index, limit: 1).first { $0.placement.attempt.number == number }
    }

    /// Attempts of one task in order, from a number on.
    func attempts(from number: UInt32, of index: UInt32, limit: Int) async throws -> [AttemptRecord] {
        let before = AttemptID(job: selection.job, index: index, number: number - 1)
        return try await controlPlane.reads.attempts(
            of: selection.job, task: index, after: before, limit: limit, selection.visibility)
    }
}

extension AttemptEnd {
    func byteCount(of stream: LogStream) -> Int64 {
        switch stream {
        case .stdout: stdoutBytes
        case .stderr: stderrBytes
        }
    }
}
