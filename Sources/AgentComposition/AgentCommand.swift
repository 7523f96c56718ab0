public import ArgumentParser
import ClusterModel
import DaemonKit
import Foundation
import Logging

/// The agent daemon of one node, or of many simulated ones.
public struct AgentCommand: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "suanpan-agent", abstract: "Run the agent of this node.",
        discussion: """
            The first start needs a join token (suanpan node token --only-token), from a file, standard input or SUANPAN_JOIN_TOKEN; \
            later starts find the node's own key in the data directory. Jobs run on when the agent stops. The same options may \
            stand in the environment (SUANPAN_AGENT_CPUS, …) or in a YAML file, by which flags win over environment, environment \
            over file.

            Example: suanpan-agent --data-dir /var/lib/suanpan/agent --token-file token.txt --label zone=a
            """,
        version: "suanpan-agent \(Release.version)")

    @Option(help: "Where the agent's key, its launcher and the jobs' directories live (default: /var/lib/suanpan/agent).")
    var dataDir: String?
    @Option(help: "File with the join token; - reads standard input.")
    var tokenFile: String?
    @Option(help: "The node's name (default: this host's).")
    var name: String?
    @Option(help: "Where other nodes reach this one (default: by the route to the coordinator).")
    var address: String?
    @Option(help: "Cores to offer, such as 8 or 7500m (default: all that this process may use).")
    var cpus: String?
    @Option(help: "Memory to offer, such as 64GiB (default: all).")
    var memory: String?
    @Option(name: .customLong("label"), help: ArgumentHelp("KEY=VALUE that jobs may constrain; repeatable.", valueName: "key=value"))
    var labels: [String] = []
    @Flag(help: "Let jobs run as root when their user has no other account.")
    var allowRootJobs = false
    @Option(help: "own starts a launcher where none serves; external waits for one that the system keeps (default: own).")
    var launcher: String?
    @Option(help: "Most bytes of jobs' files to keep for later jobs, such as 50GiB (default: 10GiB).")
    var cacheSize: String?
    @Option(help: "New work is refused while less is free on the jobs' disk, such as 1GiB (default: 256MiB).")
    var diskReserve: String?
    @Option(help: "text or json: a line for people, or an object a line for collectors (default: text).")
    var logFormat: String?
    @Option(help: "Least level of the log: trace, debug, info, notice, warning, error or critical (default: info).")
    var logLevel: String?
    @Option(help: "YAML file with the same settings (default: /etc/suanpan/agent.yaml when it is there).")
    var config: String?
    @Flag(help: "Say what is wrong with the settings, if anything, and stop.")
    var checkSettings = false
    @Option(help: "Run this many simulated nodes instead of this machine.")
    var simulate: UInt32?
    @Option(help: "YAML file that describes the simulated nodes.")
    var profile: String?
    @Option(help: ArgumentHelp("Write a line to this descriptor when registered.", visibility: .hidden))
    var readyFd: Int32?
    @Option(help: ArgumentHelp("Stop at end-of-file of this descriptor.", visibility: .hidden))
    var parentFd: Int32?

    public init() {}

    public func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        if let parentFd { ParentWatch.shared.watch(parentFd) }
        let readyDescriptor = readyFd
        let onReady: @Sendable () -> Void = {
            guard let readyDescriptor else { return }
            let line = Array("ready\n".utf8)
            _ = write(readyDescriptor, line, line.count)
        }
        do {
            let settings = try settings()
            if checkSettings { return }
            settings.log.begin()
            if let simulate {
                try await SimulatedNodes(settings: settings, count: simulate, profile: profile, onReady: onReady).run()
            } else {
                try await AgentDaemon(settings: settings, onReady: onReady).run()
            }
        } catch {
            FileHandle.standardError.write(Data("suanpan-agent: \(error)\n".utf8))
            throw ExitCode(1)
        }
    }

    private func settings() throws -> AgentSettings {
        let environment = ProcessInfo.processInfo.environment
        let given = try DaemonSettings(
            flags: [
                "data-dir": dataDir, "token-file": tokenFile, "name": name, "address": address, "cpus": cpus, "memory": memory,
                "allow-root-jobs": allowRootJobs ? "true" : nil,
                "launcher": launcher, "cache-size": cacheSize, "disk-reserve": diskReserve, "log-format": logFormat, "log-level": logLevel,
            ], lists: ["labels": labels], environment: environment, prefix: "SUANPAN_AGENT_", file: config,
            defaultFile: "/etc/suanpan/agent.yaml")
        let fallback = getuid() == 0 ? "/var/lib/suanpan/agent" : (environment["HOME"] ?? "/") + "/.local/share/suanpan/agent"
        guard let launcher = AgentSettings.LauncherKeeper(rawValue: given["launcher"] ?? "own") else {
            throw StartError("launcher: '\(given["launcher"] ?? "")'; expected own or external")
        }
        return AgentSettings(
            dataDirectory: given["data-dir"] ?? environment["SUANPAN_DATA_DIR"].map { $0 + "/agent" } ?? fallback,
            tokenFile: given["token-file"], name: given["name"] ?? AgentSettings.hostName(), address: given["address"],
            cpuMilli: try given["cpus"].map { try value($0, "cpus", Quantity.cpuMilli) },
            memoryBytes: try given["memory"].map { try value($0, "memory", Quantity.bytes) }, labels: try given.list("labels").map(label),
            allowsRootJobs: try given.flag("allow-root-jobs"), launcher: launcher,
            cacheBytes: try given["cache-size"].map { try value($0, "cache-size", Quantity.bytes) } ?? AgentSettings.cacheBytesDefault,
            diskReserveBytes: try given["disk-reserve"].map { try value($0, "disk-reserve", Quantity.bytes) },
            log: try LogSettings(given))
    }

    private func value(_ text: String, _ field: String, _ parse: (String) throws(QuantityError) -> Int64) throws -> Int64 {
        do throws(QuantityError) { return try parse(text) } catch {
            throw StartError("\(field): '\(error.text)'; expected \(error.expected)")
        }
    }

    private func label(_ text: String) throws -> NamedText {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard ObjectName.isValid(String(parts[0])) else { throw StartError("label: '\(text)'; expected KEY=VALUE") }
        return NamedText(String(parts[0]), parts.count == 2 ? String(parts[1]) : "true")
    }
}
