public import ArgumentParser
import ClusterModel
import ClusterPorts
import DaemonKit
import Foundation
import Logging
import Synchronization

/// The coordinator daemon.
public struct CoordinatorCommand: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "suanpan-coordinator", abstract: "Run the coordinator of a cluster.",
        discussion: """
            State lives in the data directory; the same options may stand in the environment (SUANPAN_HTTP, …) or in a YAML \
            file, by which flags win over environment, environment over file.

            Example: suanpan-coordinator --data-dir /var/lib/suanpan --http 127.0.0.1:8470
            """,
        version: "suanpan-coordinator \(Release.version)",
        subcommands: [
            RunCoordinator.self, VerifyBackup.self, RestoreBackup.self, MakeSnapshot.self, MakeBackup.self, CheckJournal.self,
            ReplayJournal.self,
        ],
        defaultSubcommand: RunCoordinator.self)

    public init() {}
}

struct RunCoordinator: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "run", abstract: "Run the coordinator (the default).")

    @Option(help: "Where state lives (default: /var/lib/suanpan as root, ~/.local/share/suanpan otherwise).")
    var dataDir: String?
    @Option(help: "HOST:PORT of the REST interface (default: 127.0.0.1:8470; port 0 picks a free one).")
    var http: String?
    @Option(help: "tcp://HOST:PORT for agents (default: tcp://127.0.0.1:8471).")
    var agentsEndpoint: String?
    @Option(help: "tcp://HOST:PORT for nodes that join (default: tcp://127.0.0.1:8472).")
    var enrollEndpoint: String?
    @Option(help: "tcp://HOST:PORT for the output of tasks (default: tcp://127.0.0.1:8473).")
    var logEndpoint: String?
    @Option(help: "How long an agent's silence is borne (default: 30s).")
    var lease: String?
    @Option(help: "Shortest time between an agent's heartbeats (default: 5s).")
    var heartbeatInterval: String?
    @Option(help: "TLS of the REST interface: auto, on or off (default: auto, which is on off loopback; off leaves it to a proxy).")
    var tls: String?
    @Option(help: "PEM file with the interface's certificate (default: one that the coordinator makes for itself).")
    var tlsCertificate: String?
    @Option(help: "PEM file with the certificate's private key.")
    var tlsKey: String?
    @Option(help: "HOST by which other machines reach this one (default: the address of the default route).")
    var advertise: String?
    @Option(help: "Where packages of the agent lie, for machines that join (default: /usr/share/suanpan/install).")
    var packagesDir: String?
    @Option(help: "text or json: a line for people, or an object a line for collectors (default: text).")
    var logFormat: String?
    @Option(help: "Least level of the log: trace, debug, info, notice, warning, error or critical (default: info).")
    var logLevel: String?
    @Option(help: "How long ended jobs are listed, or forever (default: 90d); usage records always stay.")
    var retainJobs: String?
    @Option(help: "How long the output of ended jobs is kept, or forever (default: 30d).")
    var retainLogs: String?
    @Option(help: "How long files that no job, data set or output refers to are kept, or forever (default: 30d).")
    var retainFiles: String?
    @Option(help: "Submissions are refused while less is free on the journal's disk, such as 1GiB (default: 256MiB).")
    var diskReserve: String?
    @Option(help: "YAML file with the same settings (default: /etc/suanpan/coordinator.yaml when it is there).")
    var config: String?
    @Flag(help: "Start although the clock is more than a day behind the journal.")
    var acceptClock = false
    @Option(
        help: ArgumentHelp(
            "Go on from a state that is older than what the nodes have seen; what happened since is lost. Names the cluster.",
            valueName: "cluster-id"))
    var acceptDataLoss: String?
    @Flag(help: "Say what is wrong with the settings, if anything, and stop.")
    var checkSettings = false
    @Option(help: "Write a join token for agents of this machine into this file, mode 0600.")
    var bootstrapTokenFile: String?
    @Option(help: ArgumentHelp("Write a line to this descriptor when ready.", visibility: .hidden))
    var readyFd: Int32?
    @Option(help: ArgumentHelp("Stop at end-of-file of this descriptor.", visibility: .hidden))
    var parentFd: Int32?

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        if let parentFd { ParentWatch.shared.watch(parentFd) }
        let readyDescriptor = readyFd
        let settings: CoordinatorSettings
        do {
            settings = try self.settings()
            if checkSettings { return try settings.check() }
        } catch {
            Self.complain(error)
            throw ExitCode(1)
        }
        settings.log.begin()
        let coordinator = Coordinator(
            settings: settings, acceptsClock: acceptClock, acceptsDataLossOf: acceptDataLoss, bootstrapTokenFile: bootstrapTokenFile,
            logger: Logger(label: "suanpan.coordinator")
        ) { url in
            ServiceManager.tellReady()
            guard let readyDescriptor else { return }
            let line = Array("ready http=\(url)\n".utf8)
            _ = write(readyDescriptor, line, line.count)
        }
        do {
            try await coordinator.run()
        } catch {
            Self.complain(error)
            throw ExitCode(1)
        }
    }

    private static func complain(_ error: any Error) {
        FileHandle.standardError.write(Data("suanpan-coordinator: \(error)\n".utf8))
    }

    private func settings() throws -> CoordinatorSettings {
        let flags = [
            "data-dir": dataDir, "http": http, "agents-endpoint": agentsEndpoint, "enroll-endpoint": enrollEndpoint,
            "log-endpoint": logEndpoint, "lease": lease, "heartbeat-interval": heartbeatInterval, "tls": tls,
            "tls-certificate": tlsCertificate, "tls-key": tlsKey, "advertise": advertise, "packages-dir": packagesDir,
            "log-format": logFormat, "log-level": logLevel, "retain-jobs": retainJobs, "retain-logs": retainLogs,
            "retain-files": retainFiles, "disk-reserve": diskReserve,
        ]
        return try CoordinatorSettings(
            try DaemonSettings(
                flags: flags, environment: ProcessInfo.processInfo.environment, prefix: "SUANPAN_", file: config,
                defaultFile: "/etc/suanpan/coordinator.yaml"))
    }
}
