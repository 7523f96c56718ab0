import AgentCore
import ClusterModel
import Testing

/// A task that is told why it has to go, and says when it has written down what it did.
@Suite struct TaskMailTests {
    private let second: Int64 = 1_000_000_000
    private let attempt = AttemptID(job: JobID(1), index: 0, number: 1)

    /// A task that has run for a minute.
    private func running(timeLimit: Span? = nil) -> AgentCore {
        var core = AgentCore(
            configuration: AgentConfiguration(
                instance: 1, bootID: [UInt8](repeating: 1, count: 16),
                inventory: NodeInventory(name: "n1", address: "10.0.0.1", cpuMilli: 4000, memoryBytes: 8 << 30),
                defaultAccount: UserAccount(userID: 1000, groupID: 1000), isRoot: true, allowsRootJobs: false, workRoot: "/jobs",
                mailRoot: "/mail"),
            kept: KeptLease(), at: 0)
        _ = core.handle(.driver([.recovered([])]), at: 0)
        _ = core.handle(.connected, at: 0)
        let welcome = Welcome(
            version: 1, node: NodeID(1), epoch: Epoch(1), session: SessionID(1), heartbeatInterval: .seconds(5), lease: .seconds(3000),
            wantsTopology: false, stateMark: [1])
        _ = core.handle(.received(.welcome(welcome)), at: 0)
        let template = TaskTemplate(
            jobName: "job", tenant: "default", project: "default", queue: "default", groupName: "main", command: ["work"], environment: [],
            workDirectory: "", checkpointPath: "", deviceKind: nil, timeLimit: timeLimit, grace: .seconds(30), onNodeLost: .wait,
            account: nil,
            worldSize: 1, labels: [], arrayFirst: 0, isArray: false, hasCheckpoints: true)
        let start = StartOrder(
            attempt: attempt, fence: Fence(1), allocation: Allocation(cpuMilli: 500, memoryBytes: 1 << 30), restartReason: .none, gang: nil)
        let effects = core.handle(command(1, .start(StartBatch(job: JobID(1), template: template, starts: [start]))), at: 0)
        #expect(effects.first == .openMail(attempt, UserAccount(userID: 1000, groupID: 1000)), "before it starts")
        for case .launch(let orders) in effects {
            #expect(orders.first?.environment.contains("SUANPAN_NOTICE_FILE=/mail/1.0.1/notice.json") == true)
            #expect(orders.first?.environment.contains("SUANPAN_CHECKPOINT_FILE=/mail/1.0.1/checkpoint") == true)
        }
        _ = core.handle(.driver([.started(attempt, processID: 7, at: 0)]), at: 0)
        _ = core.handle(.tick, at: 60 * second)
        return core
    }

    private func command(_ sequence: UInt64, _ body: AgentCommand.Body) -> AgentInput {
        .received(.command(AgentCommand(epoch: Epoch(1), session: SessionID(1), sequence: sequence, body: body)))
    }

    private func stop(_ core: inout AgentCore, _ signal: CheckpointSignal? = .user1, grace: Span = .seconds(40)) -> [AgentEffect] {
        let order = StopOrder(attempt: attempt, grace: grace, fence: Fence(1), reason: .preempted, checkpointSignal: signal)
        return core.handle(command(2, .stop([order])), at: 60 * second)
    }

    private func signals(_ effects: [AgentEffect]) -> [Int32] {
        effects.compactMap { if case .signal(_, let number) = $0 { number } else { nil } }
    }

    private func ages(_ effects: [AgentEffect]) -> [Span?] {
        effects.flatMap { effect -> [Span?] in
            guard case .send(.report(let report)) = effect else { return [] }
            return report.statuses.map(\.checkpointAge)
        }
    }

    private func read(_ stamp: Int64, age: Int64 = 0) -> AgentInput {
        .mail(of: [attempt], stamp == 0 ? [] : [TaskMail.Read(attempt: attempt, stamp: stamp, age: age)])
    }

    @Test func itIsAskedForACheckpointAndEndsAsSoonAsItHasWrittenOne() {
        var core = running()
        let asked = stop(&core)
        #expect(signals(asked) == [10])
        let order = asked.compactMap { effect -> String? in
            switch effect {
            case .readMail: "read"
            case .signal: "signal"
            default: nil
            }
        }
        #expect(order == ["read", "signal"], "what it said before is no answer")
        #expect(signals(core.handle(read(3, age: second), at: 60 * second)).isEmpty)
        #expect(asked.contains(.giveNotice(attempt, TaskMail.Notice(reason: .preempted, killAt: 100 * second))))
        let look = 60 * second + AgentTiming.checkpointLook
        #expect(core.nextDeadline == look)
        #expect(core.handle(.tick, at: look).contains(.readMail([attempt])))
        #expect(signals(core.handle(read(3, age: second), at: look)).isEmpty)
        let written = core.handle(read(5, age: second / 10), at: look + second)
        #expect(signals(written) == [15] && ages(written) == [.milliseconds(100)])
        #expect(signals(core.handle(.tick, at: 99 * second)).isEmpty, "told once")
        #expect(signals(core.handle(.tick, at: 100 * second)) == [9])
    }

    @Test func whoWritesNoneIsToldToEndBeforeItIsKilled() {
        var core = running()
        _ = stop(&core)
        #expect(signals(core.handle(.tick, at: 94 * second)).isEmpty)
        #expect(signals(core.handle(.tick, at: 95 * second)) == [15], "the last five seconds")
        #expect(signals(core.handle(.tick, at: 100 * second)) == [9])
        var hasty = running()
        _ = stop(&hasty, grace: .seconds(4))
        #expect(signals(hasty.handle(.tick, at: 63 * second)) == [15], "a quarter of what there is")
    }

    /// Another rank of its gang has written what it would not write itself.
    @Test func aSecondOrderThatAsksForNothingEndsIt() {
        var core = running()
        _ = stop(&core)
        let order = StopOrder(attempt: attempt, grace: .seconds(40), fence: Fence(1), reason: .preempted)
        #expect(signals(core.handle(command(3, .stop([order])), at: 62 * second)) == [15])
        #expect(signals(core.handle(.tick, at: 100 * second)) == [9], "no later than it was told first")
    }

    @Test func theTimeLimitIsNoticeToo() {
        var core = running(timeLimit: .seconds(100))
        let effects = core.handle(.tick, at: 100 * second)
        #expect(effects.contains(.giveNotice(attempt, TaskMail.Notice(reason: .timeout, killAt: 130 * second))))
        #expect(signals(effects) == [15])
    }

    /// Its note says nothing of a mailbox: an agent of an earlier release reads it too.
    @Test func aRestartedAgentFindsWhoHasAMailbox() {
        var core = AgentCore(
            configuration: AgentConfiguration(
                instance: 2, bootID: [UInt8](repeating: 1, count: 16),
                inventory: NodeInventory(name: "n1", address: "10.0.0.1", cpuMilli: 4000, memoryBytes: 8 << 30),
                defaultAccount: UserAccount(userID: 1000, groupID: 1000), isRoot: true, allowsRootJobs: false, workRoot: "/jobs",
                mailRoot: "/mail"),
            kept: KeptLease(), at: 0)
        let known = RecoveredAttempt(attempt: attempt, fence: Fence(1), slot: Fence(1), note: [], startedAt: 0, end: nil)
        #expect(core.handle(.driver([.recovered([known])]), at: 60 * second).contains(.readMail([attempt])))
        _ = core.handle(read(7, age: second), at: 60 * second)
        let end = ProcessEnd(manner: .exited(code: 0), startedAt: 0, endedAt: 90 * second)
        #expect(core.handle(.driver([.ended(attempt, end)]), at: 90 * second).contains(.readMail([attempt])))
    }

    @Test func withoutASignalOfItsOwnItIsToldToEndAtOnce() {
        var core = running()
        let told = stop(&core, nil)
        #expect(signals(told) == [15])
        #expect(told.contains(.giveNotice(attempt, TaskMail.Notice(reason: .preempted, killAt: 100 * second))))
        var killed = running()
        #expect(signals(stop(&killed, grace: .zero)) == [9])
    }

    @Test func anOlderCheckpointIsNoAnswer() {
        var core = running()
        _ = core.handle(read(4, age: second), at: 60 * second)
        _ = stop(&core)
        // Written just before it was asked, and not seen until then.
        #expect(signals(core.handle(read(5, age: 1), at: 60 * second)).isEmpty)
        #expect(signals(core.handle(read(5, age: 2 * second), at: 62 * second)).isEmpty)
        // The clock of files is coarse: it says that it was before.
        #expect(signals(core.handle(read(6, age: 3 * second), at: 63 * second)) == [15])
    }

    @Test func checkpointsAreLookedForWithHeartbeatsAndToldAsNews() {
        var core = running()
        let beat = core.handle(.tick, at: 70 * second)
        #expect(beat.contains(.readMail([attempt])))
        #expect(ages(core.handle(read(9, age: 2 * second), at: 70 * second)) == [.seconds(2)])
        #expect(ages(core.handle(read(9, age: 3 * second), at: 71 * second)).isEmpty)
        // A wall clock that was set back says that it was written an hour ago; it was not there at the last look.
        #expect(ages(core.handle(read(3, age: 3600 * second), at: 75 * second)) == [.seconds(4)])
    }

    @Test func itsLastWordsAreReadBeforeItsEndIsTold() {
        var core = running()
        let end = ProcessEnd(manner: .exited(code: 0), startedAt: 0, endedAt: 90 * second)
        let ended = core.handle(.driver([.ended(attempt, end)]), at: 90 * second)
        #expect(ended.contains(.readMail([attempt])) && ages(ended).isEmpty)
        #expect(ages(core.handle(read(7, age: second), at: 90 * second)) == [.seconds(1)])
        let release = core.handle(command(2, .release([ReleaseOrder(attempt: attempt, fence: Fence(1))])), at: 91 * second)
        #expect(release.contains(.removeMail(attempt)))
    }
}
