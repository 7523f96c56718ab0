// Many stand-in nodes in one process: the production agent machine over drivers that run no process.

import AgentCore
import AgentEngine
import ClusterModel
import ClusterPorts
import DaemonKit
import Dispatch
import Foundation
import Logging
import TaskDrivers
import ZMQTransport

struct SimulatedNodes {
    let settings: AgentSettings
    let count: UInt32
    let profile: String?
    let onReady: @Sendable () -> Void
    private let logger = Logger(label: "suanpan.simulated")

    init(settings: AgentSettings, count: UInt32, profile: String?, onReady: @escaping @Sendable () -> Void) {
        self.settings = settings
        self.count = count
        self.profile = profile
        self.onReady = onReady
    }

    func run() async throws {
        let kinds = try profile.map(NodeProfile.load) ?? [NodeProfile.plain]
        try settings.makeDirectories()
        let token = try settings.joinToken()
        let loop = try ZMQPollLoop(name: "suanpan-simulated", socketCountMax: Int(count) * 3 + 64)
        var engines: [AgentEngine] = []
        for inventory in NodeProfile.share(kinds, among: count) {
            let directory = "\(settings.dataDirectory)/\(inventory.name)"
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            let identity = try await NodeIdentity.obtain(name: inventory.name, directory: directory, token: token)
            engines.append(makeEngine(inventory, identity, loop))
        }
        try await AgentLife(engines: engines, onReady: onReady, logger: logger).run()
        await loop.stop()
    }

    private func makeEngine(_ inventory: NodeInventory, _ identity: NodeIdentity, _ loop: ZMQPollLoop) -> AgentEngine {
        let clocks = SystemClocks()
        let driver = SimulatedDriver(
            schedule: { delay, body in
                // A real timer, then back to the loop's thread, where the driver lives.
                DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(Int(delay))) { loop.post(body) }
            },
            bootTime: { clocks.boot() })
        let link = ZMQCoordinatorLink(
            endpoints: identity.endpoints, keyPair: identity.keyPair, loop: loop, isMonitored: false, logger: logger)
        let configuration = AgentConfiguration(
            instance: UInt64.random(in: 1 ... .max), bootID: [UInt8](repeating: 0xAA, count: 16), inventory: inventory,
            defaultAccount: AgentSettings.nobody, isRoot: false, allowsRootJobs: false, workRoot: "/nonexistent")
        return AgentEngine(
            configuration: configuration, driver: driver, link: link, loop: loop, clocks: clocks, topology: nil, leaseFile: nil,
            logger: logger, measureLoad: { [directory = settings.dataDirectory] in LoadMeter.idle(workRoot: directory) })
    }
}
