// A job as its file or `POST /v1/jobs` gives it, turned into the value that the core takes. Bounds are the value's own
// (`JobSpecification.validate`); here is only the shape: names of fields, forms of amounts, defaults.

import ClusterModel
import SchedulingCore

struct JobBody {
    /// Seals one environment value for the tenant of the job.
    let seal: Seal
    /// The tree of a tenant's data set.
    let dataset: Lookup
    let principal: Principal
    let problems = FieldProblems()
    private(set) var tenant = ""

    typealias Seal = (_ value: String, _ tenant: String) -> [UInt8]
    typealias Lookup = (_ name: String, _ version: String, _ tenant: String) -> ContentDigest?

    init(principal: Principal, seal: @escaping Seal, dataset: @escaping Lookup) {
        self.principal = principal
        self.seal = seal
        self.dataset = dataset
    }

    static func specification(
        from value: JSONValue, principal: Principal, seal: @escaping Seal, dataset: @escaping Lookup
    ) throws(Problem) -> JobSpecification {
        var body = JobBody(principal: principal, seal: seal, dataset: dataset)
        return try body.read(value)
    }

    private mutating func read(_ value: JSONValue) throws(Problem) -> JobSpecification {
        var reader = FieldReader(value, at: .body, problems: problems)
        let project = self.project(&reader)
        tenant = project.tenant
        let (groups, isShort) = self.groups(&reader)
        var specification = JobSpecification(
            name: reader.string("name") ?? Self.name(for: groups.first), kind: reader.choice("kind", named: \JobKind.name) ?? .batch,
            tenant: project.tenant, project: project.name, queue: reader.string("queue") ?? "default",
            priority: reader.integer("priority", -1000...1000) ?? 0, isPreemptible: reader.bool("preemptible") ?? false, groups: groups,
            array: reader.quantity("array", forms: ArrayRange.forms, ArrayRange.init(parsing:)), dependencies: dependencies(&reader),
            beginAt: time(&reader, "beginAt"),
            timeLimit: reader.quantity("timeLimit", forms: Quantity.spanForms, Quantity.span),
            estimate: reader.quantity("estimate", forms: Quantity.spanForms, Quantity.span),
            retry: retry(&reader), onNodeLost: reader.choice("onNodeLost", named: \NodeLossPolicy.name) ?? .wait,
            labels: reader.map("labels") ?? [], inputs: inputs(&reader), outputs: outputs(&reader), secrets: secrets(&reader),
            centers: reader.strings("centers") ?? [], needsInternet: reader.bool("needsInternet") ?? false)
        checkpoint(&reader, into: &specification)
        specification.pool = reader.string("pool") ?? ""
        specification.recurrence = recurrence(&reader)
        specification.deadline = time(&reader, "deadline")
        specification.maxPending = reader.quantity("maxPending", forms: Quantity.spanForms, Quantity.span)
        specification.isHeld = reader.bool("hold") ?? false
        reader.refuse("ports", "volumes")
        reader.finish()
        check(specification, isShort: isShort)
        guard problems.list.isEmpty else { throw .invalid(problems.list) }
        guard principal.role == .admin || project.tenant == principal.tenant else {
            throw .forbidden("This key submits jobs of the tenant '\(principal.tenant)' only.")
        }
        return specification
    }

    /// Adds what the value itself finds wrong, unless its field has a complaint already.
    private func check(_ specification: JobSpecification, isShort: Bool) {
        let earlier = problems.list
        let errors = specification.validate().map { error in
            guard isShort, error.field.hasPrefix("groups[0].") else { return error }
            return FieldError(String(error.field.dropFirst("groups[0].".count)), error.message)
        }
        problems.add(errors.filter { error in !earlier.contains { $0.field.hasPrefix(error.field) } })
    }

    // MARK: - Top-level fields

    /// `tenant/project`, or a project of the principal's tenant.
    private mutating func project(_ reader: inout FieldReader) -> (tenant: String, name: String) {
        guard let text = reader.string("project", expected: "PROJECT or TENANT/PROJECT") else { return (principal.tenant, "default") }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        return parts.count == 2 ? (String(parts[0]), String(parts[1])) : (principal.tenant, text)
    }

    private func time(_ reader: inout FieldReader, _ name: StaticString) -> LogicalTime? {
        guard let text = reader.string(name, expected: Timestamp.forms) else { return nil }
        if let time = Timestamp.parse(text) { return time }
        problems.add(reader.path(of: name), expected: Timestamp.forms, not: .string(text))
        return nil
    }

    private func dependencies(_ reader: inout FieldReader) -> [Dependency] {
        guard let items = reader.items("after") else { return [] }
        return items.enumerated().compactMap { index, item in
            var entry = FieldReader(item, at: .item(reader.path(of: "after"), index), problems: problems)
            let job = entry.value("job")
            let condition = entry.choice("when", named: \Dependency.Condition.name) ?? .ok
            entry.finish()
            switch job {
            case .string(let text), .number(let text):
                if let id = JobID(parsing: text) { return Dependency(job: id, condition: condition) }
            default: break
            }
            problems.add(entry.path(of: "job"), expected: "the number of a job", not: job ?? .null)
            return nil
        }
    }

    private func retry(_ reader: inout FieldReader) -> RetryPolicy {
        guard let value = reader.value("retry") else { return RetryPolicy() }
        var entry = FieldReader(value, at: reader.path(of: "retry"), problems: problems)
        let limit: UInt32 = entry.integer("limit", 0...1000) ?? 0
        let names = entry.strings("on")
        let limits = self.limits(&entry)
        let backoff = entry.quantity("backoff", forms: Quantity.spanForms, Quantity.span)
        entry.finish()
        guard let names else { return RetryPolicy(limit: limit, limits: limits, backoff: backoff) }
        let causes = names.enumerated().compactMap { index, name in
            if let cause = RetryPolicy.retryableCauses.first(where: { $0.name == name }) { return cause }
            let valid = RetryPolicy.retryableCauses.map(\.name).joined(separator: ", ")
            problems.add(.item(entry.path(of: "on"), index), expected: "one of \(valid)", not: .string(name))
            return nil
        }
        return RetryPolicy(limit: limit, causes: causes, limits: limits, backoff: backoff)
    }

    /// `{oom: 1, node_lost: 3}`.
    private func limits(_ retry: inout FieldReader) -> [RetryPolicy.CauseLimit] {
        guard let value = retry.value("limits") else { return [] }
        guard case .object(let members) = value else {
            problems.add(retry.path(of: "limits"), expected: "causes with how often each is retried", not: value)
            return []
        }
        return members.compactMap { member in
            guard let cause = RetryPolicy.retryableCauses.first(where: { $0.name == member.name }), case .number(let text) = member.value,
                let limit = UInt32(text)
            else {
                let valid = RetryPolicy.retryableCauses.map(\.name).joined(separator: ", ")
                problems.add(retry.path(of: "limits"), "'\(member.name.prefix(40))': expected a whole number for one of \(valid)")
                return nil
            }
            return RetryPolicy.CauseLimit(cause: cause, limit: limit)
        }
    }

    /// The grace belongs to the checkpoint in a job file and stands alone on the command line: either, not both.
    private func checkpoint(_ reader: inout FieldReader, into specification: inout JobSpecification) {
        var grace = reader.quantity("grace", forms: Quantity.spanForms, Quantity.span)
        if let value = reader.value("checkpoint") {
            var entry = FieldReader(value, at: reader.path(of: "checkpoint"), problems: problems)
            specification.checkpointPath = entry.string("path") ?? ""
            specification.checkpointInterval = entry.quantity("interval", forms: Quantity.spanForms, Quantity.span)
            if let inner = entry.quantity("grace", forms: Quantity.spanForms, Quantity.span) {
                if grace != nil { problems.add(entry.path(of: "grace"), "give the grace once") }
                grace = inner
            }
            specification.checkpointSignal = entry.choice("signal", named: \CheckpointSignal.name)
            entry.finish()
        }
        if let grace { specification.grace = grace }
    }

    /// `{every: 1h}` or `{cron: "30 3 * * *", offset: "+08:00"}`, with `overlap` and `until`.
    private func recurrence(_ reader: inout FieldReader) -> Recurrence? {
        guard let value = reader.value("recur") else { return nil }
        var entry = FieldReader(value, at: reader.path(of: "recur"), problems: problems)
        let before = problems.list.count
        let period = entry.quantity("every", forms: Quantity.spanForms, Quantity.span)
        let calendar = entry.quantity("cron", forms: CalendarRule.forms, CalendarRule.init(parsing:))
        let offset = entry.quantity("offset", forms: ClockOffset.forms, ClockOffset.parse)
        let mayOverlap = entry.bool("overlap") ?? false
        let until = time(&entry, "until")
        if problems.list.count == before, (period == nil) == (calendar == nil) {
            problems.add(entry.path(of: "every"), "give either 'every' or 'cron'")
        }
        if offset != nil, calendar == nil, period != nil { problems.add(entry.path(of: "offset"), "stands beside 'cron' only") }
        entry.finish()
        let rule: Recurrence.Rule? = period.map { .every($0) } ?? calendar.map { .calendar($0, offset: offset ?? .zero) }
        return rule.map { Recurrence(rule: $0, mayOverlap: mayOverlap, until: until) }
    }

    /// A job without a name is called like its program.
    private static func name(for group: TaskGroup?) -> String {
        guard let program = group?.command.first?.split(separator: "/").last else { return "job" }
        let plain = program.lowercased().map { ObjectName.isValid("a\($0)") ? $0 : "-" }.prefix(63)
        let name = String(String(plain).trimmingPrefix { !ObjectName.isValid(String($0)) })
        return name.isEmpty ? "job" : name
    }

    // MARK: - Groups

    /// The groups, or one called `main` from the top-level fields.
    private func groups(_ reader: inout FieldReader) -> (groups: [TaskGroup], isShort: Bool) {
        if let items = reader.items("groups") {
            for name: StaticString in [
                "command", "resources", "count", "env", "constraints", "workdir", "image", "min", "topology", "spread",
            ]
            where reader.value(name) != nil {
                problems.add(reader.path(of: name), "stands beside 'groups': give it in each group")
            }
            let groups = items.enumerated().map { index, item in
                var entry = FieldReader(item, at: .item(reader.path(of: "groups"), index), problems: problems)
                let name = entry.string("name") ?? (items.count == 1 ? "main" : "group-\(index)")
                let result = group(&entry, name: name)
                entry.finish()
                return result
            }
            return (groups, false)
        }
        return ([group(&reader, name: "main")], true)
    }

    private func group(_ reader: inout FieldReader, name: String) -> TaskGroup {
        let group = TaskGroup(
            name: name, count: reader.integer("count", 1...UInt32(JobSpecification.gangSizeMax)) ?? 1, resources: resources(&reader),
            constraints: constraints(&reader), command: reader.strings("command") ?? [], environment: environment(&reader),
            workDirectory: reader.string("workdir") ?? "")
        reader.refuse("image", "min")
        return group
    }

    private func environment(_ reader: inout FieldReader) -> [SealedVariable] {
        guard let variables = reader.map("env") else { return [] }
        return variables.map { SealedVariable(name: $0.name, sealedValue: seal($0.text, tenant)) }
    }

    private func constraints(_ reader: inout FieldReader) -> [Constraint] {
        guard let texts = reader.strings("constraints") else { return [] }
        return texts.enumerated().compactMap { index, text in
            do throws(QuantityError) { return try Constraint(parsing: text) } catch {
                problems.add(.item(reader.path(of: "constraints"), index), expected: error.expected, not: .string(text))
                return nil
            }
        }
    }
}
