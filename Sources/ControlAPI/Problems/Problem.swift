import ClusterModel
import HTTPTypes
import Hummingbird

/// A refusal or failure as `application/problem+json` (RFC 9457). `code` is stable; the sentences are for people.
struct Problem: Error {
    var status: HTTPResponse.Status
    var code: String
    var title: String
    var detail: String
    /// The codes that explain uses, where the state of a job or cluster is the reason.
    var reasons: [String] = []
    var errors: [FieldProblem] = []
    /// The same request may succeed later.
    var isRetryable = false
    /// Seconds; present exactly on 429 and 503.
    var retryAfterSeconds: Int64?
    var headers: HTTPFields = [:]

    init(_ status: HTTPResponse.Status, _ code: String, _ detail: String, title: String? = nil) {
        self.status = status
        self.code = code
        self.title = title ?? status.reasonPhrase
        self.detail = detail
    }

    func response(requestID: String) -> Response {
        let body = JSONWriter.object { writer in
            writer.member("type", "urn:suanpan:problem:\(code)")
            writer.member("title", title)
            writer.member("status", status.code)
            writer.member("code", code)
            writer.member("detail", detail)
            writer.member("reasons", strings: reasons)
            writer.member("retryable", isRetryable)
            writer.member("errors", items: errors) { writer, problem in
                writer.object {
                    $0.member("code", problem.code.rawValue)
                    $0.member("field", problem.field)
                    $0.member("message", problem.message)
                }
            }
            writer.member("requestId", requestID)
        }
        var headers = headers
        headers[.contentType] = "application/problem+json"
        headers[.cacheControl] = "no-store"
        if let retryAfterSeconds { headers[.retryAfter] = String(retryAfterSeconds) }
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
}

// MARK: - The problems of the HTTP layer

extension Problem {
    static let unauthenticated: Problem = {
        var problem = Problem(.unauthorized, "unauthenticated", "Send 'Authorization: Bearer sp_…' with a valid API key.")
        problem.headers[.wwwAuthenticate] = #"Bearer realm="suanpan""#
        return problem
    }()

    static func forbidden(_ detail: String) -> Problem { Problem(.forbidden, "forbidden", detail) }
    static func notFound(_ detail: String) -> Problem { Problem(.notFound, "not_found", detail) }

    /// A field or query parameter; `errors` has the details.
    static func invalid(_ problems: [FieldProblem]) -> Problem {
        let worst: FieldProblem.Code =
            if problems.contains(where: { $0.code == .unsupportedField }) {
                .unsupportedField
            } else if problems.contains(where: { $0.code == .unknownField }) {
                .unknownField
            } else {
                .invalid
            }
        let first = problems.first { $0.code == worst } ?? problems.first
        let others = problems.count > 1 ? " (and \(problems.count - 1) more)" : ""
        let sentence = first.map { $0.field.isEmpty ? $0.message : "\($0.field): \($0.message)" } ?? "The request is not valid."
        var problem = Problem(.badRequest, worst.rawValue, sentence + others, title: "Invalid request")
        problem.errors = problems
        return problem
    }

    static func invalid(_ field: String, _ message: String) -> Problem {
        invalid([FieldProblem(code: .invalid, field: field, message: message)])
    }

    static func unavailable(_ detail: String, code: String = "unavailable", retryAfter: Span = .seconds(1)) -> Problem {
        var problem = Problem(.serviceUnavailable, code, detail)
        problem.isRetryable = true
        problem.retryAfterSeconds = wholeSeconds(roundingUp: retryAfter)
        return problem
    }

    static func tooMany(_ code: String, _ detail: String, retryAfter: Span) -> Problem {
        var problem = Problem(.tooManyRequests, code, detail)
        problem.isRetryable = true
        problem.retryAfterSeconds = wholeSeconds(roundingUp: retryAfter)
        return problem
    }

    /// At least 1: a client told to come back after 0 seconds hammers.
    private static func wholeSeconds(roundingUp span: Span) -> Int64 {
        let whole = span.wholeSeconds
        return max(1, Span.seconds(whole) < span ? whole + 1 : whole)
    }
}

extension HTTPResponse.Status {
    static let insufficientStorage = HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage")
}
