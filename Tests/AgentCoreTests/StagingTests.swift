import AgentCore
import ClusterModel
import Testing

/// Files before the start and after the end.
@Suite struct StagingTests {
    private let second: Int64 = 1_000_000_000
    private let attempt = AttemptID(job: JobID(1), index: 0, number: 1)
    private static let tree = ContentDigest(bytes: [UInt8](repeating: 1, count: 32))!

    private func makeCore(movesFiles: Bool = true) -> AgentCore {
        var core = AgentCore(
            configuration: AgentConfiguration(
                instance: 1, bootID: [UInt8](repeating: 1, count: 16),
                inventory: NodeInventory(name: "n1", address: "10.0.0.1", cpuMilli: 4000, memoryBytes: 8 << 30),
                defaultAccount: UserAccount(userID: 65534, groupID: 65534), isRoot: true, allowsRootJobs: false, workRoot: "/jobs",
                secretsRoot: "/run/s", movesFiles: movesFiles),
            kept: KeptLease(), at: 0)
        _ = core.handle(.driver([.recovered([])]), at: 0)
        _ = core.handle(.connected, at: 0)
        _ = core.handle(
            .received(
                .welcome(
                    Welcome(
                        version: 1, node: NodeID(1), epoch: Epoch(1), session: SessionID(1), heartbeatInterval: .seconds(5),
                        lease: .seconds(30), wantsTopology: false))), at: 0)
        return core
    }

    private func command(_ sequence: UInt64, _ body: AgentCommand.Body) -> AgentInput {
        .received(.command(AgentCommand(epoch: Epoch(1), session: SessionID(1), sequence: sequence, body: body)))
    }

    private func start(secrets: Bool = false, files: Bool = true, onNodeLost: NodeLossPolicy = .wait) -> AgentCommand.Body {
        .start(
            StartBatch(
                job: JobID(1),
                template: TaskTemplate(
                    jobName: "job", tenant: "default", project: "default", queue: "default", groupName: "main", command: ["work"],
                    environment: [], workDirectory: "", checkpointPath: "ckpt", deviceKind: nil, timeLimit: nil, grace: .seconds(30),
                    onNodeLost: onNodeLost, account: nil, worldSize: 1, labels: [], arrayFirst: 0, isArray: false,
                    inputs: files ? [JobInput(source: .tree(Self.tree), path: "")] : [],
                    outputs: files ? [JobOutput(path: "out", destination: "out")] : [],
                    secretFiles: secrets ? [SealedVariable(name: "token", sealedValue: [1])] : [], traceParent: "00-a-b-01"),
                starts: [
                    StartOrder(
                        attempt: attempt, fence: Fence(7), allocation: Allocation(cpuMilli: 500, memoryBytes: 1 << 30),
                        restartReason: .none, gang: nil, pass: [9])
                ]))
    }

    private func stages(_ effects: [AgentEffect]) -> [StageOrder] {
        effects.flatMap { effect -> [StageOrder] in
            guard case .stage(let orders) = effect else { return [] }
            return orders
        }
    }

    private func launches(_ effects: [AgentEffect]) -> [LaunchOrder] {
        effects.flatMap { effect -> [LaunchOrder] in
            guard case .launch(let orders) = effect else { return [] }
            return orders
        }
    }

    private func ends(_ effects: [AgentEffect]) -> [AttemptEnd] {
        effects.flatMap { effect -> [AttemptEnd] in
            guard case .send(.report(let report)) = effect else { return [] }
            return report.statuses.compactMap { if case .ended(let end) = $0.phase { end } else { nil } }
        }
    }

    private func processEnd(_ code: Int32 = 0) -> DriverEvent {
        .ended(attempt, ProcessEnd(manner: .exited(code: code), startedAt: second, endedAt: 2 * second))
    }

    /// A core whose task runs, its files in place.
    private func running(onNodeLost: NodeLossPolicy = .wait) -> AgentCore {
        var core = makeCore()
        _ = core.handle(command(1, start(onNodeLost: onNodeLost)), at: 0)
        _ = core.handle(.staging([.staged(attempt, Fence(7))]), at: second)
        _ = core.handle(.driver([.started(attempt, processID: 5, at: second)]), at: second)
        return core
    }

    @Test func filesComeBeforeTheProcess() {
        var core = makeCore()
        let effects = core.handle(command(1, start(secrets: true)), at: 0)
        #expect(launches(effects).isEmpty)
        let order = stages(effects)[0]
        #expect(order.workDirectory == "/jobs/1/0.1" && order.secretsDirectory == "/run/s/1.0.1" && order.pass == [9])
        #expect(order.userID == 65534)
        let launched = launches(core.handle(.staging([.staged(attempt, Fence(7))]), at: second))
        #expect(launched.map(\.workDirectory) == ["/jobs/1/0.1"])
        // Later attempts find the checkpoints, so those lie beside the attempts' own directories.
        for entry in ["SUANPAN_CHECKPOINT_DIR=/jobs/1/ckpt", "SUANPAN_SECRETS_DIR=/run/s/1.0.1", "TRACEPARENT=00-a-b-01"] {
            #expect(launched[0].environment.contains(entry))
        }
    }

    @Test func aJobWithoutFilesSharesADirectoryAndWaitsForNothing() {
        var core = makeCore()
        let effects = core.handle(command(1, start(files: false)), at: 0)
        #expect(stages(effects).isEmpty)
        #expect(launches(effects).map(\.workDirectory) == ["/jobs/1"])
        #expect(
            !core.handle(.driver([.started(attempt, processID: 5, at: 0), processEnd()]), at: second).contains {
                if case .collect = $0 { true } else { false }
            })
    }

    @Test func secretsAloneAreStagedInTheSharedDirectory() {
        var core = makeCore()
        let order = stages(core.handle(command(1, start(secrets: true, files: false)), at: 0))[0]
        #expect(order.workDirectory.isEmpty && order.secretFiles.map(\.name) == ["token"])
    }

    @Test func aSimulatedNodeMovesNothing() {
        var core = makeCore(movesFiles: false)
        #expect(launches(core.handle(command(1, start(secrets: true)), at: 0)).count == 1)
    }

    @Test func filesThatCannotComeEndTheAttempt() {
        var core = makeCore()
        _ = core.handle(command(1, start()), at: 0)
        let end = ends(core.handle(.staging([.failed(attempt, Fence(7), problem: "no room")]), at: second))[0]
        #expect(end.cause == .staging && end.exitCode == 125 && end.detail == "no room")
    }

    @Test func newsOfAnOlderGrantChangesNothing() {
        var core = makeCore()
        _ = core.handle(command(1, start()), at: 0)
        for event in [
            StagingEvent.staged(attempt, Fence(6)), .failed(attempt, Fence(6), problem: "x"), .collected(attempt, Fence(7), problem: ""),
        ] {
            #expect(core.handle(.staging([event]), at: second).isEmpty)
        }
    }

    @Test func aStopWhileFilesComeEndsAtOnce() {
        var core = makeCore()
        _ = core.handle(command(1, start()), at: 0)
        let effects = core.handle(command(2, .stop([StopOrder(attempt: attempt, grace: .seconds(30))])), at: second)
        #expect(ends(effects).map(\.cause) == [.stopped])
        #expect(effects.contains(.abandonFiles(attempt, Fence(7))))
        #expect(core.handle(.staging([.staged(attempt, Fence(7))]), at: second).isEmpty)
    }

    @Test func anEndIsToldWhenTheOutputsAreKept() {
        var core = running()
        let effects = core.handle(.driver([processEnd()]), at: 2 * second)
        #expect(effects.contains(.collect(attempt, Fence(7))) && ends(effects).isEmpty)
        #expect(core.liveAttemptCount == 1)
        #expect(ends(core.handle(.staging([.collected(attempt, Fence(7), problem: "")]), at: 3 * second)).map(\.cause) == [.exited])
        // Forgotten together with its directory.
        let released = core.handle(command(2, .release([ReleaseOrder(attempt: attempt, fence: Fence(0))])), at: 4 * second)
        #expect(released.contains(.discardFiles(attempt)) && core.attemptIDs.isEmpty)
    }

    @Test(arguments: [(Int32(0), AttemptEnd.Cause.staging, Int32(125)), (3, .exited, 3)])
    func missingOutputsFailOnlyWhatHadSucceeded(code: Int32, cause: AttemptEnd.Cause, exitCode: Int32) {
        var core = running()
        _ = core.handle(.driver([processEnd(code)]), at: 2 * second)
        let end = ends(core.handle(.staging([.collected(attempt, Fence(7), problem: "there is no 'out'")]), at: 3 * second))[0]
        #expect(end.cause == cause && end.exitCode == exitCode)
    }

    @Test func aStopLeavesOutputsTheirGraceAndNoMore() {
        var core = running()
        _ = core.handle(.driver([processEnd()]), at: 2 * second)
        #expect(ends(core.handle(command(2, .stop([StopOrder(attempt: attempt, grace: .seconds(10))])), at: 3 * second)).isEmpty)
        #expect(core.nextDeadline <= 13 * second)
        let effects = core.handle(.tick, at: 13 * second)
        #expect(ends(effects).map(\.cause) == [.exited])
        #expect(effects.contains(.abandonFiles(attempt, Fence(7))))
    }

    @Test func theLeaseOfATaskThatIsReplacedEndsItsCollectionToo() {
        var core = running(onNodeLost: .replace)
        _ = core.handle(.driver([processEnd()]), at: 2 * second)
        _ = core.handle(.tick, at: 31 * second)
        let effects = core.handle(.tick, at: 31 * second)
        #expect(effects.contains(.abandonFiles(attempt, Fence(7))) && core.liveAttemptCount == 0)
    }

    @Test func theNextAgentKeepsTheOutputsOfWhatEndedMeanwhile() {
        var first = makeCore()
        _ = first.handle(command(1, start()), at: 0)
        let note = launches(first.handle(.staging([.staged(attempt, Fence(7))]), at: second))[0].note
        var second = makeCore()
        let end = ProcessEnd(manner: .exited(code: 0), startedAt: self.second, endedAt: 2 * self.second)
        let known = RecoveredAttempt(attempt: attempt, fence: Fence(7), slot: Fence(7), note: note, startedAt: self.second, end: end)
        let effects = second.handle(.driver([.recovered([known])]), at: 3 * self.second)
        #expect(effects.contains(.collect(attempt, Fence(7))))
    }

    @Test func theFirstThingAnAgentDoesIsToSweepWhatNobodyKnows() {
        var core = AgentCore(
            configuration: AgentConfiguration(
                instance: 1, bootID: [], inventory: NodeInventory(name: "n1", address: "", cpuMilli: 1, memoryBytes: 1),
                defaultAccount: UserAccount(userID: 1, groupID: 1), isRoot: false, allowsRootJobs: false, workRoot: "/jobs",
                movesFiles: true),
            kept: KeptLease(), at: 0)
        #expect(core.handle(.driver([.recovered([])]), at: 0).contains(.sweepFiles(keeping: [])))
    }
}
