import ArgumentParser
import ClusterModel

struct DoctorCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Check this machine and its coordinator, and say what to mend.",
        discussion: """
            Changes nothing and shows no secret; as root it sees more. Ends with 1 when there is a problem.

            EXAMPLE: suanpan doctor -o json
            """, subcommands: [Journal.self])

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func perform(in context: CommandContext) async throws {
        let host = HostReading.read(environment: context.environment, dataDirectory: connection.dataDirectory)
        let coordinator = await Self.describeCoordinator(connection, context)
        let checks = HostFindings.all(of: host) + CoordinatorFindings.all(of: coordinator, version: Release.version)
        let problems = checks.count { $0.verdict == .problem }
        let answer: JSONValue = ["problems": .integer(problems), "checks": .array(checks.map(\.json))]
        let hasColour = context.console.hasColour
        let detail = Detail(object: answer, identifier: "problems") { _ in checks.map { $0.text(hasColour: hasColour) }.joined() }
        context.console.write(detail.text(as: output.format))
        if problems > 0 { throw ExitCode(ExitStatus.failed.rawValue) }
    }

    private static func describeCoordinator(_ connection: ConnectionOptions, _ context: CommandContext) async -> CoordinatorDescription {
        var coordinator = CoordinatorDescription(url: "")
        do throws(CommandFailure) {
            let client = try context.client(connection)
            coordinator.url = client.configuration.url
            coordinator.cluster = try await client.get("/v1/cluster")
            coordinator.now = .now()
            coordinator.nodes = try await client.list("/v1/nodes", limit: nil)["items"]?.items ?? []
            coordinator.isReady = (try? await client.get("/readyz")) != nil
            coordinator.isAdministrator = (try? await client.get("/v1/keys", query: [("limit", "1")])) != nil
        } catch { coordinator.failure = error }
        return coordinator
    }
}

extension DoctorCommand {
    struct Journal: Verb {
        static let configuration = CommandConfiguration(
            commandName: "journal", abstract: "Check a coordinator's journal, and say what can be done about damage.",
            discussion: """
                For a journal that a start has refused; it may also be checked while a coordinator runs. Reads everything, changes nothing \
                without --set-aside-snapshot.

                EXAMPLE: suanpan doctor journal --data-dir /var/lib/suanpan
                """)

        @Option(name: .customLong("data-dir"), help: ArgumentHelp("The coordinator's data directory.", valueName: "dir"))
        var dataDirectory: String?

        @Flag(help: "Take a damaged newest snapshot out, keeping its bytes; loses nothing. No coordinator may run.")
        var setAsideSnapshot = false

        func perform(in context: CommandContext) async throws {
            var arguments = ["check-journal"]
            if let dataDirectory { arguments += ["--data-dir", dataDirectory] }
            if setAsideSnapshot { arguments.append("--set-aside-snapshot") }
            try DaemonProgram.become("suanpan-coordinator", arguments, context)
        }
    }
}
