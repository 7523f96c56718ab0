import ArgumentParser

struct UsageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage", abstract: "What jobs have held, as the ledger says.",
        discussion: "EXAMPLE: suanpan usage summary --by project",
        subcommands: [List.self, Summary.self])

    struct List: Verb {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "List usage records in the ledger's order.",
            discussion: "EXAMPLE: suanpan usage ls --after 1000 -o jsonl")

        @Option(parsing: .unconditional, help: ArgumentHelp("Only records after this one.", valueName: "seq"))
        var after: UInt64?

        @Option(help: ArgumentHelp("Only records of this job, by number, or last.", valueName: "job"))
        var job: String?

        @Option(parsing: .unconditional, help: ArgumentHelp("At most so many.", valueName: "n"))
        var limit: Int = 100

        @Flag(help: "All of them, however many.")
        var all = false

        @OptionGroup var output: OutputOptions
        @OptionGroup var connection: ConnectionOptions

        func validate() throws {
            guard limit > 0 else { throw ValidationError("--limit: expected at least 1") }
        }

        func perform(in context: CommandContext) async throws {
            let client = try context.client(connection)
            var query: CoordinatorClient.Query = after.map { [("after", String($0))] } ?? []
            if let job { query.append(("job", try await JobSelector.resolve(job, through: client))) }
            let page = try await client.list("/v1/usage/records", query: query, limit: all ? nil : limit, cursorName: "after")
            let listing = Listing(page: page, identifier: "sequence") { UsageTable.records($0, now: .now()) }
            context.console.write(listing.text(as: output.format, hasColour: context.console.hasColour))
            // The ledger's order is from the oldest: without a word the newest would seem to be missing.
            if page["nextCursor"]?.scalarText != nil, context.console.outputIsTerminal {
                context.console.note("There are newer ones: --after SEQ, --limit N or --all.")
            }
        }
    }

    struct Summary: Verb {
        static let configuration = CommandConfiguration(
            commandName: "summary", abstract: "Sums by tenant, project, user, job or node.",
            discussion: "EXAMPLE: suanpan usage summary --by user --from 2026-01-01T00:00:00Z")

        @Option(help: "tenant, project, user, job or node.")
        var by = "project"

        @Option(help: ArgumentHelp("From this instant, RFC 3339.", valueName: "time"))
        var from: String?

        @Option(help: ArgumentHelp("Before this instant, RFC 3339.", valueName: "time"))
        var to: String?

        @OptionGroup var output: OutputOptions
        @OptionGroup var connection: ConnectionOptions

        func validate() throws {
            guard ["tenant", "project", "user", "job", "node"].contains(by) else {
                throw ValidationError("--by '\(by)': expected tenant, project, user, job or node")
            }
            for (option, text) in [("--from", from), ("--to", to)] {
                guard let text, Timestamp(rfc3339: text) == nil else { continue }
                throw ValidationError("\(option) '\(text)': expected RFC 3339, such as 2026-01-31T00:00:00Z")
            }
        }

        func perform(in context: CommandContext) async throws {
            var query: CoordinatorClient.Query = [("groupBy", by)]
            if let from { query.append(("from", from)) }
            if let to { query.append(("to", to)) }
            let page = try await context.client(connection).get("/v1/usage/summary", query: query)
            let listing = Listing(page: page, identifier: "group") { UsageTable.summary($0, by: by) }
            context.console.write(listing.text(as: output.format, hasColour: context.console.hasColour))
        }
    }
}

/// Usage for people: hours, as bills have them.
enum UsageTable {
    static func summary(_ rows: [JSONValue], by grouping: String) -> Table {
        var table = Table([
            .init(grouping.uppercased()), .init("RECORDS", isRightAligned: true), .init("CORE HOURS", isRightAligned: true),
            .init("GIB HOURS", isRightAligned: true), .init("DEVICE HOURS", isRightAligned: true), .init("CPU USED", isRightAligned: true),
            .init("SIMULATED", isWide: !rows.contains { $0["simulated"]?.flag == true }),
        ])
        for row in rows {
            let number = { (name: String) in row[name]?.integer ?? 0 }
            table.append([
                .init(row["group"]?.scalarText ?? "-"), .init("\(number("records"))"),
                .init(hours(number("cpuMilliSeconds"), unit: 1000)), .init(hours(number("memoryMiBSeconds"), unit: 1024)),
                .init(hours(number("deviceMilliSeconds"), unit: 1000)),
                .init(Humanized.duration(seconds: number("measuredCpuSeconds"))),
                .init(row["simulated"]?.flag == true ? "yes" : "no"),
            ])
        }
        return table
    }

    static func records(_ rows: [JSONValue], now: Timestamp) -> Table {
        var table = Table([
            .init("SEQ", isRightAligned: true), .init("ATTEMPT"), .init("PROJECT"), .init("USER"), .init("NODE"),
            .init("START"), .init("LASTED", isRightAligned: true), .init("HELD"), .init("END"), .init("BILLABLE", isWide: true),
            .init("SIMULATED", isWide: true),
        ])
        for row in rows {
            let field = { (name: String) in row[name]?.scalarText ?? "-" }
            let yes = { (name: String) in row[name]?.flag.map { $0 ? "yes" : "no" } ?? "-" }
            table.append([
                .init(field("sequence")), .init(field("attempt")), .init(field("project")), .init(field("user")), .init(field("node")),
                .init(Instants.short(row["start"], now: now)), .init(Instants.elapsed(row["start"], row["end"], now: now)),
                .init(ResourceText.allocation(row["allocated"])), .init(field("endReason")), .init(yes("billable")),
                .init(yes("simulated")),
            ])
        }
        return table
    }

    /// Two decimals, in integers: `unit` of the amount for an hour is 1.00.
    static func hours(_ amountSeconds: Int64, unit: Int64) -> String {
        let hundredths = amountSeconds / (unit * 36)
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}
