import ArgumentParser

struct ShowCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show a job with its tasks and attempts.",
        discussion: "With -o json or yaml: the job object of the API, or the task's.\n\nEXAMPLE: suanpan show last")

    @Argument(help: "Job by number, or last; JOB.INDEX shows one task of it.")
    var job: String

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func perform(in context: CommandContext) async throws {
        let (job, task) = try JobSelector.parts(of: job)
        let client = try context.client(connection)
        let id = try await JobSelector.resolve(job, through: client)
        if let task { return try await show(task: task, of: id, client, context) }
        let object = try await client.get("/v1/jobs/\(id)")
        guard output.format == .table || output.format == .wide else {
            return context.console.write(Detail(object: object, human: { _ in "" }).text(as: output.format))
        }
        let limit = output.format == .wide ? nil : JobDescription.rowsMax
        let tasks = try await client.list("/v1/jobs/\(id)/tasks", limit: limit)
        let attempts = try await client.list("/v1/jobs/\(id)/attempts", limit: limit)
        let description = JobDescription(
            job: object, tasks: tasks, attempts: attempts, now: .now(), isWide: output.format == .wide, hasColour: context.console.hasColour
        )
        context.console.write(description.text)
    }

    /// One task: as the list of tasks has it, with all its attempts.
    private func show(
        task index: UInt32, of job: String, _ client: CoordinatorClient, _ context: CommandContext
    ) async throws(CommandFailure) {
        // A page of tasks begins at the index that its cursor names.
        let page = try await client.get("/v1/jobs/\(job)/tasks", query: [("cursor", "\(index)"), ("limit", "1")])
        guard let task = page["items"]?.items?.first else { throw CommandFailure(.notFound, "job \(job) has no task \(index)") }
        guard output.format == .table || output.format == .wide else {
            return context.console.write(Detail(object: task, human: { _ in "" }).text(as: output.format))
        }
        let attempts = try await client.list("/v1/jobs/\(job)/attempts", query: [("task", "\(index)")], limit: nil)
        let description = JobDescription(
            job: .null, tasks: page, attempts: attempts, now: .now(), isWide: output.format == .wide, hasColour: context.console.hasColour)
        context.console.write(description.taskText)
    }
}

/// A job for people: facts, then its tasks, then what each attempt got and how it ended.
struct JobDescription {
    /// Of tasks and of attempts, unless `-o wide` asks for all.
    static let rowsMax = 50

    let job: JSONValue
    let tasks: JSONValue
    let attempts: JSONValue
    let now: Timestamp
    let isWide: Bool
    let hasColour: Bool

    var text: String {
        var output = facts
        let total = job["tasks"]?["total"]?.integer ?? 1
        if total > 1 { output += section("TASKS", tasks, taskTable) }
        if attempts["items"]?.items?.isEmpty == false { output += section("ATTEMPTS", attempts, attemptTable) }
        return output
    }

    /// The tasks and attempts alone.
    var taskText: String {
        let shown = taskTable(tasks["items"]?.items ?? []).text(isWide: isWide, hasColour: hasColour)
        return attempts["items"]?.items?.isEmpty == false ? shown + section("ATTEMPTS", attempts, attemptTable) : shown
    }

    private var facts: String {
        let field = { (name: String) in job[name]?.scalarText }
        var lines: [(String, String?)] = [
            ("Job", "\(field("id") ?? "?")  \(field("name") ?? "")"), ("State", JobOutcome.sentence(job)),
            ("Kind", field("kind")), ("Project", field("project")), ("User", field("user")), ("Queue", field("queue")),
            ("Priority", field("priority")), ("Submitted", instant("submittedAt")), ("Begins", begins), ("Started", instant("startedAt")),
            ("Finished", instant("finishedAt")),
        ]
        if job["startedAt"] != nil { lines.append(("Elapsed", Instants.elapsed(job["startedAt"], job["finishedAt"], now: now))) }
        lines.append(("Exit code", field("exitCode")))
        lines.append(("Retry of", field("retryOf")))
        lines.append(("Array", job["array"]?.text))
        for group in job["groups"]?.items ?? [] { lines.append(("Group", ResourceText.group(group))) }
        let centers = (job["centers"]?.items ?? []).compactMap(\.text)
        if !centers.isEmpty { lines.append(("Centers", centers.joined(separator: ", "))) }
        lines.append(("Pool", field("pool")))
        lines.append(("Recurs", recurs))
        if job["needsInternet"]?.flag == true { lines.append(("Internet", "needed")) }
        let labels = (job["labels"]?.members ?? []).map { "\($0.name)=\($0.value.scalarText ?? "")" }
        if !labels.isEmpty { lines.append(("Labels", labels.joined(separator: ", "))) }
        if let total = job["tasks"]?["total"]?.integer, total > 1 { lines.append(("Tasks", JobsCommand.tasks(job["tasks"]))) }
        return Facts.text(lines)
    }

    private var begins: String? {
        guard job["startedAt"] == nil, let instant = Instants.parse(job["beginAt"]), instant > now else { return nil }
        return "\(instant.longText) (in \(Humanized.duration(seconds: instant.seconds - now.seconds)))"
    }

    /// How often, where the others are, and how it ends.
    private var recurs: String? {
        guard let recurrence = job["recur"], recurrence.members != nil else { return nil }
        let rule =
            recurrence["everySeconds"]?.integer.map { "every \(Humanized.duration(seconds: $0))" }
            ?? "at '\(recurrence["cron"]?.text ?? "")' (\(recurrence["offset"]?.text ?? "Z"))"
        guard let series = job["labels"]?["series"]?.scalarText else { return rule }
        return "\(rule); all runs: suanpan jobs --label series=\(series); cancelling the one that waits ends them"
    }

    private func instant(_ name: String) -> String? {
        Instants.parse(job[name]).map { "\($0.longText) (\(Humanized.duration(seconds: now.seconds - $0.seconds)) ago)" }
    }

    private func section(_ title: String, _ list: JSONValue, _ table: ([JSONValue]) -> Table) -> String {
        var output = "\n\(title)\n" + table(list["items"]?.items ?? []).text(isWide: isWide, hasColour: hasColour)
        if list["nextCursor"] != nil { output += "… more with -o wide\n" }
        return output
    }

    private func taskTable(_ items: [JSONValue]) -> Table {
        var table = Table([
            .init("TASK"), .init("STATE"), .init("REASON"), .init("NODE"), .init("ATTEMPT", isRightAligned: true),
            .init("EXIT", isRightAligned: true), .init("ELAPSED", isRightAligned: true), .init("GROUP", isWide: true),
            .init("RANK", isRightAligned: true, isWide: true), .init("INDEX", isRightAligned: true, isWide: true),
        ])
        for item in items {
            let field = { (name: String) in item[name]?.scalarText ?? "-" }
            table.append([
                .init(field("id")), .init(field("state"), tint: Tint(state: field("state"))), .init(item["reason"]?.text ?? ""),
                .init(field("node")),
                .init(field("attempt")), .init(field("exitCode")), .init(Instants.elapsed(item["startedAt"], item["endedAt"], now: now)),
                .init(field("group")), .init(field("rank")), .init(field("arrayIndex")),
            ])
        }
        return table
    }

    private func attemptTable(_ items: [JSONValue]) -> Table {
        var table = Table([
            .init("ATTEMPT"), .init("STATE"), .init("REASON"), .init("NODE"), .init("HOLDS"), .init("EXIT", isRightAligned: true),
            .init("ELAPSED", isRightAligned: true), .init("CPU", isRightAligned: true), .init("PEAK MEMORY", isRightAligned: true),
            .init("PLACED", isWide: true), .init("OUTPUT", isRightAligned: true, isWide: true), .init("DETAIL"),
        ])
        for item in items {
            let field = { (name: String) in item[name]?.scalarText ?? "-" }
            let end = item["end"]
            let output = end.map { ($0["stdoutBytes"]?.integer ?? 0) + ($0["stderrBytes"]?.integer ?? 0) }
            table.append([
                .init(field("id")), .init(field("state"), tint: Tint(state: field("state"))), .init(item["reason"]?.text ?? ""),
                .init(field("node")),
                .init(ResourceText.allocation(item["allocation"])), .init(end?["exitCode"]?.scalarText ?? "-"),
                .init(elapsed(item, end)),
                .init(end?["cpuTimeMilliseconds"]?.integer.map(Humanized.duration(milliseconds:)) ?? "-"),
                .init(end?["memoryPeakBytes"]?.integer.map(Humanized.bytes) ?? "-"), .init(Instants.short(item["placedAt"], now: now)),
                .init(output.map(Humanized.bytes) ?? "-"), .init(Self.detail(of: end)),
            ])
        }
        return table
    }

    /// As the node measured it. An end that the platform made up, for an attempt that was lost, has no measure.
    private func elapsed(_ attempt: JSONValue, _ end: JSONValue?) -> String {
        guard let measured = end?["elapsedMilliseconds"]?.integer, measured > 0 else {
            return Instants.elapsed(attempt["startedAt"], attempt["endedAt"], now: now)
        }
        return Humanized.duration(milliseconds: measured)
    }

    private static func detail(of end: JSONValue?) -> String {
        let dropped = end?["droppedBytes"]?.integer ?? 0
        let parts = [end?["detail"]?.text ?? "", dropped > 0 ? "\(Humanized.bytes(dropped)) of output dropped" : ""]
        return parts.filter { !$0.isEmpty }.joined(separator: "; ")
    }
}
