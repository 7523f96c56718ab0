import Foundation
import Glibc
import Testing

/// Disks that are full or fail, and clocks that jump (Protocols/faults.md, F5 to F7, F13).
@Suite(.serialized) struct DiskAndClockFaultTests {
    private func state(_ cluster: Cluster, _ job: String) -> String? {
        (try? cluster.json("show", job) as? [String: Any])?["state"] as? String
    }

    /// What the kernel failed to write it may have thrown away: nothing is tried again on the same descriptor.
    @Test(.enabled(if: Shim.isPossible, "needs cc")) func aFailedSynchronisationEndsTheCoordinatorAndLosesNothing() throws {
        let cluster = try Cluster()
        let shim = try Shim(cluster, "coordinator")
        try cluster.startCoordinator(in: shim.surroundings)
        try cluster.startAgent()
        let witness = try Witness(cluster)
        var jobs = [try cluster.submit(["--array", "0-3", "--cpus", "1", "--"] + witness.command(ticks: 20))]
        for _ in 0..<3 {
            try shim.failSyncs(1)
            // Whoever asks now gets no answer, or one from a coordinator that has made it durable since.
            let asking = cluster.process(["submit", "--"] + witness.command(ticks: 1))
            asking.standardError = FileHandle.nullDevice
            asking.standardOutput = FileHandle.nullDevice
            try asking.run()
            #expect(try cluster.end(of: "coordinator") != 0)
            try cluster.startCoordinator(in: shim.surroundings)
            asking.waitUntilExit()
            jobs.append(try cluster.submit(["--"] + witness.command(ticks: 1)))
        }
        #expect(cluster.log("coordinator").contains("Input/output error") || cluster.log("coordinator").contains("disk I/O error"))
        try cluster.waitUntil("every job has ended") { cluster.liveJobs() == 0 }
        try cluster.expectPromisesKept(jobs: jobs, witness: witness)
    }

    @Test(.enabled(if: SmallDisk.isPossible, "needs root and loop devices"))
    func aFullDiskOfTheCoordinatorRefusesSubmissionsAndCompletesWhatRuns() throws {
        let cluster = try Cluster(separatesState: true)
        let disk = try SmallDisk(at: cluster.stateDirectory, mebibytes: 192)
        try cluster.startCoordinator(extra: ["--disk-reserve", "16MiB"])
        try cluster.startAgent()
        let witness = try Witness(cluster)
        let job = try cluster.submit(["--array", "0-3", "--cpus", "1", "--"] + witness.command(ticks: 120))
        try cluster.waitUntil("it runs") { witness.lines().count == 4 }
        try disk.fill(leaving: 8)
        var refused = Outcome(code: 0, output: "", errors: "")
        var accepted: [String] = []
        try cluster.waitUntil("submissions are refused") {
            refused = cluster.suanpan("submit", "--", "true")
            if refused.code == 0 { accepted.append(refused.output.trimmingCharacters(in: .whitespacesAndNewlines)) }
            return refused.code != 0
        }
        #expect(refused.errors.contains("disk"), "\(refused.errors)")
        try disk.fill(leaving: 0)
        #expect(cluster.suanpan("wait", job).code == 0, "what runs completes from the ballast")
        #expect(try cluster.usageRows().count { $0.task.hasPrefix("\(job).") && $0.reason == "completed" } == 4)
        try disk.empty()
        try cluster.waitUntil("submissions are taken again") { cluster.suanpan("submit", "--", "true").code == 0 }
        try cluster.waitUntil("every job has ended") { cluster.liveJobs() == 0 }
        try cluster.expectPromisesKept(jobs: [job] + accepted, witness: witness)
    }

    @Test(.enabled(if: SmallDisk.isPossible, "needs root and loop devices")) func aFullDiskOfAnAgentTakesNoNewWorkAndKeepsWhatRuns() throws
    {
        let cluster = try Cluster()
        let disk = try SmallDisk(at: cluster.agentDirectory(), mebibytes: 96)
        try cluster.startCoordinator()
        try cluster.startAgent(extra: ["--disk-reserve", "16MiB"])
        let witness = try Witness(cluster)
        let job = try cluster.submit(["--array", "0-1", "--cpus", "1", "--"] + witness.command(ticks: 100))
        try cluster.waitUntil("it runs") { witness.lines().count == 2 }
        try disk.fill(leaving: 0)
        try cluster.waitUntil("the node says so") { cluster.nodes().first?["condition"] as? String == "disk_full" }
        let later = try cluster.submit(["--"] + witness.command(ticks: 1))
        #expect(cluster.suanpan("wait", job).code == 0)
        #expect(state(cluster, later) == "queued")
        #expect(cluster.suanpan("explain", later).output.contains("disk"))
        try disk.empty()
        #expect(cluster.suanpan("wait", later).code == 0)
        try cluster.expectPromisesKept(jobs: [job, later], witness: witness)
    }

    @Test(.enabled(if: Shim.isPossible, "needs cc")) func aWallClockThatJumpsEndsNothingAndBillsNothing() throws {
        let cluster = try Cluster()
        let (coordinator, agent) = (try Shim(cluster, "coordinator"), try Shim(cluster, "agent"))
        try cluster.startCoordinator(extra: ["--lease", "4s"], in: coordinator.surroundings)
        try cluster.startAgent(in: agent.surroundings)
        let witness = try Witness(cluster)
        let job = try cluster.submit(["--array", "0-3", "--cpus", "1", "--on-node-lost", "replace", "--"] + witness.command(ticks: 100))
        try cluster.waitUntil("it runs") { witness.lines().count == 4 }
        let hour: Int64 = 3600
        for offset in [hour, -hour, 365 * 24 * hour, -365 * 24 * hour, 0] {
            for shim in [coordinator, agent] {
                try shim.setWallOffset(seconds: offset)
                let seen = witness.lines().values.map(\.count).reduce(0, +)
                try cluster.waitUntil("they go on") { witness.lines().values.map(\.count).reduce(0, +) > seen + 20 }
            }
        }
        #expect(cluster.suanpan("wait", job).code == 0)
        try cluster.expectPromisesKept(jobs: [job], witness: witness)
        #expect(witness.lines().values.allSatisfy { Set($0.map(\.attempt)).count == 1 }, "no lease ended")
        let rows = try cluster.usageRows()
        let billed = rows.map { $0.end.timeIntervalSince($0.start) }.reduce(0, +)
        let ran = witness.lines().values.map { $0.last!.seconds - $0.first!.seconds }.reduce(0, +)
        #expect(rows.allSatisfy { $0.start < $0.end } && billed > ran * 0.9 && billed < ran * 1.3 + 4, "billed \(billed) s for \(ran) s")
    }
}
