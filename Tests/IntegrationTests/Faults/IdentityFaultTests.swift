import Foundation
import Glibc
import Testing

/// Machines that restart, are copied or stand still, processes that cannot be killed, and states that are old (Protocols/faults.md, F14
/// to F16, F23, F27, F30).
@Suite(.serialized) struct IdentityFaultTests {
    private static let canPretendBoots = geteuid() == 0 && CutOffMachine.program("unshare") != nil

    /// What runs in it sees another boot of the kernel.
    private func otherBoot(_ cluster: Cluster, _ number: Int) throws -> Surroundings {
        let file = "\(cluster.directory)/boot-\(number)"
        try Data("00000000-0000-4000-8000-00000000000\(number)\n".utf8).write(to: URL(filePath: file))
        let script = "mount --bind \(file) /proc/sys/kernel/random/boot_id && exec \"$@\""
        return Surroundings(wrapper: [CutOffMachine.program("unshare") ?? "", "--mount", "/bin/sh", "-c", script, "sh"])
    }

    private func endNode(_ cluster: Cluster, _ name: String) {
        cluster.crash(Cluster.role(ofNode: name))
        for pid in Cluster.processes(matching: "suanpan-launcher --run-dir \(cluster.agentDirectory(name))/") { kill(pid, SIGKILL) }
    }

    @Test(.enabled(if: canPretendBoots, "needs root")) func aMachineThatRestartsRunsItsTasksAgainAndBillsThemToTheirEnd() throws {
        let cluster = try Cluster()
        try cluster.startCoordinator()
        try cluster.startAgent(in: try otherBoot(cluster, 1))
        let witness = try Witness(cluster)
        let job = try cluster.submit(["--array", "0-1", "--cpus", "1", "--on-node-lost", "replace", "--"] + witness.command(ticks: 40))
        try cluster.waitUntil("it runs") { witness.lines().count == 2 }
        endNode(cluster, "n1")
        try cluster.startAgent(in: try otherBoot(cluster, 2))
        #expect(cluster.suanpan("wait", job).code == 0)
        try cluster.expectPromisesKept(jobs: [job], witness: witness)
        #expect(witness.lines().values.allSatisfy { Set($0.map(\.attempt)).count == 2 })
    }

    @Test(.enabled(if: canPretendBoots, "needs root")) func twoMachinesWithOneIdentityAreBothQuarantined() throws {
        let cluster = try Cluster()
        try cluster.startCoordinator()
        let (first, second) = (try otherBoot(cluster, 1), try otherBoot(cluster, 2))
        try cluster.startAgent(in: first)
        endNode(cluster, "n1")
        let copy = "\(cluster.directory)/agent-copy"
        try CutOffMachine.run("/bin/cp", ["-a", cluster.agentDirectory(), copy])
        try cluster.launchAgent("n1", directory: copy, in: second)
        try cluster.waitUntil("the copy is believed while the original is silent") { cluster.nodeState("n1") == "ready" }
        try cluster.launchAgent("n1", in: first)
        try cluster.waitUntil("both have spoken") { cluster.nodeState("n1") == "quarantined" }
        let job = try cluster.submit("--", "true")
        #expect(cluster.suanpan("explain", job).output.contains("quarantine"), "\(cluster.suanpan("explain", job).output)")
        cluster.crash("agent-copy")
        #expect(cluster.suanpan("node", "uncordon", "n1").code == 0)
        #expect(cluster.suanpan("wait", job).code == 0)
    }

    /// The launcher keeps the lease when the agent cannot.
    @Test func anAgentThatStandsStillForLongerThanItsLeaseRunsNothingTwice() throws {
        let cluster = try Cluster()
        try cluster.startCoordinator(extra: ["--lease", "3s"])
        try cluster.startAgent("n1")
        let witness = try Witness(cluster)
        let job = try cluster.submit(["--array", "0-3", "--cpus", "1", "--on-node-lost", "replace", "--"] + witness.command(ticks: 160))
        try cluster.waitUntil("all run") { witness.lines().count == 4 }
        try cluster.startAgent("n2")
        let agent = try #require(cluster.pid("agent"))
        kill(agent, SIGSTOP)
        try cluster.waitUntil("they run elsewhere") { witness.lines().values.allSatisfy { Set($0.map(\.attempt)).count > 1 } }
        kill(agent, SIGCONT)
        try cluster.waitUntil("it is back") { cluster.nodeState("n1") == "ready" }
        #expect(cluster.suanpan("wait", job).code == 0)
        try cluster.expectPromisesKept(jobs: [job], witness: witness)
    }

    @Test func anOlderCopyOfTheStateIsRefusedUntilTheLossIsAccepted() throws {
        let cluster = try Cluster(separatesState: true)
        try cluster.startCoordinator()
        try cluster.startAgent()
        #expect(cluster.suanpan("run", "--", "true").code == 0)
        cluster.crash("coordinator")
        let copy = "\(cluster.directory)/copy"
        try FileManager.default.copyItem(atPath: cluster.stateDirectory, toPath: copy)
        try cluster.startCoordinator()
        try cluster.waitUntil("the agent is back") { cluster.nodeState("n1") == "ready" }
        let lost = try cluster.submit("--", "true")
        #expect(cluster.suanpan("wait", lost).code == 0)
        cluster.crash("coordinator")
        try FileManager.default.removeItem(atPath: cluster.stateDirectory)
        try FileManager.default.copyItem(atPath: copy, toPath: cluster.stateDirectory)
        try cluster.startCoordinator()
        try cluster.waitUntil("the node has told") { (try? cluster.json("cluster") as? [String: Any])?["outdated"] as? Bool == true }
        let refused = cluster.suanpan("submit", "--", "true")
        #expect(refused.code != 0 && refused.errors.contains("--accept-data-loss"), "\(refused.errors)")
        let identity = try #require((try cluster.json("cluster") as? [String: Any])?["id"] as? String)
        cluster.crash("coordinator")
        try cluster.launchCoordinator(extra: ["--accept-data-loss", String(identity.reversed())])
        #expect(try cluster.end(of: "coordinator") != 0, "another cluster's name accepts nothing")
        try cluster.startCoordinator(extra: ["--accept-data-loss", identity])
        try cluster.waitUntil("the agent is back") { cluster.nodeState("n1") == "ready" }
        let next = try cluster.submit("--", "true")
        #expect(Int(next) ?? 0 > Int(lost) ?? 0, "no number is given twice")
        #expect(cluster.suanpan("wait", next).code == 0)
    }

    /// The freezer of cgroup v1 holds a process back from SIGKILL, as a dead disk or a hung device does.
    @Test(
        .enabled(if: geteuid() == 0 && FileManager.default.fileExists(atPath: "/sys/fs/cgroup/freezer/tasks"), "needs root and cgroup v1"))
    func whatCannotBeKilledKeepsItsRoom() throws {
        let cluster = try Cluster()
        try cluster.startCoordinator()
        try cluster.startAgent()
        let mark = "317\(getpid())"
        let job = try cluster.submit("--cpus", "4", "--", "sleep", mark)
        try cluster.waitUntil("it runs") { !Cluster.processes(matching: "sleep \(mark)").isEmpty }
        let pid = try #require(Cluster.processes(matching: "sleep \(mark)").first)
        let group = "/sys/fs/cgroup/freezer/suanpan-test-\(getpid())"
        try FileManager.default.createDirectory(atPath: group, withIntermediateDirectories: false)
        defer { rmdir(group) }
        func write(_ text: String, _ file: String) throws { try Data(text.utf8).write(to: URL(filePath: "\(group)/\(file)")) }
        try write("\(pid)", "cgroup.procs")
        try write("FROZEN", "freezer.state")
        #expect(cluster.suanpan("cancel", job).code == 0)
        let next = try cluster.submit("--cpus", "4", "--", "true")
        try cluster.waitUntil("the kill has been sent") {
            (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8))?.split(separator: "\n")
                .contains { $0.hasPrefix("ShdPnd:") && !$0.hasSuffix("0000000000000000") } == true
        }
        #expect((try cluster.json("show", next) as? [String: Any])?["state"] as? String == "queued")
        #expect((try cluster.json("show", job) as? [String: Any])?["state"] as? String != "cancelled")
        try write("THAWED", "freezer.state")
        #expect(cluster.suanpan("wait", next).code == 0)
        try cluster.waitUntil("it has ended") { (try? cluster.json("show", job) as? [String: Any])?["state"] as? String == "cancelled" }
    }

    /// All come back at once; nobody is lost over it.
    @Test func aFleetComesBackAfterARestart() throws {
        let cluster = try Cluster()
        try cluster.startCoordinator(extra: ["--lease", "6s"])
        let count = 150
        try cluster.launchAgent("fleet", extra: ["--simulate", "\(count)"])
        let ready = { (try? cluster.json("cluster") as? [String: Any])?["nodesReady"] as? Int }
        try cluster.waitUntil("all are ready") { ready() == count }
        let job = try cluster.submit(
            "--constraint", "simulated", "--array", "0-299", "--cpus", "4", "--on-node-lost", "replace", "--label", "sim.seconds=12", "--",
            "work")
        try cluster.waitUntil("all run") { (try? cluster.json("cluster") as? [String: Any])?["tasksLive"] as? Int == 300 }
        for _ in 0..<3 {
            cluster.crash("coordinator")
            try cluster.startCoordinator(extra: ["--lease", "6s"])
            try cluster.waitUntil("all are ready") { ready() == count }
        }
        #expect(cluster.suanpan("wait", job).code == 0)
        let rows = try cluster.usageRows()
        #expect(rows.count == 300 && rows.allSatisfy { $0.reason == "completed" }, "\(Set(rows.map(\.reason)))")
    }
}
