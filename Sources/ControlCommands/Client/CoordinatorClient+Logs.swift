// Output of attempts as bytes, passed on as they come.

import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// Which output to read, and from where.
struct LogRequest: Hashable, Sendable {
    enum Stream: String, Hashable, Sendable, CaseIterable {
        case stdout, stderr
    }

    var job: String
    var task: Int64
    /// nil: the last attempt.
    var attempt: Int64?
    var stream: Stream
    var follow: Bool
    /// Bytes already had; the answer begins after them.
    var since: Int64 = 0
    /// Only so many last lines.
    var tail: Int?

    init(job: String, task: Int64, attempt: Int64? = nil, stream: Stream, follow: Bool, tail: Int? = nil) {
        self.job = job
        self.task = task
        self.attempt = attempt
        self.stream = stream
        self.follow = follow
        self.tail = tail
    }

    var query: CoordinatorClient.Query {
        var query: CoordinatorClient.Query = [("task", String(task)), ("stream", stream.rawValue)]
        if let attempt { query.append(("attempt", String(attempt))) }
        if follow { query.append(("follow", "true")) }
        if since > 0 { query.append(("since", String(since))) }
        if let tail, since == 0 { query.append(("tail", String(tail))) }
        return query
    }
}

/// Why a stream of output stopped short.
enum LogInterruption: Error, Sendable {
    /// The connection broke or could not be made: ask again from where it stopped.
    case lost(String)
    case refused(CommandFailure)
    case cancelled
}

extension CoordinatorClient {
    /// Passes the stream's bytes to `receive` until it is complete (or, without `follow`, until its present end).
    func readLog(_ log: LogRequest, receive: ([UInt8]) -> Void) async throws(LogInterruption) {
        var request = request(.get, "/v1/jobs/\(Self.escape(log.job))/logs", query: log.query)
        request.headers.replaceOrAdd(name: "Accept", value: "application/octet-stream, text/plain, application/problem+json")
        do {
            // No deadline: a quiet job is not a fault. Who follows a job watches its state beside this.
            let response = try await Self.transport.execute(request, deadline: .distantFuture)
            guard (200..<300).contains(response.status.code) else {
                let body = try await response.body.collect(upTo: 1 << 20)
                let failure = Problem.failure(
                    http: Int(response.status.code), body: Array(body.readableBytesView), url: configuration.url)
                if response.status.code == 429 || response.status.code >= 500 { throw LogInterruption.lost(failure.message) }
                throw LogInterruption.refused(failure)
            }
            for try await chunk in response.body { receive(Array(chunk.readableBytesView)) }
        } catch let interruption as LogInterruption {
            throw interruption
        } catch is CancellationError {
            throw .cancelled
        } catch {
            if Task.isCancelled { throw .cancelled }
            throw .lost(Self.isUnreachable(error) ? "cannot reach \(configuration.url)" : Self.describe(error))
        }
    }
}
