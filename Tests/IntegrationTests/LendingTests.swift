import Foundation
import Testing

/// Room that is lent and comes back, and room that is kept, over real daemons and 64 simulated devices.
@Suite(.serialized, .timeLimit(.minutes(6))) struct LendingTests {
    private static let profile = """
        nodes:
          - prefix: gpu
            weight: 1
            cpus: 64
            memory: 512GiB
            devices: {kind: gpu, vendor: nvidia, model: "NVIDIA A100-SXM4-80GB", count: 8, memory: 80GiB}
        """

    private func cluster() throws -> (cluster: Cluster, up: Process) {
        let cluster = try Cluster()
        let file = "\(cluster.directory)/profile.yaml"
        try Self.profile.write(toFile: file, atomically: true, encoding: .utf8)
        return (cluster, try cluster.up(agents: 8, profile: file))
    }

    private func submit(_ cluster: Cluster, seconds: Double, _ options: String...) throws -> String {
        try cluster.submit(
            ["--constraint", "simulated", "--label", "sim.seconds=\(seconds)", "--cpus", "1", "--gpus", "1"] + options + ["--", "work"])
    }

    private func job(_ id: String, _ cluster: Cluster) throws -> [String: Any] {
        try #require(try cluster.json("show", id) as? [String: Any], "job \(id)")
    }

    private func running(_ id: String, _ cluster: Cluster) throws -> Int {
        (try job(id, cluster)["tasks"] as? [String: Any])?["running"] as? Int ?? 0
    }

    private func seconds(from earlier: Any?, to later: Any?) throws -> Double {
        let form = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        func date(_ value: Any?) throws -> Date {
            let text = try #require(value as? String)
            return try text.contains(".") ? form.parse(text) : Date.ISO8601FormatStyle().parse(text)
        }
        return try date(later).timeIntervalSince(try date(earlier))
    }

    /// All 64 devices are borrowed, 16 of them on what the queue lab is guaranteed: they come back when it asks, no more than
    /// these, within the lease of those that had just begun and a look.
    @Test func whatIsLentComesBackWithinALease() throws {
        let (cluster, up) = try cluster()
        defer { if up.isRunning { kill(up.processIdentifier, SIGKILL) } }
        #expect(cluster.suanpan("queue", "create", "lab", "--guarantee", "devices=16").code == 0)
        let borrower = try submit(cluster, seconds: 600, "--array", "0-63", "--preemptible")
        try cluster.waitUntil("all devices are lent") { (try? running(borrower, cluster)) == 64 }
        let gang = try submit(cluster, seconds: 5, "--tasks", "16", "--queue", "lab")
        try cluster.waitUntil("the gang has started", seconds: 120) { (try? job(gang, cluster)["startedAt"] as? String) != nil }
        let started = try job(gang, cluster)
        let waited = try seconds(from: started["submittedAt"], to: started["startedAt"])
        print("reclaimed 16 of 64 devices after \(waited) s")
        #expect(waited <= 75, "a lease of 60 s, and a look every 10")
        let events = cluster.list("usage", "ls", "--job", borrower, "--limit", "1000").filter { $0["endReason"] as? String == "preempted" }
        #expect(Set(events.compactMap { $0["attempt"] as? String }).count == 16, "\(events.count) of them were stopped")
        kill(up.processIdentifier, SIGINT)
        up.waitUntilExit()
    }

    /// Whatever comes behind it and is smaller, it starts when it was first said to.
    @Test func aGangOfSixtyFourStartsWhenItWasFirstSaidTo() throws {
        let (cluster, up) = try cluster()
        defer { if up.isRunning { kill(up.processIdentifier, SIGKILL) } }
        _ = try submit(cluster, seconds: 2, "--array", "0-99999", "--estimate", "4s")
        try cluster.waitUntil("all devices are in use") { cluster.busyDevices() == 64 }
        let gang = try submit(cluster, seconds: 1, "--tasks", "64", "--estimate", "10s")
        var first: String?
        try cluster.waitUntil("room is set aside", seconds: 90) {
            let explained = try? cluster.json("explain", gang) as? [String: Any]
            first = explained?["firstExpectedStart"] as? String
            return first != nil || (try? job(gang, cluster)["startedAt"] as? String) != nil
        }
        try cluster.waitUntil("the gang has started", seconds: 90) { (try? job(gang, cluster)["startedAt"] as? String) != nil }
        let started = try job(gang, cluster)
        let projected = try #require(first, "it started before anything was said")
        let late = try seconds(from: projected, to: started["startedAt"])
        print(
            "a gang of 64 started \(late) s after its first projection, \(try seconds(from: started["submittedAt"], to: projected)) s after it came"
        )
        #expect(late <= 0)
        kill(up.processIdentifier, SIGINT)
        up.waitUntilExit()
    }
}

extension Cluster {
    fileprivate func busyDevices() -> Int {
        let devices = (try? json("cluster") as? [String: Any])?["devices"] as? [[String: Any]] ?? []
        return devices.reduce(0) { $0 + ($1["shareMilliAllocated"] as? Int ?? 0) } / 1000
    }
}
