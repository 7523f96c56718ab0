import Foundation
import Glibc
import Testing

/// What a person meets in the first ten minutes, against real daemons.
@Suite(.serialized) struct FirstUseTests {
    @Test func runExitsLikeTheJob() throws {
        let cluster = try Cluster()
        try cluster.startCoordinator()
        try cluster.startAgent()
        let table: [(arguments: [String], code: Int32)] = [
            (["--", "true"], 0), (["--", "sh", "-c", "exit 7"], 7), (["--", "sh", "-c", "kill -9 $$"], 137),
            (["--time-limit", "1s", "--", "sleep", "100"], 124), (["--", "/etc/passwd"], 126), (["--", "/no/such/program"], 127),
        ]
        for (arguments, code) in table {
            #expect(cluster.suanpan(["run"] + arguments).code == code, "run \(arguments)")
            let job = cluster.suanpan(["submit"] + arguments).output.trimmingCharacters(in: .whitespacesAndNewlines)
            #expect(cluster.suanpan("wait", job).code == code, "wait \(arguments)")
        }
        let hello = cluster.suanpan("run", "--", "sh", "-c", "echo out; echo err >&2")
        #expect(hello.output == "out\n")
        #expect(hello.errors.contains("err\n"))
    }

    @Test func jobsRunAsNobodyAndSeeTheirGrant() throws {
        let cluster = try Cluster()
        try cluster.startCoordinator()
        try cluster.startAgent()
        let outcome = cluster.suanpan(
            "run", "--cpus", "500m", "--env", "GREETING=hello", "--", "sh", "-c",
            "id -u; echo $GREETING $SUANPAN_CPUS; env | grep -c ^CUDA_VISIBLE_DEVICES=$")
        let expected = getuid() == 0 ? "65534" : "\(getuid())"
        #expect(outcome.output == "\(expected)\nhello 0.5\n1\n")
        #expect(!cluster.suanpan("show", "last", "-o", "json").output.contains("hello"), "environment values are never shown")
    }

    @Test func aFloodOfOutputIsBoundedAndSaysSo() throws {
        let cluster = try Cluster()
        try cluster.startCoordinator()
        try cluster.startAgent()
        let job = try cluster.submit("--", "head", "-c", "200000000", "/dev/zero")
        #expect(cluster.suanpan("wait", job).code == 0)
        let shown = cluster.suanpan("show", job, "-o", "json").output
        #expect(shown.contains("\(200_000_000 - 64 << 20)") || cluster.suanpan("logs", job).output.utf8.count < 70_000_000)
        #expect(cluster.suanpan("logs", job, "--tail", "1").output.utf8.count < 70_000_000)
    }

    @Test func aStoppedFollowerHarmsNobody() throws {
        let cluster = try Cluster()
        try cluster.startCoordinator()
        try cluster.startAgent()
        let job = try cluster.submit("--", "sh", "-c", "for i in $(seq 200); do echo line $i; done; sleep 1; echo end")
        let followers = (0..<10).map { _ in cluster.process(["logs", "-f", job]) }
        let pipes = followers.map { follower -> Pipe in
            let pipe = Pipe()
            follower.standardOutput = pipe
            follower.standardError = FileHandle.nullDevice
            return pipe
        }
        for follower in followers { try follower.run() }
        kill(followers[0].processIdentifier, SIGSTOP)
        for index in 1..<10 {
            let text = String(decoding: pipes[index].fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            #expect(text.hasSuffix("end\n") && text.split(separator: "\n").count == 201, "follower \(index)")
        }
        #expect(cluster.suanpan("run", "--", "true").code == 0)
        kill(followers[0].processIdentifier, SIGCONT)
        let text = String(decoding: pipes[0].fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(text.hasSuffix("end\n"))
        for follower in followers { follower.waitUntilExit() }
    }

    @Test func badInputNamesTheFieldAndTheRemedy() throws {
        let cluster = try Cluster()
        try cluster.startCoordinator()
        try cluster.startAgent()
        let file = "\(cluster.directory)/job.yaml"
        try "name: x\ngroups:\n  - {name: main, command: [\"true\"], resources: {cpu: 1Q}}\n".write(
            toFile: file, atomically: true, encoding: .utf8)
        let table: [(arguments: [String], code: Int32, text: String)] = [
            (["submit", "--bogus", "--", "true"], 2, "bogus"), (["submit", "--cpus", "-1", "--", "true"], 2, "--cpus"),
            (["submit", "-f", file], 2, "resources.cpu"), (["submit", "--cpus", "999", "--", "true"], 6, "resources.cpu"),
            (["show", "99"], 3, "99"), (["submit"], 2, "nothing to run"),
        ]
        for (arguments, code, text) in table {
            let outcome = cluster.suanpan(arguments)
            #expect(outcome.code == code, "\(arguments): \(outcome.errors)")
            #expect(outcome.errors.contains(text), "\(arguments): \(outcome.errors)")
        }
        let stranger = cluster.process(["jobs"])
        stranger.environment?["SUANPAN_URL"] = cluster.url
        stranger.environment?["SUANPAN_API_KEY"] = "sp_00000000_wrong"
        stranger.standardError = FileHandle.nullDevice
        try stranger.run()
        stranger.waitUntilExit()
        #expect(stranger.terminationStatus == 4)
    }

    /// 125: the platform's own failures, and what can never start.
    @Test func aJobThatCanNeverStartHasExitCode125() throws {
        let cluster = try Cluster()
        try cluster.startCoordinator()
        try cluster.startAgent()
        let first = try cluster.submit("--", "sleep", "1000")
        let second = try cluster.submit("--after", first, "--", "true")
        #expect(cluster.suanpan("cancel", first).code == 0)
        #expect(cluster.suanpan("wait", second).code == 125)
        #expect(cluster.suanpan("show", second).output.contains("dependency"))
    }

    /// The messages name what is wrong and what to do; nothing is left running.
    @Test func daemonsThatCannotStartSayWhy() throws {
        let cluster = try Cluster()
        try cluster.startCoordinator()
        let file = "\(cluster.directory)/file"
        try "x".write(toFile: file, atomically: true, encoding: .utf8)
        let busy = "127.0.0.1:\(cluster.httpPort)"
        let taken = "tcp://127.0.0.1:\(cluster.agentPort)"
        let table: [(arguments: [String], texts: [String])] = [
            (["--http", busy], [busy, "in use", "--http"]),
            (["--agents-endpoint", taken], [taken, "another port"]),
            (["--data-dir", file], [file, "--data-dir"]), (["--data-dir", "/sys/suanpan"], ["/sys/suanpan", "--data-dir"]),
            (["--data-dir", cluster.directory], ["another coordinator", cluster.directory]),
        ]
        for (arguments, texts) in table {
            for program in ["suanpan-coordinator", "suanpan"] where program == "suanpan-coordinator" || arguments[0] == "--http" {
                let outcome = cluster.startFails(program, arguments)
                #expect(outcome.code != 0, "\(program) \(arguments)")
                for text in texts { #expect(outcome.errors.contains(text), "\(program) \(arguments): \(outcome.errors)") }
            }
        }
        #expect(Cluster.processes(matching: "\(cluster.directory)/other").isEmpty)
    }

    @Test func upStartsServesAndStops() throws {
        let cluster = try Cluster()
        let up = cluster.process([
            "up", "--data-dir", "\(cluster.directory)/up", "--http", "127.0.0.1:0", "--agents-endpoint", "tcp://127.0.0.1:0",
            "--enroll-endpoint", "tcp://127.0.0.1:0", "--log-endpoint", "tcp://127.0.0.1:0", "--agents", "3",
        ])
        let banner = Pipe()
        up.standardOutput = banner
        up.standardError = banner
        try up.run()
        defer { if up.isRunning { kill(up.processIdentifier, SIGKILL) } }
        let verb = { (arguments: [String]) -> Outcome in
            let process = cluster.process(arguments)
            process.environment?["SUANPAN_DATA_DIR"] = "\(cluster.directory)/up"
            let pipe = Pipe()
            process.standardOutput = pipe
            process.standardError = FileHandle.nullDevice
            guard (try? process.run()) != nil else { return Outcome(code: -1, output: "", errors: "") }
            let data = pipe.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return Outcome(code: process.terminationStatus, output: String(decoding: data, as: UTF8.self), errors: "")
        }
        try cluster.waitUntil("four nodes are ready") {
            verb(["node", "ls", "-o", "json"]).output.components(separatedBy: "\"ready\"").count == 5
        }
        #expect(verb(["run", "--constraint", "simulated", "--label", "sim.exit=3", "--", "work"]).code == 3)
        #expect(verb(["run", "--", "true"]).code == 0)
        let rows = verb(["usage", "ls", "-o", "json"]).output
        #expect(rows.contains("\"simulated\":true") || rows.contains("\"simulated\": true"))
        kill(up.processIdentifier, SIGINT)
        up.waitUntilExit()
        #expect(Cluster.processes(matching: "\(cluster.directory)/up").isEmpty, "nothing is left running")
    }
}
