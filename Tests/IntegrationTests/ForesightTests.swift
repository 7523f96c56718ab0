import Foundation
import Testing

/// What `explain` and `plan` say is done, over real daemons and simulated nodes.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ForesightTests {
    typealias Body = [String: Any]

    /// Every change that `explain` names is made, each to a job of its own, and that job starts with its submission.
    @Test func everyChangeThatIsSaidToHelpStartsTheJobAtOnce() throws {
        let cluster = try Cluster()
        let up = try cluster.up(agents: 4)
        defer { if up.isRunning { kill(up.processIdentifier, SIGKILL) } }
        #expect(cluster.suanpan("queue", "create", "narrow", "--ceiling", "cpus=10").code == 0)
        try occupy(cluster)
        var (applied, kinds) = (0, Set<String>())
        for (name, body) in Self.waiting.sorted(by: { $0.key < $1.key }) {
            let job = try #require(try submit(body, to: cluster)["id"] as? String, "\(name) is not accepted")
            let explained = try #require(try cluster.json("explain", job) as? Body)
            #expect(explained["state"] as? String == "queued", "\(name) does not wait")
            let changes = explained["startsNow"] as? [Body] ?? []
            #expect(!changes.isEmpty, "\(name): \(explained)")
            for item in changes {
                var altered: Any = body
                for change in item["changes"] as? [Body] ?? [] {
                    let field = try #require(change["field"] as? String)
                    altered = Self.setting(field, to: change["value"] ?? NSNull(), in: altered)
                    kinds.insert(String(field.split(separator: ".").last ?? ""))
                }
                let planned = try plan(try #require(altered as? Body), on: cluster)
                #expect(planned["verdict"] as? String == "starts", "\(name): \(item["sentence"] ?? "")")
                let started = try submit(try #require(altered as? Body), to: cluster)
                #expect(started["state"] as? String == "starting", "\(name): \(item["sentence"] ?? ""): \(started)")
                applied += 1
                if let id = started["id"] as? String { try cancel(id, on: cluster) }
            }
            try cancel(job, on: cluster)
        }
        #expect(applied >= 20 && kinds.count >= 10, "\(applied) changes of \(kinds.sorted())")
        print("changes applied: \(applied), of \(kinds.sorted())")
        kill(up.processIdentifier, SIGINT)
        up.waitUntilExit()
    }

    @Test func aPlanEndsAsItsVerdictAndIsHeldToItsState() throws {
        let cluster = try Cluster()
        let up = try cluster.up(agents: 4)
        defer { if up.isRunning { kill(up.processIdentifier, SIGKILL) } }
        let options = ["--constraint", "simulated", "--label", "sim.seconds=600"]
        func plan(_ more: String...) -> Outcome { cluster.suanpan(["plan"] + options + more + ["--", "work"]) }
        let starts = plan("--gpus", "8", "--array", "0-4", "--time-limit", "1h")
        #expect(starts.code == 0 && starts.output.contains("2 of 5 start now") && starts.output.contains("h100-1"), "\(starts)")
        let never = plan("--gpus", "9")
        #expect(never.code == 11 && never.output.contains("can never run") && never.output.contains("--gpus 8"), "\(never)")
        #expect(plan("--gpus", "nine").code == 2)
        let revision = try #require(try self.plan(Self.body(["gpu": 8], tasks: 2), on: cluster)["revision"] as? Int)
        // What was planned is gone once somebody else has taken it.
        let gang = ["--gpus", "8", "--tasks", "2", "--", "work"]
        let first = cluster.suanpan(["submit", "--if-revision", "\(revision)"] + options + gang)
        #expect(first.code == 0, "\(first)")
        let second = cluster.suanpan(["submit", "--if-revision", "\(revision)"] + options + gang)
        #expect(second.code == 5 && second.errors.contains("plan it again"), "\(second)")
        let waits = plan("--gpus", "8", "--tasks", "2")
        #expect(waits.code == 10 && waits.output.contains("Expected start"), "\(waits)")
        #expect(cluster.suanpan("jobs", "-o", "id").output.split(separator: "\n").count == 1, "plans leave nothing behind")
        kill(up.processIdentifier, SIGINT)
        up.waitUntilExit()
    }

    // MARK: Jobs

    private static func body(_ resources: Body, tasks: Int = 1, constraints: [String] = [], more: Body = [:]) -> Body {
        let group: Body = [
            "count": tasks, "resources": resources, "constraints": ["simulated"] + constraints, "command": ["work"],
        ]
        return ["groups": [group], "labels": ["sim.seconds": "600"]].merging(more) { $1 }
    }

    /// All devices of one node, six of eight of another, most cores and memory of two more.
    private func occupy(_ cluster: Cluster) throws {
        let blockers = [
            Self.body(["cpu": 8, "gpu": ["count": 8]], constraints: ["node=h100-1"]),
            Self.body(["cpu": 8, "gpu": ["count": 6]], constraints: ["node=mig-1"]),
            Self.body(["cpu": 100, "memory": "500GiB", "npu": ["count": 5]], constraints: ["node=ascend-1"]),
            Self.body(["cpu": 40, "memory": "200GiB"], constraints: ["node=cpu-1"]),
            Self.body(["cpu": 8], more: ["queue": "narrow"]),
        ]
        for blocker in blockers {
            let started = try submit(blocker, to: cluster)
            #expect(started["state"] as? String == "starting", "\(started)")
        }
    }

    private static var waiting: [String: Body] {
        ["a gang within a node": gangWithinANode].merging([
            "more devices than are free": body(["gpu": ["count": 5]]),
            "a model that is taken": body(["gpu": ["count": 2, "model": "*H100*"]]),
            "a node that is taken": body(["gpu": ["count": 1]], constraints: ["node=h100-1"]),
            "any node but that with room": body(["gpu": ["count": 2]], constraints: ["node!=mig-1"]),
            "a gang of several devices": body(["gpu": ["count": 2]], tasks: 3),
            "a gang of neural processors": body(["npu": ["count": 1]], tasks: 4),
            "compute units": body(["computeUnits": 900], constraints: ["node=mig-1"]),
            "neural processors": body(["npu": ["count": 4]]),
            "more cores than are free": body(["cpu": 150]),
            "more memory than is free": body(["cpu": 2, "memory": "700GiB"], constraints: ["block=b2"]),
            "cores beside devices": body(["cpu": 96, "gpu": ["count": 1]]),
            "cores of its own": body(["cpu": 60, "wholeCores": true], constraints: ["node=cpu-1"]),
            "another job first": body(["cpu": 1], more: ["after": [["job": "1", "when": "ok"]]]),
            "another day": body(["cpu": 1], more: ["beginAt": "2099-01-01T00:00:00Z"]),
            "a queue with a ceiling": body(["cpu": 4], more: ["queue": "narrow"]),
        ]) { left, _ in left }
    }

    private static var gangWithinANode: Body {
        let group: Body = [
            "count": 4, "resources": ["cpu": 24], "constraints": ["simulated", "block=b2"], "command": ["work"],
            "topology": ["node": "require"],
        ]
        return ["groups": [group], "labels": ["sim.seconds": "600"]]
    }

    private func submit(_ body: Body, to cluster: Cluster) throws -> Body { try ask(["submit"], body, on: cluster) }
    private func plan(_ body: Body, on cluster: Cluster) throws -> Body { try ask(["plan"], body, on: cluster) }

    private func ask(_ verb: [String], _ body: Body, on cluster: Cluster) throws -> Body {
        let file = "\(cluster.directory)/job.json"
        try JSONSerialization.data(withJSONObject: body).write(to: URL(filePath: file))
        let outcome = cluster.suanpan(verb + ["-f", file, "-o", "json"])
        guard let answer = try? JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? Body else {
            throw ClusterError(message: "\(verb) \(body): \(outcome)")
        }
        return answer
    }

    private func cancel(_ job: String, on cluster: Cluster) throws {
        #expect(cluster.suanpan("cancel", job).code == 0)
        try cluster.waitUntil("job \(job) has ended") {
            (try? cluster.json("show", job) as? Body)?["state"] as? String == "cancelled"
        }
    }

    /// The body with another value at `groups[0].resources.gpu.count`.
    static func setting(_ field: String, to value: Any, in body: Any) -> Any {
        let steps = field.split(separator: ".", maxSplits: 1).map(String.init)
        let (name, index) = Self.name(of: steps[0])
        var object = body as? Body ?? [:]
        let inner = object[name]
        if let index {
            var items = inner as? [Any] ?? []
            items[index] = steps.count > 1 ? setting(steps[1], to: value, in: items[index]) : value
            object[name] = items
        } else {
            object[name] = steps.count > 1 ? setting(steps[1], to: value, in: inner ?? Body()) : value
        }
        return object
    }

    private static func name(of step: String) -> (name: String, index: Int?) {
        let parts = step.split(whereSeparator: { "[]".contains($0) }).map(String.init)
        return (parts[0], parts.count > 1 ? Int(parts[1]) : nil)
    }
}
