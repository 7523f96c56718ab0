import ClusterModel
import ClusterPorts
import HTTPTypes
import Hummingbird
import NIOCore

extension HTTPField.Name {
    /// How many bytes of an upload are there (as in draft-ietf-httpbis-resumable-upload).
    static let uploadOffset = HTTPField.Name("Upload-Offset")!
}

/// Contents and trees on their way in and out (Protocols/files.md, "Interface").
extension ControlRouter {
    static var uploads: [Endpoint] {
        [
            Endpoint(.head, "/v1/blobs/{digest}", .movingFiles) { call in try await standing(call) },
            Endpoint(.put, "/v1/blobs/{digest}", .movingFiles) { call in try await receive(call) },
            Endpoint(.get, "/v1/blobs/{digest}", .movingFiles) { call in
                let digest = try call.digest()
                guard let found = try await call.files({ try await $0.location(of: digest, tenant: call.principal.tenant) }) else {
                    throw Problem.notFound("There is no content \(digest).")
                }
                return try await call.content(digest, at: found, type: "application/octet-stream")
            },
            Endpoint(.put, "/v1/trees/{digest}", .movingFiles) { call in try await keepTree(call) },
        ]
    }

    /// How much is there: the whole, or what an upload can be continued from.
    private static func standing(_ call: Call) async throws -> Response {
        let digest = try call.digest()
        switch try await call.files({ try await $0.standing(of: digest, tenant: call.principal.tenant) }) {
        case .whole(let size): return Response(status: .ok, headers: [.uploadOffset: String(size)])
        case .partial(let size): return Response(status: .notFound, headers: [.uploadOffset: String(size)])
        }
    }

    private static func receive(_ call: Call) async throws -> Response {
        let digest = try call.digest()
        let (offset, total) = try part(call.request.headers)
        let body = UploadBody(call.request.body)
        let standing = try await call.files {
            try await $0.receive(digest, tenant: call.principal.tenant, from: offset, total: total) { try await body.next() }
        }
        switch standing {
        case .whole(let size):
            let reply = JSONWriter.object { writer in
                writer.member("digest", digest.text)
                writer.member("size", size)
            }
            return call.json(reply, status: .created)
        case .partial(let size): return Response(status: .accepted, headers: [.uploadOffset: String(size)])
        }
    }

    /// The whole by its length, or a part by `Content-Range: bytes FIRST-LAST/TOTAL` (RFC 9110, 14.4).
    private static func part(_ headers: HTTPFields) throws(Problem) -> (offset: Int64, total: Int64) {
        guard let range = headers[.contentRange] else {
            guard let length = headers[.contentLength].flatMap({ Int64($0) }), length >= 0 else {
                throw Problem(.lengthRequired, "length_required", "Send the Content-Length of the content, or the Content-Range of a part.")
            }
            return (0, length)
        }
        let numbers = range.split(whereSeparator: { " -/".contains($0) })
        guard numbers.count == 4, numbers[0] == "bytes", let first = Int64(numbers[1]), let last = Int64(numbers[2]),
            let total = Int64(numbers[3]), 0 <= first, first <= last, last < total
        else { throw .invalid("Content-Range", "must be 'bytes FIRST-LAST/TOTAL'") }
        return (first, total)
    }

    /// Asked for first, the answer says what is missing; when that has come, the tree is kept.
    private static func keepTree(_ call: Call) async throws -> Response {
        let digest = try call.digest()
        var text: [UInt8] = []
        for try await buffer in call.request.body {
            guard text.count + buffer.readableBytes <= FileTree.bytesMax else {
                throw Problem(.contentTooLarge, "content_too_large", "A tree has at most \(FileTree.bytesMax >> 20) MiB.")
            }
            text.append(contentsOf: buffer.readableBytesView)
        }
        let whole = text
        let missing = try await call.files { try await $0.keepTree(digest, tenant: call.principal.tenant, text: whole) }
        let reply = JSONWriter.object(capacity: 128 + missing.count * 68) { writer in
            writer.member("digest", digest.text)
            writer.member("stored", missing.isEmpty)
            writer.member("missing", strings: missing.map(\.text))
        }
        return call.json(reply, status: missing.isEmpty ? .created : .ok)
    }
}

/// The parts of a request's body, asked for one after the other: never from two tasks at once.
private final class UploadBody: @unchecked Sendable {
    private var iterator: RequestBody.AsyncIterator

    init(_ body: RequestBody) { iterator = body.makeAsyncIterator() }

    func next() async throws -> [UInt8]? { try await iterator.next().map { Array($0.readableBytesView) } }
}

extension Call {
    func digest() throws(Problem) -> ContentDigest {
        guard let digest = ContentDigest(parsing: parameters.get("digest") ?? "") else {
            throw .invalid("digest", "must be a SHA-256 of 64 lower-case hexadecimal digits")
        }
        return digest
    }

    /// Asks the store; its refusals become problems.
    func files<Result>(_ body: (any FileStore) async throws -> Result) async throws -> Result {
        do { return try await body(controlPlane.files) } catch let error as FileStoreError { throw Problem(error) }
    }

    /// A content as it lies on the disk, or the range of it that was asked for (RFC 9110, 14.2). Its digest is its tag.
    func content(_ digest: ContentDigest, at file: (path: String, size: Int64), type: String) async throws -> Response {
        var headers: HTTPFields = [
            .contentType: type, .eTag: "\"\(digest.text)\"", .cacheControl: "private, immutable, max-age=31536000", .acceptRanges: "bytes",
        ]
        if request.headers[.ifNoneMatch]?.contains(digest.text) == true { return Response(status: .notModified, headers: headers) }
        let io = FileIO()
        guard let range = range(of: file.size) else {
            return Response(status: .ok, headers: headers, body: try await io.loadFile(path: file.path, context: context))
        }
        headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound)/\(file.size)"
        let body = try await io.loadFile(path: file.path, range: Int(range.lowerBound)...Int(range.upperBound), context: context)
        return Response(status: .partialContent, headers: headers, body: body)
    }

    /// One range from a first byte on; anything else is answered with the whole, as the standard allows.
    private func range(of size: Int64) -> ClosedRange<Int64>? {
        guard let text = request.headers[.range], text.hasPrefix("bytes="), !text.contains(",") else { return nil }
        let bounds = text.dropFirst("bytes=".count).split(separator: "-", omittingEmptySubsequences: false)
        guard bounds.count == 2, let first = Int64(bounds[0]), first >= 0, first < size else { return nil }
        let last = bounds[1].isEmpty ? size - 1 : Int64(bounds[1]).map { min($0, size - 1) }
        return last.flatMap { $0 >= first ? first...$0 : nil }
    }
}

extension Problem {
    init(_ error: FileStoreError) {
        switch error.code {
        case .offset(let expected):
            self.init(.conflict, "upload_offset", "\(error.message).")
            headers[.uploadOffset] = String(expected)
        case .digest: self.init(.unprocessableContent, "digest_mismatch", "What arrived is not what was announced: \(error.message).")
        case .size: self.init(.badRequest, "upload_size", "\(error.message).")
        case .tree: self.init(.unprocessableContent, "invalid_tree", "\(error.message).")
        case .busy:
            self.init(.conflict, "upload_busy", "\(error.message).")
            isRetryable = true
        case .full: self.init(.insufficientStorage, "insufficient_storage", "\(error.message).")
        case .interrupted: self.init(.badRequest, "upload_interrupted", "\(error.message).")
        case .io: self.init(.internalServerError, "internal", "The files could not be reached. The coordinator's log has the cause.")
        }
    }
}
