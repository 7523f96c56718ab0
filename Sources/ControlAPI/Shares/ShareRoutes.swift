import ClusterModel
import ClusterPorts
import Crypto
import HTTPTypes
import Hummingbird
import SchedulingCore

/// Tenants, projects, queues, quotas, users and pools: made, looked at, changed, removed. What a caller may not see does not exist for it.
extension ControlRouter {
    static var shares: [Endpoint] {
        [Endpoint(.put, "/v1/users/{name}", .administering) { call in try await put(call) }]
            + ShareObject.Kind.allCases.flatMap { kind -> [Endpoint] in
                let list = "/v1/\(kind.plural)"
                let one = kind == .project ? "\(list)/{tenant}/{name}" : "\(list)/{name}"
                return [
                    Endpoint(.get, list, .reading, query: ["limit", "cursor"]) { call in
                        let shares = call.controlPlane.shares(of: kind).filter { call.principal.sees($0.object) }
                        return try call.page(of: shares, named: \.object.id.name) { writer, share in
                            ShareJSON(share, call.principal).write(to: &writer)
                        }
                    },
                    Endpoint(.post, list, .administering) { call in try await create(kind, call) },
                    Endpoint(.get, one, .reading) { call in
                        let share = try share(kind, call)
                        var response = call.json(JSONWriter.object { ShareJSON(share, call.principal).write(to: &$0) })
                        response.headers[.eTag] = share.object.tag
                        return response
                    },
                    Endpoint(.patch, one, .administering) { call in try await change(kind, call) },
                    Endpoint(.delete, one, .administering) { call in
                        let object = try share(kind, call).object
                        let condition: ShareObjectCondition = try matches(object, call) ? .equals(object) : .none
                        return call.noContent(revision: try await call.perform(.removeShareObject(object.id, if: condition)).revision)
                    },
                ]
            }
    }

    private static func share(_ kind: ShareObject.Kind, _ call: Call) throws(Problem) -> ShareView {
        let name = (kind == .project ? [call.parameters.get("tenant") ?? ""] : []) + [call.parameters.get("name") ?? ""]
        let id = ShareObjectID(kind, name.joined(separator: "/"))
        guard let share = call.controlPlane.share(id), call.principal.sees(share.object) else {
            throw .notFound("The \(kind.name) '\(id.name.prefix(130))' does not exist.")
        }
        return share
    }

    /// Whether the request says which state of the object it was made for; it must be this one then.
    private static func matches(_ object: ShareObject, _ call: Call) throws(Problem) -> Bool {
        guard let wanted = call.request.headers[.ifMatch], wanted != "*" else { return false }
        guard wanted.split(separator: ",").contains(where: { $0.contains(object.tag) }) else {
            throw Problem(.rejected(.changed("The \(object.id.kind.name) '\(object.id.name)'")))
        }
        return true
    }

    private static func create(_ kind: ShareObject.Kind, _ call: Call) async throws -> Response {
        let problems = FieldProblems()
        var reader = FieldReader(try await RequestBodyReader.read(call.request).value, at: .body, problems: problems)
        let object = ShareBody(problems: problems).object(of: kind, &reader)
        reader.finish()
        guard problems.list.isEmpty, let object else { throw Problem.invalid(problems.list) }
        let decision = try await call.perform(.setShareObject(object, if: .absent))
        return answer(object, call, status: .created, revision: decision.revision)
    }

    /// Members that are given replace what was there. Judged against what was read, so that of two changes at once none is lost.
    private static func change(_ kind: ShareObject.Kind, _ call: Call) async throws -> Response {
        let body = try await RequestBodyReader.read(call.request).value
        while true {
            let known = try share(kind, call).object
            _ = try matches(known, call)
            let problems = FieldProblems()
            var reader = FieldReader(body, at: .body, problems: problems)
            let object = ShareBody(problems: problems).changed(known, &reader)
            reader.finish()
            guard problems.list.isEmpty else { throw Problem.invalid(problems.list) }
            do throws(ControlError) {
                let decision = try await call.controlPlane.perform(.setShareObject(object, if: .equals(known)))
                return answer(object, call, status: .ok, revision: decision.revision)
            } catch {
                // Somebody was faster: once more from what is there now, unless the request was about what was there before.
                guard case .rejected(.changed) = error, call.request.headers[.ifMatch] == nil else { throw Problem(error) }
            }
        }
    }

    /// The user with this account, or with none; made where there was none. What else is said of it stays, whoever says it meanwhile.
    private static func put(_ call: Call) async throws -> Response {
        let name = call.parameters.get("name") ?? ""
        guard ObjectName.isValid(name) else { throw Problem.invalid("name", "'\(name.prefix(80))' must match \(ObjectName.grammar)") }
        let body = try await RequestBodyReader.read(call.request).value
        while true {
            let known = call.controlPlane.share(ShareObjectID(.user, name))?.object
            var user = UserRecord(name: name)
            if case .user(let record)? = known { user = record }
            user.account = nil
            let problems = FieldProblems()
            var reader = FieldReader(body, at: .body, problems: problems)
            user.account = ShareBody(problems: problems).account(of: user, &reader)
            reader.finish()
            guard problems.list.isEmpty else { throw Problem.invalid(problems.list) }
            do throws(ControlError) {
                let decision = try await call.controlPlane.perform(.setShareObject(.user(user), if: known.map { .equals($0) } ?? .absent))
                return answer(.user(user), call, status: .ok, revision: decision.revision)
            } catch {
                switch error {
                case .rejected(.changed),
                    .rejected(.conflict) where known == nil:
                    continue
                default: throw Problem(error)
                }
            }
        }
    }

    private static func answer(_ object: ShareObject, _ call: Call, status: HTTPResponse.Status, revision: UInt64) -> Response {
        let share = call.controlPlane.share(object.id) ?? ShareView(object: object, uses: [])
        var response = call.json(
            JSONWriter.object { ShareJSON(share, call.principal).write(to: &$0) }, status: status, revision: revision,
            location: "/v1/\(object.id.kind.plural)/\(object.id.name)")
        response.headers[.eTag] = object.tag
        return response
    }
}

extension ShareObject.Kind {
    /// As paths have it.
    fileprivate var plural: String { "\(name)s" }
}

extension ShareObject {
    /// Of what administrators say, not of what is held: that changes all the time.
    fileprivate var tag: String { "\"\(Hexadecimal.text(Array(SHA256.hash(data: canonicalBytes).prefix(12))))\"" }
}

extension Principal {
    /// Queues are everybody's; of the rest one sees what is one's tenant's, or nobody's in particular.
    fileprivate func sees(_ object: ShareObject) -> Bool {
        guard role != .admin else { return true }
        return switch object {
        case .tenant(let tenant): tenant.name == self.tenant
        case .project(let project): project.tenant == tenant
        case .queue: true
        case .quota(let quota): quota.tenant.map { $0 == tenant } ?? true && quota.user.map { $0 == user } ?? true
        case .user(let user): user.name == self.user
        case .pool(let pool): pool.isOpen(to: tenant)
        }
    }
}
