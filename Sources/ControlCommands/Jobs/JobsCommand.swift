import ArgumentParser
import ClusterModel

struct JobsCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "List jobs, newest first.", discussion: "EXAMPLE: suanpan jobs --state running --label team=vision")

    @Option(parsing: .singleValue, help: "Only jobs in this state; may be repeated.")
    var state: [String] = []

    @Option(help: "Only jobs of this user.")
    var user: String?

    @Option(parsing: .singleValue, help: ArgumentHelp("Only jobs with this label; may be repeated.", valueName: "k=v"))
    var label: [String] = []

    @Option(parsing: .unconditional, help: ArgumentHelp("At most so many.", valueName: "n"))
    var limit: Int = 50

    @Flag(help: "All of them, however many.")
    var all = false

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        let valid = JobState.allCases.map(\.name)
        for text in states where !valid.contains(text) {
            throw ValidationError("--state '\(text)': expected \(valid.joined(separator: ", "))")
        }
        guard limit > 0 else { throw ValidationError("--limit: expected at least 1") }
    }

    private var states: [String] { state.flatMap { $0.split(separator: ",").map(String.init) } }

    func perform(in context: CommandContext) async throws {
        var query: CoordinatorClient.Query = []
        if !states.isEmpty { query.append(("state", states.joined(separator: ","))) }
        if let user { query.append(("user", user)) }
        query += label.map { ("label", $0) }
        let page = try await context.client(connection).list("/v1/jobs", query: query, limit: all ? nil : limit)
        let listing = Listing(page: page) { Self.table(of: $0, now: .now()) }
        context.console.write(listing.text(as: output.format, hasColour: context.console.hasColour))
        if page["nextCursor"] != nil, context.console.outputIsTerminal { context.console.note("There are more: --limit N or --all.") }
    }

    static func table(of jobs: [JSONValue], now: Timestamp) -> Table {
        var table = Table([
            .init("ID", isRightAligned: true), .init("NAME"), .init("STATE"), .init("REASON"), .init("TASKS", isRightAligned: true),
            .init("AGE", isRightAligned: true), .init("USER", isWide: true), .init("PROJECT", isWide: true), .init("QUEUE", isWide: true),
            .init("PRIORITY", isRightAligned: true, isWide: true), .init("SUBMITTED", isWide: true), .init("STARTED", isWide: true),
            .init("FINISHED", isWide: true),
        ])
        for job in jobs {
            let field = { (name: String) in job[name]?.scalarText ?? "" }
            table.append([
                .init(field("id")), .init(field("name")), .init(field("state"), tint: Tint(state: field("state"))), .init(field("reason")),
                .init(Self.tasks(job["tasks"])), .init(Instants.age(job["submittedAt"], now: now)), .init(field("user")),
                .init(field("project")), .init(field("queue")), .init(field("priority")),
                .init(Instants.short(job["submittedAt"], now: now)),
                .init(Instants.short(job["startedAt"], now: now)), .init(Instants.short(job["finishedAt"], now: now)),
            ])
        }
        return table
    }

    /// `ended/total`, and what runs: `3/10 (4 running)`; `1` for a job of one task.
    static func tasks(_ counts: JSONValue?) -> String {
        let count = { (name: String) in counts?[name]?.integer ?? 0 }
        let total = count("total")
        guard total > 1 else { return "\(total)" }
        let live = count("starting") + count("running") + count("stopping")
        let ended = count("succeeded") + count("failed") + count("cancelled")
        return "\(ended)/\(total)" + (live > 0 ? " (\(live) running)" : "")
    }
}

/// Instants of the API as tables show them; `-` where there is none yet.
enum Instants {
    static func parse(_ value: JSONValue?) -> Timestamp? { value?.text.flatMap { Timestamp(rfc3339: $0) } }

    static func age(_ value: JSONValue?, now: Timestamp) -> String {
        parse(value).map { Humanized.duration(seconds: now.seconds - $0.seconds) } ?? "-"
    }

    static func short(_ value: JSONValue?, now: Timestamp) -> String { parse(value).map { $0.shortText(now: now) } ?? "-" }

    /// From the one to the other, or to now; `-` before the start.
    static func elapsed(_ start: JSONValue?, _ end: JSONValue?, now: Timestamp) -> String {
        parse(start).map { Humanized.duration(seconds: (parse(end) ?? now).seconds - $0.seconds) } ?? "-"
    }
}
