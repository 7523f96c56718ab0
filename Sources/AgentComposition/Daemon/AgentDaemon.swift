// Wiring of one node's agent: discovery, launcher, link, engine.

import AgentCore
import AgentEngine
import ClusterModel
import ClusterPorts
import Crypto
import DaemonKit
import Foundation
import HostTopology
import Logging
import FileStaging
import TaskDrivers
import ZMQTransport

struct AgentDaemon {
    let settings: AgentSettings
    let onReady: @Sendable () -> Void
    private let logger = Logger(label: "suanpan.agent")

    init(settings: AgentSettings, onReady: @escaping @Sendable () -> Void) {
        self.settings = settings
        self.onReady = onReady
    }

    func run() async throws {
        try settings.makeDirectories()
        let directory = settings.dataDirectory
        let lock = try DirectoryLock(directory)
        defer { lock.release() }
        let mark = RegistrationMark(directory: directory)
        mark.remove()
        let token = try settings.joinToken()
        let identity = try await NodeIdentity.obtain(name: settings.name, directory: directory, token: token)
        let machine = try discover(coordinator: identity.endpoints.agents)
        let loop = try ZMQPollLoop(name: "suanpan-agent")
        let driver = LauncherDriver(
            runDirectory: directory + "/run", launcherPath: settings.launcher == .own ? try Self.launcherPath() : nil, loop: loop,
            logger: Logger(label: "suanpan.driver"))
        let link = ZMQCoordinatorLink(
            endpoints: identity.endpoints, keyPair: identity.keyPair, loop: loop, logger: Logger(label: "suanpan.link"))
        let isRoot = getuid() == 0
        let fallback =
            isRoot
            ? (settings.allowsRootJobs ? UserAccount(userID: 0, groupID: 0) : AgentSettings.nobody)
            : UserAccount(userID: getuid(), groupID: getgid())
        let stager = try DiskStager(
            DiskStager.Configuration(
                directory: directory, secretsRoot: settings.secretsRoot(isRoot: isRoot),
                coordinatorHost: try LocalAddress.host(of: identity.endpoints.agents), cacheSizeMax: settings.cacheBytes),
            logger: Logger(label: "suanpan.files"))
        let configuration = AgentConfiguration(
            instance: UInt64.random(in: 1 ... .max), bootID: try Boot.bytes(), inventory: machine.inventory, defaultAccount: fallback,
            isRoot: isRoot, allowsRootJobs: settings.allowsRootJobs, workRoot: directory + "/work",
            secretsRoot: settings.secretsRoot(isRoot: isRoot) ?? "", mailRoot: directory + "/mail",
            movesFiles: true, diskReserveBytes: settings.diskReserveBytes)
        let engine = AgentEngine(
            configuration: configuration, driver: driver, stager: stager, link: link, loop: loop, clocks: SystemClocks(),
            topology: TopologyDocument(digest: machine.inventory.topologyDigest, compressedXML: machine.compressedTopology),
            leaseFile: directory + "/lease", logger: logger, measureLoad: LoadMeter(workRoot: configuration.workRoot).measure)
        let report: @Sendable () -> Void = { [onReady, name = settings.name] in
            mark.leave(name: name)
            onReady()
        }
        try await AgentLife(engines: [engine], onReady: report, logger: logger).run()
        await loop.stop()
    }

    private func discover(coordinator: String) throws -> DiscoveredMachine {
        let discovery = HwlocDiscovery { bytes in [UInt8](SHA256.hash(data: bytes)) }
        let survey = try discovery.survey(
            name: settings.name, address: try settings.address ?? LocalAddress.toward(coordinator), labels: settings.labels)
        for warning in survey.warnings { logger.warning("\(warning)") }
        var machine = survey.machine
        if let cpuMilli = settings.cpuMilli { machine.inventory.cpuMilli = cpuMilli }
        if let memoryBytes = settings.memoryBytes { machine.inventory.memoryBytes = memoryBytes }
        return machine
    }

    /// Beside this program, or where packages put helpers.
    private static func launcherPath() throws -> String {
        let own = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let candidates = [own.path + "/suanpan-launcher", own.deletingLastPathComponent().path + "/libexec/suanpan/suanpan-launcher"]
        guard let path = candidates.first(where: { access($0, X_OK) == 0 }) else {
            throw StartError("suanpan-launcher is not beside this program: \(candidates.joined(separator: ", "))")
        }
        return path
    }
}

/// `registered` in the data directory: the node's name, from the moment that the coordinator has accepted this agent.
/// `/install` waits for it.
private struct RegistrationMark {
    let path: String

    init(directory: String) { path = directory + "/registered" }

    func remove() { unlink(path) }
    func leave(name: String) { try? PrivateFile.write(Array(name.utf8), to: path) }
}

/// One agent for one data directory.
struct DirectoryLock {
    private let descriptor: Int32

    init(_ directory: String) throws {
        descriptor = open(directory + "/agent.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StartError("\(directory)/agent.lock cannot be opened: \(String(cString: strerror(errno)))") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw StartError("another agent uses \(directory); stop it, or choose another --data-dir")
        }
    }

    func release() { close(descriptor) }
}
