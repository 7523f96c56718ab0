import Foundation
import Glibc
import Testing

/// Real processes, killed at awkward moments; judged from outside, through the verbs.
@Suite(.serialized) struct ProcessFaultTests {
    /// A gang of two that counts to twenty in two seconds: long enough to be interrupted twice.
    private static let counting = [
        "--tasks", "2", "--name", "counts", "--", "sh", "-c", "for i in $(seq 20); do echo line $i; sleep 0.1; done",
    ]

    private func expectWhole(_ cluster: Cluster, _ job: String) throws {
        #expect(cluster.suanpan("wait", job).code == 0)
        for task in ["0", "1"] {
            let log = cluster.suanpan("logs", job, "--task", task).output
            let lines = log.split(separator: "\n").map(String.init)
            #expect(lines == (1...20).map { "line \($0)" }, "task \(task)")
        }
        let shown = try #require(try cluster.json("show", job) as? [String: Any])
        #expect(shown["state"] as? String == "succeeded")
        #expect(shown["exitCode"] as? Int == 0)
        let rows = try usage(cluster, of: job)
        #expect(rows.count == 2, "one segment for each task, none twice")
        #expect(Set(rows.compactMap { $0["endReason"] as? String }) == ["completed"])
    }

    private func usage(_ cluster: Cluster, of job: String) throws -> [[String: Any]] {
        let answer = try cluster.json("usage", "ls", "--all", "--job", job)
        if let list = answer as? [[String: Any]] { return list }
        return (answer as? [String: Any])?["items"] as? [[String: Any]] ?? []
    }

    @Test func theCoordinatorThenTheAgentAreKilledAndTheJobFinishesOnce() throws {
        let cluster = try Cluster()
        try cluster.startCoordinator()
        try cluster.startAgent()
        let outcome = cluster.suanpan(["submit"] + Self.counting)
        let job = outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
        try cluster.waitUntil("the job runs") { cluster.suanpan("logs", job, "--task", "0").output.contains("line 2") }
        cluster.crash("coordinator")
        try cluster.startCoordinator()
        cluster.crash("agent")
        try cluster.startAgent()
        try expectWhole(cluster, job)
    }

    /// Short tasks follow each other on the node without asking. Each says once that it ran, whoever dies meanwhile.
    @Test func tasksThatFollowEachOtherRunOnceEachThroughTwoKills() throws {
        let cluster = try Cluster()
        try cluster.startCoordinator()
        try cluster.startAgent()
        let count = 2000
        let job = try cluster.submit(
            "--array", "0-\(count - 1)", "--cpus", "1", "--", "sh", "-c", "echo $SUANPAN_ARRAY_INDEX >>ran; sleep 0.002")
        let ran = "\(cluster.directory)/agent/work/\(job)/ran"
        let lines = { (try? String(contentsOfFile: ran, encoding: .utf8))?.split(separator: "\n").map(String.init) ?? [] }
        try cluster.waitUntil("a quarter ran") { lines().count > count / 4 }
        cluster.crash("agent")
        try cluster.startAgent()
        try cluster.waitUntil("half ran") { lines().count > count / 2 }
        cluster.crash("coordinator")
        try cluster.startCoordinator()
        #expect(cluster.suanpan("wait", job).code == 0)
        #expect(lines().count == count && Set(lines()).count == count, "each once: \(lines().count) lines, \(Set(lines()).count) tasks")
        let rows = try usage(cluster, of: job)
        #expect(rows.count == count, "one segment for each task")
        #expect(Set(rows.compactMap { $0["attempt"] as? String }).count == count)
        #expect(Set(rows.compactMap { $0["endReason"] as? String }) == ["completed"])
    }

    @Test func theLauncherIsKilledAndEveryTaskEndsWithAReason() throws {
        let cluster = try Cluster()
        try cluster.startCoordinator()
        try cluster.startAgent()
        let mark = "316\(getpid())"
        let job = try cluster.submit("--array", "0-3", "--cpus", "500m", "--", "sleep", mark)
        try cluster.waitUntil("all run") { Cluster.processes(matching: "sleep \(mark)").count >= 4 }
        let launcher = try #require(cluster.launcher)
        kill(launcher, SIGKILL)
        try cluster.waitUntil("the attempts have ended") {
            let attempts = try? cluster.json("show", job)
            return "\(attempts ?? "")".contains("infrastructure") || cluster.suanpan("show", job).output.contains("infrastructure")
        }
        // The platform tries again; what the user cancels then ends for good.
        #expect(cluster.suanpan("cancel", job).code == 0)
        _ = cluster.suanpan("wait", job)
        try cluster.waitUntil("no process is left") { Cluster.processes(matching: "sleep \(mark)").isEmpty }
    }

    @Test func acknowledgedSubmissionsSurviveAKillAtOnce() throws {
        let cluster = try Cluster()
        try cluster.startCoordinator()
        let jobs = try (0..<5).map { _ in try cluster.submit("--", "true") }
        cluster.crash("coordinator")
        try cluster.startCoordinator()
        let known = cluster.suanpan("jobs", "--all", "-o", "id").output.split(separator: "\n").map(String.init)
        #expect(Set(jobs).isSubset(of: Set(known)))
    }

    @Test func garbageOnEveryPortHarmsNobody() throws {
        let cluster = try Cluster()
        try cluster.startCoordinator()
        try cluster.startAgent()
        for port in [cluster.agentPort, cluster.enrollPort] {
            for _ in 0..<20 { Self.throwGarbage(at: port) }
        }
        #expect(cluster.suanpan("run", "--", "true").code == 0)
        let complaints = cluster.log("coordinator").split(separator: "\n").filter { $0.contains("handshake") }
        #expect(complaints.count <= 8, "once for each peer and minute, not for each frame")
    }

    private static func throwGarbage(at port: Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard connected == 0 else { return }
        let bytes = (0..<4096).map { _ in UInt8.random(in: .min ... .max) }
        _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }
}
