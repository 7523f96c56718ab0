// The body of `POST /v1/jobs` from a job file and options. Amounts are judged here, before anything is sent, and go out
// as they were written.

import ClusterModel

/// Builds a job's body. What options do not say is left to the coordinator's defaults.
struct JobRequest {
    /// What surrounds the verb.
    struct Surroundings {
        var now: Timestamp
        var currentDirectory: String
        /// How far this machine's clock is ahead of UTC.
        var clockOffset = Span.zero
    }

    private var job: JSONObject
    private var group: JSONObject
    private var otherGroups: [JSONValue]

    /// The body, or what is wrong with it, every fault named.
    static func body(
        options: SubmitOptions, file: JSONValue?, surroundings: Surroundings
    ) throws(CommandFailure) -> JSONValue {
        var request = try JobRequest(file: file)
        try request.requireOneGroup(options)
        try request.applyJob(options, surroundings)
        try request.applyResources(options)
        try request.applyGroup(options, surroundings)
        return try request.finished()
    }

    private init(file: JSONValue?) throws(CommandFailure) {
        guard case .object(let object) = file ?? [:] else { throw JobFile.failure("must be a mapping of fields, such as name: …") }
        job = object
        group = JSONObject()
        otherGroups = []
        if let groups = job["groups"]?.items {
            if case .object(let first)? = groups.first { group = first }
            otherGroups = Array(groups.dropFirst())
        } else {
            // The short form: the fields of the only group stand in the job itself.
            for name in JobFileSchema.groupFields where name != "name" {
                group[name] = job[name]
                job[name] = nil
            }
        }
    }

    /// An option for "the" group is ambiguous where the file has several.
    private func requireOneGroup(_ options: SubmitOptions) throws(CommandFailure) {
        guard !otherGroups.isEmpty else { return }
        let given: [(String, Bool)] = [
            ("--cpus", options.cpus != nil), ("--memory", options.memory != nil), ("--gpus", options.gpus != nil),
            ("--npus", options.npus != nil), ("--gpu-memory", options.gpuMemory != nil), ("--gpu-share", options.gpuShare != nil),
            ("--gpu-model", options.gpuModel != nil), ("--tasks", options.tasks != nil), ("--env", !options.env.isEmpty),
            ("--gpu-template", options.gpuTemplate != nil), ("--npu-template", options.npuTemplate != nil),
            ("--compute-units", options.computeUnits != nil), ("--whole-cores", options.wholeCores),
            ("--topology", !options.topology.isEmpty), ("--spread", options.spread), ("--pack", options.pack),
            ("--workdir", options.workdir != nil), ("--constraint", !options.constraint.isEmpty), ("a command", !options.command.isEmpty),
        ]
        guard let ambiguous = given.first(where: \.1) else { return }
        throw CommandFailure(
            .usage, "\(ambiguous.0) does not say which of the file's \(otherGroups.count + 1) groups it means",
            remedy: "write it into the job file")
    }

    // MARK: - The job

    private mutating func applyJob(_ options: SubmitOptions, _ surroundings: Surroundings) throws(CommandFailure) {
        if let name = options.name { job["name"] = .string(try named(name, "--name")) }
        if let kind = options.kind { job["kind"] = .string(try oneOf(JobKind.allCases.map(\.name), kind, "--kind")) }
        try applyProject(options)
        if let queue = options.queue { job["queue"] = .string(try named(queue, "--queue")) }
        if let priority = options.priority {
            guard (-1000...1000).contains(priority) else { throw invalid("--priority", "\(priority)", "-1000 … 1000") }
            job["priority"] = .integer(priority)
        }
        if options.preemptible { job["preemptible"] = .bool(true) }
        if let array = options.array {
            try check("--array", array) { text throws(QuantityError) in _ = try ArrayRange(parsing: text) }
            job["array"] = .string(array)
        }
        try applyDependencies(options)
        if let begin = options.begin { job["beginAt"] = .string(try BeginTime.parse(begin, now: surroundings.now).rfc3339) }
        if let limit = options.timeLimit {
            try check("--time-limit", limit) { text throws(QuantityError) in _ = try Quantity.span(text) }
            job["timeLimit"] = .string(limit)
        }
        if let estimate = options.estimate {
            try check("--estimate", estimate) { text throws(QuantityError) in _ = try Quantity.span(text) }
            job["estimate"] = .string(estimate)
        }
        if let deadline = options.deadline { job["deadline"] = .string(try BeginTime.parse(deadline, now: surroundings.now).rfc3339) }
        if let pending = options.maxPending {
            try check("--max-pending", pending) { text throws(QuantityError) in _ = try Quantity.span(text) }
            job["maxPending"] = .string(pending)
        }
        if options.hold { job["hold"] = .bool(true) }
        try applyRecurrence(options, surroundings)
        if let pool = options.pool { job["pool"] = .string(try named(pool, "--pool")) }
        if let signal = options.checkpointSignal {
            let name = try oneOf(CheckpointSignal.allCases.map(\.name), signal, "--checkpoint-signal")
            job["checkpoint"] = set("signal", .string(name), in: job["checkpoint"])
        }
        if let interval = options.checkpointInterval {
            try check("--checkpoint-interval", interval) { text throws(QuantityError) in _ = try Quantity.span(text) }
            job["checkpoint"] = set("interval", .string(interval), in: job["checkpoint"])
        }
        if let retries = options.retries { job["retry"] = set("limit", .integer(retries), in: job["retry"]) }
        if let checkpoint = options.checkpoint { job["checkpoint"] = set("path", .string(checkpoint), in: job["checkpoint"]) }
        if let grace = options.grace {
            try check("--grace", grace) { text throws(QuantityError) in _ = try Quantity.span(text) }
            // A file may have it in either place; it counts once.
            if case .object(var checkpoint)? = job["checkpoint"] {
                checkpoint["grace"] = nil
                job["checkpoint"] = .object(checkpoint)
            }
            job["grace"] = .string(grace)
        }
        try applyFiles(options)
        for center in options.center { append(.string(try named(center, "--center")), to: "centers") }
        if options.needsInternet { job["needsInternet"] = .bool(true) }
        if let policy = options.onNodeLost {
            job["onNodeLost"] = .string(try oneOf(NodeLossPolicy.allCases.map(\.name), policy, "--on-node-lost"))
        }
        for label in options.label {
            let (name, value) = try pair(label, "--label")
            job["labels"] = set(try named(name, "--label"), .string(value), in: job["labels"])
        }
    }

    private mutating func applyRecurrence(_ options: SubmitOptions, _ surroundings: Surroundings) throws(CommandFailure) {
        if options.every != nil, options.cron != nil { throw CommandFailure(.usage, "give --every or --cron, not both") }
        if let every = options.every {
            try check("--every", every) { text throws(QuantityError) in _ = try Quantity.span(text) }
            job["recur"] = set("every", .string(every), in: job["recur"])
        }
        if let cron = options.cron {
            try check("--cron", cron) { text throws(QuantityError) in _ = try CalendarRule(parsing: text) }
            job["recur"] = set("cron", .string(cron), in: job["recur"])
        }
        if let offset = options.cronOffset {
            try check("--cron-offset", offset) { text throws(QuantityError) in _ = try ClockOffset.parse(text) }
            job["recur"] = set("offset", .string(offset), in: job["recur"])
        } else if options.cron != nil {
            job["recur"] = set("offset", .string(ClockOffset.text(surroundings.clockOffset)), in: job["recur"])
        }
        if options.overlap { job["recur"] = set("overlap", .bool(true), in: job["recur"]) }
        if let until = options.until {
            job["recur"] = set("until", .string(try BeginTime.parse(until, now: surroundings.now).rfc3339), in: job["recur"])
        }
    }

    private mutating func applyFiles(_ options: SubmitOptions) throws(CommandFailure) {
        for text in options.input { append(try JobInputs.input(text), to: "inputs") }
        for text in options.output { append(try JobInputs.output(text), to: "outputs") }
        for text in options.secret { append(try JobInputs.secret(text), to: "secrets") }
    }

    private mutating func append(_ item: JSONValue, to list: String) { job[list] = .array((job[list]?.items ?? []) + [item]) }

    private mutating func applyProject(_ options: SubmitOptions) throws(CommandFailure) {
        guard options.tenant != nil || options.project != nil else { return }
        let parts = (options.project ?? "default").split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 2, parts.count == 1 || options.tenant == nil || options.tenant == parts[0] else {
            throw invalid("--project", options.project ?? "", "PROJECT, or TENANT/PROJECT of the same tenant as --tenant")
        }
        let project = try named(parts[parts.count - 1], "--project")
        let tenant = try (parts.count == 2 ? parts[0] : options.tenant).map { tenant throws(CommandFailure) in try named(tenant, "--tenant")
        }
        // Without a tenant, the coordinator takes the key's.
        job["project"] = .string(tenant.map { "\($0)/\(project)" } ?? project)
    }

    private mutating func applyDependencies(_ options: SubmitOptions) throws(CommandFailure) {
        var dependencies = job["after"].flatMap(\.items) ?? []
        let given = [
            ("--after", "ok", options.after), ("--after-ok", "ok", options.afterOk), ("--after-any", "any", options.afterAny),
            ("--after-fail", "fail", options.afterFail),
        ]
        for (option, condition, jobs) in given {
            for text in jobs.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }) {
                guard let id = JobID(parsing: text) else { throw invalid(option, String(text), "the number of a job, or last") }
                dependencies.append(["job": .string(id.description), "when": .string(condition)])
            }
        }
        if !dependencies.isEmpty { job["after"] = .array(dependencies) }
    }

    // MARK: - Its group

    private mutating func applyResources(_ options: SubmitOptions) throws(CommandFailure) {
        if let cpus = options.cpus {
            try check("--cpus", cpus) { text throws(QuantityError) in _ = try Quantity.cpuMilli(text) }
            setResource("cpu", .string(cpus))
        }
        if let memory = options.memory {
            try check("--memory", memory) { text throws(QuantityError) in _ = try Quantity.bytes(text) }
            setResource("memory", .string(memory))
        }
        if options.wholeCores { setResource("wholeCores", .bool(true)) }
        try applyDevices(options)
    }

    /// One way of having devices: options for two of them contradict each other.
    private mutating func applyDevices(_ options: SubmitOptions) throws(CommandFailure) {
        let hasGPUDetail =
            options.gpuMemory != nil || options.gpuShare != nil || options.gpuModel != nil || options.gpuTemplate != nil
        let wantsGPU = options.gpus.map { $0 > 0 } ?? false || hasGPUDetail
        let wantsNPU = options.npus.map { $0 > 0 } ?? false || options.npuTemplate != nil
        if options.npus == 0, options.npuTemplate != nil { throw CommandFailure(.usage, "--npus 0 with --npu-template") }
        if options.gpus == 0, hasGPUDetail { throw CommandFailure(.usage, "--gpus 0 with another --gpu option") }
        let wanted = [wantsGPU, wantsNPU, options.computeUnits != nil].count(where: \.self)
        guard wanted <= 1 else {
            throw CommandFailure(
                .usage, "a task has GPUs, NPUs or compute units, not two of them",
                remedy: "say what will do instead in a job file, in anyOf")
        }
        guard wanted == 1 else { return }
        guard group["resources"]?["anyOf"] == nil else {
            throw CommandFailure(.usage, "the file says in anyOf which devices will do", remedy: "change them there")
        }
        if let units = options.computeUnits {
            try check("--compute-units", units) { text throws(QuantityError) in _ = try Quantity.computeUnitsMilli(text) }
            setResource("computeUnits", .string(units))
        }
        if wantsNPU {
            var npu = group["resources"]?["npu"]
            if case .number? = npu, let count = npu { npu = ["count": count] }
            if let count = options.npus ?? (npu?["count"] == nil ? 1 : nil) { npu = set("count", .integer(count), in: npu) }
            if let template = options.npuTemplate { npu = set("template", .string(template), in: npu) }
            if let npu { setResource("npu", npu) }
        }
        if wantsGPU { try applyGPU(options) }
    }

    private mutating func applyGPU(_ options: SubmitOptions) throws(CommandFailure) {
        var gpu = group["resources"]?["gpu"]
        if case .number? = gpu, let count = gpu { gpu = ["count": count] }
        if let count = options.gpus ?? (gpu?["count"] == nil ? 1 : nil) { gpu = set("count", .integer(count), in: gpu) }
        if let share = options.gpuShare {
            try check("--gpu-share", share) { text throws(QuantityError) in _ = try Quantity.shareMilli(text) }
            gpu = set("share", .string(share), in: gpu)
        }
        if let memory = options.gpuMemory {
            try check("--gpu-memory", memory) { text throws(QuantityError) in _ = try Quantity.bytes(text) }
            gpu = set("memory", .string(memory), in: gpu)
        }
        if let model = options.gpuModel { gpu = set("model", .string(model), in: gpu) }
        if let template = options.gpuTemplate { gpu = set("template", .string(template), in: gpu) }
        if let gpu { setResource("gpu", gpu) }
    }

    private mutating func applyTopology(_ options: SubmitOptions) throws(CommandFailure) {
        if options.spread, options.pack { throw CommandFailure(.usage, "--spread and --pack contradict each other") }
        if options.spread { group["spread"] = .bool(true) }
        if options.pack { group["spread"] = .bool(false) }
        let levels = TopologyRequest.levels.map(\.name)
        for text in options.topology {
            let (level, wish) = try pair(text, "--topology")
            _ = try oneOf(levels, level, "--topology")
            group["topology"] = set(
                level, .string(try oneOf(TopologyWish.allCases.map(\.name), wish, "--topology")), in: group["topology"])
        }
    }

    private mutating func applyGroup(_ options: SubmitOptions, _ surroundings: Surroundings) throws(CommandFailure) {
        if let tasks = options.tasks {
            guard tasks > 0 else { throw invalid("--tasks", "0", "at least 1") }
            group["count"] = .integer(tasks)
        }
        try applyTopology(options)
        for text in options.constraint {
            try check("--constraint", text) { text throws(QuantityError) in _ = try Constraint(parsing: text) }
            group["constraints"] = .array((group["constraints"]?.items ?? []) + [.string(text)])
        }
        if !options.command.isEmpty { group["command"] = .array(options.command.map(JSONValue.string)) }
        for variable in options.env {
            let (name, value) = try pair(variable, "--env")
            group["env"] = set(name, .string(value), in: group["env"])
        }
        if let directory = options.workdir {
            group["workdir"] = .string(directory.hasPrefix("/") ? directory : surroundings.currentDirectory + "/" + directory)
        }
    }

    private mutating func setResource(_ name: String, _ value: JSONValue) {
        group["resources"] = set(name, value, in: group["resources"])
    }

    // MARK: - The whole

    private mutating func finished() throws(CommandFailure) -> JSONValue {
        guard !otherGroups.isEmpty || group["command"]?.items?.isEmpty == false else {
            throw CommandFailure(.usage, "there is nothing to run", remedy: "give a job file with -f, or a command after --")
        }
        job["groups"] = .array([.object(group)] + otherGroups)
        return .object(job)
    }

    // MARK: - Checks

    private func set(_ name: String, _ value: JSONValue, in object: JSONValue?) -> JSONValue {
        var members = JSONObject()
        if case .object(let present)? = object { members = present }
        members[name] = value
        return .object(members)
    }

    private func invalid(_ option: String, _ text: String, _ expected: String) -> CommandFailure {
        CommandFailure(.usage, "\(option) '\(text)': expected \(expected)")
    }

    private func check(_ option: String, _ text: String, _ parse: (String) throws(QuantityError) -> Void) throws(CommandFailure) {
        do { try parse(text) } catch { throw invalid(option, text, error.expected) }
    }

    private func named(_ name: String, _ option: String) throws(CommandFailure) -> String {
        guard ObjectName.isValid(name) else { throw invalid(option, name, ObjectName.grammar) }
        return name
    }

    private func oneOf(_ names: [String], _ text: String, _ option: String) throws(CommandFailure) -> String {
        guard names.contains(text) else { throw invalid(option, text, names.joined(separator: ", ")) }
        return text
    }

    private func pair(_ text: String, _ option: String) throws(CommandFailure) -> (String, String) {
        guard let sign = text.firstIndex(of: "="), sign != text.startIndex else { throw invalid(option, text, "NAME=VALUE") }
        return (String(text[..<sign]), String(text[text.index(after: sign)...]))
    }
}
