// Copies one stream of output to ours, over as many connections as it takes.

import Synchronization

/// How many bytes of a stream have been passed on; whoever wonders whether it still moves may look as well.
final class StreamPosition: Sendable {
    private let bytes = Mutex<Int64>(0)
    func advance(by count: Int) { bytes.withLock { $0 += Int64(count) } }
    var value: Int64 { bytes.withLock { $0 } }
}

struct LogPump: Sendable {
    let client: CoordinatorClient
    let console: Console
    let request: LogRequest
    let position: StreamPosition

    /// How often a refusal is asked about again: a log may come into being a moment after its attempt.
    static let refusalsMax = 8

    /// Returns when the coordinator ends the stream, or will not give it; throws nothing, since another stream may still
    /// have much to say.
    func run() async {
        var refusals = 0
        var delay = Duration.milliseconds(100)
        while !Task.isCancelled {
            let (request, skip) = resumption()
            do throws(LogInterruption) {
                return try await client.readLog(request, skipping: skip) { bytes in
                    delay = .milliseconds(100)
                    position.advance(by: bytes.count)
                    (request.stream == .stdout ? console.output : console.errors).write(bytes)
                }
            } catch {
                switch error {
                case .cancelled: return
                case .refused(let failure):
                    refusals += 1
                    guard refusals < Self.refusalsMax else {
                        return console.note("suanpan: no \(request.stream) to show: \(failure.message)")
                    }
                case .lost:
                    if !isExact, position.value > 0 {
                        console.note("suanpan: the connection broke; some of \(request.stream) may be missing here")
                    }
                }
            }
            try? await Task.sleep(for: delay)
            delay = min(delay * 2, .seconds(2))
        }
    }

    /// The bytes of one attempt are the same whenever they are asked for; those of several, or of a tail, are not.
    private var isExact: Bool { request.attempt != nil && request.tail == nil }

    /// Where to go on: after the bytes that were had, or, where they cannot be counted, with what comes from now on.
    private func resumption() -> (LogRequest, skip: Int64) {
        let had = position.value
        guard had > 0 else { return (request, 0) }
        guard !isExact else { return (request, had) }
        var later = request
        later.tail = 0
        return (later, 0)
    }
}
