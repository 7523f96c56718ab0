// The verbs that tenants, projects, users, queues, quotas and pools have in common.

import ArgumentParser

/// What the verbs of one kind of object differ in.
protocol ShareNoun: Sendable {
    associatedtype Creation: ShareOptions
    associatedtype Change: ShareOptions

    /// As it is typed and as sentences have it.
    static var noun: String { get }
    /// A name in examples.
    static var sample: String { get }
    static var createExample: String { get }
    static var changeExample: String { get }
    static var creating: String { get }
    /// `set` makes what is not there yet.
    static var isMadeBySet: Bool { get }
    static func table(of items: [JSONValue]) -> Table
}

extension ShareNoun {
    static var resource: String { "/v1/\(noun)s" }
    static var isMadeBySet: Bool { false }

    static func path(_ name: String) -> String {
        resource + name.split(separator: "/", omittingEmptySubsequences: false).map { "/" + CoordinatorClient.escape(String($0)) }.joined()
    }
}

/// Options that become members of a request.
protocol ShareOptions: ParsableArguments {
    func body() throws(CommandFailure) -> JSONObject
}

struct ListShares<Noun: ShareNoun>: Verb {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "ls", abstract: "List \(Noun.noun == "quota" ? "quotas" : "\(Noun.noun)s") and what is held.",
            discussion: "EXAMPLE: suanpan \(Noun.noun) ls")
    }

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func perform(in context: CommandContext) async throws {
        let page = try await context.client(connection).list(Noun.resource, limit: nil)
        let listing = Listing(page: page, identifier: "id", table: Noun.table)
        context.console.write(listing.text(as: output.format, hasColour: context.console.hasColour))
    }
}

struct ShowShare<Noun: ShareNoun>: Verb {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "show", abstract: "Show one \(Noun.noun).", discussion: "EXAMPLE: suanpan \(Noun.noun) show \(Noun.sample)")
    }

    @Argument(help: "Its name.")
    var name: String

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func perform(in context: CommandContext) async throws {
        let object = try await context.client(connection).get(Noun.path(name))
        context.console.write(Detail(object: object, identifier: "id", human: Facts.text).text(as: output.format))
    }
}

struct CreateShare<Noun: ShareNoun>: Verb {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "create", abstract: "Make a \(Noun.noun).",
            discussion: "\(Noun.creating)\n\nEXAMPLE: suanpan \(Noun.noun) create \(Noun.createExample)")
    }

    @Argument(help: "Its name.")
    var name: String

    @OptionGroup var options: Noun.Creation
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func perform(in context: CommandContext) async throws {
        var body = try options.body()
        let parts = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        if Noun.noun == "project" {
            guard parts.count == 2 else { throw CommandFailure(.usage, "'\(name)': expected TENANT/PROJECT, such as vision/demo") }
            body["tenant"] = .string(parts[0])
        }
        body["name"] = .string(Noun.noun == "project" ? parts[1] : name)
        let object = try await context.client(connection).send(.post, Noun.resource, body: .object(body))
        context.console.write(Detail(object: object, identifier: "id", human: Facts.text).text(as: output.format))
    }
}

struct ChangeShare<Noun: ShareNoun>: Verb {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "set", abstract: "Change a \(Noun.noun); what is not named stays as it is.",
            discussion: "Amounts may be 'none'.\n\nEXAMPLE: suanpan \(Noun.noun) set \(Noun.changeExample)")
    }

    @Argument(help: "Its name.")
    var name: String

    @OptionGroup var options: Noun.Change
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func perform(in context: CommandContext) async throws {
        let body = try options.body()
        guard !body.isEmpty else {
            throw CommandFailure(.usage, "there is nothing to change", remedy: "suanpan \(Noun.noun) set --help lists what can be set")
        }
        let client = try context.client(connection)
        let object: JSONValue
        do throws(CommandFailure) {
            object = try await client.send(.patch, Noun.path(name), body: .object(body))
        } catch {
            guard Noun.isMadeBySet, error.status == .notFound else { throw error }
            var made = body
            made["name"] = .string(name)
            object = try await client.send(.post, Noun.resource, body: .object(made))
        }
        context.console.write(Detail(object: object, identifier: "id", human: Facts.text).text(as: output.format))
    }
}

struct RemoveShares<Noun: ShareNoun>: Verb {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "rm", abstract: "Remove \(Noun.noun == "quota" ? "quotas" : "\(Noun.noun)s that nothing uses").",
            discussion: "EXAMPLE: suanpan \(Noun.noun) rm \(Noun.sample)")
    }

    @Argument(help: "Names.")
    var names: [String]

    @OptionGroup var connection: ConnectionOptions

    func perform(in context: CommandContext) async throws {
        let client = try context.client(connection)
        for name in names { _ = try await client.send(.delete, Noun.path(name)) }
    }
}

/// Amounts as one option has them: `cpus=64,memory=1TiB,devices=8,compute-units=2000`, each or all of them `none`.
enum AmountList {
    static let help = "cpus=N,memory=SIZE,devices=N,compute-units=N, or none"
    private static let names = ["cpus": "cpu", "memory": "memory", "devices": "devices", "compute-units": "computeUnits"]

    static func body(_ text: String, option: String) throws(CommandFailure) -> JSONValue {
        var body = JSONObject()
        guard text != "none" else { return .string(text) }
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard pair.count == 2, let name = names[pair[0]], !pair[1].isEmpty else {
                throw CommandFailure(.usage, "\(option) '\(text)': expected \(help)")
            }
            body[name] = .string(pair[1])
        }
        return .object(body)
    }
}
