// Wiring of one coordinator: journal, engine, transport, REST interface, files.

import ClusterModel
import ClusterPorts
import ControlAPI
import DaemonKit
import FileStorage
import Foundation
import JournalSQLite
import LedgerHashing
import Logging
import SchedulerEngine
import SchedulingCore
import ServiceLifecycle
import UnixSignals
import ZMQTransport

struct Coordinator {
    var settings: CoordinatorSettings
    var acceptsClock: Bool
    var acceptsDataLossOf: String?
    /// Where a multi-use join token is left for the agents of the same machine (`up`).
    var bootstrapTokenFile: String?
    var logger: Logger
    /// Called with the interface's URL when everything serves.
    var onReady: @Sendable (_ url: String) -> Void

    /// Bytes kept of each output stream.
    static let outputBytesMax: Int64 = 64 << 20

    func run() async throws {
        let directory = settings.dataDirectory ?? CoordinatorSettings.defaultDataDirectory
        try Self.prepare(directory)
        let listen = try settings.listen()
        let heartbeats = try settings.heartbeats()
        let serving = try InterfaceSetup(settings, listen: listen, directory: directory, logger: logger)
        let retention = try settings.retention()
        let journal = try SQLiteJournal(directory: directory, digest: sha256)
        let reads = try SQLiteReadModel(directory: directory)
        let sealer = SecretBox(key: try KeyFile.load("\(directory)/secrets.key") { KeyFile.random() })
        let serverKey = try KeyFile.load("\(directory)/server.key") { try CurveKeyPair.generate().secretKey }
        let serverPublicKey = try CurveKeyPair(secretKey: serverKey).publicKey
        let server = try ZMQAgentServer(
            configuration: ZMQAgentServer.Configuration(
                agents: settings.agentsEndpoint ?? "tcp://127.0.0.1:8471", enrollment: settings.enrollEndpoint ?? "tcp://127.0.0.1:8472",
                logs: settings.logEndpoint ?? "tcp://127.0.0.1:8473", secretKey: serverKey),
            logger: logger)
        let logStore = FileLogStore(directory: "\(directory)/logs", streamBytesMax: Self.outputBytesMax) { attempt in
            let rows = try? await reads.attempts(of: attempt.task.job, task: attempt.task.index, after: nil, limit: 1000, .all)
            return rows?.first { $0.placement.attempt == attempt }?.end
        }
        let files = try DiskFileStore(directory: "\(directory)/files", bootID: try Boot.identifier())
        let engine = try await SchedulerEngine(
            journal: journal, server: server, clocks: SystemClocks(), sealer: sealer, logStore: logStore, files: files, reads: reads,
            backups: BackupService(directory: directory), space: JournalBallast(directory: directory),
            configuration: EngineConfiguration(
                heartbeats: heartbeats, acceptsClock: acceptsClock, diskReserve: try settings.diskReserveBytes(),
                acceptsDataLossOf: acceptsDataLossOf,
                advertise: { [advertised = serving.advertised] in advertised.endpoints(for: $0) }),
            newClusterID: KeyFile.random(16), logger: logger,
            keepTopology: { document in
                Task { try? await journal.storeTopology(digest: document.digest, compressedXML: document.compressedXML) }
            },
            proves: { EnrollmentProof.isValid(request: $0, verifier: $1, serverPublicKey: serverPublicKey) })
        let sweeper = RetentionSweeper(
            engine: engine, journal: journal, files: files, policy: retention, directory: directory, logger: logger)
        try await serve(engine, server: server, journal: journal, sweeper: sweeper, serving: serving, directory: directory)
    }

    private func serve(
        _ engine: SchedulerEngine, server: ZMQAgentServer, journal: SQLiteJournal, sweeper: RetentionSweeper, serving: InterfaceSetup,
        directory: String
    ) async throws {
        let (leading, isLeading) = AsyncStream.makeStream(of: Void.self)
        let instruments = SnapshotInstruments()
        let metrics = CoordinatorMetrics(engine: engine, journal: journal, snapshots: instruments, directory: directory)
        let control = ControlService(serving: serving, engine: engine, metrics: metrics.source, logger: logger, leading: leading) { port in
            try await announce(serving, port: port, engine: engine, directory: directory)
        }
        let snapshots = SnapshotMaker(engine: engine, journal: journal, directory: directory, instruments: instruments, logger: logger)
        let watch = serving.files.map {
            CertificateWatch(files: $0, interface: serving.interface, logger: logger) { serving.fileService.map(engine.serveFiles) }
        }
        var services: [ServiceGroupConfiguration.ServiceConfiguration] = [
            .init(service: EngineService(engine: engine, isLeading: isLeading), failureTerminationBehavior: .cancelGroup),
            .init(service: control, failureTerminationBehavior: .cancelGroup), .init(service: snapshots), .init(service: sweeper),
        ]
        if let watch { services.append(.init(service: watch)) }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        let parent = ParentWatch.shared
        let result: Result<Void, any Error>
        do {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                tasks.addTask {
                    await parent.ended()
                    await group.triggerGracefulShutdown()
                }
                try await tasks.next()
                tasks.cancelAll()
            }
            result = .success(())
        } catch { result = .failure(error) }
        await server.stop()
        await journal.close()
        try result.get()
    }

    /// First things that a user needs, before anyone is told that the coordinator is ready.
    private func announce(_ serving: InterfaceSetup, port: Int, engine: SchedulerEngine, directory: String) async throws {
        let url = serving.localURL(port: port)
        try await ClientFile(path: "\(directory)/client.yaml").provide(
            url: url, certificateFile: serving.certificateToTrust, engine: engine)
        if let bootstrapTokenFile { try await BootstrapToken.provide(in: bootstrapTokenFile, engine: engine) }
        serving.fileService.map(engine.serveFiles)
        logger.info("ready", metadata: ["url": "\(url)", "agents": "\(engine.endpoints.agents)"])
        onReady(url)
    }

    /// Others may pass through, since the jobs' directories of an agent on this machine lie below; every file and every
    /// other folder in it is for its owner alone.
    private static func prepare(_ directory: String) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o711])
            chmod(directory, 0o711)
        } catch {
            throw StartError("\(directory) is no directory and cannot be made one: choose another with --data-dir, or mend its permissions")
        }
        guard access(directory, R_OK | W_OK | X_OK) == 0 else {
            throw StartError(
                "the data directory \(directory) cannot be used: \(String(cString: strerror(errno))); choose another with --data-dir, or mend its permissions"
            )
        }
    }
}

/// The engine as a service: a stop lets the batch at hand become durable.
private struct EngineService: Service {
    let engine: SchedulerEngine
    let isLeading: AsyncStream<Void>.Continuation

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            try await engine.run { _ in isLeading.finish() }
        }
    }
}

/// The REST interface, from the moment the engine leads.
private struct ControlService: Service {
    let serving: InterfaceSetup
    let engine: SchedulerEngine
    let metrics: MetricsSource
    let logger: Logger
    let leading: AsyncStream<Void>
    let onListening: @Sendable (_ port: Int) async throws -> Void

    func run() async throws {
        for await _ in leading {}
        let (addresses, listening) = AsyncStream.makeStream(of: ControlServer.BoundAddress.self)
        // Agents, logs and the store need files too: half of them is for clients at most.
        var configuration = serving.configuration
        configuration.connectionCountMax = min(configuration.connectionCountMax, OpenFiles.raiseLimit() / 2)
        let server = ControlServer(
            controlPlane: engine, configuration: configuration, interface: serving.interface, logger: logger, metrics: metrics,
            onListening: { listening.yield($0) })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await server.run()
                listening.finish()
            }
            group.addTask {
                for await address in addresses { try await onListening(address.port) }
            }
            try await group.next()
            listening.finish()
            try await group.waitForAll()
        }
    }
}
