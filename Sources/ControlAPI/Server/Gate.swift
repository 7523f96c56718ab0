// What every request passes before and after its handler: names, the guards against browsers, the key, the query, and
// the one place where errors become answers.

import ClusterPorts
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// The outermost middleware; unmatched paths pass through it too.
struct Gate: RouterMiddleware {
    typealias Context = ControlContext

    let controlPlane: any ControlPlane
    /// The server listens on a loopback address: only then is the set of names it may be called by known.
    let isLoopback: Bool
    /// The server itself speaks TLS. Where it does not, a proxy before it may.
    let isTLS: Bool
    /// Methods by path, to tell a wrong method from a wrong path.
    let endpoints: [Endpoint]
    /// Counts what no endpoint counts.
    let unmatched: RouteCounters

    @concurrent
    func handle(
        _ request: Request, context: ControlContext, next: @concurrent (Request, ControlContext) async throws -> Response
    ) async throws -> Response {
        let names = RequestNames(request, fallback: context.id)
        let began = NIODeadline.now()
        var response: Response
        do {
            do throws(Problem) { try checkOrigin(of: request) } catch {
                unmatched.count(error.status, since: began)
                throw error
            }
            response = try await next(request, context)
        } catch {
            response = problem(for: error, request, context.logger, names, began).response(requestID: names.request)
        }
        response.headers[.requestID] = names.request
        response.headers[.contentTypeOptions] = "nosniff"
        context.logger.debug(
            "request",
            metadata: names.metadata([
                "method": "\(request.method)", "path": "\(request.uri.path.prefix(200))", "status": "\(response.status.code)",
            ]))
        return response
    }

    // MARK: - Browsers

    /// A page in a browser must not reach a coordinator: neither across origins nor, on loopback, by a name that
    /// someone else's DNS gave to this address.
    private func checkOrigin(of request: Request) throws(Problem) {
        let host = request.head.authority ?? ""
        if isLoopback, !Loopback.isName(hostName(host)) {
            throw Problem(.misdirectedRequest, "host_refused", "This coordinator listens on a loopback address and serves only its names.")
        }
        guard let origin = request.headers[.origin] else { return }
        guard let start = origin.firstRange(of: "://"), origin[start.upperBound...].lowercased() == host.lowercased() else {
            throw .forbiddenOrigin
        }
        // An origin is scheme, host and port. Where TLS ends here, a page that came without it, and may be anybody's, is another.
        if isTLS, origin[..<start.lowerBound].lowercased() != "https" { throw .forbiddenOrigin }
    }

    private func hostName(_ authority: String) -> Substring {
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            return authority[authority.index(after: authority.startIndex)..<end]
        }
        return authority[..<(authority.firstIndex(of: ":") ?? authority.endIndex)]
    }

    // MARK: - Errors

    /// The request's names stand at each line by themselves: a logger of its own for every request costs more than the line.
    private func problem(
        for error: any Error, _ request: Request, _ logger: Logger, _ names: RequestNames, _ began: NIODeadline
    ) -> Problem {
        switch error {
        case let problem as Problem:
            if problem.status.code >= 500 { logger.warning("\(problem.detail)", metadata: names.metadata()) }
        case is ControlError: break
        case let error as JournalError:
            logger.error("read failed", metadata: names.metadata(["error": "\(error.message)"]))
        case let error as any HTTPResponseError where error.status == .notFound:
            let problem = problem(ofUnmatched: request)
            unmatched.count(problem.status, since: began)
            return problem
        case is any HTTPResponseError: break
        default: logger.error("request failed", metadata: names.metadata(["error": "\(error)"]))
        }
        return Problem(thrown: error)
    }

    /// No route: to those without a key every unknown path looks the same.
    private func problem(ofUnmatched request: Request) -> Problem {
        guard APIKey.principal(authorization: request.headers[.authorization], controlPlane) != nil else { return .unauthenticated }
        let path = request.uri.path.split(separator: "/", omittingEmptySubsequences: true)
        let methods = endpoints.filter { endpoint in
            let pattern = endpoint.path.split(separator: "/")
            let takesRest = pattern.last?.hasSuffix("+}") == true && path.count >= pattern.count
            return (takesRest || pattern.count == path.count) && zip(pattern, path).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }.map(\.method.rawValue)
        guard !methods.isEmpty else { return .notFound("There is no such resource. /openapi.json lists those there are.") }
        let allowed = methods.sorted().joined(separator: ", ")
        var problem = Problem(.methodNotAllowed, "method_not_allowed", "This resource takes \(allowed).")
        problem.headers[.allow] = allowed
        return problem
    }
}

extension Problem {
    static let forbiddenOrigin = Problem(.forbidden, "origin_refused", "Requests from a web page of another origin are refused.")
}

/// Names and addresses that never leave the machine.
enum Loopback {
    static func isName(_ host: some StringProtocol) -> Bool {
        let name = host.lowercased()
        if name == "localhost" || name == "::1" { return true }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
