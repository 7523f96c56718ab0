import ClusterModel
import SchedulerTestKit
import Testing

@testable import SchedulingCore

@Suite struct ReservationTests {
    /// Runs of one device and ten seconds each for ever, and a gang that needs all devices of both nodes.
    @Test func aGangBehindEndlessSmallJobsStartsWhenItWasFirstSaidTo() throws {
        var harness = ClusterHarness()
        var nodes: [NodeID] = []
        for name in ["n1", "n2"] { nodes.append(harness.addNode(Build.node(name, cpus: 8, gpus: 4)).id) }
        let device = DeviceRequest(kind: .gpu, count: 1)
        for _ in 0..<16 { _ = harness.submit(Build.job("small", devices: device)) }
        var gang: JobID?
        var first: LogicalTime?
        for round in 0..<200 {
            harness.pass(.seconds(2))
            for live in harness.liveTasks() where harness.now - live.since >= .seconds(10) {
                harness.end(live.job, on: live.node, after: harness.now - live.since)
                _ = harness.submit(Build.job("small", devices: device))
            }
            if round == 30, case .success(.job(let id, _))? = harness.submit(Build.job("gang", devices: device, tasks: 8)).result {
                gang = id
            }
            harness.settle()
            if first == nil { first = harness.loop.reservedRooms.first { $0.job == gang }?.firstStart }
            if let gang, harness.place(of: AttemptID(job: gang, index: 0, number: 1)) != nil { break }
        }
        let started = try #require(gang.flatMap { harness.place(of: AttemptID(job: $0, index: 0, number: 1)) })
        #expect(nodes.contains(started.node))
        let projected = try #require(first)
        // A run is looked at every two seconds.
        let now = harness.now
        #expect(now <= projected + .seconds(2), "first projected \(projected), started \(now)")
        let violations = harness.violations
        #expect(violations.isEmpty)
    }

    /// Room that is set aside serves those in the meantime who will be gone, and nobody else.
    @Test func onlyWhatCannotDelayTheReservedIsLetIn() throws {
        var harness = ClusterHarness()
        _ = harness.addNode(Build.node("n1", cpus: 4))
        _ = harness.submit(Build.job("runs", cpuMilli: 3000))
        _ = harness.submit(Build.job("large", cpuMilli: 4000))
        #expect(harness.loop.reservedRooms.isEmpty, "it has just come")
        // Nothing is known of any run: a minute is expected, and twice that is waited.
        harness.pass(.seconds(130))
        harness.settle()
        let room = try #require(harness.loop.reservedRooms.first)
        #expect(room.job == JobID(2) && room.start == harness.now + .seconds(130), "what has run so long goes on for as long again")
        var (short, long) = (Build.job("short", cpuMilli: 500), Build.job("long", cpuMilli: 500))
        (short.timeLimit, long.timeLimit) = (.seconds(100), .seconds(5000))
        _ = harness.submit(long)
        _ = harness.submit(short)
        #expect(harness.place(of: AttemptID(job: JobID(3), index: 0, number: 1)) == nil)
        #expect(harness.place(of: AttemptID(job: JobID(4), index: 0, number: 1)) != nil)
        let violations = harness.violations
        #expect(violations.isEmpty)
    }

    /// What is set aside for a job that is cancelled is everybody's again, at once.
    @Test func roomForNobodyIsGivenUp() throws {
        var harness = ClusterHarness()
        _ = harness.addNode(Build.node("n1", cpus: 4))
        _ = harness.submit(Build.job("runs", cpuMilli: 3000))
        _ = harness.submit(Build.job("large", cpuMilli: 4000))
        harness.pass(.seconds(130))
        harness.settle()
        try #require(harness.loop.reservedRooms.count == 1)
        _ = harness.submit(Build.job("waits", cpuMilli: 500))
        #expect(harness.place(of: AttemptID(job: JobID(3), index: 0, number: 1)) == nil)
        let rooms = harness.loop.reservedRooms
        var known: SchedulerCore.Explanations = [:]
        let reserved = harness.loop.core.liveStanding(of: JobID(2), &known, rooms: rooms)
        #expect(reserved?.explanation == "room is set aside on n1; expected to start in about 2 min")
        #expect(reserved?.standing.reason == .capacity)
        let keptOut = harness.loop.core.liveStanding(of: JobID(3), &known, rooms: rooms)
        #expect(keptOut?.explanation == "1 of 1 nodes: room is set aside for a job that has waited too long")
        #expect(keptOut?.standing.reason == .reservation)
        _ = harness.perform(.cancel(JobID(2)))
        harness.pass(.seconds(1))
        harness.settle()
        #expect(harness.place(of: AttemptID(job: JobID(3), index: 0, number: 1)) != nil)
        #expect(harness.loop.reservedRooms.isEmpty)
        let version = harness.loop.reservationVersion
        #expect(version >= 2, "one plan made it, another gave it up")
    }

    /// The loop asks to be woken when patience ends, though nothing else happens.
    @Test func theEndOfPatienceWakesTheLoop() throws {
        var harness = ClusterHarness()
        _ = harness.addNode(Build.node("n1", cpus: 4))
        _ = harness.submit(Build.job("runs", cpuMilli: 3000))
        let began = harness.now
        _ = harness.submit(Build.job("large", cpuMilli: 4000))
        #expect(harness.loop.nextWake == began + .seconds(120))
    }

    /// An array of which something runs is served, however much of it waits: its slots go on without a pause.
    @Test func nothingIsSetAsideForWhatRuns() {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 2))
        _ = harness.submit(Build.job("short", array: ArrayRange(first: 0, last: 99_999)))
        for _ in 0..<400 {
            harness.pass(.milliseconds(500))
            for live in harness.liveTasks() { harness.end(live.job, on: node, after: .milliseconds(1), only: live.attempt) }
        }
        #expect(harness.loop.reservedRooms.isEmpty)
        #expect(harness.linedUp(JobID(1)) > 0)
    }

    /// Tasks of an array are not lined up where room is set aside: they would hold it for ever.
    @Test func nothingIsLinedUpOnRoomThatIsSetAside() throws {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 2))
        _ = harness.submit(Build.job("short", array: ArrayRange(first: 0, last: 999_999)))
        for _ in 0..<40 {
            harness.pass(.milliseconds(1))
            for live in harness.liveTasks() { harness.end(live.job, on: node, after: .milliseconds(1), only: live.attempt) }
        }
        try #require(harness.linedUp(JobID(1)) > 0)
        _ = harness.submit(Build.job("large", cpuMilli: 2000, priority: -1))
        var started = false
        for _ in 0..<6000 where !started {
            harness.pass(.milliseconds(50))
            for live in harness.liveTasks() where live.job == JobID(1) {
                harness.end(live.job, on: node, after: .milliseconds(1), only: live.attempt)
            }
            started = harness.place(of: AttemptID(job: JobID(2), index: 0, number: 1)) != nil
        }
        #expect(started)
        let violations = harness.violations
        #expect(violations.isEmpty)
    }
}

/// What a test does on the nodes' behalf.
extension ClusterHarness {
    struct LiveTaskView: Sendable {
        var job: JobID
        var attempt: AttemptID
        var node: NodeID
        var fence: Fence
        var since: LogicalTime
    }

    /// Tasks that hold room, in order of job.
    func liveTasks() -> [LiveTaskView] {
        var views: [LiveTaskView] = []
        for id in loop.core.liveJobIDs {
            guard let row = loop.core.jobs[id] else { continue }
            for ordinal in row.liveOrdinals {
                for (rank, task) in (row.live[ordinal]?.tasks ?? []).enumerated() where task.isLive {
                    let attempt = AttemptID(job: id, index: ordinal * row.gangSize + UInt32(rank), number: row.live[ordinal]!.attempt)
                    views.append(LiveTaskView(job: id, attempt: attempt, node: task.node, fence: task.fence, since: task.heldSince))
                }
            }
        }
        return views
    }

    func linedUp(_ job: JobID) -> Int { loop.core.jobs[job]?.successors.count ?? 0 }

    /// All tasks of the job that hold room on the node have exited by themselves, or the one.
    mutating func end(_ job: JobID, on node: NodeID, after run: Span, only attempt: AttemptID? = nil) {
        let ended = AttemptStatus.Phase.ended(AttemptEnd(cause: .exited, exitCode: 0, elapsed: run))
        for live in liveTasks() where live.job == job && live.node == node && (attempt == nil || attempt == live.attempt) {
            _ = report(live.attempt, on: node, fence: live.fence, ended)
        }
    }
}
