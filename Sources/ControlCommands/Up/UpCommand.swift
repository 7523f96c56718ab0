import ArgumentParser
import ClusterModel
import Glibc

struct UpCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "up", abstract: "Run a coordinator and an agent on this machine.",
        discussion: """
            Ctrl-C asks all jobs to stop and then ends both; a second one kills the jobs. On SIGTERM, and when `up` itself dies, \
            the daemons end and jobs stay with the launcher until the next `up`.

            EXAMPLE: suanpan up --agents 100
            """)

    @Option(name: .customLong("data-dir"), help: ArgumentHelp("Where all state lives.", valueName: "dir"))
    var dataDirectory: String?

    @Option(help: ArgumentHelp("Listen here for HTTP. Default: 127.0.0.1:8470; port 0 picks a free one.", valueName: "host:port"))
    var http: String?

    @Option(help: ArgumentHelp("Listen here for agents. Default: tcp://127.0.0.1:8471.", valueName: "endpoint"))
    var agentsEndpoint: String?

    @Option(help: ArgumentHelp("Listen here for new nodes. Default: tcp://127.0.0.1:8472.", valueName: "endpoint"))
    var enrollEndpoint: String?

    @Option(help: ArgumentHelp("Listen here for the output of jobs.", valueName: "endpoint"))
    var logEndpoint: String?

    @Option(parsing: .unconditional, help: ArgumentHelp("Add so many simulated nodes.", valueName: "n"))
    var agents: UInt32 = 0

    @Option(help: ArgumentHelp("What the simulated nodes have.", valueName: "file"))
    var profile: String?

    @Flag(help: "Let jobs run as root when this runs as root.")
    var allowRootJobs = false

    @Option(parsing: .unconditional, help: ArgumentHelp("Cores that the local agent offers. Default: all.", valueName: "n"))
    var cpus: String?

    @Option(parsing: .unconditional, help: ArgumentHelp("Memory that the local agent offers. Default: all.", valueName: "size"))
    var memory: String?

    func validate() throws {
        if profile != nil, agents == 0 { throw ValidationError("--profile describes simulated nodes: give --agents N as well") }
        do throws(QuantityError) {
            if let cpus { _ = try Quantity.cpuMilli(cpus) }
            if let memory { _ = try Quantity.bytes(memory) }
        } catch {
            throw ValidationError("'\(error.text)': expected \(error.expected)")
        }
    }

    func perform(in context: CommandContext) async throws {
        let programs = ProgramSearch.process(environment: context.environment)
        let settings = try settings(programs: programs, environment: context.environment)
        let signals = Interrupts.stream(of: [SIGINT, SIGTERM, SIGHUP])
        let code = try await LocalCluster.run(settings, signals: signals, console: context.console)
        if code != 0 { throw ExitCode(code) }
    }

    func settings(programs: ProgramSearch, environment: [String: String]) throws(CommandFailure) -> LocalClusterSettings {
        let directory = DataDirectory.resolve(option: dataDirectory, environment: environment)
        return LocalClusterSettings(
            dataDirectory: Self.absolute(directory), coordinatorProgram: try programs.path(of: "suanpan-coordinator"),
            agentProgram: try programs.path(of: "suanpan-agent"), http: http, agentsEndpoint: agentsEndpoint,
            enrollEndpoint: enrollEndpoint, logEndpoint: logEndpoint, nodeName: Self.nodeName(host: Self.hostName()), cpus: cpus,
            memory: memory, allowsRootJobs: allowRootJobs, simulatedNodes: agents, profile: profile.map(Self.absolute))
    }

    private static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/"), let current = getcwd(nil, 0) else { return path }
        defer { free(current) }
        return String(cString: current) + "/" + path
    }

    private static func hostName() -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            gethostname(buffer.baseAddress!, buffer.count - 1) == 0 ? String(cString: buffer.baseAddress!) : ""
        }
    }

    /// The host's short name, made to fit the grammar of names.
    static func nodeName(host: String) -> String {
        let short = host.lowercased().prefix { $0 != "." }.map { ObjectName.isValid("a\($0)") ? $0 : "-" }
        let name = String(short.drop { $0 == "-" || $0 == "_" }.prefix(63))
        return ObjectName.isValid(name) ? name : "local"
    }
}
