// Keys, users and join tokens.

import ClusterModel

extension SchedulerCore {
    func decideKey(_ key: AccessKey) throws(Rejection) -> Decided {
        guard keys[key.id] == nil else { throw .conflict("a key with this id exists") }
        var errors: [FieldError] = []
        if !ObjectName.isValid(key.tenant) { errors.append(FieldError("tenant", "must match \(ObjectName.grammar)")) }
        if !ObjectName.isValid(key.user) { errors.append(FieldError("user", "must match \(ObjectName.grammar)")) }
        if key.secretDigest.count != 32 { errors.append(FieldError("secretDigest", "must have 32 bytes")) }
        if !errors.isEmpty { throw .invalid(errors) }
        return Decided(events: [.keyCreated(key)])
    }

    func decideRevoke(_ id: String, at now: LogicalTime) throws(Rejection) -> Decided {
        guard let key = keys[id] else { throw .keyNotFound(id) }
        if key.role == .admin, keys.values.count(where: { $0.role == .admin }) == 1 {
            throw .conflict("this is the last admin key; make another one first")
        }
        return Decided(events: [.keyRevoked(id, at: now)])
    }

    func decideUser(_ user: UserRecord, at now: LogicalTime) throws(Rejection) -> Decided {
        guard ObjectName.isValid(user.name) else {
            throw .invalid([FieldError("name", "must match \(ObjectName.grammar)")])
        }
        return Decided(events: [.userSet(user, at: now)])
    }

    func decideToken(_ token: JoinTokenRecord, at now: LogicalTime) throws(Rejection) -> Decided {
        var errors: [FieldError] = []
        if token.expiresAt <= now { errors.append(FieldError("ttlSeconds", "must be positive")) }
        if !(1...100_000).contains(token.usesLeft) { errors.append(FieldError("uses", "must be 1 … 100000")) }
        errors += token.membership.validate()
        if joinTokens[token.id] != nil { errors.append(FieldError("id", "is taken")) }
        if !errors.isEmpty { throw .invalid(errors) }
        return Decided(events: [.joinTokenCreated(token)])
    }
}
