import ClusterModel
import Testing

@testable import AgentCore

/// Which processors a task may run on.
@Suite struct ProcessorTests {
    private static let numaNodes = [NUMANode(osIndex: 0, processors: [0, 1, 2, 3]), NUMANode(osIndex: 1, processors: [4, 5, 6, 7])]

    private struct Node: ~Copyable {
        var core = AgentCore(
            configuration: AgentConfiguration(
                instance: 1, bootID: [UInt8](repeating: 1, count: 16),
                inventory: NodeInventory(name: "n1", address: "", cpuMilli: 8000, memoryBytes: 8 << 30, numaNodes: numaNodes),
                defaultAccount: UserAccount(userID: 65534, groupID: 65534), isRoot: true, allowsRootJobs: false, workRoot: "/jobs"),
            kept: KeptLease(), at: 0)
        private var sequence: UInt64 = 0

        init(recovering known: [RecoveredAttempt] = []) {
            _ = core.handle(.driver([.recovered(known)]), at: 0)
            _ = core.handle(.connected, at: 0)
            _ = core.handle(
                .received(
                    .welcome(
                        Welcome(
                            version: 1, node: NodeID(1), epoch: Epoch(1), session: SessionID(1), heartbeatInterval: .seconds(5),
                            lease: .seconds(30), wantsTopology: false))), at: 0)
        }

        /// The order that the launcher gets.
        mutating func start(_ index: UInt32, processors: [UInt32] = [], numaNode: UInt32? = nil) -> LaunchOrder? {
            sequence += 1
            let template = TaskTemplate(
                jobName: "job", tenant: "default", project: "default", queue: "default", groupName: "main", command: ["work"],
                environment: [], workDirectory: "", checkpointPath: "", deviceKind: nil, timeLimit: nil, grace: .seconds(30),
                onNodeLost: .wait, account: nil, worldSize: 1, labels: [], arrayFirst: 0, isArray: false)
            let start = StartOrder(
                attempt: AttemptID(job: JobID(1), index: index, number: 1), fence: Fence(UInt64(index) + 1),
                allocation: Allocation(cpuMilli: 1000, memoryBytes: 1 << 30, processors: processors, numaNode: numaNode),
                restartReason: .none, gang: nil)
            let effects = core.handle(
                .received(
                    .command(
                        AgentCommand(
                            epoch: Epoch(1), session: SessionID(1), sequence: sequence,
                            body: .start(StartBatch(job: JobID(1), template: template, starts: [start]))))), at: 0)
            for case .launch(let orders) in effects { return orders.first }
            return nil
        }

        mutating func end(_ index: UInt32) {
            let end = ProcessEnd(manner: .exited(code: 0), startedAt: 0, endedAt: 1)
            _ = core.handle(.driver([.ended(AttemptID(job: JobID(1), index: index, number: 1), end)]), at: 1)
        }
    }

    @Test func withoutWishesAnyWillDo() {
        var node = Node()
        let order = node.start(0)
        #expect(order?.processors == [])
    }

    @Test func wholeCoresAreBoundToAndKeptOff() {
        var node = Node()
        let whole = node.start(0, processors: [1, 2])
        let other = node.start(1)
        let near = node.start(2, numaNode: 0)
        #expect(whole?.processors == [1, 2])
        #expect(other?.processors == [0, 3, 4, 5, 6, 7])
        #expect(near?.processors == [0, 3])
        node.end(0)
        let later = node.start(3)
        #expect(later?.processors == [])
    }

    /// The launcher keeps what the agent has to know of them.
    @Test func aRestartedAgentKnowsWholeCores() {
        var before = Node()
        let whole = before.start(0, processors: [4, 5, 6, 7])
        var after = Node(recovering: [
            RecoveredAttempt(
                attempt: AttemptID(job: JobID(1), index: 0, number: 1), fence: Fence(1), slot: Fence(1), note: whole?.note ?? [],
                startedAt: 0, end: nil)
        ])
        let other = after.start(1)
        #expect(other?.processors == [0, 1, 2, 3])
    }

    /// The kernel refuses an empty set: where others have all of its NUMA node, a task runs beside them.
    @Test func nobodyIsLeftWithoutAProcessor() {
        var node = Node()
        _ = node.start(0, processors: [0, 1, 2, 3])
        let near = node.start(1, numaNode: 0)
        #expect(near?.processors == [0, 1, 2, 3])
    }
}
