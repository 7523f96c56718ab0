// The bounds of a job. The shells parse text; these rules judge the value, in one place.

extension JobSpecification {
    /// Most tasks of one job.
    public static let taskCountMax: UInt64 = 10_000_000
    /// Most tasks of one gang.
    public static let gangSizeMax: UInt64 = 4096
    public static let centersMax = 32
    /// Most combinations of the ways in which the groups of a gang may have their devices.
    public static let combinationsMax = 64

    /// What is wrong, with the field and what would be valid; empty when the job is acceptable.
    public func validate() -> [FieldError] {
        var errors: [FieldError] = []
        check(name: name, field: "name", into: &errors)
        check(name: tenant, field: "tenant", into: &errors)
        check(name: project, field: "project", into: &errors)
        check(name: queue, field: "queue", into: &errors)
        if !(-1000...1000).contains(priority) { errors.append(FieldError("priority", "must be -1000 … 1000")) }
        validateSize(into: &errors)
        for (index, group) in groups.enumerated() { validate(group, at: "groups[\(index)]", into: &errors) }
        validateTopology(into: &errors)
        let names = Set(groups.map(\.name))
        if names.count != groups.count { errors.append(FieldError("groups", "names must differ")) }
        if let timeLimit, timeLimit <= .zero { errors.append(FieldError("timeLimit", "must be at least 1s")) }
        if let estimate, estimate <= .zero { errors.append(FieldError("estimate", "must be at least 1s")) }
        if grace < .zero || grace > .hour { errors.append(FieldError("grace", "must be 0s … 1h")) }
        validateTimes(into: &errors)
        if retry.limit > 1000 { errors.append(FieldError("retry.limit", "must be 0 … 1000")) }
        for cause in retry.causes where !RetryPolicy.retryableCauses.contains(cause) {
            let valid = RetryPolicy.retryableCauses.map(\.name).joined(separator: ", ")
            errors.append(FieldError("retry.on", "\(cause.name) is not retried; valid: \(valid)"))
        }
        if dependencies.count > 1000 { errors.append(FieldError("after", "must name at most 1000 jobs")) }
        if labels.count > 64 { errors.append(FieldError("labels", "must be at most 64")) }
        for label in labels where !ObjectName.isValid(label.name) || label.text.utf8.count > 253 {
            errors.append(FieldError("labels", "\(label.name): names match \(ObjectName.grammar), values have at most 253 bytes"))
        }
        if checkpointPath.utf8.count > 4096 || checkpointPath.utf8.contains(0) {
            errors.append(FieldError("checkpoint.path", "must be a path of at most 4096 bytes"))
        }
        if centers.count > Self.centersMax { errors.append(FieldError("centers", "must be at most \(Self.centersMax)")) }
        for (index, center) in centers.enumerated() { check(name: center, field: "centers[\(index)]", into: &errors) }
        if !pool.isEmpty { check(name: pool, field: "pool", into: &errors) }
        validateRecurrence(into: &errors)
        validateFiles(into: &errors)
        return errors
    }

    private func validateRecurrence(into errors: inout [FieldError]) {
        guard let recurrence else { return }
        errors += recurrence.validate()
        if deadline != nil { errors.append(FieldError("deadline", "is one instant, and the job recurs: bound each run by timeLimit")) }
        if let until = recurrence.until, let beginAt, until < beginAt {
            errors.append(FieldError("recur.until", "must not be before the begin time"))
        }
    }

    private func validateTimes(into errors: inout [FieldError]) {
        if let maxPending, maxPending <= .zero { errors.append(FieldError("maxPending", "must be at least 1s")) }
        if let checkpointInterval, checkpointInterval <= .zero {
            errors.append(FieldError("checkpoint.interval", "must be at least 1s"))
        }
        if let deadline, let beginAt, deadline <= beginAt { errors.append(FieldError("deadline", "must be after the begin time")) }
        if let backoff = retry.backoff, backoff < .zero || backoff > .seconds(24 * 3600) {
            errors.append(FieldError("retry.backoff", "must be 0s … 24h"))
        }
        for entry in retry.limits where !retry.causes.contains(entry.cause) || entry.limit > retry.limit {
            errors.append(
                FieldError("retry.limits", "\(entry.cause.name): must be a cause in 'on' and at most the limit, \(retry.limit)"))
        }
        if Set(retry.limits.map(\.cause)).count != retry.limits.count {
            errors.append(FieldError("retry.limits", "names a cause twice"))
        }
    }

    /// What one group says of the whole gang, another may not deny.
    private func validateTopology(into errors: inout [FieldError]) {
        let isSpread = groups.contains { $0.resources.topology.sharing == .spread }
        guard isSpread, let index = groups.firstIndex(where: { $0.resources.topology.wish(for: .node) == .require }) else { return }
        errors.append(FieldError("groups[\(index)].topology", "cannot spread tasks and require one node for them"))
    }

    private func validateSize(into errors: inout [FieldError]) {
        if groups.isEmpty || groups.count > 64 { errors.append(FieldError("groups", "must be 1 … 64 groups")) }
        let gang = groups.reduce(UInt64(0)) { $0 + UInt64($1.count) }
        let combinations = groups.reduce(1) { min($0 * max($1.resources.choices.count, 1), 1 << 20) }
        if combinations > Self.combinationsMax {
            errors.append(FieldError("groups", "\(combinations) combinations of alternatives; must be at most \(Self.combinationsMax)"))
        }
        if gang > Self.gangSizeMax { errors.append(FieldError("groups", "\(gang) tasks; a gang has at most \(Self.gangSizeMax)")) }
        let units = array.map { $0.last >= $0.first ? UInt64($0.last - $0.first) + 1 : 0 } ?? 1
        if units == 0 { errors.append(FieldError("array", "expected \(ArrayRange.forms)")) }
        // Both factors come from the network: neither their sum nor their product may trap.
        let (tasks, overflow) = units.multipliedReportingOverflow(by: max(gang, 1))
        if overflow || tasks > Self.taskCountMax {
            errors.append(FieldError("array", "\(units) gangs of \(gang) tasks; a job has at most \(Self.taskCountMax) tasks"))
        }
    }

    private func check(name: String, field: String, into errors: inout [FieldError]) {
        if !ObjectName.isValid(name) { errors.append(FieldError(field, "'\(name.prefix(80))' must match \(ObjectName.grammar)")) }
    }

    private func validate(_ group: TaskGroup, at field: String, into errors: inout [FieldError]) {
        check(name: group.name, field: "\(field).name", into: &errors)
        if group.count == 0 { errors.append(FieldError("\(field).count", "must be at least 1")) }
        let resources = group.resources
        if !(1...100_000_000).contains(resources.cpuMilli) {
            errors.append(FieldError("\(field).resources.cpu", "must be 1m … 100000 cores"))
        }
        if resources.hasWholeCores, resources.cpuMilli % 1000 != 0 {
            errors.append(FieldError("\(field).resources.cpu", "must be a whole number where cores are whole"))
        }
        if !((1 << 20)...(1 << 50)).contains(resources.memoryBytes) {
            errors.append(FieldError("\(field).resources.memory", "must be 1MiB … 1PiB"))
        }
        validateDevices(of: resources, at: "\(field).resources", into: &errors)
        if group.constraints.count > 32 { errors.append(FieldError("\(field).constraints", "must be at most 32")) }
        validateCommand(of: group, at: field, into: &errors)
        if !group.workDirectory.isEmpty, !group.workDirectory.hasPrefix("/") || group.workDirectory.utf8.contains(0) {
            errors.append(FieldError("\(field).workdir", "must be an absolute path"))
        }
    }

    private func validateDevices(of resources: ResourceRequest, at field: String, into errors: inout [FieldError]) {
        let choices = resources.alternatives.count + (resources.devices == nil ? 0 : 1)
        if choices > ResourceRequest.choicesMax {
            errors.append(FieldError("\(field).anyOf", "must be at most \(ResourceRequest.choicesMax)"))
        }
        if let devices = resources.devices {
            let own = devices.kind.map { "\(field).\($0.name)" } ?? "\(field).computeUnits"
            validate(devices, at: resources.alternatives.isEmpty ? own : "\(field).anyOf[0]", into: &errors)
        }
        for (index, devices) in resources.alternatives.enumerated() {
            validate(devices, at: "\(field).anyOf[\(index + 1)]", into: &errors)
        }
    }

    private func validate(_ devices: DeviceRequest, at field: String, into errors: inout [FieldError]) {
        if devices.modelPattern.utf8.count > 256 { errors.append(FieldError("\(field).model", "must have at most 256 bytes")) }
        if devices.computeUnitsMilli != 0 { return validate(computeUnits: devices, at: field, into: &errors) }
        if !devices.template.isEmpty { return validate(partition: devices, at: field, into: &errors) }
        if devices.kind == nil { errors.append(FieldError(field, "must say gpu, npu or computeUnits")) }
        if !(1...1024).contains(devices.count) { errors.append(FieldError("\(field).count", "must be 1 … 1024")) }
        if !(0...1000).contains(devices.shareMilli) { errors.append(FieldError("\(field).share", "expected \(Quantity.shareForms)")) }
        if !(0...(1 << 50)).contains(devices.memoryBytes) {
            errors.append(FieldError("\(field).memory", "must be 0 … 1PiB"))
        }
        if devices.shareMilli == 0, devices.memoryBytes == 0 {
            errors.append(FieldError("\(field)", "needs count, share or memory"))
        }
    }

    private func validate(computeUnits devices: DeviceRequest, at field: String, into errors: inout [FieldError]) {
        if !(1...1_000_000_000).contains(devices.computeUnitsMilli) {
            errors.append(FieldError("\(field)", "must be 0.001 … 1000000 compute units"))
        }
        if devices.count != 0 || devices.shareMilli != 0 || devices.memoryBytes != 0 || !devices.template.isEmpty {
            errors.append(FieldError("\(field)", "compute units say how much: leave out count, share, memory and template"))
        }
    }

    private func validate(partition devices: DeviceRequest, at field: String, into errors: inout [FieldError]) {
        if !(1...1024).contains(devices.count) { errors.append(FieldError("\(field).count", "must be 1 … 1024")) }
        if !ObjectName.isValid(devices.template) { errors.append(FieldError("\(field).template", "must match \(ObjectName.grammar)")) }
        if devices.kind == nil || devices.shareMilli != 0 || devices.memoryBytes != 0 {
            errors.append(FieldError("\(field)", "the template says how much: leave out share and memory"))
        }
    }

    private func validateCommand(of group: TaskGroup, at field: String, into errors: inout [FieldError]) {
        if group.command.isEmpty || group.command[0].isEmpty {
            errors.append(FieldError("\(field).command", "must name a program"))
        }
        let bytes = group.command.reduce(0) { $0 + $1.utf8.count + 1 }
        if bytes > 128 << 10 { errors.append(FieldError("\(field).command", "must have at most 128 KiB")) }
        if group.command.contains(where: { $0.utf8.contains(0) }) {
            errors.append(FieldError("\(field).command", "must not hold a NUL byte"))
        }
        let sealed = group.environment.reduce(0) { $0 + $1.name.utf8.count + $1.sealedValue.count }
        if sealed > 256 << 10 { errors.append(FieldError("\(field).env", "must have at most 256 KiB")) }
        for variable in group.environment where !Self.isEnvironmentName(variable.name) {
            errors.append(FieldError("\(field).env", "'\(variable.name.prefix(80))' must match [A-Za-z_][A-Za-z0-9_]*"))
        }
    }

    /// POSIX names of environment variables.
    private static func isEnvironmentName(_ name: String) -> Bool {
        guard let first = name.utf8.first, first < 0x30 || first > 0x39, name.utf8.count <= 256 else { return false }
        return name.utf8.allSatisfy {
            ($0 >= 0x41 && $0 <= 0x5A) || ($0 >= 0x61 && $0 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x5F
        }
    }

    // MARK: - Files and secrets

    /// Inputs, or outputs, of one job.
    public static let filePlacesMax = 32
    public static let secretsMax = 32

    private func validateFiles(into errors: inout [FieldError]) {
        if inputs.count > Self.filePlacesMax { errors.append(FieldError("inputs", "must be at most \(Self.filePlacesMax)")) }
        if outputs.count > Self.filePlacesMax { errors.append(FieldError("outputs", "must be at most \(Self.filePlacesMax)")) }
        for (index, input) in inputs.enumerated() {
            check(path: input.path, field: "inputs[\(index)].to", into: &errors)
            if case .url(let text, _) = input.source { validate(url: text, of: input, at: "inputs[\(index)]", into: &errors) }
        }
        for (index, output) in outputs.enumerated() {
            check(path: output.path, field: "outputs[\(index)].from", into: &errors)
            if output.objectAddress == nil { check(path: output.destination, field: "outputs[\(index)].to", into: &errors) }
        }
        if isStaged, let index = groups.firstIndex(where: { !$0.workDirectory.isEmpty }) {
            errors.append(
                FieldError("groups[\(index)].workdir", "stands beside inputs or outputs: those need a work directory of the job's own"))
        }
        if secrets.count > Self.secretsMax { errors.append(FieldError("secrets", "must be at most \(Self.secretsMax)")) }
        for (index, secret) in secrets.enumerated() {
            check(name: secret.name, field: "secrets[\(index)].name", into: &errors)
            if !secret.variable.isEmpty, !Self.isEnvironmentName(secret.variable) {
                errors.append(FieldError("secrets[\(index)].env", "'\(secret.variable.prefix(80))' must match [A-Za-z_][A-Za-z0-9_]*"))
            }
        }
    }

    private func check(path: String, field: String, into errors: inout [FieldError]) {
        guard !path.isEmpty, !RelativePath.isValid(path) else { return }
        errors.append(FieldError(field, "'\(path.prefix(80))' must be \(RelativePath.grammar)"))
    }

    private func validate(url: String, of input: JobInput, at field: String, into errors: inout [FieldError]) {
        if url.hasPrefix(ObjectAddress.scheme) {
            if ObjectAddress(url) == nil { errors.append(FieldError("\(field).from", "must be \(ObjectAddress.grammar)")) }
            return
        }
        let isFetched = url.hasPrefix("https://") || url.hasPrefix("http://")
        if !isFetched || url.utf8.count > 4096 || url.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) {
            errors.append(FieldError("\(field).from", "must be an http:// or https:// address of at most 4096 bytes"))
        }
        if input.path.isEmpty { errors.append(FieldError("\(field).to", "must name the file that the download becomes")) }
    }
}
