import ArgumentParser

struct TenantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tenant", abstract: "Tenants: who shares the cluster, by weight.",
        discussion:
            "Between tenants that have work, one of twice the weight gets twice the room.\n\nEXAMPLE: suanpan tenant create vision --weight 2",
        subcommands: [
            ListShares<Tenants>.self, ShowShare<Tenants>.self, CreateShare<Tenants>.self, ChangeShare<Tenants>.self,
            RemoveShares<Tenants>.self,
        ])
}

struct ProjectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "project", abstract: "Projects: who shares a tenant's part, by weight.",
        discussion: "EXAMPLE: suanpan project create vision/demo",
        subcommands: [
            ListShares<Projects>.self, ShowShare<Projects>.self, CreateShare<Projects>.self, ChangeShare<Projects>.self,
            RemoveShares<Projects>.self,
        ])
}

struct QueueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue", abstract: "Queues: parts of the cluster with guarantees, ceilings and weights.",
        discussion: """
            A queue gets its guarantee whenever it has work for it, and holds its ceiling at most. What it does not use of its guarantee \
            others may borrow with preemptible jobs, up to what it lends.

            EXAMPLE: suanpan queue create research --guarantee devices=16,cpus=128 --ceiling devices=32
            """,
        subcommands: [
            ListShares<Queues>.self, ShowShare<Queues>.self, CreateShare<Queues>.self, ChangeShare<Queues>.self, RemoveShares<Queues>.self,
        ])
}

struct QuotaCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quota", abstract: "Quotas: the most that some jobs may hold together.",
        discussion: """
            A quota counts the jobs of all that it names: of a tenant, a project, a user, a queue, or of everybody.

            EXAMPLE: suanpan quota create vision-cap --tenant vision --devices 8 --queued-jobs 1000
            """,
        subcommands: [
            ListShares<Quotas>.self, ShowShare<Quotas>.self, CreateShare<Quotas>.self, ChangeShare<Quotas>.self, RemoveShares<Quotas>.self,
        ])
}

// MARK: - Tenants and projects

struct WeightOptions: ShareOptions {
    @Option(help: ArgumentHelp("Its weight beside others, 1 … 1000; 1 where nothing is said.", valueName: "n"))
    var weight: UInt32?

    func body() -> JSONObject {
        var body = JSONObject()
        if let weight { body["weight"] = .integer(weight) }
        return body
    }
}

enum Tenants: ShareNoun {
    static let noun = "tenant"
    static let sample = "vision"
    static let creating = "A tenant also exists by having a key. Its jobs may be told apart by project."
    static let createExample = "vision --weight 2"
    static let changeExample = "vision --weight 3"
    static func table(of items: [JSONValue]) -> Table { HeldTable.table(of: items, title: "TENANT") }
    typealias Creation = WeightOptions
    typealias Change = WeightOptions
}

enum Projects: ShareNoun {
    static let noun = "project"
    static let sample = "vision/demo"
    static let creating = "Every tenant has the project 'default'."
    static let createExample = "vision/demo"
    static let changeExample = "vision/demo --weight 3"
    static func table(of items: [JSONValue]) -> Table { HeldTable.table(of: items, title: "PROJECT") }
    typealias Creation = WeightOptions
    typealias Change = WeightOptions
}

/// Lists of who holds how much.
enum HeldTable {
    static func table(of items: [JSONValue], title: String) -> Table {
        var table = Table([.init(title), .init("WEIGHT", isRightAligned: true)] + columns)
        for item in items {
            table.append([.init(item["id"]?.text ?? "-"), .init(item["weight"]?.scalarText ?? "-")] + cells(of: item["use"]))
        }
        return table
    }

    static let columns: [Table.Column] = ["JOBS", "RUNNING", "CPUS", "MEMORY", "DEVICES", "RECENTLY"].map {
        .init($0, isRightAligned: true)
    }

    static func cells(of use: JSONValue?) -> [Table.Cell] {
        let number = { (name: String) in use?[name]?.integer ?? 0 }
        return [
            .init("\(number("jobs"))"), .init("\(number("runningTasks"))"), .init(Humanized.cores(milli: number("cpuMilli"))),
            .init(Humanized.bytes(number("memoryBytes"))), .init(Humanized.milli(number("deviceMilli"))),
            .init("\(Humanized.milli(number("recentMilli") * 100))%"),
        ]
    }
}

// MARK: - Queues

struct QueueChangeOptions: ShareOptions {
    @Option(help: ArgumentHelp("Its weight beside others, 1 … 1000.", valueName: "n"))
    var weight: UInt32?

    @Option(help: ArgumentHelp("Its own whenever it has work: \(AmountList.help).", valueName: "amounts"))
    var guarantee: String?

    @Option(help: ArgumentHelp("Most that it holds.", valueName: "amounts"))
    var ceiling: String?

    @Option(help: ArgumentHelp("Most that it holds beyond its guarantee.", valueName: "amounts"))
    var borrow: String?

    @Option(
        help: ArgumentHelp("Most of its guarantee that others may use meanwhile; all of it where nothing is said.", valueName: "amounts"))
    var lend: String?

    @Option(help: ArgumentHelp("Of the queue 'root': after so long, use counts half.", valueName: "duration"))
    var halfLife: String?

    func body() throws(CommandFailure) -> JSONObject {
        var body = JSONObject()
        if let weight { body["weight"] = .integer(weight) }
        for (name, text) in [("guarantee", guarantee), ("ceiling", ceiling), ("borrow", borrow), ("lend", lend)] {
            if let text { body[name] = try AmountList.body(text, option: "--\(name)") }
        }
        if let halfLife { body["halfLife"] = .string(halfLife) }
        return body
    }
}

struct QueueCreationOptions: ShareOptions {
    @Option(help: ArgumentHelp("The queue that it is a part of.", valueName: "queue"))
    var parent: String?

    @OptionGroup var rest: QueueChangeOptions

    func body() throws(CommandFailure) -> JSONObject {
        var body = try rest.body()
        if let parent { body["parent"] = .string(parent) }
        return body
    }
}

enum Queues: ShareNoun {
    static let noun = "queue"
    static let sample = "research"
    static let creating = "Jobs name it with --queue. A queue with queues in it takes no jobs itself."
    static let createExample = "research --guarantee devices=16 --ceiling devices=32"
    static let changeExample = "research --lend devices=8"
    static func table(of items: [JSONValue]) -> Table {
        var table = Table(
            [.init("QUEUE"), .init("PARENT"), .init("WEIGHT", isRightAligned: true), .init("GUARANTEE"), .init("CEILING")]
                + HeldTable.columns)
        for item in items {
            table.append(
                [
                    .init(item["id"]?.text ?? "-"), .init(item["parent"]?.text ?? "-"), .init(item["weight"]?.scalarText ?? "-"),
                    .init(Limits.text(of: item["guarantee"])), .init(Limits.text(of: item["ceiling"])),
                ] + HeldTable.cells(of: item["use"]))
        }
        return table
    }
    typealias Creation = QueueCreationOptions
    typealias Change = QueueChangeOptions
}

/// Amounts in a cell of a table.
enum Limits {
    static func text(of amounts: JSONValue?, beside use: JSONValue? = nil) -> String {
        var parts: [String] = []
        func add(_ name: String, _ unit: String, _ text: (Int64) -> String) {
            guard let most = amounts?[name]?.integer else { return }
            let held = use.map { "\(text($0[name]?.integer ?? 0))/" } ?? ""
            parts.append("\(held)\(text(most)) \(unit)")
        }
        add("cpuMilli", "cores") { Humanized.cores(milli: $0) }
        add("memoryBytes", "memory") { Humanized.bytes($0) }
        add("deviceMilli", "devices") { Humanized.milli($0) }
        add("computeUnitsMilli", "CU") { Humanized.milli($0) }
        add("runningTasks", "running tasks") { "\($0)" }
        add("queuedJobs", "queued jobs") { "\($0)" }
        for (index, model) in (amounts?["models"]?.items ?? []).enumerated() {
            let held = use?["models"]?.items.flatMap { index < $0.count ? $0[index]["deviceMilli"]?.integer : nil }
            let before = held.map { "\(Humanized.milli($0))/" } ?? ""
            parts.append("\(before)\(Humanized.milli(model["deviceMilli"]?.integer ?? 0)) \(model["model"]?.text ?? "")")
        }
        return parts.isEmpty ? "-" : parts.joined(separator: ", ")
    }
}

// MARK: - Quotas

struct QuotaChangeOptions: ShareOptions {
    @Option(help: ArgumentHelp("Cores.", valueName: "n"))
    var cpus: String?

    @Option(help: ArgumentHelp("Memory.", valueName: "size"))
    var memory: String?

    @Option(help: ArgumentHelp("Devices of any kind; a share counts as its part.", valueName: "n"))
    var devices: String?

    @Option(help: ArgumentHelp("Devices whose model is like a pattern, such as '*A100*=4'; may be repeated.", valueName: "pattern=n"))
    var devicesOf: [String] = []

    @Option(help: ArgumentHelp("Compute units.", valueName: "n"))
    var computeUnits: String?

    @Option(help: ArgumentHelp("Tasks that run at once.", valueName: "n"))
    var runningTasks: String?

    @Option(help: ArgumentHelp("Jobs of which nothing has started.", valueName: "n"))
    var queuedJobs: String?

    func body() throws(CommandFailure) -> JSONObject {
        var limits = JSONObject()
        for (name, text) in [
            ("cpu", cpus), ("memory", memory), ("devices", devices), ("computeUnits", computeUnits), ("runningTasks", runningTasks),
            ("queuedJobs", queuedJobs),
        ] { if let text { limits[name] = .string(text) } }
        var models: [JSONValue] = []
        for text in devicesOf {
            guard let split = text.lastIndex(of: "="), split > text.startIndex else {
                throw CommandFailure(.usage, "--devices-of '\(text)': expected PATTERN=N, such as '*A100*=4'")
            }
            models.append(["model": .string(String(text[..<split])), "devices": .string(String(text[text.index(after: split)...]))])
        }
        if !models.isEmpty { limits["models"] = .array(models) }
        var body = JSONObject()
        if !limits.isEmpty { body["limits"] = .object(limits) }
        return body
    }
}

struct QuotaCreationOptions: ShareOptions {
    @Option(help: "Counts jobs of this tenant.")
    var tenant: String?

    @Option(help: "Counts jobs of this project of the tenant.")
    var project: String?

    @Option(help: "Counts jobs of this user.")
    var user: String?

    @Option(help: "Counts jobs in this queue.")
    var queue: String?

    @Flag(help: "Every user has so much for himself.")
    var eachUser = false

    @OptionGroup var rest: QuotaChangeOptions

    func body() throws(CommandFailure) -> JSONObject {
        var body = try rest.body()
        for (name, text) in [("tenant", tenant), ("project", project), ("user", user), ("queue", queue)] {
            if let text { body[name] = .string(text) }
        }
        if eachUser { body["eachUser"] = .bool(true) }
        return body
    }
}

enum Quotas: ShareNoun {
    static let noun = "quota"
    static let sample = "vision-cap"
    static let creating = "Without a tenant, project, user or queue it counts all jobs."
    static let createExample = "vision-cap --tenant vision --devices 8 --devices-of '*A100*=4'"
    static let changeExample = "vision-cap --devices 16 --running-tasks none"
    static func table(of items: [JSONValue]) -> Table {
        var table = Table([.init("QUOTA"), .init("COUNTS"), .init("HELD/LIMIT")])
        for item in items {
            let selectors = ["tenant", "project", "user", "queue"].compactMap { name in item[name]?.text.map { "\(name) \($0)" } }
            let whom = selectors.isEmpty ? "all jobs" : selectors.joined(separator: ", ")
            let isForEach = item["eachUser"]?.flag == true
            table.append([
                .init(item["id"]?.text ?? "-"), .init(isForEach ? "\(whom), each user" : whom),
                .init(Limits.text(of: item["limits"], beside: item["use"])),
            ])
        }
        return table
    }
    typealias Creation = QuotaCreationOptions
    typealias Change = QuotaChangeOptions
}
