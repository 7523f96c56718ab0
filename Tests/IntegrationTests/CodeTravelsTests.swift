import Foundation
import Glibc
import Testing

/// A developer's directory travels to the node and its results come back, against real daemons.
@Suite(.serialized) struct CodeTravelsTests {
    private func write(_ path: String, _ text: String) throws {
        try FileManager.default.createDirectory(
            atPath: URL(filePath: path).deletingLastPathComponent().path, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: path))
    }

    private func read(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

    @Test func aGangRunsTheDevelopersCodeAndLeavesResults() throws {
        let cluster = try Cluster()
        try cluster.startCoordinator()
        try cluster.startAgent()
        let code = "\(cluster.directory)/code"
        try write(
            "\(code)/main.sh", ". lib/greet.sh; mkdir -p results/$RANK; greet $RANK > results/$RANK/out; ln -s out results/$RANK/again")
        try write("\(code)/lib/greet.sh", "greet() { echo hello from $1; }")
        try write("\(code)/junk.log", "stays behind")
        try write("\(code)/.suanpanignore", "*.log\n")
        let job = try cluster.submit(
            "--tasks", "2", "--cpus", "100m", "--memory", "64MiB", "--input", "\(code):.", "--output", "results", "--", "sh", "-c",
            "! test -e junk.log && sh main.sh")
        #expect(cluster.suanpan("wait", job).code == 0)
        let copied = cluster.suanpan("cp", "\(job):", "\(cluster.directory)/out")
        #expect(copied.code == 0, "\(copied.errors)")
        for rank in ["0", "1"] {
            #expect(read("\(cluster.directory)/out/\(rank)/results/\(rank)/out") == "hello from \(rank)\n")
            #expect(read("\(cluster.directory)/out/\(rank)/results/\(rank)/again") == "hello from \(rank)\n")
        }
        #expect(cluster.suanpan("cp", "\(job).1:results/1/out", "-").output == "hello from 1\n")
        // Nothing of the attempts stays on the node but what the cache keeps.
        try cluster.waitUntil("the work directories are gone") {
            (try? FileManager.default.contentsOfDirectory(atPath: "\(cluster.directory)/agent/work"))?.isEmpty == true
        }
    }

    @Test func secretsAndDataSetsReachTheTaskAndNothingElse() throws {
        let cluster = try Cluster()
        try cluster.startCoordinator()
        try cluster.startAgent()
        try write("\(cluster.directory)/token", "hush-hush")
        #expect(cluster.suanpan("secret", "set", "token", "--from-file", "\(cluster.directory)/token").code == 0)
        try write("\(cluster.directory)/data/digits.csv", "1,2,3\n")
        #expect(cluster.suanpan("dataset", "create", "digits@v1", "\(cluster.directory)/data").code == 0)
        try write("\(cluster.directory)/data/digits.csv", "4,5,6\n")
        let changed = cluster.suanpan("dataset", "create", "digits@v1", "\(cluster.directory)/data")
        #expect(changed.code == 5 && changed.errors.contains("a version never changes"))
        let outcome = cluster.suanpan(
            "run", "--secret", "token", "--secret", "token:TOKEN", "--input", "dataset:digits@v1:data", "--", "sh", "-c",
            "cat data/digits.csv $SUANPAN_SECRETS_DIR/token; echo; test $TOKEN = $(cat $SUANPAN_SECRETS_DIR/token) && stat -f -c %T $SUANPAN_SECRETS_DIR; echo x >> data/digits.csv"
        )
        #expect(outcome.output == "1,2,3\nhush-hush\ntmpfs\n", "\(outcome)")
        #expect(getuid() != 0 || outcome.code != 0, "a data set cannot be written to")
        for place in ["journal.sqlite", "journal.sqlite-wal", "agent.log", "coordinator.log"] {
            let bytes = FileManager.default.contents(atPath: "\(cluster.directory)/\(place)") ?? Data()
            #expect(bytes.range(of: Data("hush-hush".utf8)) == nil, "\(place)")
        }
        #expect(!cluster.suanpan("show", "last", "-o", "json").output.contains("hush"))
        #expect(cluster.suanpan("submit", "--secret", "other", "--", "true").code == 2)
    }

    @Test func outputsSurviveTheAgentThatWouldHaveKeptThem() throws {
        let cluster = try Cluster()
        try cluster.startCoordinator()
        try cluster.startAgent()
        let job = try cluster.submit("--output", "out", "--", "sh", "-c", "echo kept > out; touch started; sleep 1")
        try cluster.waitUntil("the task runs") { cluster.suanpan("show", job, "-o", "json").output.contains("\"running\"") }
        cluster.crash("agent")
        // The process ends while no agent is there; the next one finds it ended.
        try cluster.waitUntil("the task has ended") { Cluster.processes(matching: "touch started").isEmpty }
        try cluster.startAgent()
        #expect(cluster.suanpan("wait", job).code == 0)
        #expect(cluster.suanpan("cp", "\(job):out", "-").output == "kept\n")
    }

    @Test func inputsWaitForACoordinatorThatDied() throws {
        let cluster = try Cluster()
        try cluster.startCoordinator()
        try cluster.startAgent()
        try write("\(cluster.directory)/code/f", "still here\n")
        // Nothing listens there: the agent tries until the job is cancelled, and the coordinator may come and go meanwhile.
        let stuck = try cluster.submit("--input", "http://127.0.0.1:9/x:x", "--", "true")
        try cluster.waitUntil("its files are on their way") { cluster.suanpan("show", stuck, "-o", "json").output.contains("\"starting\"") }
        cluster.crash("coordinator")
        try cluster.startCoordinator()
        let job = try cluster.submit("--input", "\(cluster.directory)/code:.", "--output", "f", "--", "true")
        #expect(cluster.suanpan("wait", job).code == 0)
        #expect(cluster.suanpan("cp", "\(job):f", "-").output == "still here\n")
        #expect(cluster.suanpan("cancel", stuck).code == 0)
        #expect(cluster.suanpan("wait", stuck).code != 0)
    }

    @Test func whatIsMissingFailsTheJobAndSaysSo() throws {
        let cluster = try Cluster()
        try cluster.startCoordinator()
        try cluster.startAgent()
        let job = try cluster.submit("--output", "nothing", "--output", "there", "--", "sh", "-c", "echo x > there")
        let waited = cluster.suanpan("wait", job)
        #expect(waited.code == 125 && waited.errors.contains("'nothing'"), "\(waited.errors)")
        #expect(cluster.suanpan("cp", "\(job):there", "-").output == "x\n")
        let absent = cluster.suanpan("cp", "\(job):nothing", "-")
        #expect(absent.code == 3)
        let local = cluster.suanpan("submit", "--input", "\(cluster.directory)/no-such:.", "--", "true")
        #expect(local.code == 2 && local.errors.contains("no-such"))
    }
}
