import ClusterModel
import Placement
import SchedulerTestKit
import Testing

@testable import SchedulingCore

/// Which nodes whose jobs may use.
@Suite struct PoolTests {
    /// Two nodes, the second in the pool `gold`, which is the tenant red's.
    private let open = NodeID(1)
    private let gold = NodeID(2)

    private func world(tenants: [String] = ["red"]) -> ClusterHarness {
        var harness = ClusterHarness()
        for name in ["red", "blue"] { harness.set(.tenant(TenantRecord(name: name))) }
        _ = harness.addNode(Build.node("n1", cpus: 2))
        _ = harness.addNode(Build.node("n2", cpus: 2))
        harness.set(.pool(PoolRecord(name: "gold", tenants: tenants)))
        _ = harness.perform(.moveNode(gold, pool: "gold"))
        return harness
    }

    private func job(_ tenant: String, pool: String = "", cpus: Int64 = 1) -> JobSpecification {
        var job = Build.job(cpuMilli: 1000 * cpus)
        job.tenant = tenant
        job.pool = pool
        return job
    }

    private func refusal(_ result: Result<Answer, Rejection>?) -> String? {
        guard case .failure(.invalid(let errors))? = result else { return nil }
        return errors.map(\.description).joined(separator: "; ")
    }

    @Test func aPoolIsForItsTenantsAndForJobsThatAskForIt() throws {
        var harness = world()
        _ = harness.submit(job("red", pool: "gold"))
        _ = harness.submit(job("red"))
        _ = harness.submit(job("blue"))
        _ = harness.submit(job("blue"))
        #expect(harness.liveTasks().filter { $0.job == JobID(1) }.map(\.node) == [gold])
        #expect(harness.liveTasks().filter { $0.job != JobID(1) }.allSatisfy { $0.node == open })
        let standing = harness.loop.core.liveStanding(of: JobID(4))
        #expect(standing?.standing.reason == .capacity)
        #expect(standing?.explanation.contains("kept for a pool that it does not ask for") == true, "\(standing?.explanation ?? "")")
        #expect(standing?.explanation.contains("gold") == false, "whose the pool is is theirs to know")
    }

    @Test func othersCannotAskForItByWhateverName() throws {
        var harness = world()
        let named = try #require(refusal(harness.submit(job("blue", pool: "gold")).result))
        #expect(named == "pool: the tenant 'blue' has no pool 'gold'; pools that it may use: there is none")
        #expect(
            refusal(harness.submit(job("blue", pool: "lead")).result)?.contains("has no pool 'lead'") == true, "nothing tells them apart")
        for constraint in [
            Constraint(key: "pool", comparison: .equals, value: "gold"), Constraint(key: "pool", comparison: .present),
            Constraint(key: "pool", comparison: .differs, value: "x"),
        ] {
            var sly = job("blue", cpus: 2)
            sly.groups[0].constraints = [constraint]
            _ = harness.submit(sly)
        }
        #expect(harness.liveTasks().allSatisfy { harness.loop.core.nodes[$0.node]?.name == "n1" })
    }

    @Test func anOpenPoolIsForEverybody() {
        var harness = world(tenants: [])
        _ = harness.submit(job("blue", pool: "gold", cpus: 2))
        _ = harness.submit(job("blue", cpus: 2))
        #expect(harness.liveTasks().map(\.node).sorted() == [open, gold])
    }

    @Test func aPoolThatOpensOrANodeThatMovesLetsInWhatWaits() {
        var harness = world()
        _ = harness.submit(job("blue", cpus: 2))
        _ = harness.submit(job("blue", cpus: 2))
        _ = harness.submit(job("red", pool: "gold", cpus: 2))
        #expect(harness.liveTasks().map(\.job) == [JobID(1), JobID(3)])
        harness.end(JobID(3), on: gold, after: .zero)
        harness.set(.pool(PoolRecord(name: "gold")))
        #expect(harness.liveTasks().map(\.job) == [JobID(1), JobID(2)])
        harness.end(JobID(1), on: open, after: .zero)
        // The node of the pool is full, and the other one joins it.
        _ = harness.submit(job("red", pool: "gold", cpus: 2))
        #expect(harness.liveTasks().map(\.job) == [JobID(2)])
        _ = harness.perform(.moveNode(open, pool: "gold"))
        #expect(harness.liveTasks().map(\.job) == [JobID(2), JobID(4)])
        let held = harness.loop.core.shareUse(of: ShareObjectID(.pool, "gold"), at: harness.now).first
        #expect(held?.nodes == 2 && held?.capacity?[.cpu] == 4000 && held?.held[.cpu] == 4000 && held?.tasks == 2)
    }

    /// A slot is not handed on to what the node would not be given any more.
    @Test func nothingIsLinedUpOnANodeThatWentToOthers() {
        for moves in [false, true] {
            var harness = world()
            _ = harness.perform(.setNodeCordon(gold, isCordoned: true))
            var tasks = job("blue", cpus: 2)
            tasks.array = ArrayRange(first: 0, last: 999)
            _ = harness.submit(tasks)
            endTasks(6, &harness)
            #expect(harness.linedUp(JobID(1)) > 0)
            if moves { _ = harness.perform(.moveNode(open, pool: "gold")) }
            endTasks(100, &harness)
            #expect(harness.liveTasks().isEmpty == moves, "what was lined up already goes on, and nothing more comes")
        }
    }

    private func endTasks(_ count: Int, _ harness: inout ClusterHarness) {
        for _ in 0..<count {
            guard let live = harness.liveTasks().first else { return }
            harness.pass(.milliseconds(5))
            let end = AttemptEnd(cause: .exited, exitCode: 0, elapsed: .milliseconds(5))
            _ = harness.report(live.attempt, on: live.node, fence: live.fence, .ended(end))
        }
    }

    @Test func aPoolThatIsMisspeltIsNoPool() {
        var harness = world()
        guard case .failure(.invalid(let errors))? = harness.perform(.moveNode(open, pool: "golld")).result else {
            Issue.record("an exclusive node would be everybody's")
            return
        }
        #expect(errors.map(\.description) == ["pool: the pool 'golld' does not exist: make it with 'suanpan pool create golld'"])
    }

    /// What is said of a pool is not what a node was told when it joined: both must lead to the same.
    @Test func nodesComeBackIntoTheirPool() throws {
        var harness = world()
        let before = harness.loop.core.snapshot()
        #expect(try SchedulerCore(snapshot: before).snapshot() == before)
        _ = harness.restart()
        _ = harness.register(gold, Build.node("n2", cpus: 2))
        let inventory = harness.loop.core.offers[gold]?.inventory
        #expect(inventory?.taints == ["pool=gold"] && inventory?.labels == [NamedText("pool", "gold")])
        var sly = Build.node("n2", cpus: 2, labels: [NamedText("pool", "silver")])
        sly.taints = ["pool=silver"]
        let refused = harness.register(gold, sly).contains { batch in
            batch.effects.contains { if case .refuse = $0 { true } else { false } }
        }
        #expect(refused, "no agent says which pool it is in")
    }

    @Test func whatIsInUseStays() {
        var harness = world()
        func remove(_ id: ShareObjectID, _ harness: inout ClusterHarness) -> String {
            if case .failure(.conflict(let text))? = harness.perform(.removeShareObject(id, if: .none)).result { text } else { "removed" }
        }
        #expect(remove(ShareObjectID(.pool, "gold"), &harness) == "Pool 'gold' is in use by node 'n2'")
        #expect(remove(ShareObjectID(.tenant, "red"), &harness) == "Tenant 'red' is in use by pool 'gold'")
        _ = harness.perform(.moveNode(gold, pool: ""))
        #expect(remove(ShareObjectID(.pool, "gold"), &harness) == "removed")
        #expect(remove(ShareObjectID(.tenant, "red"), &harness) == "removed")
        _ = harness.submit(job("blue", cpus: 2))
        _ = harness.submit(job("blue", cpus: 2))
        #expect(harness.liveTasks().count == 2, "no node is kept any more")
    }
}

/// Users beside each other in a project.
@Suite struct UserTests {
    @Test func oneOfTwiceTheWeightGetsTwiceTheRoom() {
        var harness = ClusterHarness()
        harness.set(.queue(QueueRecord(name: QueueRecord.rootName, halfLife: .seconds(600))))
        harness.set(.user(UserRecord(name: "ada", weight: 2)))
        let (node, _) = harness.addNode(Build.node("n1", cpus: 1))
        for user in ["ada", "bob"] { _ = harness.submit(Build.job(array: ArrayRange(first: 0, last: 9999)), user: user) }
        var runs: [JobID: Int] = [:]
        for _ in 0..<1200 {
            let job = harness.liveTasks().first?.job ?? JobID(0)
            runs[job, default: 0] += 1
            harness.pass(.seconds(1))
            harness.end(job, on: node, after: .seconds(1))
        }
        let part = Double(runs[JobID(1)] ?? 0) / 1200
        #expect(part > 0.64 && part < 0.69, "\(runs)")
    }

    @Test func theirAccountIsWhatTheirJobsRunAs() throws {
        var harness = ClusterHarness()
        _ = harness.addNode(Build.node("n1"))
        harness.set(.user(UserRecord(name: "ada", account: UserAccount(userID: 1001, groupID: 100))))
        func account(_ batches: [Batch]) -> UserAccount? {
            for case .command(_, _, .start(let batch)) in batches.flatMap(\.effects) { return batch.template.account }
            return nil
        }
        #expect(account(harness.submit(Build.job()).batches) == UserAccount(userID: 1001, groupID: 100))
        _ = harness.restart()
        #expect(harness.loop.core.shareObject(ShareObjectID(.user, "ada")) != nil, "it is a part of the state")
        guard case .failure(.conflict(let text))? = harness.perform(.removeShareObject(ShareObjectID(.user, "ada"), if: .none)).result
        else {
            Issue.record("removed while a job is theirs")
            return
        }
        #expect(text == "User 'ada' is in use by job 1")
        _ = harness.perform(.cancel(JobID(1)))
    }
}
