import Foundation
import Testing

/// The example of the README, interrupted: a real training by two tasks, with checkpoints.
@Suite(.serialized) struct DigitsTests {
    static let python = ProcessInfo.processInfo.environment["SUANPAN_TEST_PYTHON"]

    @Test(.enabled(if: python != nil, "needs SUANPAN_TEST_PYTHON, which Deploy/test.sh sets"))
    func trainingSurvivesTheCoordinatorAndTheAgent() throws {
        let python = try #require(Self.python)
        let cluster = try Cluster()
        try cluster.startCoordinator()
        try cluster.startAgent()
        // Where the user of jobs can read it: the checkout may lie where it cannot.
        let example = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Deploy/examples/digits/train.py")
        let script = "\(cluster.directory)/train.py"
        try FileManager.default.copyItem(atPath: example.path, toPath: script)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: script)
        let job = try cluster.submit(
            "--name", "digits", "--tasks", "2", "--cpus", "500m", "--memory", "512MiB", "--checkpoint", "ckpt", "--env",
            "PYTHONUNBUFFERED=1", "--",
            python, script, "--epochs", "12", "--pace", "0.4")
        try cluster.waitUntil("it trains") { cluster.suanpan("logs", job, "--task", "0").output.contains("epoch") }
        cluster.crash("coordinator")
        try cluster.startCoordinator()
        cluster.crash("agent")
        try cluster.startAgent()
        #expect(cluster.suanpan("wait", job).code == 0)
        let log = cluster.suanpan("logs", job, "--task", "0").output
        #expect(log.contains("accuracy=0.9"), "\(log.suffix(400))")
        let attempts = cluster.suanpan("usage", "ls", "--job", job, "-o", "jsonl").output.split(separator: "\n")
        #expect(attempts.count == 2, "one usage record for each task: it ran once")
        #expect(attempts.allSatisfy { $0.contains("completed") })
    }
}
