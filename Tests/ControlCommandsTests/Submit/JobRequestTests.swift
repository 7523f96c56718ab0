import ArgumentParser
import ClusterModel
import Testing

@testable import ControlCommands

@Suite("Options become the body of a submission")
struct JobRequestTests {
    static let surroundings = JobRequest.Surroundings(
        now: Timestamp(seconds: 1_800_000_000), currentDirectory: "/home/ada", clockOffset: .seconds(19_800))

    private static func body(_ arguments: [String], file: String? = nil) throws -> String {
        let command = try SubmitCommand.parse(arguments)
        return try JobRequest.body(options: command.options, file: try file.map { try JobFile.parse($0) }, surroundings: surroundings)
            .compactText
    }

    @Test(
        "each option",
        arguments: [
            (["--", "echo", "hi"], #"{"groups":[{"command":["echo","hi"]}]}"#),
            (["--name", "digits", "--", "a"], #"{"name":"digits","groups":[{"command":["a"]}]}"#),
            (["--tenant", "vision", "--", "a"], #"{"project":"vision/default","groups":[{"command":["a"]}]}"#),
            (["--project", "demo", "--", "a"], #"{"project":"demo","groups":[{"command":["a"]}]}"#),
            (["--project", "vision/demo", "--", "a"], #"{"project":"vision/demo","groups":[{"command":["a"]}]}"#),
            (["--tenant", "vision", "--project", "demo", "--", "a"], #"{"project":"vision/demo","groups":[{"command":["a"]}]}"#),
            (["--priority", "-5", "--queue", "q", "--", "a"], #"{"queue":"q","priority":-5,"groups":[{"command":["a"]}]}"#),
            (["--preemptible", "--kind", "training", "--", "a"], #"{"kind":"training","preemptible":true,"groups":[{"command":["a"]}]}"#),
            (
                ["--cpus", "500m", "--memory", "4GiB", "--", "a"],
                #"{"groups":[{"resources":{"cpu":"500m","memory":"4GiB"},"command":["a"]}]}"#
            ),
            (["--gpus", "2", "--", "a"], #"{"groups":[{"resources":{"gpu":{"count":2}},"command":["a"]}]}"#),
            (
                ["--gpu-share", "250m", "--gpu-memory", "7000MiB", "--gpu-model", "A100*|H100*", "--", "a"],
                #"{"groups":[{"resources":{"gpu":{"count":1,"share":"250m","memory":"7000MiB","model":"A100*|H100*"}},"command":["a"]}]}"#
            ),
            (
                [
                    "--npu-template", "vir04", "--whole-cores", "--topology", "rack=require", "--center", "bj", "--needs-internet", "--",
                    "a",
                ],
                #"{"centers":["bj"],"needsInternet":true,"groups":[{"resources":{"wholeCores":true,"npu":{"count":1,"template":"vir04"}},"#
                    + #""topology":{"rack":"require"},"command":["a"]}]}"#
            ),
            (["--npus", "1", "--", "a"], #"{"groups":[{"resources":{"npu":{"count":1}},"command":["a"]}]}"#),
            (["--tasks", "4", "--array", "0-9%2", "--", "a"], #"{"array":"0-9%2","groups":[{"count":4,"command":["a"]}]}"#),
            (
                ["--after", "7", "--after-any", "8,9", "--after-fail", "10", "--", "a"],
                #"{"after":[{"job":"7","when":"ok"},{"job":"8","when":"any"},{"job":"9","when":"any"},{"job":"10","when":"fail"}],"#
                    + #""groups":[{"command":["a"]}]}"#
            ),
            (["--begin", "+2h", "--", "a"], #"{"beginAt":"2027-01-15T10:00:00Z","groups":[{"command":["a"]}]}"#),
            (["--begin", "2026-01-31T08:00:00+08:00", "--", "a"], #"{"beginAt":"2026-01-31T00:00:00Z","groups":[{"command":["a"]}]}"#),
            (["--every", "1h", "--overlap", "--", "a"], #"{"recur":{"every":"1h","overlap":true},"groups":[{"command":["a"]}]}"#),
            (
                ["--cron", "30 3 * * *", "--until", "+2h", "--pool", "gold", "--", "a"],
                #"{"recur":{"cron":"30 3 * * *","offset":"+05:30","until":"2027-01-15T10:00:00Z"},"pool":"gold","#
                    + #""groups":[{"command":["a"]}]}"#
            ),
            (
                ["--cron", "@daily", "--cron-offset", "Z", "--checkpoint-signal", "SIGUSR1", "--", "a"],
                #"{"recur":{"cron":"@daily","offset":"Z"},"checkpoint":{"signal":"SIGUSR1"},"groups":[{"command":["a"]}]}"#
            ),
            (
                ["--time-limit", "2h", "--grace", "30s", "--retries", "3", "--checkpoint", "ckpt", "--", "a"],
                #"{"timeLimit":"2h","retry":{"limit":3},"checkpoint":{"path":"ckpt"},"grace":"30s","groups":[{"command":["a"]}]}"#
            ),
            (["--env", "A=1", "--env", "B=x=y", "--", "a"], #"{"groups":[{"command":["a"],"env":{"A":"1","B":"x=y"}}]}"#),
            (["--workdir", "runs", "--", "a"], #"{"groups":[{"command":["a"],"workdir":"/home/ada/runs"}]}"#),
            (
                ["--constraint", "simulated", "--constraint", "zone!=b", "--", "a"],
                #"{"groups":[{"constraints":["simulated","zone!=b"],"command":["a"]}]}"#
            ),
            (
                ["--label", "team=vision", "--on-node-lost", "replace", "--", "a"],
                #"{"onNodeLost":"replace","labels":{"team":"vision"},"groups":[{"command":["a"]}]}"#
            ),
            (["--", "sh", "-c", "exit 3", "--name", "x"], #"{"groups":[{"command":["sh","-c","exit 3","--name","x"]}]}"#),
        ])
    func option(arguments: [String], expected: String) throws {
        #expect(try Self.body(arguments) == expected)
    }

    @Test(
        "a wrong amount is named before anything is sent",
        arguments: [
            (["--cpus", "two", "--", "a"], "--cpus 'two': expected cores"),
            (["--memory", "4 GB", "--", "a"], "--memory '4 GB': expected bytes"),
            (["--gpu-share", "1001m", "--", "a"], "--gpu-share '1001m'"),
            (["--array", "9-0", "--", "a"], "--array '9-0': expected FIRST-LAST"),
            (["--after", "seven", "--", "a"], "--after 'seven'"), (["--time-limit", "2 hours", "--", "a"], "--time-limit '2 hours'"),
            (["--priority", "2000", "--", "a"], "--priority '2000': expected -1000"),
            (["--env", "A", "--", "a"], "--env 'A': expected NAME=VALUE"),
            (["--kind", "other", "--", "a"], "--kind 'other': expected training"), (["--begin", "soon", "--", "a"], "--begin 'soon'"),
            (["--constraint", "UPPER", "--", "a"], "--constraint 'UPPER'"),
            (["--gpus", "1", "--npus", "1", "--", "a"], "GPUs, NPUs or compute units"),
            (["--compute-units", "0", "--", "a"], "--compute-units '0': expected compute units"),
            (["--topology", "socket=require", "--", "a"], "--topology 'socket': expected link, pcie"),
            (["--topology", "rack=near", "--", "a"], "--topology 'near': expected none, prefer, require"),
            (["--spread", "--pack", "--", "a"], "--spread and --pack"),
            (["--npus", "0", "--npu-template", "vir04", "--", "a"], "--npus 0 with --npu-template"),
            (["--tenant", "a", "--project", "b/c", "--", "a"], "--project 'b/c'"), ([], "there is nothing to run"),
        ])
    func wrong(arguments: [String], message: String) throws {
        let failure = try #require(throws: CommandFailure.self) { try Self.body(arguments) }
        #expect(failure.status == .usage)
        #expect(failure.message.contains(message), "\(failure.message)")
    }

    @Test("options stand above the file, and the command replaces the file's")
    func optionsAboveFile() throws {
        let file = "{name: digits, priority: 3, groups: [{name: worker, resources: {cpu: 1, gpu: 2}, command: [python3, train.py]}]}"
        let body = try Self.body(["--priority", "7", "--cpus", "2", "--gpu-share", "500m", "--", "echo"], file: file)
        #expect(
            body == #"{"name":"digits","priority":7,"groups":[{"name":"worker","resources":{"cpu":"2","gpu":{"count":2,"share":"500m"}},"#
                + #""command":["echo"]}]}"#)
    }

    @Test("the short form of a file becomes one group")
    func shortForm() throws {
        let body = try Self.body(["--memory", "2GiB"], file: "{name: a, command: [b], env: {LR: 0.1}, resources: {cpu: 500m}}")
        #expect(body == #"{"name":"a","groups":[{"command":["b"],"env":{"LR":"0.1"},"resources":{"cpu":"500m","memory":"2GiB"}}]}"#)
    }

    @Test("an option for one group is refused where the file has several")
    func ambiguousGroup() throws {
        let failure = try #require(throws: CommandFailure.self) {
            try Self.body(["--cpus", "2"], file: "{groups: [{name: a, command: [a]}, {name: b, command: [b]}]}")
        }
        #expect(failure.message.contains("which of the file's 2 groups"))
    }

    @Test("the grace counts once, wherever the file has it")
    func graceOnce() throws {
        let body = try Self.body(["--grace", "5s"], file: "{checkpoint: {path: c, grace: 9s}, groups: [{command: [a]}]}")
        #expect(body == #"{"checkpoint":{"path":"c"},"groups":[{"command":["a"]}],"grace":"5s"}"#)
    }
}

@Suite("Job files")
struct JobFileTests {
    @Test(
        "what is wrong is named with its place",
        arguments: [
            ("nmae: x", "unknown field nmae"), ("groups: [{commnad: [a]}]", "unknown field groups[0].commnad"),
            ("groups: [{resources: {gpu: {counts: 1}}}]", "unknown field groups[0].resources.gpu.counts"),
            ("groups: {a: 1}", "groups: expected a list"), ("name: [a]", "name: expected a plain value"),
            ("groups: [{env: [A]}]", "groups[0].env: expected a mapping"), ("- a", "must be a mapping"),
            ("name: a\nname: b", "the same key twice"),
            ("name: 'a", "line 1"), ("<<: {a: 1}", "merge keys"),
        ])
    func faults(text: String, message: String) throws {
        let failure = try #require(throws: CommandFailure.self) { try JobFile.parse(text) }
        #expect(failure.status == .usage)
        #expect(failure.text.contains(message), "\(failure.text)")
    }

    @Test("all faults are told at once")
    func severalFaults() throws {
        let failure = try #require(throws: CommandFailure.self) { try JobFile.parse("{a: 1, b: 2}") }
        #expect(failure.details.count == 2)
    }

    @Test("words that older YAML takes for booleans stay words; numbers in env become text")
    func plainWords() throws {
        let file = try JobFile.parse("{retry: {limit: 2, on: [node_lost]}, env: {A: no, B: 1.50, C: true}, array: 0-9, name: 007}")
        #expect(
            file.compactText
                == #"{"retry":{"limit":2,"on":["node_lost"]},"env":{"A":"no","B":"1.50","C":"true"},"array":"0-9","name":"007"}"#)
    }

    @Test("the interface's example passes")
    func example() throws {
        let text = """
            name: digits
            kind: training            # training | inference | batch | notebook
            project: default/demo
            groups:
              - name: worker
                count: 2
                resources: {cpu: 500m, memory: 512MiB, gpu: {count: 1, share: 250m, memory: 7000MiB, model: "A100*|H100*"}}
                topology: {node: require, rack: prefer}
                constraints: []
                command: ["python3", "train.py"]
                image: null
                env: {LR: "0.1"}
            array: null
            after: [{job: "7", when: ok}]
            timeLimit: 2h
            retry: {limit: 2, on: [node_lost, device_fault, preempted]}
            checkpoint: {path: ckpt, signal: SIGUSR1, grace: 30s}
            inputs: []
            onNodeLost: wait
            """
        #expect(try JobFile.parse(text)["groups"]?.items?.count == 1)
    }
}
