import ArgumentParser

struct PoolCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pool", abstract: "Pools: sets of nodes, for everybody or for some tenants.",
        discussion: """
            A node is in one pool at most: `suanpan node token --pool`, `suanpan node move`. A pool with tenants is theirs alone, and for jobs \
            that ask for it with --pool.

            EXAMPLE: suanpan pool create a100 --tenant vision --tenant speech
            """,
        subcommands: [
            ListShares<Pools>.self, ShowShare<Pools>.self, CreateShare<Pools>.self, ChangeShare<Pools>.self, RemoveShares<Pools>.self,
        ])
}

struct PoolOptions: ShareOptions {
    @Option(parsing: .singleValue, help: ArgumentHelp("A tenant that may use it, of all that may; may be repeated.", valueName: "tenant"))
    var tenant: [String] = []

    @Flag(help: "Everybody may use it.")
    var open = false

    func validate() throws {
        guard tenant.isEmpty || !open else { throw ValidationError("give tenants or --open, not both") }
    }

    func body() -> JSONObject {
        var body = JSONObject()
        if !tenant.isEmpty { body["tenants"] = .array(tenant.map(JSONValue.string)) }
        if open { body["tenants"] = .string("none") }
        return body
    }
}

enum Pools: ShareNoun {
    static let noun = "pool"
    static let sample = "a100"
    static let creating = "A pool also exists by having a node, or a token for some."
    static let createExample = "a100 --tenant vision"
    static let changeExample = "a100 --tenant vision --tenant speech"
    static let isMadeBySet = true
    static func table(of items: [JSONValue]) -> Table {
        var table = Table([
            .init("POOL"), .init("NODES", isRightAligned: true), .init("FOR"), .init("RUNNING", isRightAligned: true),
            .init("HELD/CAPACITY"),
        ])
        for item in items {
            let tenants = (item["tenants"]?.items ?? []).compactMap(\.text)
            table.append([
                .init(item["name"]?.text ?? "-"), .init(item["nodes"]?.scalarText ?? "-"),
                .init(item["open"]?.flag == true ? "everybody" : tenants.joined(separator: ", ")),
                .init(item["use"]?["runningTasks"]?.scalarText ?? "-"), .init(Limits.text(of: item["capacity"], beside: item["use"])),
            ])
        }
        return table
    }
    typealias Creation = PoolOptions
    typealias Change = PoolOptions
}
