import ClusterModel
import Crypto
import HTTPTypes
import Hummingbird

// The forms of an answer.

extension HTTPField.Name {
    static let requestID = HTTPField.Name("X-Request-Id")!
    static let revision = HTTPField.Name("Suanpan-Revision")!
    static let idempotencyKey = HTTPField.Name("Idempotency-Key")!
    static let contentTypeOptions = HTTPField.Name("X-Content-Type-Options")!
}

extension Call {
    /// A document; what it holds may be another tomorrow, so nobody keeps it.
    func json(_ body: [UInt8], status: HTTPResponse.Status = .ok, revision: UInt64? = nil, location: String? = nil) -> Response {
        var headers: HTTPFields = [:]
        headers[.contentType] = "application/json"
        headers[.cacheControl] = "no-store"
        if let revision { headers[.revision] = String(revision) }
        if let location { headers[.location] = location }
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }

    /// One object with its entity tag: equal bytes, equal tag. A client that has it already gets 304.
    func tagged(_ body: [UInt8]) -> Response {
        let tag = "\"\(Hexadecimal.text(Array(SHA256.hash(data: body).prefix(12))))\""
        var response = json(body)
        if let known = request.headers[.ifNoneMatch], known == "*" || known.split(separator: ",").contains(where: { $0.contains(tag) }) {
            response = Response(status: .notModified)
        }
        response.headers[.eTag] = tag
        response.headers[.cacheControl] = "private, no-cache"
        return response
    }

    /// Done, and there is nothing to tell but when.
    func noContent(revision: UInt64) -> Response {
        Response(status: .noContent, headers: [.revision: String(revision)])
    }

    /// A page of a list: `nextCursor` is null on the last one.
    func page<Item>(
        _ items: some Sequence<Item>, nextCursor: String?, _ write: (inout JSONWriter, Item) -> Void
    ) -> Response {
        json(
            JSONWriter.object(capacity: 16 << 10) { writer in
                writer.member("items", items: items) { writer, item in writer.object { write(&$0, item) } }
                writer.member("nextCursor", nextCursor)
            })
    }
}
