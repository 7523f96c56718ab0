import ClusterModel
import ClusterPorts
import HTTPTypes
import Hummingbird
import SchedulingCore

/// The whole interface as one table, and the router made from it.
struct ControlRouter {
    let endpoints: [Endpoint]
    let router: Router<ControlContext>

    init(_ controlPlane: any ControlPlane, isLoopback: Bool, logs: LogService) {
        endpoints =
            Self.operations + Self.jobs + Self.attempts(logs) + Self.nodes + Self.usage + Self.keys + Self.users
            + Self.backups
        router = Router(context: ControlContext.self)
        router.add(middleware: Gate(controlPlane: controlPlane, isLoopback: isLoopback, endpoints: endpoints))
        for endpoint in endpoints {
            let path = endpoint.path.replacing("{", with: ":").replacing("}", with: "")
            router.on(RouterPath(path), method: endpoint.method) { request, context in
                try await Self.answer(request, context, endpoint, controlPlane)
            }
        }
    }

    /// The key first, then the query: who may not ask learns nothing about what may be asked.
    private static func answer(
        _ request: Request, _ context: ControlContext, _ endpoint: Endpoint, _ controlPlane: any ControlPlane
    ) async throws -> Response {
        var principal = Principal(keyID: "", tenant: "", user: "", role: .viewer)
        if endpoint.access != .open {
            guard let known = APIKey.principal(authorization: request.headers[.authorization], controlPlane) else {
                throw Problem.unauthenticated
            }
            principal = known
            guard endpoint.access.allows(principal.role) else {
                throw Problem.forbidden("A key with the role '\(principal.role.name)' may not do this.")
            }
        }
        let query = try RequestQuery(request.uri.query, valid: endpoint.query)
        if let revision: UInt64 = try query.integer("minRevision", 0...UInt64.max) { try await controlPlane.reach(revision: revision) }
        return try await endpoint.handle(
            Call(
                request: request, parameters: context.parameters, query: query, principal: principal, controlPlane: controlPlane))
    }
}

// MARK: - Operations

extension ControlRouter {
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
