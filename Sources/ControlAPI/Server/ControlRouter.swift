import ClusterModel
import ClusterPorts
import HTTPTypes
import Hummingbird
import NIOCore
import SchedulingCore

/// The whole interface as one table, and the router made from it.
struct ControlRouter {
    let endpoints: [Endpoint]
    let router: Router<ControlContext>

    init(
        _ controlPlane: any ControlPlane, isLoopback: Bool, isTLS: Bool, logs: LogService, installation: Installation,
        metrics: MetricsSource = MetricsSource()
    ) {
        let counted =
            Self.operations + Self.jobs + Self.attempts(logs) + Self.nodes + Self.centers + Self.tokens(installation) + Self.uploads
            + Self.jobFiles + Self.holdings + Self.shares + Self.plans + Self.usage + Self.keys + Self.backups
            + Self.install(installation)
        let unmatched = RouteCounters()
        endpoints = counted + [Self.metrics(of: counted, unmatched, logs, metrics)]
        router = Router(context: ControlContext.self)
        router.add(
            middleware: Gate(
                controlPlane: controlPlane, isLoopback: isLoopback, isTLS: isTLS, endpoints: endpoints, unmatched: unmatched))
        for endpoint in endpoints {
            let path = endpoint.path.replacing(/\{\w+\+\}/, with: "**").replacing("{", with: ":").replacing("}", with: "")
            router.on(RouterPath(path), method: endpoint.method) { request, context in
                let began = NIODeadline.now()
                do {
                    let response = try await Self.answer(request, context, endpoint, controlPlane)
                    endpoint.counters.count(response.status, since: began)
                    return response
                } catch {
                    endpoint.counters.count(Problem(thrown: error).status, since: began)
                    throw error
                }
            }
        }
    }

    /// The key first, then the query: who may not ask learns nothing about what may be asked.
    private static func answer(
        _ request: Request, _ context: ControlContext, _ endpoint: Endpoint, _ controlPlane: any ControlPlane
    ) async throws -> Response {
        var principal = Principal(keyID: "", tenant: "", user: "", role: .viewer)
        if endpoint.access != .open {
            let authorization = request.headers[.authorization]
            let pass =
                endpoint.access.takesPasses ? AttemptPass.principal(authorization: authorization, controlPlane) : nil
            guard let known = pass ?? APIKey.principal(authorization: authorization, controlPlane) else {
                throw Problem.unauthenticated
            }
            principal = known
            guard endpoint.access.allows(principal) else {
                throw Problem.forbidden("A key with the role '\(principal.role.name)' may not do this.")
            }
        }
        let query = try RequestQuery(request.uri.query, valid: endpoint.query)
        if let revision: UInt64 = try query.integer("minRevision", 0...UInt64.max) { try await controlPlane.reach(revision: revision) }
        return try await endpoint.handle(
            Call(
                request: request, context: context, parameters: context.parameters, query: query, principal: principal,
                controlPlane: controlPlane))
    }
}

// MARK: - Operations

extension ControlRouter {
    /// The endpoint that shows what all of them, itself included, have counted.
    private static func metrics(
        of endpoints: [Endpoint], _ unmatched: RouteCounters, _ logs: LogService, _ source: MetricsSource
    ) -> Endpoint {
        let own = RouteCounters()
        let routes =
            endpoints.map { CountedRoute($0) } + [CountedRoute(method: "GET", route: "/metrics", counters: own), .unmatched(unmatched)]
        let page = MetricsPage(routes: routes, source: source, logs: logs)
        return Endpoint(.get, "/metrics", .reading, counters: own) { _ in await page.answer() }
    }

    fileprivate static var operations: [Endpoint] {
        [
            Endpoint(.get, "/livez", .open) { call in call.json(JSONWriter.object { $0.member("status", "ok") }) },
            Endpoint(.get, "/readyz", .open) { call in
                guard call.controlPlane.isReady else {
                    throw Problem.unavailable("The coordinator is starting or stopping.")
                }
                return call.json(JSONWriter.object { $0.member("status", "ok") })
            },
            Endpoint(.get, "/openapi.json", .open) { call in call.json(Array(OpenAPIDocument.json.utf8)) },
        ]
    }
}
