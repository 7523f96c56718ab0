import ClusterModel
import WireProtocol

// One value of each message with every field set to something of its own, so that a swapped or forgotten field shows.

enum Samples {
    static let attempt = AttemptID(job: JobID(12), index: 3, number: 1)

    static let end = AttemptEnd(
        cause: .signalled, exitCode: 137, signal: 9, elapsed: Span(nanoseconds: 11), cpuTime: Span(nanoseconds: 12), memoryPeakBytes: 13,
        stdoutBytes: 14, stderrBytes: 15, droppedBytes: 16, detail: "killed")

    static let inventory = NodeInventory(
        name: "node-1", address: "10.0.0.1", cpuMilli: 64_000, memoryBytes: 1 << 38,
        devices: [
            Device(
                index: 0, kind: .gpu, vendor: "nvidia", model: "NVIDIA H200", uuid: "GPU-1", pciAddress: "0000:01:00.0",
                memoryBytes: 1 << 37, numaNode: 0),
            Device(index: 1, kind: .npu, vendor: "huawei", model: "", uuid: "N", pciAddress: "", memoryBytes: 0, numaNode: nil),
        ],
        topology: TopologySummary(
            architecture: "x86_64", cpuModel: "EPYC", packages: 1, numaNodes: 2, level3Caches: 3, level2Caches: 4, cores: 5,
            processingUnits: 6, pciDevices: 7, osDevices: 8),
        topologyDigest: [UInt8](repeating: 0xAA, count: 32), labels: [NamedText("zone", "b")], isSimulated: true)

    /// With what is near what, partitions and taints.
    static let nearInventory: NodeInventory = {
        var node = inventory
        node.devices[0].pcieSwitch = 2
        node.devices[0].linkGroup = 1
        node.devices[0].isPartitionable = true
        node.numaNodes = [NUMANode(osIndex: 0, processors: [0, 2, 1, 3], threadsPerCore: 2), NUMANode(osIndex: 8, processors: [9])]
        node.taints = ["reserved"]
        return node
    }()

    static let template = TaskTemplate(
        jobName: "train", tenant: "t", project: "p", queue: "q", groupName: "main", command: ["/bin/echo", "a b", ""],
        environment: [SealedVariable(name: "K", sealedValue: [0, 1, 255])], workDirectory: "/w", checkpointPath: "c", deviceKind: .gpu,
        timeLimit: Span(nanoseconds: 21), grace: Span(nanoseconds: 22), onNodeLost: .replace,
        account: UserAccount(userID: 1000, groupID: 1001), worldSize: 2, labels: [], arrayFirst: 23, isArray: true)

    /// With everything that moves files.
    static let stagedTemplate: TaskTemplate = {
        var staged = template
        let digest = ContentDigest(bytes: [UInt8](repeating: 0x11, count: 32))!
        staged.inputs = [
            JobInput(source: .tree(digest), path: ""), JobInput(source: .dataset(name: "", version: "", tree: digest), path: "data"),
            JobInput(source: .url("https://example.org/w", digest), path: "w"),
            JobInput(source: .url("http://example.org/x", nil), path: "x"),
        ]
        staged.outputs = [JobOutput(path: "out", destination: "results")]
        staged.secretFiles = [SealedVariable(name: "token", sealedValue: [1, 2])]
        staged.traceParent = "00-a-b-01"
        return staged
    }()

    static func start(rank: UInt32, nodes: [String]) -> StartOrder {
        StartOrder(
            attempt: AttemptID(job: JobID(12), index: rank, number: 2), fence: Fence(31 + UInt64(rank)),
            allocation: Allocation(
                cpuMilli: 1000, memoryBytes: 1 << 30, devices: [DeviceGrant(index: 0, shareMilli: 250, memoryBytes: 1 << 20)]),
            restartReason: .nodeLost,
            gang: GangPlace(
                rank: rank, localRank: rank, localWorldSize: 2, nodeRank: 0, masterAddress: "10.0.0.1", masterPort: 29_500, nodeNames: nodes
            ))
    }

    static let agentMessages: [AgentMessage] = [
        .register(
            Registration(
                oldestVersion: 1, newestVersion: 2, instance: 0x0102_0304_0506_0708, bootID: [UInt8](0..<16), inventory: inventory,
                attempts: [
                    AttemptStatus(attempt: attempt, fence: Fence(5), phase: .starting),
                    AttemptStatus(attempt: attempt, fence: Fence(6), phase: .running(elapsed: Span(nanoseconds: 7))),
                ])),
        .heartbeat(Heartbeat(session: SessionID(1), number: 2, commandsApplied: 3, liveAttempts: 4, bootTime: 5)),
        .heartbeat(
            Heartbeat(
                session: SessionID(1), number: 2, commandsApplied: 3, liveAttempts: 4, bootTime: 5,
                load: NodeLoad(cpuMilliUsed: 6, memoryBytesUsed: 7, workBytesFree: 8))),
        .report(AttemptReport(session: SessionID(1), statuses: [AttemptStatus(attempt: attempt, fence: Fence(5), phase: .ended(end))])),
        .topology(TopologyDocument(digest: [UInt8](repeating: 1, count: 32), compressedXML: [2, 3])),
        .goodbye(SessionID(9)),
        .report(
            AttemptReport(
                session: SessionID(1),
                statuses: [
                    AttemptStatus(
                        attempt: attempt, fence: Fence(5), phase: .ended(AttemptEnd(cause: .returned, exitCode: 0)),
                        age: Span(nanoseconds: 71))
                ])),
        .register(
            Registration(
                oldestVersion: 1, newestVersion: 1, instance: 1, bootID: [UInt8](0..<16), inventory: inventory, attempts: [], sentAt: 72,
                stateMark: [7, 3], condition: .diskFull)),
        .register(
            Registration(
                oldestVersion: 1, newestVersion: 1, instance: 1, bootID: [UInt8](0..<16), inventory: nearInventory, attempts: [])),
        .report(
            AttemptReport(
                session: SessionID(1),
                statuses: [
                    AttemptStatus(attempt: attempt, fence: Fence(5), phase: .starting),
                    AttemptStatus(
                        attempt: attempt, fence: Fence(5), phase: .running(elapsed: Span(nanoseconds: 9)),
                        checkpointAge: Span(nanoseconds: 2),
                        isAnswer: true),
                ])),
    ]

    static let coordinatorMessages: [CoordinatorMessage] = [
        .welcome(
            Welcome(
                version: 1, node: NodeID(2), epoch: Epoch(3), session: SessionID(4), heartbeatInterval: Span(nanoseconds: 5),
                lease: Span(nanoseconds: 6), wantsTopology: true)),
        .refuse(Refusal(code: .busy, message: "later", retryAfter: Span(nanoseconds: 8))),
        .heartbeatAck(HeartbeatAck(session: SessionID(1), number: 2, commandsSent: 3, interval: Span(nanoseconds: 4))),
        command(
            .start(
                StartBatch(
                    job: JobID(12), template: template, starts: [start(rank: 0, nodes: ["a", "b"]), start(rank: 1, nodes: ["a", "b"])]))),
        command(.stop([StopOrder(attempt: attempt, grace: Span(nanoseconds: 41))])),
        command(.release([ReleaseOrder(attempt: attempt, fence: Fence(0))])),
        command(
            .start(
                StartBatch(
                    job: JobID(12), template: template,
                    starts: [
                        StartOrder(
                            attempt: attempt, fence: Fence(3), slot: Fence(1), allocation: Allocation(cpuMilli: 1000, memoryBytes: 1 << 30),
                            restartReason: .none, gang: nil)
                    ]))),
        command(.release([ReleaseOrder(attempt: attempt, fence: Fence(5))])),
        .fileService(FileService(host: "c", port: 8470, isTLS: true, certificate: [45, 45])),
        command(
            .start(
                StartBatch(
                    job: JobID(12), template: stagedTemplate,
                    starts: [
                        StartOrder(
                            attempt: attempt, fence: Fence(3), allocation: Allocation(cpuMilli: 1000, memoryBytes: 1 << 30),
                            restartReason: .none, gang: nil, pass: [UInt8](repeating: 0x22, count: 32))
                    ]))),
        .welcome(
            Welcome(
                version: 1, node: NodeID(2), epoch: Epoch(3), session: SessionID(4), heartbeatInterval: Span(nanoseconds: 5),
                lease: Span(nanoseconds: 6), wantsTopology: false, registrationSentAt: 74, stateMark: [9])),
        command(.stop([StopOrder(attempt: attempt, grace: Span(nanoseconds: 41), fence: Fence(75))])),
        .heartbeatAck(HeartbeatAck(session: SessionID(1), number: 2, commandsSent: 3, interval: Span(nanoseconds: 4), stateMark: [9])),
        .command(
            AgentCommand(
                epoch: Epoch(1), session: SessionID(2), sequence: 3, body: .release([ReleaseOrder(attempt: attempt, fence: Fence(0))]),
                stateMark: [9])),
        command(
            .start(
                StartBatch(
                    job: JobID(12), template: template,
                    starts: [
                        StartOrder(
                            attempt: attempt, fence: Fence(3),
                            allocation: Allocation(
                                cpuMilli: 2000, memoryBytes: 1 << 30,
                                devices: [
                                    DeviceGrant(
                                        index: 0, shareMilli: 428, memoryBytes: 1 << 20,
                                        partition: DeviceGrant.Partition(template: "3g.40gb", slots: 0xF0))
                                ], processors: [0, 9], numaNode: 8),
                            restartReason: .none, gang: nil)
                    ]))),
        command(
            .stop([StopOrder(attempt: attempt, grace: Span(nanoseconds: 41), reason: .preempted, checkpointSignal: .user2)])),
    ]

    static let chunk = LogChunk(attempt: attempt, stream: 2, offset: 51, bytes: [65, 66], isLast: true)
    static let ack = LogAck(attempt: attempt, stream: 1, offset: 61, isComplete: true)

    static func command(_ body: AgentCommand.Body) -> CoordinatorMessage {
        .command(AgentCommand(epoch: Epoch(1), session: SessionID(2), sequence: 3, body: body))
    }

    /// One task, alone: what a busy cluster sends most.
    static let singleStart = command(
        .start(
            StartBatch(
                job: JobID(12), template: template,
                starts: [
                    StartOrder(
                        attempt: attempt, fence: Fence(1), allocation: Allocation(cpuMilli: 1000, memoryBytes: 1 << 30),
                        restartReason: .none, gang: nil)
                ])))
}

/// Decoding of whole arrays. The compiler (6.3) does not survive a span within an expectation.
enum Decode {
    static func agentMessages(_ frame: [UInt8]) throws(WireError) -> [AgentMessage] { try WireFrame.agentMessages(in: frame.span.bytes) }
    static func coordinatorMessages(_ frame: [UInt8]) throws(WireError) -> [CoordinatorMessage] {
        try WireFrame.coordinatorMessages(in: frame.span.bytes)
    }
    static func logChunk(_ frame: [UInt8]) throws(WireError) -> LogChunk { try WireFrame.logChunk(in: frame.span.bytes) }
    static func logAcks(_ frame: [UInt8]) throws(WireError) -> [LogAck] { try WireFrame.logAcks(in: frame.span.bytes) }
    static func request(_ frame: [UInt8]) throws(WireError) -> WireEnrollment.Request { try WireEnrollment.request(in: frame.span.bytes) }
    static func answer(_ frame: [UInt8]) throws(WireError) -> WireEnrollment.Answer { try WireEnrollment.answer(in: frame.span.bytes) }
}
