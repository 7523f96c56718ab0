import AsyncHTTPClient
import NIOCore
import NIOHTTP1

extension CoordinatorClient {
    /// Passes a body of any length on as it comes. Not tried again: the caller has part of it already.
    func download(
        _ path: String, query: Query, receive: ([UInt8]) throws(CommandFailure) -> Void
    ) async throws(CommandFailure) {
        var request = try request(.get, path, query: query)
        request.headers.replaceOrAdd(name: "Accept", value: "application/octet-stream, application/x-tar, application/problem+json")
        do {
            // No deadline: what is sent may take long to be made.
            let response = try await Self.transport.execute(request, deadline: .distantFuture)
            guard (200..<300).contains(response.status.code) else {
                let body = try await response.body.collect(upTo: 1 << 20)
                throw Problem.failure(http: Int(response.status.code), body: Array(body.readableBytesView), url: configuration.url)
            }
            for try await chunk in response.body { try receive(Array(chunk.readableBytesView)) }
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            let reason = Self.isUnreachable(error) ? "cannot reach it" : Self.describe(error)
            throw CommandFailure(.unreachable, "\(configuration.url): \(reason), before everything had come")
        }
    }
}
