// Output of jobs as bytes, passed on as they come.

import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// Which output to read, and from where.
struct LogRequest: Hashable, Sendable {
    enum Stream: String, Hashable, Sendable, CaseIterable {
        case stdout, stderr
    }

    var job: String
    /// nil: all tasks; where there are several, the coordinator begins each line with its task's index.
    var task: Int64?
    /// nil: the last one, and with `follow` those after it.
    var attempt: Int64?
    var stream: Stream
    var follow: Bool
    /// Only so many last lines.
    var tail: Int?

    init(job: String, task: Int64?, attempt: Int64? = nil, stream: Stream, follow: Bool, tail: Int? = nil) {
        self.job = job
        self.task = task
        self.attempt = attempt
        self.stream = stream
        self.follow = follow
        self.tail = tail
    }

    var query: CoordinatorClient.Query {
        var query: CoordinatorClient.Query = [("stream", stream.rawValue)]
        if let task { query.append(("task", String(task))) }
        if let attempt { query.append(("attempt", String(attempt))) }
        if follow { query.append(("follow", "true")) }
        if let tail { query.append(("tail", String(tail))) }
        return query
    }
}

/// Why a stream of output stopped short.
enum LogInterruption: Error, Sendable {
    /// The connection broke or could not be made: ask again.
    case lost(String)
    case refused(CommandFailure)
    case cancelled
}

extension CoordinatorClient {
    /// Passes the stream's bytes to `receive` until the coordinator ends it, the first `skip` left out: what an earlier
    /// connection brought.
    func readLog(_ log: LogRequest, skipping skip: Int64 = 0, receive: ([UInt8]) -> Void) async throws(LogInterruption) {
        var request: HTTPClientRequest
        do throws(CommandFailure) {
            request = try self.request(.get, "/v1/jobs/\(Self.escape(log.job))/logs", query: log.query)
        } catch { throw .refused(error) }
        request.headers.replaceOrAdd(name: "Accept", value: "text/plain, application/octet-stream, application/problem+json")
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
            var left = skip
            for try await chunk in response.body {
                let bytes = chunk.readableBytesView
                let fresh = bytes.dropFirst(Int(clamping: left))
                left -= Int64(bytes.count - fresh.count)
                if !fresh.isEmpty { receive(Array(fresh)) }
            }
        } catch let interruption as LogInterruption {
            throw interruption
        } catch is CancellationError {
            throw .cancelled
        } catch {
            if Task.isCancelled { throw .cancelled }
            if let distrust = distrust(error) { throw .refused(distrust) }
            throw .lost(Self.isUnreachable(error) ? "cannot reach \(configuration.url)" : Self.describe(error))
        }
    }
}
