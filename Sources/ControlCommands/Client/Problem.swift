/// A refusal of the coordinator (RFC 9457) as a verb's failure.
enum Problem {
    /// Codes by which quota, budget or policy refuse a request, whatever the HTTP status.
    private static let refusals: Set = ["quota", "budget", "policy", "limit", "unsatisfiable"]

    /// False where the coordinator says that asking again is of no use.
    static func isRetryable(_ body: [UInt8]) -> Bool { (try? JSONValue(parsing: body))?["retryable"] != .bool(false) }

    static func status(http: Int, code: String?) -> ExitStatus {
        if let code, refusals.contains(code) || code.hasPrefix("quota_") || code.hasPrefix("budget_") || code.hasPrefix("policy_") {
            return .refused
        }
        switch http {
        case 400, 413, 414, 415: return .usage
        case 401, 403: return .notAllowed
        case 404, 410: return .notFound
        case 402: return .refused
        case 409, 412, 422, 428: return .conflict
        case 408, 429, 502, 503, 504: return .unreachable
        default: return .failed
        }
    }

    static func failure(http: Int, body: [UInt8], url: String) -> CommandFailure {
        guard let problem = try? JSONValue(parsing: body), problem.members != nil else {
            return CommandFailure(
                status(http: http, code: nil), "\(url) answered with HTTP \(http)",
                remedy: "is that address a Suanpan coordinator?")
        }
        let code = problem["code"]?.text
        let message = problem["detail"]?.text ?? problem["title"]?.text ?? code ?? "HTTP \(http)"
        let fields = (problem["errors"]?.items ?? []).map { error in
            let field = error["field"]?.text ?? ""
            let text = error["message"]?.text ?? ""
            return field.isEmpty ? text : "\(field): \(text)"
        }
        return CommandFailure(
            status(http: http, code: code), message, details: fields.filter { $0 != message }, remedy: remedy(http: http))
    }

    private static func remedy(http: Int) -> String? {
        switch http {
        case 401: "set SUANPAN_API_KEY, or run as the user who started `suanpan up`"
        case 429, 503: "try again later"
        default: nil
        }
    }
}
