import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1

extension CoordinatorClient {
    /// An answer to a request that carries or asks for content.
    struct FileAnswer: Sendable {
        var status: Int
        var body: [UInt8]
        /// How much of an upload is there.
        var uploadOffset: Int64?
    }

    /// Sends content as it is, once. An upload may take as long as it takes; the coordinator gives up on one that stalls.
    func exchange(
        _ method: Method, _ path: String, body: HTTPClientRequest.Body, type: String, headers: [(String, String)] = []
    ) async throws(CommandFailure) -> FileAnswer {
        var request = try request(method, path, query: [])
        request.headers.add(name: "Content-Type", value: type)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        request.body = body
        do {
            let response = try await Self.transport.execute(request, deadline: .distantFuture)
            let content = try await response.body.collect(upTo: Self.answerBytesMax)
            return FileAnswer(
                status: Int(response.status.code), body: Array(content.readableBytesView),
                uploadOffset: response.headers.first(name: "Upload-Offset").flatMap { Int64($0) })
        } catch { throw fileFailure(error) }
    }

    private func fileFailure(_ error: any Error) -> CommandFailure {
        if error is CancellationError { return CommandFailure(.failed, "interrupted") }
        guard Self.isUnreachable(error) else {
            return CommandFailure(
                .unreachable, "\(configuration.url) gave no answer: \(Self.describe(error))", remedy: "is the coordinator well?")
        }
        return unreachable
    }
}
