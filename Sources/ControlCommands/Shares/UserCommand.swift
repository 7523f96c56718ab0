import ArgumentParser

struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Users: the account that their jobs run as, and their weight in projects.",
        discussion: "EXAMPLE: suanpan user set ada --uid 1001 --gid 1001",
        subcommands: [
            ListShares<Users>.self, ShowShare<Users>.self, CreateShare<Users>.self, ChangeShare<Users>.self, RemoveShares<Users>.self,
        ])
}

struct UserOptions: ShareOptions {
    @Option(help: ArgumentHelp("User id on the nodes.", valueName: "n"))
    var uid: UInt32?

    @Option(help: ArgumentHelp("Group id on the nodes.", valueName: "n"))
    var gid: UInt32?

    @Flag(help: "Their jobs run as their agent's own user.")
    var noAccount = false

    @OptionGroup var rest: WeightOptions

    func validate() throws {
        guard (uid == nil) == (gid == nil) else { throw ValidationError("give --uid and --gid, or neither") }
        guard uid == nil || !noAccount else { throw ValidationError("give an account or --no-account, not both") }
    }

    func body() -> JSONObject {
        var body = rest.body()
        if let uid { body["uid"] = .integer(uid) }
        if let gid { body["gid"] = .integer(gid) }
        if noAccount { body["account"] = .string("none") }
        return body
    }
}

enum Users: ShareNoun {
    static let noun = "user"
    static let sample = "ada"
    static let creating = "A user also exists by having a key. Without an account, jobs run as their agent's own user."
    static let createExample = "ada --uid 1001 --gid 1001"
    static let changeExample = "ada --weight 2"
    static let isMadeBySet = true
    static func table(of items: [JSONValue]) -> Table {
        var table = Table(
            [.init("USER"), .init("UID", isRightAligned: true), .init("GID", isRightAligned: true), .init("WEIGHT", isRightAligned: true)]
                + HeldTable.columns)
        for item in items {
            let field = { (name: String) in item[name]?.scalarText ?? "-" }
            table.append(
                [.init(field("name")), .init(field("uid")), .init(field("gid")), .init(field("weight"))] + HeldTable.cells(of: item["use"]))
        }
        return table
    }
    typealias Creation = UserOptions
    typealias Change = UserOptions
}
