// Copies one attempt's output to ours, over as many connections as it takes.

import Synchronization

/// Bytes passed on so far, for whoever wonders whether a stream still moves.
final class Progress: Sendable {
    private let bytes = Mutex<Int64>(0)
    func add(_ count: Int) { bytes.withLock { $0 += Int64(count) } }
    var total: Int64 { bytes.withLock { $0 } }
}

/// One stream of one attempt.
struct LogPump: Sendable {
    let client: CoordinatorClient
    let console: Console
    let request: LogRequest
    /// nil: bytes pass unchanged.
    let prefixIndex: Int64?
    let progress: Progress

    /// How often a refusal is asked about again: a log may come into being a moment after its attempt.
    static let refusalsMax = 8

    /// Returns when the stream is complete or will not come; throws nothing, since another stream may still have much
    /// to say. With `tail`, a broken connection ends the copy: where it stood in the whole is not known.
    func run() async {
        var request = request
        var prefixer = prefixIndex.map { LinePrefixer(index: $0) }
        var refusals = 0
        var delay = Duration.milliseconds(100)
        defer { if let rest = prefixer?.remainder(), !rest.isEmpty { sink.write(rest) } }
        while !Task.isCancelled {
            do {
                try await client.readLog(request) { bytes in
                    request.since += Int64(bytes.count)
                    delay = .milliseconds(100)
                    progress.add(bytes.count)
                    let output = prefixer?.whole(lines: bytes) ?? bytes
                    if !output.isEmpty { sink.write(output) }
                }
                return
            } catch {
                switch error {
                case .cancelled: return
                case .refused(let failure):
                    refusals += 1
                    guard request.follow, refusals < Self.refusalsMax else {
                        if failure.status != .notFound { console.note("suanpan: \(request.stream): \(failure.message)") }
                        return
                    }
                case .lost(let reason):
                    guard request.follow, request.tail == nil || request.since == 0 else {
                        console.note("suanpan: \(request.stream) stops here: \(reason)")
                        return
                    }
                }
            }
            try? await Task.sleep(for: delay)
            delay = min(delay * 2, .seconds(2))
        }
    }

    private var sink: any ByteSink { request.stream == .stdout ? console.output : console.errors }
}
