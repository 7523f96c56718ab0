import ClusterModel
import ClusterPorts
import HTTPTypes
import Hummingbird
import SchedulingCore

/// One operation of the interface. The table of these is the router, the authorisation matrix and the list of valid
/// query parameters in one; Protocols/openapi.yaml is checked against it.
struct Endpoint {
    var method: HTTPRequest.Method
    /// As in OpenAPI: `/v1/jobs/{id}`; `{path+}` at the end takes the rest, slashes included (RFC 6570, 3.2.3).
    var path: String
    var access: Access
    /// Names of the query parameters, beside `minRevision`, which every read takes.
    var query: [String]
    let counters: RouteCounters
    var handle: @Sendable (Call) async throws -> Response

    init(
        _ method: HTTPRequest.Method, _ path: String, _ access: Access, query: [String] = [], counters: RouteCounters = RouteCounters(),
        handle: @escaping @Sendable (Call) async throws -> Response
    ) {
        self.method = method
        self.path = path
        self.access = access
        self.query = method == .get && access != .open && access != .movingFiles ? query + ["minRevision"] : query
        self.counters = counters
        self.handle = handle
    }
}

/// What a handler gets: the request, who makes it, and the coordinator.
struct Call: Sendable {
    let request: Request
    let context: ControlContext
    let parameters: Parameters
    let query: RequestQuery
    /// Of an endpoint that is not open.
    let principal: Principal
    let controlPlane: any ControlPlane

    /// The job named in the path, of a tenant that the principal sees; otherwise there is none.
    func jobID() throws(Problem) -> JobID {
        let text = parameters.get("id") ?? ""
        guard let id = JobID(parsing: text) else { throw .notFound("Job '\(text.prefix(80))' does not exist.") }
        return id
    }

    func job() async throws -> JobRecord {
        let id = try jobID()
        guard let record = try await controlPlane.reads.job(id, principal.visibility) else {
            throw try await missing(id)
        }
        return record
    }

    /// Numbers are given one after the other, so that a job of another tenant may be said to have been there as little as
    /// any other; that the rows of an ended one are gone is no secret.
    private func missing(_ id: JobID) async throws -> Problem {
        guard controlPlane.hasEnded(id), try await controlPlane.reads.job(id, .all) == nil else {
            return .notFound("Job \(id) does not exist.")
        }
        return .notFound("Job \(id) has ended and its retention has passed; its usage records are kept.")
    }

    /// The job named in the path, which the caller may change: a retry runs with its owner's sealed environment.
    func ownJob() async throws -> JobRecord {
        let record = try await job()
        guard principal.role == .admin || record.accepted.user == principal.user else {
            throw Problem.forbidden(
                "Job \(record.accepted.id) belongs to '\(record.accepted.user)': only its owner or an administrator may do this.")
        }
        return record
    }

    /// The node named in the path, by number or else by name.
    func node() throws(Problem) -> NodeView {
        let text = parameters.get("id") ?? ""
        if let number = UInt64(text), String(number) == text, let node = controlPlane.node(NodeID(number)) { return node }
        guard let node = controlPlane.node(named: text) else { throw .notFound("Node '\(text.prefix(80))' does not exist.") }
        return node
    }

    /// Offers a command; a refusal becomes its problem.
    func perform(_ command: Command) async throws(Problem) -> Decision {
        do throws(ControlError) { return try await controlPlane.perform(command) } catch { throw Problem(error) }
    }
}

/// The request context: Hummingbird's, and nothing else.
struct ControlContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    init(source: Source) { coreContext = CoreRequestContextStorage(source: source) }
}
