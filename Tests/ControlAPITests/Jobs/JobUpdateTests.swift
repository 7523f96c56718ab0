import ClusterModel
import HTTPTypes
import HummingbirdTesting
import Placement
import SchedulingCore
import Synchronization
import Testing

@testable import ControlAPI

@Suite("Changing jobs, and what is foreseen of them")
struct JobUpdateTests {
    @Test("what is named is changed, none takes a bound away, and nothing else is said")
    func updates() async throws {
        try await Interface.run { interface in
            interface.plane.add(Fixture.specification())
            for body in [
                #"{"priority": 7, "hold": true, "timeLimit": "2h", "labels": {"team": "a"}}"#,
                #"{"hold": false, "timeLimit": "none", "deadline": "2026-03-01T00:00:00Z", "maxPending": 60, "estimate": "none"}"#, "{}",
            ] {
                #expect(try await interface.call(.patch, "/v1/jobs/1", body: body).status == .ok)
            }
            let updates = interface.plane.state.withLock { $0.updates }
            let deadline = try #require(Timestamp.parse("2026-03-01T00:00:00Z"))
            #expect(
                updates == [
                    JobUpdate(priority: 7, isHeld: true, timeLimit: .to(.seconds(7200)), labels: [NamedText("team", "a")]),
                    JobUpdate(
                        isHeld: false, timeLimit: JobUpdate.Change.none, estimate: JobUpdate.Change.none, deadline: .to(deadline),
                        maxPending: .to(.seconds(60))),
                    JobUpdate(),
                ])
            for body in [#"{"priority": 2000}"#, #"{"name": "x"}"#, #"{"deadline": "soon"}"#, #"{"timeLimit": "-1h"}"#] {
                let refused = try await interface.call(.patch, "/v1/jobs/1", body: body)
                #expect(refused.status == .badRequest, "\(body)")
            }
            #expect(try await interface.call(.patch, "/v1/jobs/9", body: "{}").status == .notFound)
            #expect(interface.plane.state.withLock { $0.updates.count } == 3)
        }
    }

    @Test("what would let it start now is told in fields of its body and in options")
    func alterations() {
        var job = Fixture.specification()
        job.groups = [
            TaskGroup(
                name: "main", count: 4, resources: ResourceRequest(devices: DeviceRequest(kind: .gpu, count: 4)),
                constraints: [Constraint(key: "zone", comparison: .equals, value: "a"), Constraint(key: "fast", comparison: .present)],
                command: ["x"])
        ]
        func told(_ alteration: Alteration) -> (String, String?) {
            let changes = alteration.changes(of: job).map { "\($0.field)=\($0.value)" }.joined(separator: " ")
            return (changes, alteration.option(for: job))
        }
        #expect(told(.devices(group: 0, 2)) == ("groups[0].resources.gpu.count=number(2)", "--gpus 2"))
        #expect(told(.cpu(group: 0, milli: 1500)) == ("groups[0].resources.cpu=text(\"1500m\")", "--cpus 1500m"))
        #expect(told(.memory(group: 0, 3 << 29)) == ("groups[0].resources.memory=text(\"1536MiB\")", "--memory 1536MiB"))
        #expect(told(.tasks(group: 0, 3)) == ("groups[0].count=number(3)", "--tasks 3"))
        #expect(told(.withoutConstraint(group: 0, job.groups[0].constraints[0])) == ("groups[0].constraints=texts([\"fast\"])", nil))
        #expect(told(.preferred(.node)) == ("groups[0].topology.node=text(\"prefer\")", "--topology node=prefer"))
        #expect(told(.timeLimit(.seconds(5400))) == ("timeLimit=text(\"90m\")", "--time-limit 90m"))
        #expect(told(.beginNow) == ("beginAt=none", nil))
        job.groups.append(TaskGroup(name: "other", command: ["y"]))
        #expect(told(.devices(group: 0, 2)).1 == nil, "an option would not say which group")
    }

    @Test("a plan answers like a submission, and nothing is asked of the cluster")
    func plans() async throws {
        try await Interface.run { interface in
            let plan = try await interface.post("/v1/plans", #"{"command": ["true"]}"#)
            #expect(plan.status == .ok)
            let body = try plan.json()
            #expect(body["verdict"] == .string("waits") && body["explanation"] == .string("no node has registered yet"))
            #expect(try await interface.post("/v1/plans", #"{"command": ["true"], "gpus": 1}"#).status == .badRequest)
            #expect(try await interface.post("/v1/plans", #"{"command": ["true"], "queue": "none"}"#).status == .badRequest)
            #expect(interface.plane.state.withLock { $0.commands.isEmpty })
        }
    }
}
