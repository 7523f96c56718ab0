// One event of each kind, with every optional part filled somewhere.

import ClusterModel
import SchedulingCore

/// The kinds of events. The switch below does not compile when a kind is missing here, and the tests fail when a kind
/// has no sample.
enum EventKind: String, CaseIterable {
    case clusterFounded, clusterRestored, leadershipBegan, jobAccepted, jobCancelRequested, waitingUnitsCancelled, unitsPlaced,
        attemptStarted
    case unitStopRequested, attemptEnded, jobFinished, timersDue, idempotencyExpired, nodeEnrolled, nodeRegistered, nodeSuspected
    case successorsGranted, successorReturned, nodeSilenced, nodeCordoned, nodeRemoved, joinTokenCreated, keyCreated, keyRevoked, userSet,
        hourCut, nodeDrainBegan, nodeDrainDue, secretSet, secretRemoved, datasetCreated, datasetRemoved
    case attemptLeftBehind, attemptGone, nodeConfirmedDead, nodeContested, nodeQuarantined, stateOutdated
    case shareObjectSet, shareObjectRemoved, gangsPreempted, jobUpdated, jobExpired, nodeMoved, gangCheckpointed

    init(_ event: Event) {
        switch event {
        case .clusterFounded: self = .clusterFounded
        case .clusterRestored: self = .clusterRestored
        case .leadershipBegan: self = .leadershipBegan
        case .jobAccepted: self = .jobAccepted
        case .jobCancelRequested: self = .jobCancelRequested
        case .waitingUnitsCancelled: self = .waitingUnitsCancelled
        case .unitsPlaced: self = .unitsPlaced
        case .successorsGranted: self = .successorsGranted
        case .successorReturned: self = .successorReturned
        case .attemptStarted: self = .attemptStarted
        case .unitStopRequested: self = .unitStopRequested
        case .attemptEnded: self = .attemptEnded
        case .jobFinished: self = .jobFinished
        case .timersDue: self = .timersDue
        case .idempotencyExpired: self = .idempotencyExpired
        case .nodeEnrolled: self = .nodeEnrolled
        case .nodeRegistered: self = .nodeRegistered
        case .nodeSuspected: self = .nodeSuspected
        case .nodeSilenced: self = .nodeSilenced
        case .nodeCordoned: self = .nodeCordoned
        case .nodeRemoved: self = .nodeRemoved
        case .nodeDrainBegan: self = .nodeDrainBegan
        case .nodeDrainDue: self = .nodeDrainDue
        case .attemptLeftBehind: self = .attemptLeftBehind
        case .attemptGone: self = .attemptGone
        case .nodeConfirmedDead: self = .nodeConfirmedDead
        case .nodeContested: self = .nodeContested
        case .nodeQuarantined: self = .nodeQuarantined
        case .stateOutdated: self = .stateOutdated
        case .joinTokenCreated: self = .joinTokenCreated
        case .keyCreated: self = .keyCreated
        case .keyRevoked: self = .keyRevoked
        case .userSet: self = .userSet
        case .hourCut: self = .hourCut
        case .secretSet: self = .secretSet
        case .secretRemoved: self = .secretRemoved
        case .datasetCreated: self = .datasetCreated
        case .datasetRemoved: self = .datasetRemoved
        case .shareObjectSet: self = .shareObjectSet
        case .shareObjectRemoved: self = .shareObjectRemoved
        case .gangsPreempted: self = .gangsPreempted
        case .jobUpdated: self = .jobUpdated
        case .jobExpired: self = .jobExpired
        case .nodeMoved: self = .nodeMoved
        case .gangCheckpointed: self = .gangCheckpointed
        }
    }
}

enum Sample {
    /// 2026-05-28T20:26:40.123456789Z.
    static let time = LogicalTime(nanoseconds: 1_780_000_000_123_456_789)
    static let attempt = AttemptID(job: JobID(300), index: 70_000, number: 1)
    static let allocation = Allocation(cpuMilli: 1000, memoryBytes: 1 << 30)
    /// All that form 2 can say.
    static let richAllocation = Allocation(
        cpuMilli: 2000, memoryBytes: 1 << 30,
        devices: [
            DeviceGrant(
                index: 1, shareMilli: 428, memoryBytes: 1 << 35, partition: DeviceGrant.Partition(template: "3g.40gb", slots: 0xF0)),
            DeviceGrant(index: 2, shareMilli: 1000, memoryBytes: 1 << 36),
        ],
        locality: Locality(devices: .numa, gang: .rack), processors: [4, 5], numaNode: 1)

    static var events: [Event] { clusterEvents + jobEvents + nodeEvents + accessEvents + holdingEvents + shareEvents }

    private static var clusterEvents: [Event] {
        [
            .clusterFounded(id: Array(0..<16), at: time), .leadershipBegan(Epoch(3), rules: 1, at: time), .timersDue(at: time),
            .clusterRestored(
                RestoredCluster(
                    id: Array(0..<16), epoch: Epoch(4), job: JobID(300), node: NodeID(9), fence: Fence(100_000), session: SessionID(44),
                    revision: 1_000, at: time)),
            .idempotencyExpired(through: time), .hourCut(at: time),
        ]
    }

    private static var jobEvents: [Event] {
        [
            .jobAccepted(
                AcceptedJob(
                    id: JobID(300), specification: specification, user: "alice",
                    key: Submission.Key(text: "k-1", requestDigest: [0xAA, 0xBB]), retryOf: JobID(299), at: time)),
            .jobUpdated(
                JobID(300),
                JobUpdate(
                    priority: -5, isHeld: true, timeLimit: .to(.seconds(60)), estimate: JobUpdate.Change.none, deadline: .to(time),
                    maxPending: .to(.seconds(9)), labels: [NamedText("team", "blue")]), at: time),
            .jobExpired(JobID(300), .maxPending, at: time),
            .jobCancelRequested(JobID(300), at: time), .waitingUnitsCancelled(JobID(300), at: time),
            .unitsPlaced(
                PlacedUnits(
                    job: JobID(300),
                    units: [
                        .init(
                            ordinal: 70_000, attempt: 1, places: [.init(node: NodeID(9), fence: Fence(100_000), allocation: allocation)])
                    ],
                    at: time)),
            .attemptStarted(attempt, elapsed: .milliseconds(3), at: time),
            .successorsGranted(
                GrantedSuccessors(
                    job: JobID(300), attempt: 1,
                    slots: [
                        GrantedSuccessors.Slot(
                            holder: 70_000, node: NodeID(9), slot: Fence(800),
                            tasks: [
                                GrantedSuccessors.Task(ordinal: 70_001, fence: Fence(801)),
                                GrantedSuccessors.Task(ordinal: 70_002, fence: Fence(802)),
                            ])
                    ], at: time)),
            .successorReturned(attempt, from: NodeID(9), at: time),
            .gangCheckpointed(GangCheckpoint(attempt: attempt, written: LogicalTime(nanoseconds: 5), ran: .seconds(60), at: time)),
            .unitStopRequested(StoppedUnit(job: JobID(300), ordinal: 70_000, grace: .seconds(30), reason: .user, at: time)),
            .attemptEnded(ended(.finished(.succeeded, .none))),
            .jobFinished(FinishedJob(id: JobID(300), state: .failed, reason: .exitCode, exitCode: 7, at: time)),
        ]
    }

    static func ended(_ disposition: EndedAttempt.Disposition) -> EndedAttempt {
        EndedAttempt(
            attempt: attempt, node: NodeID(9),
            end: AttemptEnd(
                cause: .exited, exitCode: 0, elapsed: Span(nanoseconds: 1_234_567_890), cpuTime: Span(nanoseconds: 801_234_567),
                memoryPeakBytes: 12_345_678, stdoutBytes: 120),
            state: .succeeded, reason: .none, disposition: disposition, at: time)
    }

    private static var nodeEvents: [Event] {
        [
            .nodeEnrolled(
                EnrolledNode(
                    id: NodeID(9), name: "worker-9", publicKey: [1, 2, 3], tokenID: [4, 5], membership: membership, at: time)),
            .nodeRegistered(
                RegisteredNode(
                    id: NodeID(9), session: SessionID(44), instance: 1 << 60, bootID: [6, 7], inventory: inventory, at: time, sentAt: 5,
                    sessionSeen: SessionID(43), condition: .diskFull, strengths: [989_500])),
            .nodeSuspected(NodeID(9), at: time), .nodeSilenced(NodeID(9), lastHeard: LogicalTime(nanoseconds: 5), at: time),
            .nodeCordoned(NodeID(9), isCordoned: true, at: time), .nodeRemoved(NodeID(9), at: time),
            .nodeMoved(NodeID(9), pool: "a100", at: time),
            .nodeDrainBegan(NodeID(9), deadline: time, at: time), .nodeDrainDue(NodeID(9), at: time),
            .attemptLeftBehind(
                LeftAttempt(
                    attempt: attempt, node: NodeID(9), fence: Fence(100_000), slot: Fence(800), holding: .allocation(richAllocation),
                    at: time)),
            .attemptGone(NodeID(9), Fence(100_000), at: time), .nodeConfirmedDead(NodeID(9), at: time),
            .nodeContested(ContestedNode(id: NodeID(9), bootID: [6, 7], challenge: 5, at: time)), .nodeQuarantined(NodeID(9), at: time),
            .stateOutdated(NodeID(9), SessionID(44), at: time),
        ]
    }

    private static var accessEvents: [Event] {
        [
            .joinTokenCreated(
                JoinTokenRecord(id: [1], verifier: [2], expiresAt: time, usesLeft: 10, namePrefix: "gpu-", membership: membership)),
            .keyCreated(
                AccessKey(id: "0a1b2c3d", secretDigest: [3], tenant: "lab", user: "alice", role: .viewer, createdAt: time)),
            .keyRevoked("0a1b2c3d", at: time),
            .userSet(UserRecord(name: "alice", account: UserAccount(userID: 1001, groupID: 100)), at: time),
        ]
    }

    private static var holdingEvents: [Event] {
        [
            .secretSet(SecretRecord(tenant: "lab", name: "token", sealedValue: [7, 7], setAt: time)),
            .secretRemoved(tenant: "lab", name: "token", at: time),
            .datasetCreated(
                DatasetVersion(
                    tenant: "lab", name: "digits", version: "v1", tree: digest, fileCount: 3, size: 1 << 40, createdAt: time)),
            .datasetRemoved(tenant: "lab", name: "digits", version: "v1", at: time),
        ]
    }

    /// All that an object can say.
    static let shareObjects: [ShareObject] = [
        .quota(
            QuotaRecord(
                name: "cap", tenant: "lab", project: "eyes", user: "alice", queue: "night", isForEachUser: true,
                room: RoomBounds(cpuMilli: 1000, memoryBytes: 1 << 30, deviceMilli: 500, computeUnitsMilli: 300_000),
                models: [.init(pattern: "*A100*", deviceMilli: 2000)], runningTasks: 5, queuedJobs: 7)),
        .queue(
            QueueRecord(
                name: "night", parent: "lab", weight: 3, guarantee: RoomBounds(cpuMilli: 4000), ceiling: RoomBounds(memoryBytes: 1 << 40),
                borrow: RoomBounds(deviceMilli: 0), lend: RoomBounds(computeUnitsMilli: 1), halfLife: .seconds(3600))),
        .project(ProjectRecord(tenant: "lab", name: "eyes", weight: 2)), .tenant(TenantRecord(name: "lab", weight: 4)),
        .user(UserRecord(name: "alice", account: UserAccount(userID: 1001, groupID: 100), weight: 3)),
        .pool(PoolRecord(name: "a100", tenants: ["lab", "hz"])),
    ]

    private static var shareEvents: [Event] {
        [
            .shareObjectSet(shareObjects[0], at: time), .shareObjectRemoved(ShareObjectID(.project, "lab/eyes"), at: time),
            .gangsPreempted(
                Preemption(
                    job: JobID(300), units: 2, gangs: [Preemption.Gang(job: JobID(5), ordinal: 3, grace: .seconds(30))],
                    nodes: [NodeID(1), NodeID(9)], until: time, at: time)),
        ]
    }

    static let digest = ContentDigest(bytes: Array(repeating: 0xAB, count: 32))!
    static let plainMembership = NodeMembership(center: Center(id: "lab"), pool: "a100", labels: [NamedText("rack", "r1")])
    /// All that form 2 can say.
    static let membership = NodeMembership(
        center: Center(id: "lab", name: "Lab 1", province: "Zhejiang", city: "Hangzhou", hasNetAccess: true), pool: "a100",
        labels: [NamedText("rack", "r1")], taints: ["reserved"])

    /// All that form 6 can say.
    static let specification: JobSpecification = {
        var job = fifthSpecification
        job.checkpointSignal = .user1
        job.pool = "a100"
        job.recurrence = (try? CalendarRule(parsing: "30 3 * * 1-5")).map {
            Recurrence(rule: .calendar($0, offset: .seconds(8 * 3600)), mayOverlap: true, until: time)
        }
        return job
    }()

    /// All that form 5 can say.
    static let fifthSpecification: JobSpecification = {
        var job = fourthSpecification
        job.deadline = time
        job.maxPending = .seconds(600)
        job.isHeld = true
        job.checkpointInterval = .seconds(1800)
        job.retry.limits = [RetryPolicy.CauseLimit(cause: .nodeLost, limit: 1)]
        job.retry.backoff = .seconds(30)
        return job
    }()

    /// All that form 4 can say.
    static let fourthSpecification: JobSpecification = {
        var job = earlierSpecification
        job.estimate = .seconds(5400)
        return job
    }()

    /// All that form 3 can say.
    static let earlierSpecification: JobSpecification = {
        var job = plainSpecification
        job.groups[0].resources.hasWholeCores = true
        job.groups[0].resources.cpuMilli = 2000
        job.groups[0].resources.alternatives = [
            .partitions("1g.10gb", kind: .gpu, modelPattern: "*A100*"), .computeUnits(milli: 200_000), DeviceRequest(kind: .npu, count: 4),
        ]
        job.groups[0].resources.topology = TopologyRequest([.numa: .require, .rack: .prefer, .center: .none], sharing: .spread)
        job.centers = ["lab", "hz"]
        job.needsInternet = true
        return job
    }()

    static let plainSpecification = JobSpecification(
        name: "sweep", kind: .training, tenant: "lab", project: "vision", queue: "night", priority: -5, isPreemptible: true,
        groups: [
            TaskGroup(
                name: "main", count: 2,
                resources: ResourceRequest(
                    cpuMilli: 500, memoryBytes: 1 << 30,
                    devices: DeviceRequest(kind: .gpu, count: 1, shareMilli: 250, memoryBytes: 1 << 33, modelPattern: "H*")),
                constraints: [Constraint(key: "zone", comparison: .differs, value: "b")], command: ["/bin/true", "x"],
                environment: [SealedVariable(name: "TOKEN", sealedValue: [9, 9])], workDirectory: "/srv")
        ],
        array: ArrayRange(first: 0, last: 99_999, concurrencyLimit: 50),
        dependencies: [Dependency(job: JobID(200), condition: .ok)], beginAt: time, timeLimit: .seconds(60),
        grace: .seconds(5), retry: RetryPolicy(limit: 2, causes: [.oom, .nodeLost]), checkpointPath: "ck", onNodeLost: .replace,
        labels: [NamedText("team", "red"), NamedText("stage", "dev")],
        inputs: [
            JobInput(source: .tree(digest), path: "src"),
            JobInput(source: .dataset(name: "digits", version: "v1", tree: digest), path: "data"),
            JobInput(source: .url("https://example.org/w", digest), path: "w"),
        ],
        outputs: [JobOutput(path: "out", destination: "results")],
        secrets: [JobSecret(name: "token", variable: "TOKEN"), JobSecret(name: "other")],
        traceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")

    /// All that form 2 can say.
    static let inventory: NodeInventory = {
        var node = plainInventory
        node.devices[0].pcieSwitch = 3
        node.devices[0].linkGroup = 0
        node.devices[0].isPartitionable = true
        node.numaNodes = [NUMANode(osIndex: 0, processors: [0, 2, 1, 3], threadsPerCore: 2), NUMANode(osIndex: 8, processors: [4, 5])]
        node.taints = ["reserved"]
        return node
    }()

    static let plainInventory = NodeInventory(
        name: "worker-9", address: "10.0.0.9", cpuMilli: 8000, memoryBytes: 1 << 34,
        devices: [
            Device(
                index: 0, kind: .gpu, vendor: "nvidia", model: "NVIDIA H200", uuid: "GPU-1", pciAddress: "0000:01:00.0",
                memoryBytes: 1 << 37, numaNode: 0)
        ],
        topology: TopologySummary(
            architecture: "x86_64", cpuModel: "any", packages: 1, numaNodes: 1, level3Caches: 1, level2Caches: 8, cores: 8,
            processingUnits: 8, pciDevices: 1, osDevices: 1),
        topologyDigest: [8], labels: [NamedText("zone", "a")], isSimulated: false)
}
