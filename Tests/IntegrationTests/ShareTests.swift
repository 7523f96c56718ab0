import Foundation
import Testing

/// Who shares the cluster, over real daemons and simulated nodes.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ShareTests {
    @Test func twoHundredAtOnceNeverHoldMoreThanTheirQuota() throws {
        let cluster = try Cluster()
        let up = try cluster.up(agents: 4)
        defer { if up.isRunning { kill(up.processIdentifier, SIGKILL) } }
        #expect(cluster.suanpan("quota", "create", "cap", "--tenant", "default", "--devices", "8").code == 0)
        let refused = cluster.suanpan("submit", "--constraint", "simulated", "--gpus", "4", "--tasks", "3", "--", "work")
        #expect(refused.code == 6 && refused.errors.contains("quota 'cap' allows 8 devices"), "\(refused)")
        let submit = "\(Cluster.programs)/suanpan submit --constraint simulated --label sim.seconds=0.2 --gpus 1 -- work"
        let submitted = cluster.run("/bin/sh", ["-c", "seq 200 | xargs -P 16 -I{} \(submit)"])
        #expect(submitted.output.split(separator: "\n").count == 200, "\(submitted.errors.prefix(300))")
        try cluster.waitUntil("all have run") { cluster.liveJobs() == 0 }

        // By the records that are billed: what each held, from when to when.
        var changes: [(at: String, by: Int)] = []
        let records = cluster.list("usage", "ls", "--limit", "1000")
        for record in records {
            let (start, end) = (try #require(record["start"] as? String), try #require(record["end"] as? String))
            changes += [(Self.sortable(start), 1), (Self.sortable(end), -1)]
        }
        #expect(records.count == 200)
        var (held, most) = (0, 0)
        // Of one instant, ends come first: what ended then was free for what began then.
        for change in changes.sorted(by: { ($0.at, $0.by) < ($1.at, $1.by) }) {
            held += change.by
            most = max(most, held)
        }
        #expect(most == 8, "all of the quota, and not more")
        kill(up.processIdentifier, SIGINT)
        up.waitUntilExit()
    }

    /// A whole second has no fraction.
    private static func sortable(_ time: String) -> String { time.contains(".") ? time : time.replacing("Z", with: ".000000000Z") }

    @Test func objectsAreMadeChangedAndRemovedByVerbs() throws {
        let cluster = try Cluster()
        try cluster.startCoordinator()
        #expect(cluster.suanpan("submit", "--tenant", "vision", "--", "true").errors.contains("suanpan tenant create vision"))
        #expect(cluster.suanpan("tenant", "create", "vision", "--weight", "2").code == 0)
        #expect(cluster.suanpan("tenant", "create", "vision").code == 5)
        #expect(cluster.suanpan("project", "create", "vision/demo").code == 0)
        #expect(cluster.suanpan("queue", "create", "night", "--guarantee", "cpus=4,memory=8GiB", "--lend", "cpus=0").code == 0)
        #expect(cluster.suanpan("queue", "set", "night", "--guarantee", "memory=none", "--weight", "5").code == 0)
        #expect(cluster.suanpan("queue", "set", "root", "--half-life", "1d").code == 0)
        #expect(cluster.suanpan("queue", "create", "bad", "--ceiling", "gpus=4").code == 2)
        let queues = cluster.suanpan("queue", "ls").output
        #expect(queues.contains("night") && queues.contains("4 cores") && !queues.contains("8 GiB"), "\(queues)")
        let job = try cluster.submit("--tenant", "vision", "--project", "demo", "--queue", "night", "--", "true")
        #expect(cluster.suanpan("queue", "rm", "night").code == 5)
        #expect(cluster.suanpan("cancel", job).code == 0)
        for object in [["queue", "rm", "night"], ["project", "rm", "vision/demo"], ["tenant", "rm", "vision"]] {
            let removed = cluster.suanpan(object)
            #expect(removed.code == 0, "\(object): \(removed.errors)")
        }
        #expect(cluster.suanpan("tenant", "show", "vision").code == 3)
        // All of it outlives the coordinator.
        #expect(cluster.suanpan("quota", "create", "cap", "--each-user", "--devices-of", "*A100*=2", "--queued-jobs", "9").code == 0)
        cluster.crash("coordinator")
        try cluster.startCoordinator()
        #expect(cluster.suanpan("quota", "ls").output.contains("all jobs, each user"))
        let root = try #require(try cluster.json("queue", "show", "root") as? [String: Any])
        #expect(root["halfLifeSeconds"] as? Int == 86_400)
    }
}

extension Cluster {
    /// A cluster by one verb, with simulated nodes that have devices; verbs find it by this cluster's directory.
    ///
    /// - Parameter profile: of the simulated nodes, as `--profile` takes it.
    func up(agents: Int, profile: String? = nil) throws -> Process {
        let up = process([
            "up", "--data-dir", directory, "--http", "127.0.0.1:0", "--agents-endpoint", "tcp://127.0.0.1:0", "--enroll-endpoint",
            "tcp://127.0.0.1:0", "--log-endpoint", "tcp://127.0.0.1:0", "--agents", "\(agents)", "--profile", profile ?? Self.demoProfile,
        ])
        up.standardOutput = FileHandle.nullDevice
        up.standardError = FileHandle.nullDevice
        try up.run()
        try waitUntil("\(agents + 1) nodes are ready") { self.nodes().count(where: { $0["state"] as? String == "ready" }) == agents + 1 }
        return up
    }

    private static let demoProfile = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Deploy/profiles/demo.yaml").path
}
