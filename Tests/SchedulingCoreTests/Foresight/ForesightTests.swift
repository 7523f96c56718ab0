import ClusterModel
import Placement
import SchedulerTestKit
import Testing

@testable import SchedulingCore

/// Single situations; `ForesightLawTests` compares many with what comes of them.
@Suite struct ForesightTests {
    @Test func theLeastThatIsEnoughIsSaid() throws {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 8, memory: 32 << 30, gpus: 4))
        _ = harness.submit(Build.job("holds", cpuMilli: 5000, memory: 20 << 30, devices: DeviceRequest(kind: .gpu, count: 3)))
        var job = Build.job("waits", cpuMilli: 2000, memory: 4 << 30, devices: DeviceRequest(kind: .gpu, count: 4))
        job.timeLimit = .seconds(600)
        _ = harness.submit(job)
        let answer1 = harness.forecast(of: JobID(2))
        let forecast = try #require(answer1)
        #expect(forecast.sentences == ["with 1 gpu instead of 4"])
        #expect(forecast.position == QueuePosition(ahead: 0, waiting: 1, isLeast: false, work: 0))
        let classes = forecast.nodeClasses
        #expect(classes.map(\.nodeClass.text) == ["4 × A100, 8 cores, 32 GiB"])
        #expect(classes.first?.causes.map(\.sentence) == ["4 gpu requested, 1 free"])
        // Nothing is known of the run that it waits for: a minute is expected.
        let now = harness.now
        #expect(forecast.start?.earliest == now + .seconds(60))
        #expect(forecast.start?.after == JobID(1))
        harness.end(JobID(1), on: node, after: .seconds(10))
        let answer2 = harness.forecast(of: JobID(2))
        #expect(answer2 == nil, "it has started")
    }

    /// Every amount is tried as if nothing else had been.
    @Test func theLargestAmountThatFitsIsFound() {
        var harness = ClusterHarness()
        _ = harness.addNode(Build.node("n1", cpus: 100, memory: 200 << 30, gpus: 8))
        let never = harness.plan(Build.job(cpuMilli: 999_000, memory: 100 << 30))
        #expect(never.alterations == [.cpu(group: 0, milli: 100_000)])
        _ = harness.submit(Build.job(cpuMilli: 29_500, memory: 150 << 30, devices: DeviceRequest(kind: .gpu, count: 1)))
        _ = harness.submit(Build.job(cpuMilli: 100_000))
        let cores = harness.forecast(of: JobID(2))
        #expect(cores?.alterations == [.cpu(group: 0, milli: 70_000)])
        _ = harness.submit(Build.job(cpuMilli: 1000, devices: DeviceRequest(kind: .gpu, count: 2), tasks: 4))
        let gang = harness.forecast(of: JobID(3))
        #expect(gang?.alterations == [.devices(group: 0, 1), .tasks(group: 0, 3)])
    }

    @Test func wishesAreTriedBeforeAmounts() throws {
        var harness = ClusterHarness()
        _ = harness.addNode(Build.node("n1", cpus: 4, gpus: 2, labels: [NamedText("zone", "a")]))
        _ = harness.addNode(Build.node("n2", cpus: 4, labels: [NamedText("zone", "b")]))
        var other = Build.node("n3", cpus: 4, gpus: 2, labels: [NamedText("zone", "b")])
        for index in other.devices.indices { other.devices[index].model = "H100" }
        _ = harness.addNode(other)
        _ = harness.submit(Build.job("holds", devices: DeviceRequest(kind: .gpu, count: 2, modelPattern: "A100")))
        let zone = try Constraint(parsing: "zone=a")
        _ = harness.submit(Build.job("model", devices: DeviceRequest(kind: .gpu, count: 2, modelPattern: "A100")))
        _ = harness.submit(Build.job("zone", devices: DeviceRequest(kind: .gpu, count: 2), constraints: [zone]))
        var after = Build.job("after")
        after.dependencies = [Dependency(job: JobID(1), condition: .ok)]
        _ = harness.submit(after)
        let answer3 = harness.forecast(of: JobID(2))
        #expect(answer3?.alterations == [.model(group: 0, "H100")])
        let answer4 = harness.forecast(of: JobID(3))
        #expect(answer4?.alterations == [.withoutConstraint(group: 0, zone)])
        let answer5 = harness.forecast(of: JobID(4))
        #expect(answer5?.sentences == ["if it waits for no other job"])
        let answer6 = harness.forecast(of: JobID(4))
        #expect(answer6?.position == nil, "it is in no order before that job has ended")
    }

    @Test func limitsAndGuaranteesHaveTheirOwnRemedies() throws {
        var harness = ClusterHarness()
        harness.set(.quota(QuotaRecord(name: "cap", queue: "default", room: RoomBounds(cpuMilli: 3000))))
        harness.set(.queue(QueueRecord(name: "lab", guarantee: RoomBounds(cpuMilli: 5000))))
        harness.set(.queue(QueueRecord(name: "open")))
        _ = harness.addNode(Build.node("n1", cpus: 8, memory: 1 << 40))
        _ = harness.submit(Build.job("holds", cpuMilli: 1000))
        _ = harness.submit(Build.job("waits", cpuMilli: 3000))
        let answer7 = harness.forecast(of: JobID(2))
        let quota = try #require(answer7)
        #expect(
            quota.sentences == ["in the queue 'lab'", "with 2 cores"],
            "two of the quota are left, and two that are not guaranteed to others")
        #expect(quota.position?.ahead == 0)
    }

    @Test func aShortTimeLimitUsesRoomThatIsSetAside() throws {
        var harness = ClusterHarness()
        _ = harness.addNode(Build.node("n1", cpus: 4))
        _ = harness.submit(Build.job("runs", cpuMilli: 3000))
        _ = harness.submit(Build.job("large", cpuMilli: 4000))
        harness.pass(.seconds(130))
        harness.settle()
        let rooms = harness.loop.reservedRooms
        let room = try #require(rooms.first)
        _ = harness.submit(Build.job("waits", cpuMilli: 1000))
        let answer8 = harness.forecast(of: JobID(3))
        #expect(answer8?.alterations == [.timeLimit(.seconds(60))], "130 s are left, less a margin, in minutes")
        let answer9 = harness.forecast(of: JobID(2))
        let reserved = try #require(answer9?.start)
        #expect(reserved.earliest == room.start && reserved.latest == room.start)
    }

    /// Of another tenant goes first what it has held less of; of one's own what has waited longer for what it needs.
    @Test func aPositionSaysWhatGoesBefore() throws {
        var harness = ClusterHarness()
        for name in ["red", "blue"] { harness.set(.tenant(TenantRecord(name: name))) }
        _ = harness.addNode(Build.node("n1", cpus: 4))
        func job(_ tenant: String, _ cpu: Int64, priority: Int32 = 0) -> JobSpecification {
            var job = Build.job(cpuMilli: cpu, priority: priority)
            job.tenant = tenant
            return job
        }
        _ = harness.submit(job("red", 4000))
        for _ in 0..<3 { _ = harness.submit(job("red", 2000)) }
        for _ in 0..<2 { _ = harness.submit(job("blue", 2000)) }
        _ = harness.submit(job("red", 2000, priority: 5))
        let answer10 = harness.forecast(of: JobID(4))
        #expect(answer10?.position?.ahead == 5, "two of blue, two of its own that came first, one that is more important")
        let answer11 = harness.forecast(of: JobID(5))
        #expect(answer11?.position?.ahead == 0)
        let answer12 = harness.forecast(of: JobID(7))
        #expect(answer12?.position?.ahead == 2)
        let answer13 = harness.forecast(of: JobID(4))
        #expect(answer13?.position?.waiting == 6)
        let plan = harness.plan(job("green", 2000))
        #expect(plan.verdict == .never && plan.rejection?.code == "invalid", "there is no such tenant")
        harness.set(.tenant(TenantRecord(name: "green")))
        let answer14 = harness.plan(job("green", 2000))
        #expect(answer14.position?.ahead == 2, "blue has held nothing either, and came first")
    }

    /// What all that goes before it takes, on all of the cluster at once, is how late it may become.
    @Test func theLatestStartIsThatOfAllWorkAhead() throws {
        var harness = ClusterHarness()
        _ = harness.addNode(Build.node("n1", cpus: 4))
        var hour = Build.job(cpuMilli: 4000)
        hour.timeLimit = .seconds(3600)
        hour.estimate = .seconds(3600)
        for _ in 0..<4 { _ = harness.submit(hour) }
        let answer15 = harness.forecast(of: JobID(4))
        let start = try #require(answer15?.start)
        let now = harness.now
        #expect(start.earliest == now + .seconds(3600), "if it were the next")
        let late = start.latest - now
        #expect(late == .seconds(3 * 3600), "one runs, two go first")
        harness.pass(.seconds(1800))
        harness.settle()
        let answer16 = harness.forecast(of: JobID(4))
        let later = try #require(answer16?.start)
        #expect(later.earliest == now + .seconds(3600))
    }

    @Test func aPlanNamesPlacesVictimsAndWhatItCosts() throws {
        var harness = ClusterHarness()
        let (node, _) = harness.addNode(Build.node("n1", cpus: 8, memory: 1 << 40, gpus: 4))
        let array = ArrayRange(first: 0, last: 99)
        let starts = harness.plan(Build.job(cpuMilli: 1000, devices: DeviceRequest(kind: .gpu, count: 1), array: array))
        #expect(starts.verdict == .starts && starts.gangs.count == 4)
        #expect(starts.gangs.allSatisfy { $0.count == 1 && $0[0].node == node })
        #expect(Set(starts.gangs.flatMap { $0[0].allocation.devices.map(\.index) }) == [0, 1, 2, 3])
        #expect(starts.expectedRun == .seconds(60))
        var low = Build.job(cpuMilli: 8000)
        low.isPreemptible = true
        _ = harness.submit(low)
        harness.pass(.seconds(61))
        harness.settle()
        let plan = harness.plan(Build.job(cpuMilli: 2000, priority: 1))
        #expect(plan.verdict == .waits && plan.reason == .capacity)
        #expect(plan.victims.map(\.job) == [JobID(1)] && plan.victims.first?.hasRunFor == .seconds(61))
        #expect(plan.explanation == "1 of 1 nodes: 2 cores requested, 0 cores free")
        let never = harness.plan(Build.job(cpuMilli: 9000))
        #expect(never.verdict == .never && never.rejection?.code == "unsatisfiable")
    }

    /// Nodes that go while nobody asks are gone for whoever asks again.
    @Test func nodesThatWentUnseenAreNotPlannedOn() {
        var harness = ClusterHarness()
        let (second, _) = harness.addNode(Build.node("n2", gpus: 1))
        let devices = Build.job(devices: DeviceRequest(kind: .gpu, count: 1))
        _ = harness.submit(devices)
        let (first, _) = harness.addNode(Build.node("n1", gpus: 1))
        var core = SchedulerCore()
        var (foresight, followed) = (Foresight(), 0)
        func ask() -> Plan.Verdict {
            var changes = Changes(recording: false)
            for event in harness.journal[followed...] {
                core.evolve(event, &changes)
                foresight.relax(&core)
            }
            followed = harness.journal.count
            return foresight.plan(Submission(specification: devices, user: "ada", key: nil), &core, at: harness.now).verdict
        }
        let before = ask()
        #expect(before == .starts)
        for _ in 0..<1200 { for isCordoned in [true, false] { _ = harness.perform(.setNodeCordon(second, isCordoned: isCordoned)) } }
        _ = harness.perform(.disconnected(first))
        _ = harness.perform(.removeNode(first))
        let after = ask()
        #expect(after == .waits, "the other is taken")
    }

    /// What a plan was true of may have passed: then what is submitted on its account is refused.
    @Test func aSubmissionMayRequireTheStateOfItsPlan() {
        var harness = ClusterHarness()
        _ = harness.addNode(Build.node("n1"))
        let plan = harness.plan(Build.job())
        var submission = Submission(specification: Build.job(), user: "ada", key: nil)
        submission.requiredRevision = plan.revision
        let answer17 = harness.perform(.submit(submission))
        #expect(answer17.result.isSuccess)
        guard case .failure(let rejection)? = harness.perform(.submit(submission)).result else {
            Issue.record("it was accepted")
            return
        }
        #expect(rejection.code == "state_moved")
    }
}

extension ClusterHarness {
    /// As a reader has the state: read back, never the loop's own.
    private func replica() -> SchedulerCore {
        guard let core = try? SchedulerCore(snapshot: loop.core.snapshot()) else { preconditionFailure("a snapshot that cannot be read") }
        return core
    }

    func forecast(of job: JobID) -> WaitingForecast? {
        var core = replica()
        var foresight = Foresight()
        var known: SchedulerCore.Explanations = [:]
        foresight.follow(loop.reservedRooms)
        return foresight.forecast(of: job, &core, known: &known, at: now)
    }

    func plan(_ specification: JobSpecification, user: String = "ada") -> Plan {
        var core = replica()
        var foresight = Foresight()
        foresight.follow(loop.reservedRooms)
        return foresight.plan(Submission(specification: specification, user: user, key: nil), &core, at: now)
    }
}
