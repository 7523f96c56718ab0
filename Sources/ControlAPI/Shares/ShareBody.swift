import ClusterModel
import SchedulingCore

/// A tenant, project, queue, quota, user or pool as a request gives it, or changes it.
struct ShareBody {
    let problems: FieldProblems

    func object(of kind: ShareObject.Kind, _ reader: inout FieldReader) -> ShareObject? {
        let name = required("name", &reader)
        let object: ShareObject =
            switch kind {
            case .tenant: .tenant(TenantRecord(name: name))
            case .project: .project(ProjectRecord(tenant: required("tenant", &reader), name: name))
            case .queue: .queue(QueueRecord(name: name, parent: reader.string("parent") ?? QueueRecord.rootName))
            case .quota:
                .quota(
                    QuotaRecord(
                        name: name, tenant: reader.string("tenant"), project: reader.string("project"), user: reader.string("user"),
                        queue: reader.string("queue"), isForEachUser: reader.bool("eachUser") ?? false))
            case .user: .user(UserRecord(name: name))
            case .pool: .pool(PoolRecord(name: name))
            }
        return changed(object, &reader)
    }

    /// The object with what the request says of it. Amounts are changed one by one; `none` takes one away.
    func changed(_ object: ShareObject, _ reader: inout FieldReader) -> ShareObject {
        switch object {
        case .tenant(var tenant):
            tenant.weight = weight(&reader) ?? tenant.weight
            return .tenant(tenant)
        case .project(var project):
            project.weight = weight(&reader) ?? project.weight
            return .project(project)
        case .queue(var queue):
            queue.weight = weight(&reader) ?? queue.weight
            queue.guarantee = bounds("guarantee", of: queue.guarantee, &reader)
            queue.ceiling = bounds("ceiling", of: queue.ceiling, &reader)
            queue.borrow = bounds("borrow", of: queue.borrow, &reader)
            queue.lend = bounds("lend", of: queue.lend, &reader)
            queue.halfLife = reader.quantity("halfLife", forms: Quantity.spanForms, Quantity.span) ?? queue.halfLife
            return .queue(queue)
        case .quota(var quota):
            change(&quota, &reader)
            return .quota(quota)
        case .user(var user):
            user.weight = weight(&reader) ?? user.weight
            user.account = account(of: user, &reader)
            return .user(user)
        case .pool(let pool):
            return .pool(PoolRecord(name: pool.name, tenants: tenants(&reader) ?? pool.tenants))
        }
    }

    /// Both numbers or neither; `none` takes the account away. Never root: an account is what a root agent drops its rights to.
    func account(of user: UserRecord, _ reader: inout FieldReader) -> UserAccount? {
        if reader.value("account") == .string(Self.none) { return nil }
        if reader.value("account") != nil { problems.add(reader.path(of: "account"), "can only be '\(Self.none)': give uid and gid") }
        let userID: UInt32? = reader.integer("uid", 1...UInt32.max - 1)
        let groupID: UInt32? = reader.integer("gid", 1...UInt32.max - 1)
        if problems.list.isEmpty, (userID == nil) != (groupID == nil) {
            problems.add(reader.path(of: userID == nil ? "uid" : "gid"), "is required: give uid and gid, or neither")
        }
        guard let userID, let groupID else { return user.account }
        return UserAccount(userID: userID, groupID: groupID)
    }

    /// All of them, or `none` for everybody.
    private func tenants(_ reader: inout FieldReader) -> [String]? {
        reader.value("tenants") == .string(Self.none) ? [] : reader.strings("tenants")
    }

    private func required(_ field: StaticString, _ reader: inout FieldReader) -> String {
        if let text = reader.string(field) { return text }
        if reader.value(field) == nil { problems.add(reader.path(of: field), "is required") }
        return ""
    }

    private func weight(_ reader: inout FieldReader) -> UInt32? { reader.integer("weight", 1...1000) }

    private func bounds(_ field: StaticString, of known: RoomBounds, _ reader: inout FieldReader) -> RoomBounds {
        guard let value = reader.value(field) else { return known }
        guard value != .string(Self.none) else { return RoomBounds() }
        var entry = FieldReader(value, at: reader.path(of: field), problems: problems)
        let bounds = bounds(of: known, &entry)
        entry.finish()
        return bounds
    }

    private func bounds(of known: RoomBounds, _ entry: inout FieldReader) -> RoomBounds {
        RoomBounds(
            cpuMilli: limit("cpu", known.cpuMilli, &entry, Quantity.cpuForms, Quantity.cpuMilli),
            memoryBytes: limit("memory", known.memoryBytes, &entry, Quantity.byteForms, Quantity.bytes),
            deviceMilli: limit("devices", known.deviceMilli, &entry, Quantity.deviceForms, Quantity.deviceMilli),
            computeUnitsMilli: limit(
                "computeUnits", known.computeUnitsMilli, &entry, Quantity.computeUnitForms, Self.computeUnitsMilli))
    }

    /// None of them may be held: a limit, unlike a request, can be nothing.
    private static func computeUnitsMilli(_ text: String) throws(QuantityError) -> Int64 {
        text == "0" ? 0 : try Quantity.computeUnitsMilli(text)
    }

    /// Instead of an amount: nothing is said of it any more.
    private static let none = "none"

    private func limit<Amount>(
        _ field: StaticString, _ known: Amount?, _ entry: inout FieldReader, _ forms: String,
        _ parse: (String) throws(QuantityError) -> Amount
    ) -> Amount? {
        switch entry.value(field) {
        case nil: known
        case .string(Self.none): nil
        default: entry.quantity(field, forms: forms, parse)
        }
    }

    private static let countForms = "a number such as 100"

    private static func count(_ text: String) throws(QuantityError) -> UInt32 {
        guard let count = UInt32(text), String(count) == text else { throw QuantityError(text: text, expected: countForms) }
        return count
    }

    private func change(_ quota: inout QuotaRecord, _ reader: inout FieldReader) {
        guard let value = reader.value("limits") else { return }
        var entry = FieldReader(value, at: reader.path(of: "limits"), problems: problems)
        quota.room = bounds(of: quota.room, &entry)
        quota.runningTasks = limit("runningTasks", quota.runningTasks, &entry, Self.countForms, Self.count)
        quota.queuedJobs = limit("queuedJobs", quota.queuedJobs, &entry, Self.countForms, Self.count)
        if let items = entry.items("models") {
            quota.models = items.enumerated().map { index, item in models(item, at: .item(entry.path(of: "models"), index)) }
        }
        entry.finish()
    }

    private func models(_ item: JSONValue, at path: FieldPath) -> QuotaRecord.Models {
        var reader = FieldReader(item, at: path, problems: problems)
        let pattern = required("model", &reader)
        let devices = reader.quantity("devices", forms: Quantity.deviceForms, Quantity.deviceMilli)
        if devices == nil, reader.value("devices") == nil { problems.add(reader.path(of: "devices"), "is required") }
        reader.finish()
        return QuotaRecord.Models(pattern: pattern, deviceMilli: devices ?? 0)
    }
}
