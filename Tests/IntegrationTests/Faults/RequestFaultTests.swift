import Dispatch
import Foundation
import Glibc
import Testing

/// Requests that come twice, whose answers are lost, or that race with each other (Protocols/faults.md, F17, F18, F28, F29).
@Suite(.serialized) struct RequestFaultTests {
    /// Runs a verb in so many processes at a time.
    private func atOnce(_ cluster: Cluster, _ commands: [[String]]) -> [Outcome] {
        let lock = NSLock()
        nonisolated(unsafe) var outcomes: [Outcome] = []
        nonisolated(unsafe) let cluster = cluster
        DispatchQueue.concurrentPerform(iterations: commands.count) { index in
            let outcome = cluster.suanpan(commands[index])
            lock.withLock { outcomes.append(outcome) }
        }
        return outcomes
    }

    @Test func oneKeyMakesOneJobHoweverOftenItIsAsked() throws {
        let cluster = try Cluster()
        try cluster.startCoordinator()
        try cluster.startAgent()
        let command = ["submit", "--idempotency-key", "once", "--", "true"]
        let outcomes = atOnce(cluster, Array(repeating: command, count: 12))
        cluster.crash("coordinator")
        try cluster.startCoordinator()
        let all = outcomes + atOnce(cluster, Array(repeating: command, count: 4))
        #expect(all.allSatisfy { $0.code == 0 } && Set(all.map(\.output)).count == 1, "\(Set(all.map(\.output)))")
        #expect(cluster.suanpan("submit", "--idempotency-key", "once", "--", "false").code == 5, "another request under the same key")
        #expect(cluster.list("jobs", "--all").count == 1)
    }

    /// The submission arrives, its answer does not: whoever asks again gets the job that there is.
    @Test func aLostAnswerMakesNoSecondJob() throws {
        let cluster = try Cluster()
        try cluster.startCoordinator()
        try cluster.startAgent()
        let wire = try SlowWire(to: cluster.httpPort, delayMax: 20, piecesMax: 5)
        defer { wire.end() }
        var count = 0
        // Where the wire breaks is drawn: a dozen connections may all come through.
        while count < 12 || (wire.breakCount == 0 && count < 100) {
            count += 1
            let outcome = cluster.suanpan(
                ["submit", "--", "true"],
                environment: ["SUANPAN_URL": "http://127.0.0.1:\(wire.port)", "SUANPAN_API_KEY": try cluster.key()])
            #expect(outcome.code == 0, "\(outcome.errors)")
        }
        #expect(wire.breakCount > 0)
        #expect(cluster.list("jobs", "--all").count == count)
    }

    /// Whatever comes first, the end that was told is the end.
    @Test func cancelsRaceWithStartsAndEnds() throws {
        let cluster = try Cluster()
        try cluster.startCoordinator()
        try cluster.startAgent()
        let witness = try Witness(cluster)
        var jobs: [String] = []
        for ticks in 0..<16 {
            let job = try cluster.submit(["--array", "0-2", "--cpus", "1", "--"] + witness.command(ticks: ticks % 4))
            jobs.append(job)
            _ = atOnce(cluster, [["cancel", job], ["show", job], ["cancel", job]])
        }
        try cluster.waitUntil("every job has ended") { cluster.liveJobs() == 0 }
        func states() throws -> [String?] { try jobs.map { (try cluster.json("show", $0) as? [String: Any])?["state"] as? String } }
        let ended = try states()
        for job in jobs { _ = cluster.suanpan("cancel", job) }
        cluster.crash("coordinator")
        try cluster.startCoordinator()
        #expect(try states() == ended, "an end has changed")
        try cluster.expectPromisesKept(jobs: jobs, witness: witness)
    }

    @Test func parallelSubmittersNeverFillANodeBeyondWhatItHas() throws {
        let cluster = try Cluster()
        try cluster.startCoordinator()
        try cluster.startAgent()
        let witness = try Witness(cluster)
        let commands = (0..<24).map { number in
            ["submit", "--array", "0-3", "--cpus", ["500m", "1", "1500m", "3"][number % 4], "--"] + witness.command(ticks: 1 + number % 3)
        }
        let jobs = atOnce(cluster, commands).map { $0.output.trimmingCharacters(in: .whitespacesAndNewlines) }
        #expect(Set(jobs).count == commands.count && !jobs.contains(""))
        try cluster.waitUntil("every job has ended") { cluster.liveJobs() == 0 }
        try cluster.expectPromisesKept(jobs: jobs, witness: witness)
    }
}
