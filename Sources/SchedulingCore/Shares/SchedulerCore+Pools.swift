// Pools: which nodes they have, and who may use them. Protocols/lifecycle.md, "Pools".

import ClusterModel
import Placement

extension SchedulerCore {
    // MARK: Decide

    func problems(of pool: PoolRecord) -> [FieldError] {
        var errors = pool.tenants.filter { !hasTenant($0) }.map { Self.unknown(.tenant, $0, "tenants") }
        if pool.tenants.count > PoolRecord.tenantsMax { errors.append(FieldError("tenants", "must be at most \(PoolRecord.tenantsMax)")) }
        if Set(pool.tenants).count != pool.tenants.count { errors.append(FieldError("tenants", "names one twice")) }
        return errors
    }

    /// Names of pools that are described, or that nodes or tokens name.
    var pools: Set<String> {
        var names = Set(shareObjects.keys.filter { $0.kind == .pool }.map(\.name))
        for id in nodes.ids { if let pool = nodes[id]?.membership.pool, !pool.isEmpty { names.insert(pool) } }
        for token in joinTokens.values where !token.membership.pool.isEmpty { names.insert(token.membership.pool) }
        return names
    }

    /// By whatever constraint, with the field that says so.
    private func poolsAsked(of specification: JobSpecification) -> [(field: String, pool: String)] {
        var asked = specification.pool.isEmpty ? [] : [(field: "pool", pool: specification.pool)]
        for (index, group) in specification.groups.enumerated() {
            for constraint in group.constraints where constraint.key == NodeMembership.poolLabel && constraint.comparison == .equals {
                asked.append(("groups[\(index)].constraints", constraint.value))
            }
        }
        return asked
    }

    /// A pool that a job asks for exists and is open to its tenant. To others it is as if it did not exist.
    func requirePools(_ specification: JobSpecification) throws(Rejection) {
        let errors = poolsAsked(of: specification).filter { !exists(pool: $0.pool) || !isOpen($0.pool, to: specification.tenant) }.map {
            field, pool in
            let open = pools.filter { isOpen($0, to: specification.tenant) }.sorted()
            let names = open.isEmpty ? "there is none" : open.prefix(16).joined(separator: ", ")
            return FieldError(
                field, "the tenant '\(specification.tenant)' has no pool '\(pool.prefix(130))'; pools that it may use: \(names)")
        }
        if !errors.isEmpty { throw .invalid(errors) }
    }

    private func exists(pool: String) -> Bool {
        shareObjects[ShareObjectID(.pool, pool)] != nil || nodes.ids.contains { nodes[$0]?.membership.pool == pool }
            || joinTokens.values.contains { $0.membership.pool == pool }
    }

    /// Whether a job may still name all the pools that it names.
    func mayUseItsPools(_ specification: JobSpecification) -> Bool {
        poolsAsked(of: specification).allSatisfy { isOpen($0.pool, to: specification.tenant) }
    }

    /// True for one that nobody has described.
    public func isOpen(_ pool: String, to tenant: String) -> Bool {
        guard case .pool(let record)? = shareObjects[ShareObjectID(.pool, pool)] else { return true }
        return record.isOpen(to: tenant)
    }

    /// What keeps jobs off the nodes of a pool that do not ask for it.
    func taints(ofPool pool: String) -> [String] {
        guard case .pool(let record)? = shareObjects[ShareObjectID(.pool, pool)], let taint = record.taint else { return [] }
        return [taint]
    }

    func decideMove(_ id: NodeID, to pool: String, at now: LogicalTime) throws(Rejection) -> Decided {
        guard let row = nodes[id] else { throw .nodeNotFound(id) }
        guard pool.isEmpty || ObjectName.isValid(pool) else { throw .invalid([FieldError("pool", "must match \(ObjectName.grammar)")]) }
        guard row.membership.pool != pool else { return Decided(answer: .node(id)) }
        guard pool.isEmpty || exists(pool: pool) else { throw .invalid([Self.unknown(.pool, pool, "pool")]) }
        return Decided(events: [.nodeMoved(id, pool: pool, at: now)], answer: .node(id))
    }

    // MARK: Evolve

    /// What runs there stays; what waits is judged by where the node is from now on.
    mutating func evolveMoved(_ id: NodeID, to pool: String, at: LogicalTime) {
        advance(to: at)
        _ = nodes.update(id) { $0.membership.pool = pool }
        reoffer(inItsPool: id)
    }

    mutating func reoffer(poolOf name: String) {
        for id in nodes.ids where nodes[id]?.membership.pool == name { reoffer(inItsPool: id) }
    }

    private mutating func reoffer(inItsPool id: NodeID) {
        guard var inventory = offers[id]?.inventory, let pool = nodes[id]?.membership.pool else { return }
        let known = inventory
        inventory.labels.removeAll { $0.name == NodeMembership.poolLabel }
        if !pool.isEmpty {
            inventory.labels = (inventory.labels + [NamedText(NodeMembership.poolLabel, pool)]).sorted { $0.name < $1.name }
        }
        inventory.taints.removeAll(where: NodeMembership.isTaintOfPool)
        inventory.taints = (inventory.taints + taints(ofPool: pool)).sorted()
        guard inventory != known else { return }
        reoffer(id, inventory)
        refreshOffer(of: id)
    }
}

extension SchedulerCore {
    /// What the nodes of pools have, and what is held there, whoever holds it.
    func poolUses(of only: String?) -> [String: ShareUse] {
        var uses: [String: ShareUse] = [:]
        for id in nodes.ids {
            guard let row = nodes[id], !row.membership.pool.isEmpty, only == nil || only == row.membership.pool else { continue }
            var use = uses[row.membership.pool] ?? ShareUse()
            defer { uses[row.membership.pool] = use }
            use.nodes = (use.nodes ?? 0) + 1
            guard let inventory = offers[id]?.inventory else { continue }
            use.capacity =
                (use.capacity ?? .zero)
                + RoomAmounts(
                    cpuMilli: inventory.cpuMilli, memoryBytes: inventory.memoryBytes, deviceMilli: 1000 * Int64(inventory.devices.count),
                    computeUnitsMilli: row.strengths.reduce(0, +))
            for attempt in row.liveAttempts {
                guard let (_, _, rank, unit) = liveTask(attempt) else { continue }
                use.tasks += 1
                use.held += RoomAmounts(of: unit.tasks[rank].allocation, strengths: row.strengths)
            }
        }
        return uses
    }
}
