// Making, changing and removing tenants, projects, queues and quotas.

import ClusterModel

/// What must hold of an object for a change of it to happen.
public enum ShareObjectCondition: Hashable, Sendable {
    case none
    /// There is none of that name.
    case absent
    case present
    /// It is as somebody saw it.
    case equals(ShareObject)
}

extension SchedulerCore {
    /// Objects of one kind.
    static let shareObjectsMax = 100_000
    /// Quotas are looked through for each account that is new.
    static let quotasMax = 10_000

    // MARK: Decide

    func decideSet(_ object: ShareObject, if condition: ShareObjectCondition, at now: LogicalTime) throws(Rejection) -> Decided {
        let id = object.id
        try require(condition, of: id)
        let errors = problems(of: object)
        if !errors.isEmpty { throw .invalid(errors) }
        let known = shareObjects[id]
        if known == nil {
            let most = id.kind == .quota ? Self.quotasMax : Self.shareObjectsMax
            guard shareObjects.keys.count(where: { $0.kind == id.kind }) < most else {
                throw .conflict("there are \(most) of them, the most allowed; remove some")
            }
        }
        guard known != object else { return Decided() }
        return Decided(events: [.shareObjectSet(object, at: now)])
    }

    func decideRemove(_ id: ShareObjectID, if condition: ShareObjectCondition, at now: LogicalTime) throws(Rejection) -> Decided {
        guard shareObjects[id] != nil else { throw .notFound(Self.title(of: id)) }
        try require(condition, of: id)
        if let user = firstUser(of: id) {
            throw .conflict("\(Self.title(of: id)) is in use by \(user)")
        }
        return Decided(events: [.shareObjectRemoved(id, at: now)])
    }

    private func require(_ condition: ShareObjectCondition, of id: ShareObjectID) throws(Rejection) {
        let known = shareObject(id)
        switch condition {
        case .none: break
        case .absent:
            if shareObjects[id] != nil { throw .conflict("\(Self.title(of: id)) exists; change it with 'suanpan \(id.kind.name) set'") }
        case .present: if known == nil { throw .notFound(Self.title(of: id)) }
        case .equals(let seen): if known != seen { throw .changed(Self.title(of: id)) }
        }
    }

    private func problems(of object: ShareObject) -> [FieldError] {
        var errors: [FieldError] = []
        func requireName(_ name: String, _ field: String) {
            if !ObjectName.isValid(name) { errors.append(FieldError(field, "'\(name.prefix(80))' must match \(ObjectName.grammar)")) }
        }
        func requireWeight(_ weight: UInt32) {
            let range = ShareWeight.range
            if !range.contains(weight) { errors.append(FieldError("weight", "must be \(range.lowerBound) … \(range.upperBound)")) }
        }
        switch object {
        case .tenant(let tenant):
            requireName(tenant.name, "name")
            requireWeight(tenant.weight)
        case .project(let project):
            requireName(project.name, "name")
            requireWeight(project.weight)
            if !hasTenant(project.tenant) { errors.append(Self.unknown(.tenant, project.tenant, "tenant")) }
        case .queue(let queue):
            requireName(queue.name, "name")
            requireWeight(queue.weight)
            errors += problems(of: queue)
        case .quota(let quota):
            requireName(quota.name, "name")
            errors += problems(of: quota)
        case .user(let user):
            requireName(user.name, "name")
            requireWeight(user.weight)
        case .pool(let pool):
            requireName(pool.name, "name")
            errors += problems(of: pool)
        }
        return errors
    }

    private func problems(of queue: QueueRecord) -> [FieldError] {
        var errors: [FieldError] = []
        for (bounds, field) in [
            (queue.guarantee, "guarantee"), (queue.ceiling, "ceiling"), (queue.borrow, "borrow"), (queue.lend, "lend"),
        ] { errors += bounds.validate(field) }
        if let halfLife = queue.halfLife {
            if queue.name != QueueRecord.rootName { errors.append(FieldError("halfLifeSeconds", "is the root queue's alone")) }
            if !(Span.seconds(60)...Span.seconds(366 * 24 * 3600)).contains(halfLife) {
                errors.append(FieldError("halfLifeSeconds", "must be a minute to a year"))
            }
        }
        if let kind = RoomKind.allCases.first(where: { (queue.guarantee[$0] ?? 0) > queue.ceiling[$0] ?? .max }) {
            errors.append(FieldError("guarantee.\(kind.name)", "must not be more than the ceiling"))
        }
        for kind in RoomKind.allCases {
            let others = shareObjects.values.reduce(Int64(0)) { sum, object in
                guard case .queue(let other) = object, other.name != queue.name else { return sum }
                return sum + (other.guarantee[kind] ?? 0)
            }
            if others + (queue.guarantee[kind] ?? 0) > RoomBounds.amountMax {
                errors.append(FieldError("guarantee.\(kind.name)", "together with other queues' is more than 2^56"))
            }
        }
        guard queue.name != QueueRecord.rootName else { return errors }
        // The parent of a queue is for ever: what was used and is held below it would have to move.
        if let known = queueRecord(queue.name), known.parent != queue.parent {
            errors.append(FieldError("parent", "is '\(known.parent)' and cannot change; remove the queue and make it again"))
        }
        let parent = queue.parent
        guard parent == QueueRecord.rootName || shareObjects[ShareObjectID(.queue, parent)] != nil else {
            errors.append(Self.unknown(.queue, parent, "parent"))
            return errors
        }
        if let own = accounts.known(queue: queue.name).flatMap({ accounts[$0].parent }), accounts[own].name != parent {
            errors.append(
                FieldError(
                    "parent", "'\(queue.name)' was in '\(accounts[own].name)' and what it used there is remembered; choose another name"))
        }
        let hasJobs = accounts.known(queue: parent).map { id in
            accounts[id].children.contains { accounts[$0].level == .tenant && accounts[$0].jobs > 0 }
        }
        if hasJobs ?? false, parent != QueueRecord.rootName {
            errors.append(FieldError("parent", "'\(parent)' has jobs of its own; a queue has jobs or queues in it"))
        }
        return errors
    }

    private func problems(of quota: QuotaRecord) -> [FieldError] {
        var errors = quota.room.validate("limits")
        if let tenant = quota.tenant, !hasTenant(tenant) { errors.append(Self.unknown(.tenant, tenant, "tenant")) }
        if let project = quota.project {
            if let tenant = quota.tenant {
                if !hasProject(project, of: tenant) { errors.append(Self.unknown(.project, "\(tenant)/\(project)", "project")) }
            } else {
                errors.append(FieldError("project", "needs its tenant beside it"))
            }
        }
        if let queue = quota.queue, !hasQueue(queue) { errors.append(Self.unknown(.queue, queue, "queue")) }
        if let user = quota.user {
            if !ObjectName.isValid(user) { errors.append(FieldError("user", "must match \(ObjectName.grammar)")) }
            if quota.isForEachUser { errors.append(FieldError("eachUser", "is for quotas that name no user")) }
        }
        for (index, models) in quota.models.enumerated() {
            if models.pattern.isEmpty || models.pattern.utf8.count > 256 {
                errors.append(FieldError("limits.models[\(index)].model", "must have 1 to 256 bytes, such as '*A100*'"))
            }
            if !(0...RoomBounds.amountMax).contains(models.deviceMilli) {
                errors.append(FieldError("limits.models[\(index)].devices", "must be 0 … 2^56"))
            }
        }
        if quota.models.count > 64 { errors.append(FieldError("limits.models", "must have at most 64 entries")) }
        if quota.room.isEmpty, quota.models.isEmpty, quota.runningTasks == nil, quota.queuedJobs == nil {
            errors.append(FieldError("limits", "are required: say at least one, such as devices"))
        }
        return errors
    }

    static func unknown(_ kind: ShareObject.Kind, _ name: String, _ field: String) -> FieldError {
        FieldError(
            field, "the \(kind.name) '\(name.prefix(130))' does not exist: make it with 'suanpan \(kind.name) create \(name.prefix(130))'")
    }

    private static func title(of id: ShareObjectID) -> String {
        let name = id.kind.name
        return "\(name.prefix(1).uppercased())\(name.dropFirst()) '\(id.name.prefix(130))'"
    }

    /// What would be left without it.
    private func firstUser(of id: ShareObjectID) -> String? {
        func jobs(where belongs: (JobSpecification) -> Bool) -> String? {
            self.jobs.ids.first { self.jobs[$0].map { belongs($0.specification) } ?? false }.map { "job \($0)" }
        }
        switch id.kind {
        case .quota: return nil
        case .user:
            if let key = keys.values.filter({ $0.user == id.name }).map(\.id).min() { return "key \(key)" }
            return quota { $0.user == id.name } ?? self.jobs.ids.first { self.jobs[$0]?.user == id.name }.map { "job \($0)" }
        case .pool:
            if let node = nodes.ids.first(where: { nodes[$0]?.membership.pool == id.name }) { return "node '\(nodes[node]?.name ?? "")'" }
            if joinTokens.values.contains(where: { $0.membership.pool == id.name }) { return "a join token" }
            return jobs { specification in
                specification.pool == id.name
                    || specification.groups.contains {
                        $0.constraints.contains { $0.key == NodeMembership.poolLabel && $0.value == id.name }
                    }
            }
        case .tenant:
            if let key = keys.values.filter({ $0.tenant == id.name }).map(\.id).min() { return "key \(key)" }
            if let project = shareObjects.keys.filter({ $0.kind == .project && $0.name.hasPrefix("\(id.name)/") }).min() {
                return "project '\(project.name)'"
            }
            if let pool = shareObjects(of: .pool).first(where: {
                if case .pool(let pool) = $0 { pool.tenants.contains(id.name) } else { false }
            }) {
                return "pool '\(pool.id.name)'"
            }
            return quota { $0.tenant == id.name } ?? jobs { $0.tenant == id.name }
        case .project:
            return quota { "\($0.tenant ?? "")/\($0.project ?? "")" == id.name } ?? jobs { "\($0.tenant)/\($0.project)" == id.name }
        case .queue:
            if let below = shareObjects.keys.filter({ queueRecord($0)?.parent == id.name }).min() { return "queue '\(below.name)'" }
            return quota { $0.queue == id.name } ?? jobs { $0.queue == id.name }
        }
    }

    private func quota(where belongs: (QuotaRecord) -> Bool) -> String? {
        quotas.rows.first { belongs($0.record) }.map { "quota '\($0.record.name)'" }
    }

    // MARK: What there is

    private func queueRecord(_ id: ShareObjectID) -> QueueRecord? {
        guard case .queue(let record)? = shareObjects[id] else { return nil }
        return record
    }

    private func queueRecord(_ name: String) -> QueueRecord? { queueRecord(ShareObjectID(.queue, name)) }

    /// Whoever has a key has a tenant.
    func hasTenant(_ name: String) -> Bool {
        name == JobSpecification.usualTenant || shareObjects[ShareObjectID(.tenant, name)] != nil
            || keys.values.contains { $0.tenant == name }
    }

    func hasProject(_ name: String, of tenant: String) -> Bool {
        name == JobSpecification.usualProject || shareObjects[ShareObjectID(.project, "\(tenant)/\(name)")] != nil
    }

    func hasQueue(_ name: String) -> Bool { name == QueueRecord.usualName || queueRecord(name) != nil }

    /// A job is of a tenant, a project and a queue that exist, and the queue has no queues in it.
    func requireAccount(_ specification: JobSpecification) throws(Rejection) {
        var errors: [FieldError] = []
        if !hasTenant(specification.tenant) { errors.append(Self.unknown(.tenant, specification.tenant, "tenant")) }
        if !hasProject(specification.project, of: specification.tenant) {
            errors.append(Self.unknown(.project, "\(specification.tenant)/\(specification.project)", "project"))
        }
        if !hasQueue(specification.queue) {
            errors.append(Self.unknown(.queue, specification.queue, "queue"))
        } else if let queue = accounts.known(queue: specification.queue),
            accounts[queue].children.contains(where: { accounts[$0].bounds.record != nil })
        {
            let below = accounts[queue].children.filter { accounts[$0].bounds.record != nil }.map { accounts[$0].name }.sorted()
            errors.append(
                FieldError("queue", "'\(specification.queue)' has queues in it; name one of them: \(below.joined(separator: ", "))"))
        }
        if !errors.isEmpty { throw .invalid(errors) }
    }

    /// An object; one that nobody has described and that exists all the same is as if it had been with nothing said.
    public func shareObject(_ id: ShareObjectID) -> ShareObject? {
        if let known = shareObjects[id] { return known }
        switch id.kind {
        case .tenant: return hasTenant(id.name) ? .tenant(TenantRecord(name: id.name)) : nil
        case .project:
            let parts = id.name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, hasTenant(parts[0]), hasProject(parts[1], of: parts[0]) else { return nil }
            return .project(ProjectRecord(tenant: parts[0], name: parts[1]))
        case .queue: return id.name == QueueRecord.rootName || hasQueue(id.name) ? .queue(QueueRecord(name: id.name)) : nil
        case .quota: return nil
        case .user: return keys.values.contains { $0.user == id.name } ? .user(UserRecord(name: id.name)) : nil
        case .pool: return pools.contains(id.name) ? .pool(PoolRecord(name: id.name)) : nil
        }
    }

    /// All of a kind, in the order of their names.
    public func shareObjects(of kind: ShareObject.Kind) -> [ShareObject] {
        var ids = Set(shareObjects.keys.filter { $0.kind == kind })
        switch kind {
        case .tenant:
            ids.insert(ShareObjectID(.tenant, JobSpecification.usualTenant))
            for key in keys.values { ids.insert(ShareObjectID(.tenant, key.tenant)) }
        case .project:
            for tenant in shareObjects(of: .tenant) {
                ids.insert(ShareObjectID(.project, "\(tenant.id.name)/\(JobSpecification.usualProject)"))
            }
        case .queue: for name in [QueueRecord.rootName, QueueRecord.usualName] { ids.insert(ShareObjectID(.queue, name)) }
        case .quota: break
        case .user: for key in keys.values { ids.insert(ShareObjectID(.user, key.user)) }
        case .pool: for pool in pools { ids.insert(ShareObjectID(.pool, pool)) }
        }
        return ids.sorted().compactMap { shareObject($0) }
    }

    // MARK: Evolve

    mutating func evolveShareObjectSet(_ object: ShareObject, at: LogicalTime) {
        advance(to: at)
        shareObjects[object.id] = object
        switch object {
        case .tenant, .project, .user: reweigh(object.id)
        case .queue(let queue): accounts.describe(queue, at: at)
        case .quota: recountQuotas()
        case .pool(let pool): reoffer(poolOf: pool.name)
        }
    }

    mutating func evolveShareObjectRemoved(_ id: ShareObjectID, at: LogicalTime) {
        advance(to: at)
        shareObjects[id] = nil
        switch id.kind {
        case .tenant, .project, .user: reweigh(id)
        case .pool: reoffer(poolOf: id.name)
        case .queue: accounts.forgetDescription(of: id.name, at: at)
        case .quota: recountQuotas()
        }
    }

    /// What follows from the objects, once they and the accounts have been read, and before the jobs are counted.
    mutating func describeShares() {
        for id in shareObjects.keys.sorted() { if case .queue(let queue) = shareObjects[id] { accounts.describe(queue, at: nil) } }
        accounts.noteBounds()
        for account in accounts.all {
            let row = accounts[account]
            let parent = accounts[row.parent ?? .root].name
            switch row.level {
            case .tenant: accounts[account].weight = shareWeight(of: ShareObjectID(.tenant, row.name))
            case .project: accounts[account].weight = shareWeight(of: ShareObjectID(.project, "\(parent)/\(row.name)"))
            case .user: accounts[account].weight = shareWeight(of: ShareObjectID(.user, row.name))
            case .queue: break
            }
        }
        makeQuotas()
    }

    /// Accounts that the object describes have its weight from now on.
    private mutating func reweigh(_ id: ShareObjectID) {
        let weight = shareWeight(of: id)
        for account in accounts.all {
            let row = accounts[account]
            switch (row.level, id.kind) {
            case (.tenant, .tenant) where row.name == id.name, (.user, .user) where row.name == id.name:
                accounts[account].weight = weight
            case (.project, .project) where "\(accounts[row.parent ?? .root].name)/\(row.name)" == id.name:
                accounts[account].weight = weight
            default: break
            }
        }
    }

    func shareWeight(of id: ShareObjectID) -> UInt32 { Self.shareWeight(of: id, in: shareObjects) }

    static func shareWeight(of id: ShareObjectID, in objects: [ShareObjectID: ShareObject]) -> UInt32 {
        switch objects[id] {
        case .tenant(let tenant): tenant.weight
        case .project(let project): project.weight
        case .user(let user): user.weight
        default: ShareWeight.usual
        }
    }
}
