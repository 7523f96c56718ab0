import ClusterModel
import Metering
import SchedulerTestKit
import Testing

@testable import SchedulingCore

@Suite struct LoopTests {
    /// Work is counted: a class that found no room is not examined again for each of its jobs.
    @Test func aBlockedClassIsExaminedOnceHoweverManyJobsWait() {
        var harness = ClusterHarness()
        _ = harness.addNode(Build.node("n1", cpus: 1))
        for _ in 0..<200 { _ = harness.submit(Build.job(cpuMilli: 1000)) }
        let before = harness.loop.candidatesExamined
        for _ in 0..<50 { _ = harness.submit(Build.job(cpuMilli: 1000)) }
        let examined = harness.loop.candidatesExamined - before
        #expect(examined == 0)
        let violations = harness.violations
        #expect(violations.isEmpty)
    }

    /// What cannot be placed is not looked at again while nothing changes.
    @Test func anUnchangedWorldGivesAnEmptyRound() {
        var harness = ClusterHarness()
        for number in 0..<4 { _ = harness.addNode(Build.node("n\(number)", cpus: 4, gpus: 2)) }
        for number in 0..<40 {
            let devices =
                number % 3 == 0 ? nil : DeviceRequest(kind: .gpu, count: UInt32(number % 3), shareMilli: number % 2 == 0 ? 1000 : 400)
            _ = harness.submit(Build.job(cpuMilli: Int64(500 + 100 * (number % 7)), devices: devices, tasks: UInt32(1 + number % 3)))
        }
        let examined = harness.loop.candidatesExamined
        harness.pass(.seconds(1))
        let batches = harness.settle()
        #expect(batches.isEmpty && harness.loop.candidatesExamined == examined)
    }

    /// A class that was passed over is looked at again when, and only when, a node that holds it has more room.
    @Test func whatIsBlockedWaitsForANodeThatHoldsIt() throws {
        var harness = ClusterHarness()
        let (small, _) = harness.addNode(Build.node("small", cpus: 1))
        let (large, _) = harness.addNode(Build.node("large", cpus: 4))
        _ = harness.submit(Build.job(cpuMilli: 1000, constraints: [Constraint(key: "node", comparison: .equals, value: "small")]))
        _ = harness.submit(Build.job(cpuMilli: 4000))
        _ = harness.submit(Build.job(cpuMilli: 3000))
        let ended = AttemptStatus.Phase.ended(AttemptEnd(cause: .exited, exitCode: 0, elapsed: .seconds(60)))
        func end(_ job: UInt64, on node: NodeID) -> [Batch] {
            let attempt = AttemptID(job: JobID(job), index: 0, number: 1)
            return harness.report(attempt, on: node, fence: harness.place(of: attempt)!.fence, ended)
        }
        let examined = harness.loop.candidatesExamined
        _ = end(1, on: small)
        #expect(harness.loop.candidatesExamined == examined, "3 cores are never free there")
        _ = end(2, on: large)
        let placed = harness.place(of: AttemptID(job: JobID(3), index: 0, number: 1))
        #expect(placed?.node == large)
    }

    @Test func oneCompletionPlacesItsSuccessorInTheSameBatch() throws {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 1))
        _ = harness.submit(Build.job(array: ArrayRange(first: 0, last: 9)))
        let attempt = AttemptID(job: JobID(1), index: 0, number: 1)
        let found = harness.place(of: attempt)
        let place = try #require(found)
        let batches = harness.report(attempt, on: node, fence: place.fence, .ended(AttemptEnd(cause: .exited, exitCode: 0)))
        #expect(batches.count == 1)
        #expect(batches[0].effects.contains { if case .command(_, _, .start) = $0 { true } else { false } })
    }

    /// Ends of one message are billed as the node's clock saw them: each task from the end of the one before.
    @Test func aHandOverIsBilledAtTheNodesInstant() throws {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 1))
        _ = harness.submit(Build.job(array: ArrayRange(first: 0, last: 9)))
        func status(_ index: UInt32, _ fence: Fence, age: Int64) -> AttemptStatus {
            AttemptStatus(
                attempt: AttemptID(job: JobID(1), index: index, number: 1), fence: fence,
                phase: .ended(AttemptEnd(cause: .exited, exitCode: 0, elapsed: .milliseconds(10))), age: .milliseconds(age))
        }
        let first = harness.place(of: AttemptID(job: JobID(1), index: 0, number: 1))!
        harness.pass(.milliseconds(10))
        _ = harness.report(on: node, [status(0, first.fence, age: 0)])
        let began = harness.now
        harness.pass(.milliseconds(30))
        // In the wrong order, and one older than the coordinator can have meant.
        let fences = (1...3).map { harness.place(of: AttemptID(job: JobID(1), index: $0, number: 1))!.fence }
        let batches = harness.report(
            on: node, [status(3, fences[2], age: 5), status(2, fences[1], age: 12), status(1, fences[0], age: 400)])
        var bills: [UInt32: (LogicalTime, LogicalTime)] = [:]
        for case .usage(let segment) in batches.flatMap(\.rows) { bills[segment.attempt.task.index] = (segment.start, segment.end) }
        #expect(bills[1]! == (began, began))
        #expect(bills[2]! == (began, began + .milliseconds(18)))
        #expect(bills[3]! == (began + .milliseconds(18), began + .milliseconds(25)))
        let violations = harness.violations
        #expect(violations.isEmpty)
    }

    /// The last tasks of an array spread over the slots instead of queueing in one.
    @Test func theLastTasksOfAnArrayAreNotLinedUp() throws {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 4))
        _ = harness.submit(Build.job(array: ArrayRange(first: 0, last: 6)))
        #expect(!endsFirstTaskAndLinesUp(&harness, on: node))
    }

    /// The node still lists a grant that it gave back; the newer one, under the same number, is what it lacks.
    @Test func aRegistrationThatListsAnOlderGrantIsSentTheNewer() throws {
        var harness = ClusterHarness()
        let inventory = Build.node("n1", cpus: 1)
        let (node, _) = harness.addNode(inventory)
        _ = harness.submit(Build.job(array: ArrayRange(first: 0, last: 2)))
        let end = AttemptStatus.Phase.ended(AttemptEnd(cause: .exited, exitCode: 0, elapsed: .milliseconds(5)))
        let attempts = (0...2).map { AttemptID(job: JobID(1), index: UInt32($0), number: 1) }
        _ = harness.report(attempts[0], on: node, fence: harness.place(of: attempts[0])!.fence, end)
        let older = harness.place(of: attempts[2])!.fence
        let returned = AttemptStatus.Phase.ended(AttemptEnd(cause: .returned, exitCode: 0))
        _ = harness.report(attempts[2], on: node, fence: older, returned)
        _ = harness.report(attempts[1], on: node, fence: harness.place(of: attempts[1])!.fence, end)
        let newer = harness.place(of: attempts[2])!.fence
        let batches = harness.register(node, inventory, attempts: [AttemptStatus(attempt: attempts[2], fence: older, phase: returned)])
        var started: [Fence] = []
        for case .command(_, _, .start(let batch)) in batches.flatMap(\.effects) { started += batch.starts.map(\.fence) }
        #expect(newer > older && started == [newer])
    }

    /// A registration lists all attempts of a node in one frame: a full node is told of no more.
    @Test(arguments: [RunAhead.attemptsPerNodeMax - 1, RunAhead.attemptsPerNodeMax])
    func aNodeKnowsBoundedlyManyAttempts(slots: Int) throws {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: Int64(slots), memory: 1 << 40))
        _ = harness.submit(Build.job(memory: 1 << 20, array: ArrayRange(first: 0, last: 99_999)))
        #expect(endsFirstTaskAndLinesUp(&harness, on: node) == (slots < RunAhead.attemptsPerNodeMax))
    }

    /// Ends job 1's first task after a millisecond; whether others were lined up behind it.
    private func endsFirstTaskAndLinesUp(_ harness: inout ClusterHarness, on node: NodeID) -> Bool {
        let attempt = AttemptID(job: JobID(1), index: 0, number: 1)
        let end = AttemptStatus.Phase.ended(AttemptEnd(cause: .exited, exitCode: 0, elapsed: .milliseconds(1)))
        let batches = harness.report(attempt, on: node, fence: harness.place(of: attempt)!.fence, end)
        return batches.flatMap(\.events).contains { if case .successorsGranted = $0 { true } else { false } }
    }

    /// Of what was only lined up on a lost node nobody could say whether it ran.
    @Test func aJobThatFailsWithItsNodeIsNotLinedUp() throws {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 1))
        var specification = Build.job(array: ArrayRange(first: 0, last: 99))
        specification.onNodeLost = .fail
        _ = harness.submit(specification)
        #expect(!endsFirstTaskAndLinesUp(&harness, on: node))
    }

    /// One that was given back is lined up last although its number is the lowest: it ends with the lease like the others.
    @Test func nothingLivesOnASilentNodeWhateverTheOrderOfItsLine() throws {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 1))
        var specification = Build.job(array: ArrayRange(first: 0, last: 9))
        specification.onNodeLost = .replace
        _ = harness.submit(specification)
        func report(_ index: UInt32, _ cause: AttemptEnd.Cause) {
            let attempt = AttemptID(job: JobID(1), index: index, number: 1)
            let end = AttemptEnd(cause: cause, exitCode: 0, elapsed: cause == .exited ? .milliseconds(20) : .zero)
            _ = harness.report(attempt, on: node, fence: harness.place(of: attempt)!.fence, .ended(end))
        }
        report(0, .exited)
        report(2, .returned)
        report(1, .exited)
        report(3, .exited)
        let line = harness.journal.compactMap { event -> [UInt32]? in
            guard case .successorsGranted(let granted) = event else { return nil }
            return granted.slots[0].tasks.map(\.ordinal)
        }
        #expect(line == [[2, 3, 4, 5, 6], [2, 7]])
        let session = harness.loop.core.session(of: node)!
        _ = harness.perform(.leaseExpired(node, session, lastHeard: harness.now))
        let left = harness.loop.core.standing(of: node)?.liveAttempts
        #expect(left == [])
    }

    @Test func alarmsComeInOrderAndOnce() {
        var table = AlarmTable()
        var expected: Set<[Int64]> = []
        var state: UInt64 = 2026
        for _ in 0..<500 {
            state = state &* 6_364_136_223_846_793_005 &+ 1
            let (at, job) = (Int64(state >> 33) % 97, Int64(state >> 50) % 13 + 1)
            table.insert(JobID(UInt64(job)), at: LogicalTime(nanoseconds: at))
            expected.insert([at, job])
        }
        let inOrder = expected.sorted { ($0[0], $0[1]) < ($1[0], $1[1]) }
        #expect(table.all.map { [$0.at.nanoseconds, Int64($0.job.value)] } == inOrder)
        var due: [Int64] = []
        while let next = table.earliest { due += table.remove(through: next).map { Int64($0.value) } }
        #expect(due == inOrder.map { $0[1] })
    }

    /// Slots that stay busy are no room: nothing that was passed over is looked at again.
    @Test func aHandOverExaminesNoNode() throws {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 1))
        for number in 0..<20 { _ = harness.addNode(Build.node("other-\(number)", cpus: 1)) }
        _ = harness.submit(Build.job(array: ArrayRange(first: 0, last: 2000)))
        let end = AttemptStatus.Phase.ended(AttemptEnd(cause: .exited, exitCode: 0, elapsed: .milliseconds(5)))
        let first = AttemptID(job: JobID(1), index: 0, number: 1)
        _ = harness.report(first, on: node, fence: harness.place(of: first)!.fence, end)
        var next: AttemptID?
        for case .unitsPlaced(let placed) in harness.journal { next = AttemptID(job: JobID(1), index: placed.units[0].ordinal, number: 1) }
        let before = harness.loop.candidatesExamined
        _ = harness.report(next!, on: node, fence: harness.place(of: next!)!.fence, end)
        #expect(harness.loop.candidatesExamined == before)
    }

    /// A straggler of another grant, or a peer that makes things up.
    @Test func aReportWithAnotherFenceEndsNothing() throws {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1"))
        _ = harness.submit(Build.job())
        let attempt = AttemptID(job: JobID(1), index: 0, number: 1)
        let found = harness.place(of: attempt)
        let place = try #require(found)
        let end = AttemptStatus.Phase.ended(AttemptEnd(cause: .exited, exitCode: 0))
        let stale = harness.report(attempt, on: node, fence: Fence(place.fence.value + 1), end)
        #expect(stale.allSatisfy { $0.events.isEmpty })
        let genuine = harness.report(attempt, on: node, fence: place.fence, end)
        #expect(genuine.contains { !$0.events.isEmpty })
    }

    @Test func repliesTravelWithTheBatchThatMakesThemTrue() {
        var harness = ClusterHarness()
        let (batches, result) = harness.submit(Build.job())
        #expect(result == .success(.job(JobID(1), isReplay: false)))
        #expect(batches.first?.events.isEmpty == false)
    }

    @Test func sameKeyOtherBodyIsRefused() {
        var harness = ClusterHarness()
        let key = Submission.Key(text: "k", requestDigest: [1])
        let other = Submission.Key(text: "k", requestDigest: [2])
        _ = harness.perform(.submit(Submission(specification: Build.job(), user: "ada", key: key)))
        let (_, result) = harness.perform(.submit(Submission(specification: Build.job(), user: "ada", key: other)))
        #expect(result == .failure(.keyReused("k")))
    }

    @Test func clientsNeverCrowdOutAgents() {
        var inbox = CommandInbox(clientLimit: 2, agentLimit: 2)
        let client = OfferedCommand(.cancel(JobID(1)))
        let taken = [inbox.offer(client), inbox.offer(client), inbox.offer(client), inbox.offer(OfferedCommand(.tick))]
        #expect(taken == [true, true, false, true])
        #expect(inbox.next()?.command == .tick)
    }

    @Test func aSnapshotReadBackIsTheSameState() throws {
        var harness = ClusterHarness()
        _ = harness.addNode(Build.node("n1", cpus: 2, gpus: 2))
        _ = harness.submit(Build.job(devices: DeviceRequest(kind: .gpu, count: 1, shareMilli: 250), tasks: 2), key: "k")
        let (node, _) = harness.addNode(Build.node("n2", cpus: 2))
        _ = harness.submit(Build.job(array: ArrayRange(first: 0, last: 99)))
        // Run-ahead is part of the state: one slot handed over, others with successors.
        for index in UInt32(0)...1 {
            let attempt = AttemptID(job: JobID(2), index: index, number: 1)
            guard let place = harness.place(of: attempt), place.node == node else { continue }
            let end = AttemptEnd(cause: .exited, exitCode: 0, elapsed: .milliseconds(5))
            _ = harness.report(attempt, on: node, fence: place.fence, .ended(end))
        }
        #expect(harness.journal.contains { if case .successorsGranted = $0 { true } else { false } })
        let bytes = harness.loop.core.snapshot()
        let reread = try SchedulerCore(snapshot: bytes)
        let again = reread.snapshot()
        let violations = reread.check()
        #expect(again == bytes)
        #expect(violations.isEmpty)
    }
}

@Suite struct ClusterClockTests {
    private let second: Int64 = 1_000_000_000

    @Test func aStepOfTheWallReachesTheCoreOnlySlowly() {
        var clock = ClusterClock(wall: 1000 * second, boot: 0, floor: .zero)
        let before = clock.now(wall: 1000 * second, boot: second)
        let after = clock.now(wall: 5000 * second, boot: 2 * second)
        let elapsed = (after - before).nanoseconds
        #expect(elapsed >= second && elapsed <= second + 500_000)
    }

    @Test func timeNeverGoesBack() {
        var clock = ClusterClock(wall: 1000 * second, boot: 0, floor: LogicalTime(nanoseconds: 2000 * second))
        var last = LogicalTime.zero
        for step in 0..<100 {
            let now = clock.now(wall: Int64(step % 7) * second, boot: Int64(step) * 1_000_000)
            #expect(now > last)
            last = now
        }
    }
}

@Suite struct SessionTableTests {
    private func time(_ seconds: Int64) -> LogicalTime { LogicalTime(nanoseconds: seconds * 1_000_000_000) }

    @Test func silenceIsToldOnceAndLaterThanTheAgentsOwnLease() {
        var table = SessionTable(policy: HeartbeatPolicy(lease: .seconds(30), slack: .seconds(15)))
        _ = table.begin(NodeID(1), SessionID(1), Epoch(1), at: time(0))
        #expect(table.expired(at: time(45)).isEmpty)
        #expect(table.expired(at: time(46)).map(\.node) == [NodeID(1)])
        #expect(table.expired(at: time(99)).isEmpty)
    }

    @Test func aStandstillOfTheCoordinatorExtendsEveryLease() {
        var table = SessionTable(policy: HeartbeatPolicy(lease: .seconds(30), slack: .seconds(15)))
        _ = table.begin(NodeID(1), SessionID(1), Epoch(1), at: time(0))
        table.extend(by: .seconds(100))
        #expect(table.expired(at: time(140)).isEmpty)
    }

    @Test func theLoadOfANodeIsKnownWhileItIsHeard() {
        var table = SessionTable(policy: HeartbeatPolicy(lease: .seconds(30), slack: .seconds(15)))
        _ = table.begin(NodeID(1), SessionID(1), Epoch(1), at: time(0))
        #expect(table.load(of: NodeID(1)) == nil && table.margin(of: NodeID(1), at: time(10)) == .seconds(20))
        let load = NodeLoad(cpuMilliUsed: 1, memoryBytesUsed: 2, workBytesFree: 3)
        let beat = Heartbeat(session: SessionID(1), number: 1, commandsApplied: 0, liveAttempts: 0, bootTime: 1, load: load)
        _ = table.heard(beat, from: NodeID(1), at: time(10))
        #expect(table.load(of: NodeID(1)) == load && table.margin(of: NodeID(1), at: time(45)) == .seconds(-5))
        _ = table.expired(at: time(100))
        #expect(table.load(of: NodeID(1)) == nil && table.margin(of: NodeID(1), at: time(100)) == nil)
    }

    /// The agent stood still and its connection did not: were it answered, it would never register and stay unreachable.
    @Test func anAgentThatWasSilentForTooLongGetsNoAnswerUntilItRegisters() {
        var table = SessionTable(policy: HeartbeatPolicy(lease: .seconds(30), slack: .seconds(15)))
        _ = table.begin(NodeID(1), SessionID(1), Epoch(1), at: time(0))
        func beat(_ session: UInt64) -> Heartbeat {
            Heartbeat(session: SessionID(session), number: 1, commandsApplied: 0, liveAttempts: 0, bootTime: 1)
        }
        _ = table.expired(at: time(100))
        #expect(table.heard(beat(1), from: NodeID(1), at: time(101)) == nil)
        _ = table.begin(NodeID(1), SessionID(2), Epoch(1), at: time(102))
        #expect(table.heard(beat(2), from: NodeID(1), at: time(103)) != nil)
    }

    @Test func commandsOfAnOldSessionAreDropped() {
        var table = SessionTable(policy: HeartbeatPolicy())
        _ = table.begin(NodeID(1), SessionID(2), Epoch(1), at: time(0))
        #expect(table.number(.release([]), for: NodeID(1), SessionID(1)) == nil)
        #expect(table.number(.release([]), for: NodeID(1), SessionID(2))?.sequence == 1)
        #expect(table.number(.release([]), for: NodeID(1), SessionID(2))?.sequence == 2)
    }

    /// Tasks alone of a job that spreads them go to one node after another, and around again.
    @Test func anArrayMaySpreadOverNodes() throws {
        var harness = ClusterHarness()
        for number in 0..<4 { _ = harness.addNode(Build.node("n\(number)", cpus: 4)) }
        var job = Build.job(array: ArrayRange(first: 0, last: 9))
        job.groups[0].resources.topology = TopologyRequest(sharing: .spread)
        _ = harness.submit(job)
        var nodes: [UInt64] = []
        for case .unitsPlaced(let placed) in harness.journal { nodes += placed.units.flatMap { $0.places.map(\.node.value) } }
        #expect(nodes.count == 10)
        #expect(Set(nodes.prefix(4)).count == 4 && Set(nodes.dropFirst(4).prefix(4)).count == 4)
        #expect(harness.violations.isEmpty)
    }

    /// Classes that waited once and are gone cost nothing: a thousand of them later, an end leads to as little as before.
    @Test func classesThatAreGoneAreForgotten() throws {
        var harness = ClusterHarness()
        let node = harness.addNode(Build.node("n", cpus: 4)).id
        // One that fills the node, one of a class of its own that waits for it, and more room than that needs.
        for number in 0..<300 {
            _ = harness.submit(Build.job(cpuMilli: 4000))
            _ = harness.submit(Build.job(memory: Int64(number + 2) << 20))
            for job in [2 * number + 1, 2 * number + 2] {
                let running = AttemptID(job: JobID(UInt64(job)), index: 0, number: 1)
                let found = harness.place(of: running)
                let place = try #require(found)
                let end = AttemptEnd(cause: .exited, exitCode: 0, elapsed: .seconds(60))
                _ = harness.report(running, on: node, fence: place.fence, .ended(end))
            }
        }
        #expect(harness.loop.classesRemembered <= 2)
    }
}
