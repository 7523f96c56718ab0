import HTTPTypes
import Hummingbird
import NIOCore

/// Reads request bodies, all of which are JSON and small.
enum RequestBodyReader {
    static let bytesMax = 1 << 20
    /// From the first byte asked for to the last received. A client that trickles is cut off here; one that stops
    /// altogether, by the connection's idle timeout.
    static let duration = Duration.seconds(20)

    /// The body's bytes and value. An absent body reads as an empty object where `isOptional`.
    static func read(_ request: Request, isOptional: Bool = false) async throws -> (bytes: [UInt8], value: JSONValue) {
        let bytes = try await collect(request)
        if bytes.isEmpty, isOptional { return ([], .object([])) }
        try checkType(request.headers)
        do throws(JSONSyntaxError) {
            return (bytes, try JSONParser.parse(bytes))
        } catch {
            throw Problem(.badRequest, "malformed_json", error.description(in: bytes), title: "Malformed JSON")
        }
    }

    private static func checkType(_ headers: HTTPFields) throws(Problem) {
        guard headers[.contentEncoding] == nil else {
            throw Problem(.unsupportedMediaType, "unsupported_media_type", "Send the body without a Content-Encoding.")
        }
        let type = headers[.contentType] ?? ""
        // The form that nearly everybody sends; the rest is read with care.
        if type == "application/json" { return }
        let parts = type.split(separator: ";").map { $0.filter { $0 != " " }.lowercased() }
        guard parts.first == "application/json", parts.dropFirst().allSatisfy({ $0 == "charset=utf-8" || $0 == "charset=\"utf-8\"" })
        else {
            throw Problem(.unsupportedMediaType, "unsupported_media_type", "Send the body as 'Content-Type: application/json'.")
        }
    }

    private static func collect(_ request: Request) async throws -> [UInt8] {
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > bytesMax { throw Problem.contentTooLarge }
        let start = ContinuousClock.now
        var bytes: [UInt8] = []
        for try await buffer in request.body {
            guard bytes.count + buffer.readableBytes <= bytesMax else { throw Problem.contentTooLarge }
            bytes.append(contentsOf: buffer.readableBytesView)
            guard ContinuousClock.now - start < duration else {
                throw Problem(.requestTimeout, "request_timeout", "The body did not arrive within \(duration.components.seconds) s.")
            }
        }
        return bytes
    }
}
