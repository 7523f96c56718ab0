import ClusterModel
import SchedulerTestKit
import Testing

@testable import SchedulingCore

/// What leases end, what they leave behind, and who a node is.
@Suite struct LeaseTests {
    private let attempt = AttemptID(job: JobID(1), index: 0, number: 1)

    /// A job that may be replaced runs alone on a node, which falls silent.
    private func silenced(_ harness: inout ClusterHarness) -> (node: NodeID, fence: Fence) {
        let (node, _) = harness.addNode(Build.node("n1", cpus: 1))
        _ = harness.submit(Build.job(onNodeLost: .replace))
        let fence = harness.place(of: attempt)!.fence
        _ = harness.report(attempt, on: node, fence: fence, .running(elapsed: .seconds(1)))
        let session = harness.loop.core.session(of: node)!
        _ = harness.perform(.leaseExpired(node, session, lastHeard: harness.now))
        return (node, fence)
    }

    @Test func whatIsLeftBehindStaysTakenUntilTheNodeSaysThatItIsGone() {
        var harness = ClusterHarness()
        let (node, fence) = silenced(&harness)
        let running = AttemptStatus(attempt: attempt, fence: fence, phase: .running(elapsed: .seconds(60)))
        _ = harness.register(node, Build.node("n1", cpus: 1), attempts: [running])
        harness.pass(.seconds(5))
        _ = harness.perform(.tick)
        let second = AttemptID(job: JobID(1), index: 0, number: 2)
        let early = harness.place(of: second)
        #expect(early == nil)
        let left = harness.loop.core.standing(of: node)?.leftBehind
        #expect(left == [attempt])
        _ = harness.report(attempt, on: node, fence: fence, .ended(AttemptEnd(cause: .leaseExpired, exitCode: 137)))
        let late = harness.place(of: second)
        #expect(late?.node == node)
        let violations = harness.violations
        #expect(violations.isEmpty)
    }

    @Test func anotherBootLeavesNothingBehind() {
        var harness = ClusterHarness()
        let (node, _) = silenced(&harness)
        _ = harness.register(node, Build.node("n1", cpus: 1), bootID: 10)
        let left = harness.loop.core.standing(of: node)?.leftBehind
        #expect(left == [])
    }

    @Test func leftoversSurviveASnapshot() {
        var harness = ClusterHarness()
        let (node, _) = silenced(&harness)
        _ = harness.restart()
        let left = harness.loop.core.standing(of: node)?.leftBehind
        #expect(left == [attempt])
    }

    @Test func aDeadNodesTasksEndWhateverTheirJobSaid() {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 1))
        _ = harness.submit(Build.job(onNodeLost: .wait))
        let (_, refused) = harness.perform(.confirmDead(node))
        guard case .failure(.conflict) = refused else {
            Issue.record("a connected node was declared dead: \(String(describing: refused))")
            return
        }
        _ = harness.perform(.disconnected(node))
        let (batches, _) = harness.perform(.confirmDead(node))
        let ends = batches.flatMap(\.events).compactMap { event -> EndedAttempt? in
            if case .attemptEnded(let ended) = event { ended } else { nil }
        }
        #expect(ends.map(\.reason) == [.infrastructure])
        let silent = harness.loop.core.standing(of: node)?.isSilent
        #expect(silent == true)
    }

    @Test func aNodeOfAnEarlierLeaderLosesItsLeaseToo() {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 1))
        _ = harness.submit(Build.job(onNodeLost: .fail))
        _ = harness.restart()
        let awaited = harness.loop.core.awaitedNodes
        #expect(awaited.map(\.node) == [node])
        _ = harness.perform(.leaseExpired(node, awaited[0].session, lastHeard: harness.now))
        let live = harness.loop.core.liveJobCount
        #expect(live == 0)
    }

    // MARK: Identity

    private func register(_ node: NodeID, boot: UInt8, sentAt: Int64, seen: UInt64, challenge: UInt64 = 0) -> Command {
        let registration = Registration(
            instance: 1, bootID: [UInt8](repeating: boot, count: 16), inventory: Build.node("n1", cpus: 1), attempts: [], sentAt: sentAt,
            challenge: challenge)
        return .register(node, registration, seen: SeenState(session: SessionID(seen)))
    }

    private func refusal(_ batches: [Batch]) -> Refusal? {
        for effect in batches.flatMap(\.effects) { if case .refuse(_, let refusal) = effect { return refusal } }
        return nil
    }

    @Test func aLateRegistrationIsIgnored() {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 1))
        _ = harness.perform(register(node, boot: 9, sentAt: 20, seen: 1))
        let (batches, result) = harness.perform(register(node, boot: 9, sentAt: 10, seen: 1))
        #expect(batches.allSatisfy { $0.events.isEmpty })
        #expect(result == .failure(.stale))
    }

    @Test func aSecondMachineIsRefusedWhileTheFirstIsConnected() {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 1))
        _ = harness.perform(register(node, boot: 9, sentAt: 20, seen: 1))
        let refused = refusal(harness.perform(register(node, boot: 10, sentAt: 5, seen: 2)).batches)
        #expect(refused?.message.contains("another machine is connected") == true)
    }

    @Test func aCopyOfAnOlderDiskIsRefused() {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 1))
        _ = harness.perform(register(node, boot: 9, sentAt: 20, seen: 1))
        _ = harness.perform(register(node, boot: 9, sentAt: 30, seen: 2))
        _ = harness.perform(.disconnected(node))
        let refused = refusal(harness.perform(register(node, boot: 10, sentAt: 5, seen: 1)).batches)
        #expect(refused?.message.contains("older copy") == true)
    }

    @Test func whoeverReturnsToAnEarlierBootAndAnswersIsASecondMachine() throws {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 1))
        _ = harness.perform(register(node, boot: 9, sentAt: 20, seen: 1))
        _ = harness.perform(.disconnected(node))
        _ = harness.perform(register(node, boot: 10, sentAt: 5, seen: 2))
        let first = refusal(harness.perform(register(node, boot: 9, sentAt: 30, seen: 2)).batches)
        let challenge = try #require(first?.challenge)
        // Late messages cannot know what was asked.
        _ = harness.perform(register(node, boot: 9, sentAt: 40, seen: 2))
        let early = harness.loop.core.standing(of: node)?.isQuarantined
        #expect(early == false)
        _ = harness.perform(register(node, boot: 9, sentAt: 50, seen: 2, challenge: challenge))
        let late = harness.loop.core.standing(of: node)?.isQuarantined
        #expect(late == true)
        _ = harness.submit(Build.job())
        let place = harness.place(of: attempt)
        #expect(place == nil)
        _ = harness.perform(.setNodeCordon(node, isCordoned: false))
        let cleared = harness.loop.core.standing(of: node)?.isQuarantined
        #expect(cleared == false)
        // Whichever machine is left, the original here.
        #expect(refusal(harness.perform(register(node, boot: 9, sentAt: 60, seen: 2)).batches) == nil)
    }

    @Test func anOlderStateAcceptsNothingUntilTheLossIsAccepted() {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 1))
        let refused = refusal(harness.perform(register(node, boot: 9, sentAt: 20, seen: 77)).batches)
        #expect(refused?.message.contains("--accept-data-loss") == true)
        let (_, result) = harness.submit(Build.job())
        #expect(result == .failure(.outdated))
        let batch = harness.loop.restore(cluster: [UInt8](repeating: 8, count: 16), at: harness.now)
        #expect(batch.events.count == 1)
        _ = harness.perform(register(node, boot: 9, sentAt: 30, seen: 77))
        let isOutdated = harness.loop.core.isOutdated
        #expect(!isOutdated)
    }

    @Test func aGrantThatNoMarkBearsOutStopsItsNodeAlone() {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 1))
        let invented = AttemptStatus(attempt: attempt, fence: Fence(1 << 40), phase: .running(elapsed: .seconds(1)))
        let refused = refusal(harness.register(node, Build.node("n1", cpus: 1), attempts: [invented]))
        #expect(refused?.message.contains("never gave") == true)
        let isOutdated = harness.loop.core.isOutdated
        #expect(!isOutdated)
    }

    @Test func whatANodeSaysOfAnothersAttemptIsIgnored() {
        var harness = ClusterHarness()
        let (owner, _) = harness.addNode(Build.node("n1", cpus: 1))
        _ = harness.submit(Build.job())
        let fence = harness.place(of: attempt)!.fence
        _ = harness.report(attempt, on: owner, fence: fence, .running(elapsed: .seconds(1)))
        let (liar, _) = harness.addNode(Build.node("n2", cpus: 1))
        let ended = AttemptStatus(attempt: attempt, fence: fence, phase: .ended(AttemptEnd(cause: .exited, exitCode: 0)))
        _ = harness.report(on: liar, [ended])
        _ = harness.register(liar, Build.node("n2", cpus: 1), attempts: [ended])
        let live = harness.loop.core.standing(of: owner)?.liveAttempts
        #expect(live == [attempt])
        let violations = harness.violations
        #expect(violations.isEmpty)
    }

    /// The node's session is one that the old copy knows as well; what was told later is not.
    @Test func aStateIsOlderThanWhatItsLastLeaderTold() {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 1))
        let seen = SeenState(
            epoch: harness.loop.core.epoch, revision: harness.loop.core.revision + 5,
            session: harness.loop.core.session(of: node) ?? SessionID(0))
        // The copy has come as far by itself.
        _ = harness.restart()
        for _ in 0..<10 { _ = harness.submit(Build.job()) }
        let registration = Registration(
            instance: 1, bootID: [UInt8](repeating: 9, count: 16), inventory: Build.node("n1", cpus: 1), attempts: [], sentAt: 20)
        let (other, _) = harness.addNode(Build.node("n2", cpus: 1))
        let refused = refusal(harness.perform(.register(node, registration, seen: seen)).batches)
        #expect(refused?.message.contains("--accept-data-loss") == true)
        // Nor is a node that knows nothing of it: what this state would have it run may have run.
        let innocent = Registration(
            instance: 2, bootID: [UInt8](repeating: 10, count: 16), inventory: Build.node("n2", cpus: 1), attempts: [], sentAt: 20)
        let alsoRefused = refusal(harness.perform(.register(other, innocent)).batches)
        #expect(alsoRefused?.message.contains("--accept-data-loss") == true)
    }

    @Test func aNodeWithAFullDiskKeepsWhatItRunsAndGetsNothing() {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 2))
        _ = harness.submit(Build.job())
        let fence = harness.place(of: attempt)!.fence
        let running = AttemptStatus(attempt: attempt, fence: fence, phase: .running(elapsed: .seconds(1)))
        let full = Registration(
            instance: 1, bootID: [UInt8](repeating: 9, count: 16), inventory: Build.node("n1", cpus: 2), attempts: [running], sentAt: 20,
            condition: .diskFull)
        _ = harness.perform(.register(node, full))
        _ = harness.submit(Build.job())
        let second = harness.place(of: AttemptID(job: JobID(2), index: 0, number: 1))
        #expect(second == nil)
        let live = harness.loop.core.standing(of: node)?.liveAttempts
        #expect(live == [attempt])
    }
}

@Suite struct ExpiryBreakerTests {
    private let start = LogicalTime(nanoseconds: 1_700_000_000_000_000_000)

    private func table(_ nodes: UInt64) -> SessionTable {
        var table = SessionTable(policy: HeartbeatPolicy())
        for node in 1...nodes { _ = table.begin(NodeID(node), SessionID(node), Epoch(1), at: start) }
        return table
    }

    @Test func oneSilentNodeLosesItsLease() {
        var table = table(100)
        for node in UInt64(2)...100 {
            let beat = Heartbeat(session: SessionID(node), number: 1, commandsApplied: 0, liveAttempts: 0, bootTime: 0)
            _ = table.heard(beat, from: NodeID(node), at: start + .seconds(40))
        }
        #expect(table.expired(at: start + .seconds(46)).map(\.node) == [NodeID(1)])
        #expect(table.breaker.openSince == nil)
    }

    @Test func massSilenceIsHeldBackAndPassesSlowly() {
        var table = table(200)
        #expect(table.expired(at: start + .seconds(46)).isEmpty)
        #expect(table.breaker.heldBack == 200)
        // A hundredth of the nodes a minute.
        #expect(table.expired(at: start + .seconds(46 + 61)).count == 2)
        #expect(table.breaker.heldBack == 198)
    }

    @Test func theBreakerClosesWhenAllAreHeard() {
        var table = table(20)
        #expect(table.expired(at: start + .seconds(46)).isEmpty)
        for node in UInt64(1)...20 {
            let beat = Heartbeat(session: SessionID(node), number: 1, commandsApplied: 0, liveAttempts: 0, bootTime: 0)
            #expect(table.heard(beat, from: NodeID(node), at: start + .seconds(50)) != nil)
        }
        #expect(table.expired(at: start + .seconds(51)).isEmpty)
        #expect(table.breaker == ExpiryBreaker())
    }

    @Test func aStallOfTheCoordinatorExtendsEveryLease() {
        var table = table(1)
        table.extend(by: .seconds(60))
        #expect(table.expired(at: start + .seconds(100)).isEmpty)
        #expect(table.expired(at: start + .seconds(106)).count == 1)
    }
}
