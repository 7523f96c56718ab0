import AgentCore
import ClusterModel
import Testing

@Suite struct AgentCoreTests {
    private let second: Int64 = 1_000_000_000
    private let attempt = AttemptID(job: JobID(1), index: 0, number: 1)

    private func makeCore(isRoot: Bool = true, allowsRootJobs: Bool = false, account: UInt32 = 65534) -> AgentCore {
        AgentCore(
            configuration: AgentConfiguration(
                instance: 1, bootID: [UInt8](repeating: 1, count: 16),
                inventory: NodeInventory(name: "n1", address: "10.0.0.1", cpuMilli: 4000, memoryBytes: 8 << 30),
                defaultAccount: UserAccount(userID: account, groupID: account), isRoot: isRoot, allowsRootJobs: allowsRootJobs,
                workRoot: "/jobs"),
            kept: KeptLease(), at: 0)
    }

    private func registered(_ core: inout AgentCore, session: UInt64 = 1, at now: Int64 = 0) -> [AgentEffect] {
        _ = core.handle(.driver([.recovered([])]), at: now)
        _ = core.handle(.connected, at: now)
        return core.handle(.received(.welcome(welcome(session))), at: now)
    }

    private func welcome(_ session: UInt64) -> Welcome {
        Welcome(
            version: 1, node: NodeID(1), epoch: Epoch(1), session: SessionID(session), heartbeatInterval: .seconds(5), lease: .seconds(30),
            wantsTopology: false, stateMark: [UInt8(truncatingIfNeeded: session)])
    }

    private func command(_ sequence: UInt64, _ body: AgentCommand.Body, session: UInt64 = 1, epoch: UInt64 = 1) -> AgentInput {
        .received(.command(AgentCommand(epoch: Epoch(epoch), session: SessionID(session), sequence: sequence, body: body)))
    }

    private func start(
        fence: UInt64 = 1, slot: UInt64? = nil, timeLimit: Span? = nil, grace: Span = .seconds(30), onNodeLost: NodeLossPolicy = .wait,
        account: UserAccount? = nil
    ) -> AgentCommand.Body {
        .start(
            StartBatch(
                job: JobID(1),
                template: TaskTemplate(
                    jobName: "job", tenant: "default", project: "default", queue: "default", groupName: "main", command: ["work"],
                    environment: [SealedVariable(name: "LR", sealedValue: Array("0.1".utf8))], workDirectory: "", checkpointPath: "ckpt",
                    deviceKind: nil, timeLimit: timeLimit, grace: grace, onNodeLost: onNodeLost, account: account, worldSize: 1, labels: [],
                    arrayFirst: 0, isArray: false),
                starts: [
                    StartOrder(
                        attempt: attempt, fence: Fence(fence), slot: slot.map { Fence($0) },
                        allocation: Allocation(cpuMilli: 500, memoryBytes: 1 << 30),
                        restartReason: .none,
                        gang: nil)
                ]))
    }

    private func launches(_ effects: [AgentEffect]) -> [LaunchOrder] {
        effects.flatMap { effect -> [LaunchOrder] in
            guard case .launch(let orders) = effect else { return [] }
            return orders
        }
    }

    private func signals(_ effects: [AgentEffect]) -> [Int32] {
        effects.compactMap { if case .signal(_, let number) = $0 { number } else { nil } }
    }

    private func ends(_ effects: [AgentEffect]) -> [AttemptEnd] {
        effects.flatMap { effect -> [AttemptEnd] in
            guard case .send(.report(let report)) = effect else { return [] }
            return report.statuses.compactMap { if case .ended(let end) = $0.phase { end } else { nil } }
        }
    }

    private func registers(_ effects: [AgentEffect]) -> Bool {
        effects.contains { if case .send(.register) = $0 { true } else { false } }
    }

    /// A restored coordinator does not know what this node has been told since: its grant meets an older one.
    @Test func aNewerGrantOfAnAttemptThatIsStillHereIsHandedBack() throws {
        var core = makeCore()
        _ = registered(&core)
        _ = core.handle(command(1, start(fence: 1)), at: 0)
        let effects = core.handle(command(2, start(fence: 9)), at: 1)
        #expect(launches(effects).isEmpty)
        let reported = effects.flatMap { effect -> [AttemptStatus] in
            if case .send(.report(let report)) = effect { report.statuses } else { [] }
        }
        #expect(reported.map(\.fence) == [Fence(9)] && reported.map(\.isReturned) == [true])
        // A repetition of the order that is being carried out is no news.
        #expect(core.handle(command(3, start(fence: 1)), at: 2).isEmpty)
    }

    @Test func aStartBecomesALaunchWithTheWholeEnvironment() {
        var core = makeCore()
        _ = registered(&core)
        let orders = launches(core.handle(command(1, start()), at: 0))
        #expect(orders.count == 1)
        #expect(orders[0].workDirectory == "/jobs/1")
        #expect(orders[0].userID == 65534)
        let expected = [
            "LR=0.1", "SUANPAN_TASK_ID=1.0", "SUANPAN_CPUS=0.5", "CUDA_VISIBLE_DEVICES=", "SUANPAN_CHECKPOINT_DIR=/jobs/1/ckpt",
        ]
        for entry in expected { #expect(orders[0].environment.contains(entry), "\(entry)") }
    }

    @Test func aRepeatedCommandChangesNothing() {
        var core = makeCore()
        _ = registered(&core)
        _ = core.handle(command(1, start()), at: 0)
        #expect(core.handle(command(1, start()), at: 0).isEmpty)
    }

    @Test func commandsOfAnotherSessionOrEpochAreIgnored() {
        var core = makeCore()
        _ = registered(&core, session: 2)
        #expect(core.handle(command(1, start(), session: 1), at: 0).isEmpty)
        #expect(core.handle(command(1, start(), session: 2, epoch: 0), at: 0).isEmpty)
    }

    @Test func aGapInTheNumbersLeadsToANewRegistration() {
        var core = makeCore()
        _ = registered(&core)
        let effects = core.handle(command(2, start()), at: 0)
        #expect(registers(effects) && launches(effects).isEmpty)
    }

    @Test func aHeartbeatAnswerThatNamesMoreCommandsLeadsToANewRegistration() {
        var core = makeCore()
        _ = registered(&core)
        _ = core.handle(.tick, at: 0)
        let ack = HeartbeatAck(session: SessionID(1), number: 1, commandsSent: 1, interval: .seconds(5))
        #expect(registers(core.handle(.received(.heartbeatAck(ack)), at: 0)))
    }

    @Test func threeUnansweredHeartbeatsLeadToANewRegistration() {
        var core = makeCore()
        _ = registered(&core)
        var registrations = 0
        for beat in 0..<4 { if registers(core.handle(.tick, at: Int64(beat) * 5 * second)) { registrations += 1 } }
        #expect(registrations == 1)
    }

    @Test func theTimeLimitTerminatesThenKills() {
        var core = makeCore()
        _ = registered(&core)
        _ = core.handle(command(1, start(timeLimit: .seconds(10), grace: .seconds(2))), at: 0)
        _ = core.handle(.driver([.started(attempt, processID: 7, at: 0)]), at: 0)
        #expect(signals(core.handle(.tick, at: 9 * second)).isEmpty)
        #expect(signals(core.handle(.tick, at: 10 * second)) == [15])
        #expect(signals(core.handle(.tick, at: 12 * second)) == [9])
        let end = ProcessEnd(manner: .signalled(9), startedAt: 0, endedAt: 12 * second)
        #expect(
            ends(core.handle(.driver([.ended(attempt, end)]), at: 12 * second)).map { [$0.exitCode, Int32($0.cause.rawValue)] } == [
                [124, 4]
            ])
    }

    @Test func aTaskThatMayBeReplacedStopsWithTheLeaseAndOneThatWaitsDoesNot() {
        for (policy, expected) in [(NodeLossPolicy.replace, [Int32(9)]), (.wait, [])] {
            var core = makeCore()
            _ = registered(&core)
            _ = core.handle(command(1, start(onNodeLost: policy)), at: 0)
            _ = core.handle(.driver([.started(attempt, processID: 7, at: 0)]), at: 0)
            _ = core.handle(.disconnected, at: second)
            #expect(signals(core.handle(.tick, at: 29 * second)).isEmpty)
            #expect(signals(core.handle(.tick, at: 30 * second)) == expected)
        }
    }

    @Test func anEndIsReportedUntilReleasedThenForgotten() {
        var core = makeCore()
        _ = registered(&core)
        _ = core.handle(command(1, start()), at: 0)
        let end = ProcessEnd(manner: .exited(code: 3), startedAt: 0, endedAt: 5)
        #expect(ends(core.handle(.driver([.ended(attempt, end)]), at: 5)).map(\.exitCode) == [3])
        #expect(ends(core.handle(.tick, at: 3 * second)).map(\.exitCode) == [3])
        #expect(
            core.handle(command(2, .release([ReleaseOrder(attempt: attempt, fence: Fence(1))])), at: 3 * second) == [.release([attempt])])
        #expect(core.attemptIDs.isEmpty)
    }

    @Test func outputIsKeptUntilTheCoordinatorHasIt() {
        var core = makeCore()
        _ = registered(&core)
        _ = core.handle(command(1, start()), at: 0)
        let end = ProcessEnd(manner: .exited(code: 0), startedAt: 0, endedAt: 5, stdoutBytes: 10)
        let effects = core.handle(.driver([.ended(attempt, end)]), at: 5)
        #expect(effects.contains(.shipOutput(attempt, .stdout, offset: 0, count: 10)))
        #expect(core.handle(command(2, .release([ReleaseOrder(attempt: attempt, fence: Fence(1))])), at: 5).isEmpty)
        let ack = LogAck(attempt: attempt, stream: 1, offset: 10, isComplete: false)
        #expect(core.handle(.logAcknowledged(ack), at: 6) == [.release([attempt])])
    }

    @Test func aSuccessorIsGivenBackWhenItHasWaitedTooLong() {
        var core = makeCore()
        _ = registered(&core)
        let effects = core.handle(command(1, start(slot: 7)), at: 0)
        #expect(launches(effects).map(\.slot) == [Fence(7)])
        _ = core.handle(.tick, at: 0)  // the first heartbeat
        #expect(core.nextDeadline == second)
        #expect(core.handle(.tick, at: second).contains(.withdraw([attempt])))
        // Asked for again, should the driver not have heard.
        #expect(core.nextDeadline == 2 * second)
        let end = ProcessEnd(manner: .notStarted, startedAt: second, endedAt: second)
        #expect(ends(core.handle(.driver([.ended(attempt, end)]), at: second)).map(\.cause) == [.returned])
    }

    @Test func aSuccessorThatHasStartedIsNotGivenBack() {
        var core = makeCore()
        _ = registered(&core)
        _ = core.handle(command(1, start(slot: 7)), at: 0)
        _ = core.handle(.driver([.started(attempt, processID: 5, at: 1)]), at: 1)
        #expect(!core.handle(.tick, at: 2 * second).contains(.withdraw([attempt])))
    }

    /// Given back, granted again, and only then does the word about the first grant arrive.
    @Test func aNewerGrantTakesThePlaceOfOneThatWasGivenBack() {
        var core = makeCore()
        _ = registered(&core)
        _ = core.handle(command(1, start(slot: 7)), at: 0)
        let end = ProcessEnd(manner: .notStarted, startedAt: 0, endedAt: 0)
        _ = core.handle(.driver([.ended(attempt, end)]), at: 0)
        let effects = core.handle(command(2, start(fence: 9, slot: 8)), at: 1)
        #expect(effects.contains(.release([attempt])) && launches(effects).map(\.fence) == [Fence(9)])
        let late = [ReleaseOrder(attempt: attempt, fence: Fence(1)), ReleaseOrder(attempt: attempt, fence: Fence(9))]
        #expect(core.handle(command(3, .release(late)), at: 2).isEmpty, "a live attempt is not forgotten")
        #expect(core.liveAttemptCount == 1)
    }

    @Test func aReportSaysHowLongAgoTheEndWas() {
        var core = makeCore()
        _ = registered(&core)
        _ = core.handle(command(1, start()), at: 0)
        let end = ProcessEnd(manner: .exited(code: 0), startedAt: 0, endedAt: second)
        let effects = core.handle(.driver([.ended(attempt, end)]), at: second + 5)
        guard case .send(.report(let report)) = effects.first else {
            Issue.record("\(effects)")
            return
        }
        #expect(report.statuses.map(\.age) == [Span(nanoseconds: 5)])
    }

    @Test func jobsNeverRunAsRootUnlessAllowed() {
        var core = makeCore()
        _ = registered(&core)
        let root = UserAccount(userID: 0, groupID: 0)
        let effects = core.handle(command(1, start(account: root)), at: 0)
        #expect(launches(effects).isEmpty)
        #expect(ends(effects).map(\.exitCode) == [126])
    }

    @Test func aRestartedAgentAdoptsWhatRuns() {
        var core = makeCore()
        let note = [UInt8]()
        let recovered = RecoveredAttempt(attempt: attempt, fence: Fence(1), slot: Fence(1), note: note, startedAt: 0, end: nil)
        _ = core.handle(.connected, at: second)
        let effects = core.handle(.driver([.recovered([recovered])]), at: second)
        #expect(registers(effects))
        #expect(core.liveAttemptCount == 1)
    }

    @Test func aLostLauncherEndsWhatItHeld() {
        var core = makeCore()
        _ = registered(&core)
        _ = core.handle(command(1, start()), at: 0)
        let ended = ends(core.handle(.driver([.lost, .recovered([])]), at: second))
        #expect(ended.map(\.cause) == [.infrastructure])
    }

    // MARK: The lease

    @Test func theLeaseEndsWhatIsBeingStoppedWithGraceToo() {
        var core = makeCore()
        _ = registered(&core)
        _ = core.handle(command(1, start(grace: .seconds(3600), onNodeLost: .replace)), at: 0)
        _ = core.handle(.driver([.started(attempt, processID: 7, at: 0)]), at: 0)
        _ = core.handle(command(2, .stop([StopOrder(attempt: attempt, grace: .seconds(3600))])), at: second)
        #expect(core.handle(.tick, at: 31 * second).contains(.signal(attempt, 9)))
    }

    @Test func aMarkThatAStartHasOvertakenIsOlder() {
        var core = makeCore()
        _ = registered(&core)
        _ = core.handle(.tick, at: second)
        let command = AgentCommand(epoch: Epoch(1), session: SessionID(1), sequence: 1, body: start(), stateMark: [7])
        _ = core.handle(.received(.command(command)), at: second)
        let ack = HeartbeatAck(session: SessionID(1), number: 1, commandsSent: 0, interval: .seconds(5), stateMark: [5])
        _ = core.handle(.received(.heartbeatAck(ack)), at: second)
        _ = core.handle(.disconnected, at: second)
        let effects = core.handle(.connected, at: second)
        guard case .send(.register(let registration)) = effects.first else { return #expect(Bool(false)) }
        #expect(registration.stateMark == [7])
    }

    @Test func theNewestMarkIsKeptAndShown() {
        var core = makeCore()
        _ = registered(&core)
        _ = core.handle(.tick, at: second)
        let ack = HeartbeatAck(session: SessionID(1), number: 1, commandsSent: 0, interval: .seconds(5), stateMark: [9])
        #expect(
            core.handle(.received(.heartbeatAck(ack)), at: 2 * second).contains(
                .keepLease(KeptLease(start: second, stateMark: [9]), durably: false)))
        _ = core.handle(.disconnected, at: 3 * second)
        let effects = core.handle(.connected, at: 4 * second)
        guard case .send(.register(let registration)) = effects.first else { return #expect(Bool(false)) }
        #expect(registration.stateMark == [9])
    }

    @Test func theDriverIsToldHowLongTheLeaseHolds() {
        var core = makeCore()
        let effects = registered(&core, at: 5 * second)
        #expect(effects.contains(.keepLease(KeptLease(start: 5 * second, stateMark: [1]), durably: true)))
        #expect(effects.contains(.holdLease(until: 35 * second)))
        let orders = launches(core.handle(command(1, start(onNodeLost: .fail)), at: 5 * second))
        #expect(orders.map(\.dependsOnLease) == [true])
    }

    @Test func whatTheDriverEndedForWantOfALeaseIsSaidToBeThat() {
        var core = makeCore()
        _ = registered(&core)
        _ = core.handle(command(1, start(onNodeLost: .replace)), at: 0)
        let end = ProcessEnd(manner: .leaseEnded, startedAt: 0, endedAt: 5)
        #expect(ends(core.handle(.driver([.ended(attempt, end)]), at: 5)).map(\.cause) == [.leaseExpired])
    }

    @Test func aStopOfWhatNeverCameIsAnsweredUntilReleased() {
        var core = makeCore()
        _ = registered(&core)
        let effects = core.handle(command(1, .stop([StopOrder(attempt: attempt, grace: .zero, fence: Fence(3))])), at: 0)
        #expect(ends(effects).map(\.cause) == [.returned])
        #expect(ends(core.handle(.tick, at: 3 * second)).map(\.cause) == [.returned])
        _ = core.handle(command(2, .release([ReleaseOrder(attempt: attempt, fence: Fence(3))])), at: 3 * second)
        #expect(core.attemptIDs.isEmpty)
    }

    @Test func onlyTheAnswerToTheLastRegistrationBeginsASession() {
        var core = makeCore()
        _ = core.handle(.driver([.recovered([])]), at: 0)
        _ = core.handle(.connected, at: 10)
        // What has changed since the first registration was sent is in the second.
        _ = core.handle(.diskFree(0), at: 20)
        var late = welcome(1)
        late.registrationSentAt = 10
        _ = core.handle(.received(.welcome(late)), at: 30)
        let isRegistered = core.isRegistered
        #expect(!isRegistered)
        var answer = welcome(2)
        answer.registrationSentAt = 20
        _ = core.handle(.received(.welcome(answer)), at: 30)
        let isRegisteredNow = core.isRegistered
        #expect(isRegisteredNow)
    }

    @Test func aFullDiskIsToldByARegistrationAndTakenBackWithRoom() {
        var core = makeCore()
        _ = registered(&core)
        func conditions(_ effects: [AgentEffect]) -> [NodeCondition] {
            effects.compactMap { if case .send(.register(let registration)) = $0 { registration.condition } else { nil } }
        }
        let reserve = AgentConfiguration.diskReserveBytesDefault
        #expect(conditions(core.handle(.diskFree(reserve), at: 1)).isEmpty)
        #expect(conditions(core.handle(.diskFree(reserve - 1), at: 2)) == [.diskFull])
        #expect(conditions(core.handle(.diskFree(2 * reserve - 1), at: 3)).isEmpty)
        #expect(conditions(core.handle(.diskFree(2 * reserve), at: 4)) == [.good])
    }

    @Test func aChallengeIsRepeated() {
        var core = makeCore()
        _ = core.handle(.driver([.recovered([])]), at: 0)
        _ = core.handle(.connected, at: 0)
        let refusal = Refusal(code: .busy, message: "another machine", retryAfter: .seconds(5), challenge: 42)
        _ = core.handle(.received(.refuse(refusal)), at: second)
        let effects = core.handle(.tick, at: 6 * second)
        guard case .send(.register(let registration)) = effects.first else {
            Issue.record("\(effects)")
            return
        }
        #expect(registration.challenge == 42)
    }
}
