import Foundation
import Testing

/// A real process that has to give way: it is told, writes a checkpoint, goes, and goes on elsewhere.
@Suite(.serialized, .timeLimit(.minutes(3))) struct GivingWayTests {
    /// Counts; on SIGUSR1 it reads the notice, writes down how far it is, and says so. Without SIGTERM it would go on for ever.
    private static let program = """
        state="$KEPT/count"; n=$(cat "$state" 2>/dev/null || echo 0)
        echo "from $n because of $SUANPAN_RESTART_REASON"
        trap 'cat "$SUANPAN_NOTICE_FILE"; echo "$n" > "$state"; : > "$SUANPAN_CHECKPOINT_FILE"' USR1
        while :; do n=$((n + 1)); sleep 0.05 & wait $!; done
        """

    @Test func itWritesACheckpointGoesAndGoesOn() throws {
        let cluster = try Cluster()
        try cluster.startCoordinator()
        try cluster.startAgent()
        let kept = "\(cluster.directory)/kept"
        try FileManager.default.createDirectory(atPath: kept, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o777])
        chmod(kept, 0o777)
        let job = try cluster.submit([
            "--checkpoint-signal", "SIGUSR1", "--checkpoint-interval", "1h", "--grace", "60s", "--env", "KEPT=\(kept)", "--", "sh", "-c",
            Self.program,
        ])
        try cluster.waitUntil("it runs") { cluster.suanpan("logs", job).output.contains("from 0") }
        let began = Date()
        #expect(cluster.suanpan("node", "drain", "n1", "--deadline", "0s", "--wait").code == 0)
        let took = Date().timeIntervalSince(began)
        print("gone \(took) s after it was told")
        // With a minute of grace; SIGTERM alone would come after 55 s of it.
        let told = cluster.suanpan("logs", job).output
        #expect(took < 30, "\(told)")
        #expect(cluster.suanpan("node", "uncordon", "n1").code == 0)
        try cluster.waitUntil("it goes on") { cluster.suanpan("logs", job).output.contains("because of preempted") }
        let output = cluster.suanpan("logs", job).output
        let count = try #require(
            Int(try String(contentsOfFile: "\(kept)/count", encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(count > 0 && output.contains("from \(count) because of preempted"), "\(output)")
        let line = try #require(told.split(separator: "\n").first { $0.contains("killAt") }.map { Data($0.drop { $0 != "{" }.utf8) })
        let notice = try #require(try JSONSerialization.jsonObject(with: line) as? [String: Any])
        #expect(notice["reason"] as? String == "preempted" && (55...60).contains(notice["graceSeconds"] as? Int ?? 0))
        #expect(cluster.suanpan("cancel", job).code == 0)
        #expect(cluster.suanpan("wait", job).code != 0)
        // Nothing is left of it on the node.
        try cluster.waitUntil("its mailbox is gone") {
            (try? FileManager.default.contentsOfDirectory(atPath: "\(cluster.agentDirectory())/mail").isEmpty) == true
        }
    }

    /// Jobs that come again, over real time: each run once, no two at a time, and none after the end.
    @Test func aJobComesAgainUntilItsWaitingRunIsCancelled() throws {
        let cluster = try Cluster()
        try cluster.startCoordinator()
        try cluster.startAgent()
        let first = try cluster.submit(["--every", "10s", "--", "true"])
        try cluster.waitUntil("a second run has ended", seconds: 40) {
            cluster.list("jobs", "--label", "series=\(first)", "--state", "succeeded").count == 2
        }
        let waiting = cluster.list("jobs", "--label", "series=\(first)", "--state", "queued")
        #expect(waiting.count == 1 && waiting.first?["reason"] as? String == "begin_time", "\(waiting)")
        let id = try #require(waiting.first?["id"] as? String)
        #expect(cluster.suanpan("show", id).output.contains("every 10s; all runs: suanpan jobs --label series=\(first)"))
        #expect(cluster.suanpan("cancel", id).code == 0)
        #expect(cluster.liveJobs() == 0)
    }
}
