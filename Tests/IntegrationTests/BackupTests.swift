import Foundation
import Glibc
import Testing

/// A coordinator is lost with its disk and comes back from a backup, while its agent and what runs there live on.
@Suite(.serialized) struct BackupTests {
    private func state(_ cluster: Cluster, _ job: String) -> String? {
        ((try? cluster.json("show", job)) as? [String: Any])?["state"] as? String
    }

    private func items(_ answer: Any) -> [[String: Any]] {
        answer as? [[String: Any]] ?? (answer as? [String: Any])?["items"] as? [[String: Any]] ?? []
    }

    /// Waits for the file `word` in its work directory, then says it.
    private func waitsFor(_ word: String) -> [String] {
        ["--cpus", "100m", "--memory", "64MiB", "--", "sh", "-c", "while [ ! -e \(word) ]; do sleep 0.05; done; echo \(word)"]
    }

    private func touch(_ word: String, of job: String, _ cluster: Cluster) {
        _ = FileManager.default.createFile(atPath: "\(cluster.directory)/agent/work/\(job)/\(word)", contents: nil)
    }

    private func submit(_ cluster: Cluster, _ arguments: [String]) throws -> String {
        let outcome = cluster.suanpan(["submit"] + arguments)
        try #require(outcome.code == 0, "\(outcome.errors)")
        return outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test func jobsLogsAndUsageAreThereAndWhatRunsMeetsItsFate() throws {
        let cluster = try Cluster(separatesState: true)
        try cluster.startCoordinator()
        try cluster.startAgent()
        let identity = try #require((try cluster.json("cluster") as? [String: Any])?["id"] as? String)
        let ended = try cluster.submit("--cpus", "100m", "--", "echo", "said")
        #expect(cluster.suanpan("wait", ended).code == 0)
        let running = try submit(cluster, waitsFor("went"))
        let finishing = try submit(cluster, waitsFor("done"))
        try cluster.waitUntil("both run") { [running, finishing].allSatisfy { state(cluster, $0) == "running" } }
        // Load, while the backup is made.
        let many = try cluster.submit("--array", "0-1999", "--cpus", "500m", "--", "true")
        let (file, keys) = ("\(cluster.directory)/saved", "\(cluster.directory)/saved.keys")
        let made = cluster.suanpan("backup", "create", file, "--logs", "--keys", keys)
        try #require(made.code == 0, "\(made.errors)")
        #expect(cluster.suanpan("backup", "create", file).code == 5, "an existing file is not replaced")
        let checked = cluster.suanpan("backup", "verify", file)
        #expect(checked.code == 0 && checked.output.contains(identity), "\(checked.errors)")
        // The time that the backup does not know: one job ends in it, one begins.
        touch("done", of: finishing, cluster)
        #expect(cluster.suanpan("wait", finishing).code == 0)
        let mark = "317\(getpid())"
        let unknown = try cluster.submit("--cpus", "100m", "--", "sleep", mark)
        try cluster.waitUntil("it runs") { !Cluster.processes(matching: "sleep \(mark)").isEmpty }

        cluster.crash("coordinator")
        try FileManager.default.removeItem(atPath: cluster.stateDirectory)
        let refused = cluster.suanpan("backup", "restore", file, "--data-dir", cluster.stateDirectory)
        #expect(refused.code == 1 && refused.errors.contains("secrets.key"))
        let restored = cluster.suanpan("backup", "restore", file, "--data-dir", cluster.stateDirectory, "--keys", keys)
        try #require(restored.code == 0, "\(restored.errors)")
        try cluster.startCoordinator()
        try cluster.waitUntil("the agent is back") { cluster.suanpan("node", "ls", "-o", "json").output.contains("\"ready\"") }

        let now = try #require(try cluster.json("cluster") as? [String: Any])
        #expect(now["id"] as? String != identity)
        #expect(state(cluster, ended) == "succeeded")
        #expect(cluster.suanpan("logs", ended).output == "said\n")
        #expect(items(try cluster.json("usage", "ls", "--job", ended)).count == 1)
        // What began after the backup is nobody's: it is stopped, and its number is not given again.
        try cluster.waitUntil("it was stopped") { Cluster.processes(matching: "sleep \(mark)").isEmpty }
        #expect(cluster.suanpan("show", unknown).code == 3)
        let next = try cluster.submit("--cpus", "100m", "--", "true")
        #expect(try #require(UInt64(next)) > 1_000_000_000_000)
        // What still runs runs on, as the same attempt.
        #expect(state(cluster, running) == "running")
        touch("went", of: running, cluster)
        #expect(cluster.suanpan("wait", running).code == 0)
        #expect(cluster.suanpan("logs", running).output == "went\n")
        #expect(items(try cluster.json("usage", "ls", "--job", running)).count == 1)
        // What had ended meanwhile runs again, as another attempt.
        #expect(cluster.suanpan("wait", finishing).code == 0)
        let attempts = items(try cluster.json("usage", "ls", "--all", "--job", finishing)).compactMap { $0["attempt"] as? String }
        #expect(attempts == ["\(finishing).0.1", "\(finishing).0.2"])
        #expect(cluster.suanpan("wait", many, next).code == 0)
    }
}
