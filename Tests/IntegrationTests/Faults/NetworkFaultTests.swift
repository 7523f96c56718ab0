import Foundation
import Glibc
import Testing

/// Packets that are lost, late, repeated or never come (Protocols/faults.md, F8 to F12, F25).
@Suite(.serialized) struct NetworkFaultTests {
    private static let lease = ["--lease", "3s"]

    /// Tasks on a node that is cut off run elsewhere after its lease has ended there, and never before.
    @Test(.enabled(if: CutOffMachine.isPossible, "needs root, iproute2 and nftables"), arguments: CutOffMachine.Direction.allCases)
    func aPartitionMovesTasksAfterTheirLease(direction: CutOffMachine.Direction) throws {
        let machine = try CutOffMachine()
        let cluster = try Cluster()
        try cluster.startCoordinator(agentsHost: "0.0.0.0", extra: Self.lease + ["--advertise", machine.hostAddress])
        try cluster.startAgent("n1", in: machine.surroundings)
        let witness = try Witness(cluster)
        let job = try cluster.submit(["--array", "0-3", "--cpus", "900m", "--on-node-lost", "replace", "--"] + witness.command(ticks: 160))
        let stays = try cluster.submit(["--cpus", "100m", "--on-node-lost", "wait", "--"] + witness.command(ticks: 160))
        try cluster.waitUntil("all run") { witness.lines().count == 5 }
        try cluster.startAgent("n2")
        try machine.cut(direction)
        try cluster.waitUntil("they run elsewhere") {
            witness.lines().filter { $0.key.hasPrefix("\(job).") }.values.allSatisfy { Set($0.map(\.attempt)).count > 1 }
        }
        try machine.heal()
        try cluster.waitUntil("both nodes are ready") { cluster.nodeState("n1") == "ready" && cluster.nodeState("n2") == "ready" }
        for job in [job, stays] { #expect(cluster.suanpan("wait", job).code == 0) }
        try cluster.expectPromisesKept(jobs: [job, stays], witness: witness)
        #expect(Set(witness.lines()["\(stays).0"]!.map(\.attempt)).count == 1, "who waits for its node is never run elsewhere")
    }

    /// The agent dies while nobody can be told, and comes back while its old connection still seems to stand.
    @Test(.enabled(if: CutOffMachine.isPossible, "needs root, iproute2 and nftables"))
    func aHalfOpenConnectionKeepsNobodyOut() throws {
        let machine = try CutOffMachine(2)
        let cluster = try Cluster()
        try cluster.startCoordinator(agentsHost: "0.0.0.0", extra: Self.lease + ["--advertise", machine.hostAddress])
        try cluster.startAgent("n1", in: machine.surroundings)
        let job = try cluster.submit("--", "sh", "-c", "sleep 3; echo whole")
        try cluster.waitUntil("it runs") { (try? cluster.json("show", job) as? [String: Any])?["state"] as? String == "running" }
        try machine.hideEnds()
        cluster.crash("agent")
        try cluster.startAgent("n1", in: machine.surroundings)
        #expect(cluster.suanpan("wait", job).code == 0)
        #expect(cluster.suanpan("logs", job).output == "whole\n")
        #expect(try cluster.usageRows().map(\.reason) == ["completed"])
    }

    @Test(.enabled(if: CutOffMachine.isPossible, "needs root, iproute2 and nftables"))
    func aThirdOfThePacketsIsLost() throws {
        let machine = try CutOffMachine(3)
        let cluster = try Cluster()
        try cluster.startCoordinator(agentsHost: "0.0.0.0", extra: Self.lease + ["--advertise", machine.hostAddress])
        try cluster.startAgent("n1", in: machine.surroundings)
        let witness = try Witness(cluster)
        try machine.lose(percent: 30)
        let jobs = try (0..<6).map { _ in
            try cluster.submit(["--array", "0-7", "--cpus", "1", "--on-node-lost", "replace", "--"] + witness.command(ticks: 4))
        }
        try cluster.waitUntil("half of them have ended") {
            witness.lines().values.count { $0.contains { $0.word == "end" } } >= 24
        }
        try machine.heal()
        try cluster.waitUntil("every job has ended") { cluster.liveJobs() == 0 }
        try cluster.expectPromisesKept(jobs: jobs, witness: witness)
    }

    /// Connections break in the midst of whatever they carry, and what is sent again arrives late.
    @Test func connectionsBreakAndAreSlow() throws {
        let cluster = try Cluster()
        try cluster.startCoordinator(extra: ["--lease", "6s"])
        let wire = try SlowWire(to: cluster.agentPort, delayMax: 300, piecesMax: 24)
        defer { wire.end() }
        try cluster.launchAgent("n1", token: try cluster.token(reachingAgentsAt: wire.port))
        let witness = try Witness(cluster)
        try cluster.waitUntil("the agent has registered") { cluster.nodeState("n1") == "ready" }
        let jobs = try (0..<6).map { _ in
            try cluster.submit(["--array", "0-7", "--cpus", "1", "--on-node-lost", "replace", "--"] + witness.command(ticks: 2))
        }
        try cluster.waitUntil("every job has ended", seconds: 120) { cluster.liveJobs() == 0 }
        try cluster.expectPromisesKept(jobs: jobs, witness: witness)
        #expect(wire.breakCount > 0)
    }

    /// Whoever has listened to a connection cannot say it again.
    @Test func recordedBytesOpenNothing() throws {
        let cluster = try Cluster()
        try cluster.startCoordinator()
        let wire = try SlowWire(to: cluster.agentPort)
        defer { wire.end() }
        try cluster.launchAgent("n1", token: try cluster.token(reachingAgentsAt: wire.port))
        try cluster.waitUntil("the agent has registered") { cluster.nodeState("n1") == "ready" }
        #expect(cluster.suanpan("run", "--", "true").code == 0)
        let before = cluster.nodes().first?["registeredAt"] as? String
        let recorded = wire.recorded
        #expect(recorded.count > 500)
        for _ in 0..<3 {
            let descriptor = try #require(SlowWire.connect(to: UInt16(cluster.agentPort)))
            _ = send(descriptor, recorded, recorded.count, Int32(MSG_NOSIGNAL))
            // Until the coordinator hangs up: it has taken in all it will.
            var byte: UInt8 = 0
            while recv(descriptor, &byte, 1, 0) > 0 {}
            close(descriptor)
        }
        #expect(cluster.nodes().first?["registeredAt"] as? String == before, "a registration was taken from a recording")
        #expect(cluster.suanpan("run", "--", "true").code == 0)
    }
}
