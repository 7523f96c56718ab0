// Keys, users and join tokens.

public import ClusterModel

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

    func decideToken(_ token: JoinTokenRecord, at now: LogicalTime) throws(Rejection) -> Decided {
        var errors: [FieldError] = []
        if token.expiresAt <= now { errors.append(FieldError("ttlSeconds", "must be positive")) }
        if !(1...100_000).contains(token.usesLeft) { errors.append(FieldError("uses", "must be 1 … 100000")) }
        errors += token.membership.validate()
        if joinTokens[token.id] != nil { errors.append(FieldError("id", "is taken")) }
        if !errors.isEmpty { throw .invalid(errors) }
        var token = token
        if let center = token.membership.center { token.membership.center = try completed(center, at: now) }
        return Decided(events: [.joinTokenCreated(token)])
    }

    /// A center is the same for all its nodes: a token may leave to others what they said of it, but not say otherwise.
    private func completed(_ center: Center, at now: LogicalTime) throws(Rejection) -> Center {
        let known = known(center, at: now)
        guard known != center else { return center }
        guard center.isBare else {
            let place = [known.name, known.province, known.city].filter { !$0.isEmpty }.joined(separator: ", ")
            throw .conflict(
                "center '\(center.id)' is known already (\(place.isEmpty ? "no name" : place); "
                    + "\(known.hasNetAccess ? "with" : "without") network access); say the same, or nothing but its identifier")
        }
        return known
    }

    /// What is said of a center with that identifier by whoever says more than that; the center itself where nobody does.
    /// Nodes are looked up, not searched: thousands that come back at once ask for the same.
    func known(_ center: Center, at now: LogicalTime) -> Center {
        if let said = centersSaid[center.id] { return said }
        let tokens = joinTokens.values.filter { $0.expiresAt > now && $0.membership.center?.id == center.id }
        return tokens.compactMap(\.membership.center).first { !$0.isBare } ?? center
    }

    /// Follows a node that came, or went.
    mutating func followCenter(of membership: NodeMembership, isGone: Bool) {
        guard let center = membership.center, !center.isBare else { return }
        let remains = !isGone || nodes.ids.contains { nodes[$0]?.membership.center == center }
        centersSaid[center.id] = remains ? center : nil
    }

    /// What nodes, and tokens that can be used, say of centers; those that say more than the identifier first.
    public func centers(at now: LogicalTime) -> [Center] {
        let tokens = joinTokens.values.filter { $0.expiresAt > now }.map(\.membership)
        let memberships = nodes.ids.compactMap { nodes[$0]?.membership } + tokens
        return Set(memberships.compactMap(\.center)).sorted { ($0.isBare ? 1 : 0, $0.id) < ($1.isBare ? 1 : 0, $1.id) }
    }
}
