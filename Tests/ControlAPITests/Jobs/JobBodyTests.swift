import ClusterModel
import HTTPTypes
import SchedulingCore
import Testing

@testable import ControlAPI

@Suite("The shape of a job")
struct JobBodyTests {
    private static let li = Principal(keyID: "0000000a", tenant: "vision", user: "li", role: .user)

    private static func read(_ body: String, as principal: Principal = li) throws(Problem) -> JobSpecification {
        try JobBody.specification(from: try! JSONParser.parse(Array(body.utf8)), principal: principal, seal: { Array("\($1):\($0)".utf8) })
        { name, version, tenant in
            name == "digits" && version == "v1" ? ContentDigest(bytes: Array(repeating: tenant == "vision" ? 1 : 2, count: 32)) : nil
        }
    }

    @Test("a command alone is a job with the defaults")
    func shortest() throws {
        let job = try Self.read(#"{"command": ["/usr/bin/Python3.11", "a b"]}"#)
        #expect(
            job
                == JobSpecification(
                    name: "python3.11", tenant: "vision",
                    groups: [TaskGroup(name: "main", command: ["/usr/bin/Python3.11", "a b"])]))
    }

    @Test("every field of the job file arrives")
    func longest() throws {
        let job = try Self.read(
            #"""
            {"name": "digits", "kind": "training", "project": "vision/demo", "queue": "night", "priority": -5, "preemptible": true,
             "groups": [
               {"name": "worker", "count": 2, "min": null, "topology": {},
                "resources": {"cpu": "500m", "memory": "512MiB",
                               "gpu": {"count": 1, "share": "250m", "memory": "7000MiB", "model": "A100*|H100*"}},
                "constraints": ["zone=a", "zone!=b", "fast"], "command": ["python3", "train.py"], "image": null,
                 "env": {"LR": "0.1"}, "workdir": "/data"},
               {"name": "server", "resources": {"npu": 2}, "command": ["serve"]}],
             "array": "0-9%2", "after": [{"job": "7", "when": "any"}, {"job": 8}], "beginAt": "2026-02-01T00:00:00Z", "deadline": null,
             "ports": [], "timeLimit": "2h", "estimate": "90m", "retry": {"limit": 2, "on": ["preempted", "node_lost"]},
             "checkpoint": {"path": "ckpt", "signal": null, "grace": "45s"}, "inputs": [], "outputs": [], "onNodeLost": "replace",
             "centers": [], "needsInternet": false, "volumes": [], "secrets": [], "labels": {"team": "v", "a": ""}}
            """#)
        let worker = TaskGroup(
            name: "worker", count: 2,
            resources: ResourceRequest(
                cpuMilli: 500, memoryBytes: 512 << 20,
                devices: DeviceRequest(kind: .gpu, count: 1, shareMilli: 250, memoryBytes: 7000 << 20, modelPattern: "A100*|H100*")),
            constraints: [
                Constraint(key: "zone", comparison: .equals, value: "a"), Constraint(key: "zone", comparison: .differs, value: "b"),
                Constraint(key: "fast", comparison: .present),
            ], command: ["python3", "train.py"],
            environment: [SealedVariable(name: "LR", sealedValue: Array("vision:0.1".utf8))], workDirectory: "/data")
        let server = TaskGroup(
            name: "server", resources: ResourceRequest(devices: DeviceRequest(kind: .npu, count: 2)), command: ["serve"])
        #expect(
            job
                == JobSpecification(
                    name: "digits", kind: .training, tenant: "vision", project: "demo", queue: "night", priority: -5, isPreemptible: true,
                    groups: [worker, server], array: ArrayRange(first: 0, last: 9, concurrencyLimit: 2),
                    dependencies: [Dependency(job: JobID(7), condition: .any), Dependency(job: JobID(8), condition: .ok)],
                    beginAt: Timestamp.parse("2026-02-01T00:00:00Z"), timeLimit: .seconds(7200), estimate: .seconds(5400),
                    grace: .seconds(45),
                    retry: RetryPolicy(limit: 2, causes: [.nodeLost, .preempted]), checkpointPath: "ckpt", onNodeLost: .replace,
                    labels: [NamedText("a", ""), NamedText("team", "v")]))
    }

    @Test(
        "amounts as numbers and as text",
        arguments: [
            (#""cpu": 2"#, ResourceRequest(cpuMilli: 2000)), (#""cpu": 0.1"#, ResourceRequest(cpuMilli: 100)),
            (#""cpu": "1.5""#, ResourceRequest(cpuMilli: 1500)), (#""memory": 1073741824"#, ResourceRequest(memoryBytes: 1 << 30)),
            (#""memory": "2G""#, ResourceRequest(memoryBytes: 2_000_000_000)), (#""gpu": 0"#, ResourceRequest()),
            (#""gpu": null, "npu": {"count": 0}"#, ResourceRequest()),
            (#""gpu": 3"#, ResourceRequest(devices: DeviceRequest(kind: .gpu, count: 3))),
            (#""gpu": {}"#, ResourceRequest(devices: DeviceRequest(kind: .gpu, count: 1))),
            (#""gpu": {"share": 0.25}"#, ResourceRequest(devices: DeviceRequest(kind: .gpu, count: 1, shareMilli: 250))),
            (#""gpu": {"share": 1}"#, ResourceRequest(devices: DeviceRequest(kind: .gpu, count: 1))),
            (
                #""gpu": {"memory": "7GiB"}"#,
                ResourceRequest(devices: DeviceRequest(kind: .gpu, count: 1, shareMilli: 0, memoryBytes: 7 << 30))
            ),
            (#""gpu": {"template": "1g.10gb"}"#, ResourceRequest(devices: .partitions("1g.10gb", kind: .gpu))),
            (#""npu": {"template": "vir04", "count": 2}"#, ResourceRequest(devices: .partitions("vir04", kind: .npu, count: 2))),
            (#""computeUnits": 200"#, ResourceRequest(devices: .computeUnits(milli: 200_000))),
            (
                #""gpu": {"computeUnits": "0.5", "model": "*H100*"}"#,
                ResourceRequest(devices: .computeUnits(milli: 500, kind: .gpu, modelPattern: "*H100*"))
            ),
            (
                #""anyOf": [{"gpu": {"model": "*H100*"}}, {"gpu": {"count": 2, "model": "*A100*"}}, {"computeUnits": 300}]"#,
                ResourceRequest(
                    devices: DeviceRequest(kind: .gpu, count: 1, modelPattern: "*H100*"),
                    alternatives: [
                        DeviceRequest(kind: .gpu, count: 2, modelPattern: "*A100*"), .computeUnits(milli: 300_000),
                    ])
            ),
            (#""cpu": 4, "wholeCores": true"#, ResourceRequest(cpuMilli: 4000, hasWholeCores: true)),
            (#""npu": {"count": 2, "model": "910*"}"#, ResourceRequest(devices: DeviceRequest(kind: .npu, count: 2, modelPattern: "910*"))),
            (#""computeUnits": null, "anyOf": null"#, ResourceRequest()),
        ])
    func amounts(_ resources: String, _ expected: ResourceRequest) throws {
        #expect(try Self.read(#"{"command": ["x"], "resources": {\#(resources)}}"#).groups[0].resources == expected)
    }

    @Test("durations", arguments: [("90", 90), (#""90""#, 90), (#""1d12h""#, 129_600), (#""30s""#, 30)])
    func durations(_ text: String, _ seconds: Int64) throws {
        #expect(try Self.read(#"{"command": ["x"], "timeLimit": \#(text)}"#).timeLimit == .seconds(seconds))
    }

    @Test(
        "one mistake is named by its full path, with what would be valid",
        arguments: [
            (#"{"command": ["x"], "resources": {"cpu": "1Q"}}"#, "resources.cpu", "'1Q' — expected cores such as 2, 0.5 or 500m"),
            (
                #"{"groups": [{"command": ["x"], "resources": {"cpu": "1Q"}}]}"#, "groups[0].resources.cpu",
                "'1Q' — expected cores such as 2, 0.5 or 500m"
            ),
            (#"{"command": ["x"], "resources": {"cpu": 1e3}}"#, "resources.cpu", "1e3 — expected cores such as 2, 0.5 or 500m"),
            (#"{"command": ["x"], "resources": {"cpu": -1}}"#, "resources.cpu", "-1 — expected cores such as 2, 0.5 or 500m"),
            (#"{"command": ["x"], "resources": {"cpu": 0}}"#, "resources.cpu", "must be 1m … 100000 cores"),
            (
                #"{"command": ["x"], "resources": {"memory": 0.5}}"#, "resources.memory",
                "0.5 — expected bytes such as 512MiB, 4GiB, 2G or a plain number"
            ),
            (
                #"{"command": ["x"], "resources": {"memory": true}}"#, "resources.memory",
                "a boolean — expected bytes such as 512MiB, 4GiB, 2G or a plain number"
            ),
            (
                #"{"command": ["x"], "resources": {"gpu": "1"}}"#, "resources.gpu",
                "'1' — expected a number of devices, or {count, share, memory, model, template, computeUnits}"
            ),
            (
                #"{"command": ["x"], "resources": {"gpu": 1.5}}"#, "resources.gpu",
                "1.5 — expected a number of devices, or {count, share, memory, model, template, computeUnits}"
            ),
            (
                #"{"command": ["x"], "resources": {"gpu": {"share": "2"}}}"#, "resources.gpu.share",
                "'2' — expected a share of one device such as 250m, 0.25 or 1"
            ),
            (
                #"{"command": ["x"], "resources": {"gpu": {"shares": 1}}}"#, "resources.gpu.shares",
                "unknown field; valid: computeUnits, count, memory, model, share, template"
            ),
            (
                #"{"command": ["x"], "resources": {"gpu": 1, "npu": 1}}"#, "resources",
                "a task has devices in one way: give gpu, npu or computeUnits, or a list in anyOf"
            ),
            (
                #"{"command": ["x"], "resources": {"gpu": 1, "anyOf": [{"npu": 1}]}}"#, "resources.anyOf",
                "stands beside devices: give all of them in it"
            ),
            (#"{"command": ["x"], "resources": {"anyOf": []}}"#, "resources.anyOf", "is empty — leave it out for a task without devices"),
            (
                #"{"groups": [{"name": "a", "command": ["x"], "spread": true}, {"name": "b", "command": ["x"], "topology": {"node": "require"}}]}"#,
                "groups[1].topology", "cannot spread tasks and require one node for them"
            ),
            (
                #"{"command": ["x"], "resources": {"anyOf": [{"gpu": 1}, {}]}}"#, "resources.anyOf[1]",
                "says no devices — expected gpu, npu or computeUnits"
            ),
            (
                #"{"command": ["x"], "resources": {"anyOf": [{"gpu": 1}, {"npu": {"count": 2000}}]}}"#, "resources.anyOf[1].npu.count",
                "2000 — expected a whole number 0 … 1024"
            ),
            (
                #"{"command": ["x"], "resources": {"gpu": {"template": "1g.10gb", "share": "500m"}}}"#, "resources.gpu",
                "the template says how much: leave out share and memory"
            ),
            (
                #"{"command": ["x"], "resources": {"gpu": {"computeUnits": 5, "count": 2}}}"#, "resources.gpu",
                "compute units say how much: leave out the rest"
            ),
            (
                #"{"command": ["x"], "resources": {"computeUnits": 0}}"#, "resources.computeUnits",
                "0 — expected compute units such as 200 or 0.5"
            ),
            (
                #"{"command": ["x"], "resources": {"cpu": "1500m", "wholeCores": true}}"#, "resources.cpu",
                "must be a whole number where cores are whole"
            ),
            (
                #"{"command": ["x"], "topology": {"rack": "near"}}"#, "topology.rack", "'near' — expected one of none, prefer, require"
            ),
            (
                #"{"command": ["x"], "topology": {"socket": "require"}}"#, "topology.socket",
                "unknown field; valid: block, center, link, node, numa, pcie, rack"
            ),
            (
                #"{"command": ["x"], "topology": {"node": "require"}, "spread": true}"#, "topology",
                "cannot spread tasks and require one node for them"
            ),
            (#"{"command": ["x"], "centers": ["A b"]}"#, "centers[0]", "'A b' must match [a-z0-9][a-z0-9._-]{0,62}"),
            (#"{"command": "x"}"#, "command", "'x' — expected an array"),
            (#"{"command": ["x", 1]}"#, "command[1]", "1 — expected a string"),
            (#"{"command": []}"#, "command", "must name a program"),
            (#"{}"#, "command", "must name a program"),
            (#"{"command": ["x"], "env": {"A": 1}}"#, "env.A", "1 — expected a string, in quotes"),
            (#"{"command": ["x"], "env": {"A=B": "1"}}"#, "env", "'A=B' must match [A-Za-z_][A-Za-z0-9_]*"),
            (#"{"command": ["x"], "count": 0}"#, "count", "0 — expected a whole number 1 … 4096"),
            (#"{"command": ["x"], "count": 5000}"#, "count", "5000 — expected a whole number 1 … 4096"),
            (
                #"{"groups": [{"name": "a", "count": 4096, "command": ["x"]}, {"name": "b", "command": ["x"]}]}"#, "groups",
                "4097 tasks; a gang has at most 4096"
            ),
            (#"{"command": ["x"], "priority": 1001}"#, "priority", "1001 — expected a whole number -1000 … 1000"),
            (#"{"command": ["x"], "priority": "1"}"#, "priority", "'1' — expected a whole number -1000 … 1000"),
            (#"{"command": ["x"], "kind": "web"}"#, "kind", "'web' — expected one of training, inference, batch, notebook"),
            (#"{"command": ["x"], "name": "A b"}"#, "name", "'A b' must match [a-z0-9][a-z0-9._-]{0,62}"),
            (
                #"{"command": ["x"], "array": "9-0"}"#, "array",
                "'9-0' — expected FIRST-LAST such as 0-999, optionally %LIMIT for how many may run at once"
            ),
            (#"{"command": ["x"], "after": [{"when": "ok"}]}"#, "after[0].job", "null — expected the number of a job"),
            (#"{"command": ["x"], "after": [{"job": "7", "when": "never"}]}"#, "after[0].when", "'never' — expected one of ok, any, fail"),
            (
                #"{"command": ["x"], "beginAt": "tomorrow"}"#, "beginAt",
                "'tomorrow' — expected an RFC 3339 time such as 2026-01-31T08:00:00Z"
            ),
            (
                #"{"command": ["x"], "timeLimit": "2y"}"#, "timeLimit",
                "'2y' — expected a duration such as 30s, 10m, 2h, 1d12h or a plain number of seconds"
            ),
            (#"{"command": ["x"], "timeLimit": 0}"#, "timeLimit", "must be at least 1s"),
            (
                #"{"command": ["x"], "retry": {"on": ["quota"]}}"#, "retry.on[0]",
                "'quota' — expected one of node_lost, device_fault, preempted, exit_code, oom, timeout, infrastructure, staging"
            ),
            (#"{"command": ["x"], "retry": 3}"#, "retry", "a number — expected an object"),
            (#"{"command": ["x"], "grace": "10s", "checkpoint": {"grace": "20s"}}"#, "checkpoint.grace", "give the grace once"),
            (
                #"{"command": ["x"], "constraints": ["=a"]}"#, "constraints[0]",
                "'=a' — expected LABEL, LABEL=VALUE, LABEL!=VALUE or node=NAME"
            ),
            (#"{"command": ["x"], "workdir": "data"}"#, "workdir", "must be an absolute path"),
            (
                #"{"command": ["x"], "labels": {"A": "b"}}"#, "labels",
                "A: names match [a-z0-9][a-z0-9._-]{0,62}, values have at most 253 bytes"
            ),
            (#"{"groups": [{"command": ["x"]}], "env": {}}"#, "env", "stands beside 'groups': give it in each group"),
            (#"{"groups": []}"#, "groups", "must be 1 … 64 groups"),
            (#"{"groups": [{"name": "a", "command": ["x"]}, {"name": "a", "command": ["x"]}]}"#, "groups", "names must differ"),
            (#"[]"#, "", "the body is an array — expected an object"),
        ])
    func mistakes(_ body: String, _ field: String, _ message: String) throws {
        let problem = #expect(throws: Problem.self) { try Self.read(body) }
        #expect(problem?.status == .badRequest)
        #expect(problem?.errors.first { $0.field == field }?.message == message, "\(problem?.errors ?? [])")
        if field != "" { #expect(problem?.errors.count == 1, "\(problem?.errors ?? [])") }
    }

    @Test(
        "fields of the interface that this version cannot honour are refused by name",
        arguments: [
            (#""image": "alpine""#, "image"),
            (#""min": 1"#, "min"), (#""ports": [80]"#, "ports"),
            (#""volumes": ["a"]"#, "volumes"),
        ])
    func unsupported(_ member: String, _ field: String) {
        let problem = #expect(throws: Problem.self) { try Self.read(#"{"command": ["x"], \#(member)}"#) }
        #expect(problem?.code == "unsupported_field")
        #expect(
            problem?.errors == [
                FieldProblem(code: .unsupportedField, field: field, message: "this version cannot honour it; leave it out or null")
            ])
    }

    @Test("what bounds its waiting, its checkpoints and its retries")
    func times() throws {
        let job = try Self.read(
            #"""
            {"command": ["x"], "deadline": "2026-02-01T00:00:00Z", "maxPending": "1d", "hold": true, "checkpoint": {"interval": "30m"},
             "retry": {"limit": 3, "on": ["oom", "node_lost"], "limits": {"oom": 1}, "backoff": "10s"}}
            """#)
        #expect(job.deadline == Timestamp.parse("2026-02-01T00:00:00Z") && job.maxPending == .seconds(86_400) && job.isHeld)
        #expect(job.checkpointInterval == .seconds(1800) && job.checkpointPath.isEmpty)
        let limits = [RetryPolicy.CauseLimit(cause: .oom, limit: 1)]
        #expect(job.retry == RetryPolicy(limit: 3, causes: [.nodeLost, .oom], limits: limits, backoff: .seconds(10)))
        for (retry, field) in [
            (#"{"limit": 1, "limits": {"oom": 1}}"#, "retry.limits"),
            (#"{"limit": 1, "on": ["oom"], "limits": {"oom": 2}}"#, "retry.limits"),
            (#"{"limits": {"luck": 2}}"#, "retry.limits"), (#"{"limits": 3}"#, "retry.limits"), (#"{"backoff": "2d"}"#, "retry.backoff"),
        ] {
            let problem = #expect(throws: Problem.self) { try Self.read(#"{"command": ["x"], "retry": \#(retry)}"#) }
            #expect(problem?.errors.first?.field == field, "\(retry): \(problem?.errors ?? [])")
        }
        let late = #expect(throws: Problem.self) {
            try Self.read(#"{"command": ["x"], "deadline": "2026-01-01T00:00:00Z", "beginAt": "2026-02-01T00:00:00Z"}"#)
        }
        #expect(late?.errors.first?.field == "deadline")
    }

    @Test("inputs, outputs and secrets in all their forms")
    func files() throws {
        let tree = String(repeating: "0a", count: 32)
        let job = try Self.read(
            #"""
            {"command": ["x"],
             "inputs": [{"from": "tree:\#(tree)"}, {"from": "dataset:digits@v1", "to": "./data/"},
                        {"from": "https://h/x", "to": "x", "digest": "\#(tree)"}],
             "outputs": [{"from": "out"}, {"from": ".", "to": "all"}], "secrets": ["a", {"name": "b", "env": "B"}]}
            """#)
        let digest = try #require(ContentDigest(parsing: tree))
        let dataset = try #require(ContentDigest(bytes: Array(repeating: 1, count: 32)))
        #expect(
            job.inputs == [
                JobInput(source: .tree(digest), path: ""),
                JobInput(source: .dataset(name: "digits", version: "v1", tree: dataset), path: "data"),
                JobInput(source: .url("https://h/x", digest), path: "x"),
            ])
        #expect(job.outputs == [JobOutput(path: "out", destination: "out"), JobOutput(path: "", destination: "all")])
        #expect(job.secrets == [JobSecret(name: "a"), JobSecret(name: "b", variable: "B")])
    }

    @Test(
        "files that cannot be are named with their field",
        arguments: [
            (#""inputs": [{"from": "./src", "to": "."}]"#, "inputs[0].from"),
            (#""inputs": [{"from": "dataset:digits@v2"}]"#, "inputs[0].from"),
            (#""inputs": [{"from": "https://h/x", "to": "../x"}]"#, "inputs[0].to"),
            (#""inputs": [{"from": "https://h/x"}]"#, "inputs[0].to"),
            (#""inputs": [{"from": "https://h/x", "to": "x", "digest": "0"}]"#, "inputs[0].digest"),
            (#""outputs": [{"to": "x"}]"#, "outputs[0].from"), (#""secrets": [{"env": "X"}]"#, "secrets[0].name"),
        ])
    func wrongFiles(_ member: String, _ field: String) {
        let problem = #expect(throws: Problem.self) { try Self.read(#"{"command": ["x"], \#(member)}"#) }
        #expect(problem?.errors.map(\.field) == [field])
    }

    @Test("fields that clients must not set are unknown", arguments: ["tenant", "user", "state", "id", "fence", "retryOf", "submittedAt"])
    func massAssignment(_ field: String) {
        let problem = #expect(throws: Problem.self) { try Self.read(#"{"command": ["x"], "\#(field)": "1"}"#) }
        #expect(problem?.code == "unknown_field" && problem?.errors[0].field == field)
        #expect(problem?.errors[0].message.contains("array, beginAt, ") == true)
    }

    @Test("all mistakes come together, and their number is bounded")
    func together() {
        let problem = #expect(throws: Problem.self) {
            try Self.read(#"{"name": 1, "colour": "red", "resources": {"cpu": "a", "memory": "b"}, "kind": 2}"#)
        }
        #expect(problem?.errors.map(\.field) == ["resources.cpu", "resources.memory", "name", "kind", "colour", "command"])
        #expect(problem?.detail == "colour: " + (problem?.errors[4].message ?? "") + " (and 5 more)")
        let unknown = (0..<4000).map { "\"x\($0)\": 0" }.joined(separator: ",")
        #expect(#expect(throws: Problem.self) { try Self.read("{\(unknown)}") }?.errors.count == FieldProblems.countMax)
    }

    @Test("a key submits into its own tenant, an administrator's into any")
    func tenant() throws {
        let problem = #expect(throws: Problem.self) { try Self.read(#"{"command": ["x"], "project": "speech/demo"}"#) }
        #expect(problem?.status == .forbidden)
        let admin = Principal(keyID: "000000ad", tenant: "default", user: "root", role: .admin)
        #expect(try Self.read(#"{"command": ["x"], "project": "speech/demo"}"#, as: admin).tenant == "speech")
        #expect(try Self.read(#"{"command": ["x"], "project": "demo"}"#).project == "demo")
        for bad in ["", "/", "a/", "/b", "a/b/c", "A/b"] {
            #expect(throws: Problem.self, "\(bad)") { try Self.read(#"{"command": ["x"], "project": "\#(bad)"}"#, as: admin) }
        }
    }

    @Test(
        "a job without a name is called like its program",
        arguments: [
            ("python3", "python3"), ("/bin/My App!", "my-app-"), ("./_run.sh", "run.sh"), ("工具", "job"), ("---", "job"),
            (String(repeating: "n", count: 90), String(repeating: "n", count: 63)),
        ])
    func names(_ program: String, _ name: String) throws {
        #expect(try Self.read(#"{"command": ["\#(program)"]}"#).name == name)
    }
}

extension JobBodyTests {
    @Test("when it comes again, where it may run, and how it is asked for a checkpoint")
    func recurrence() throws {
        let job = try Self.read(
            #"""
            {"command": ["x"], "pool": "gold", "checkpoint": {"signal": "SIGUSR2"},
             "recur": {"cron": "30 3 * * 1-5", "offset": "+08:00", "overlap": true, "until": "2027-01-01T00:00:00Z"}}
            """#)
        #expect(job.pool == "gold" && job.checkpointSignal == .user2)
        let calendar = try CalendarRule(parsing: "30 3 * * 1-5")
        #expect(
            job.recurrence
                == Recurrence(
                    rule: .calendar(calendar, offset: .seconds(8 * 3600)), mayOverlap: true, until: Timestamp.parse("2027-01-01T00:00:00Z"))
        )
        #expect(try Self.read(#"{"command": ["x"], "recur": {"every": "1h"}}"#).recurrence == Recurrence(rule: .every(.hour)))
        for (recur, field) in [
            ("{}", "recur.every"), (#"{"every": "1h", "cron": "@daily"}"#, "recur.every"), (#"{"every": "1s"}"#, "recur.every"),
            (#"{"cron": "61 * * * *"}"#, "recur.cron"), (#"{"every": "1h", "offset": "Z"}"#, "recur.offset"),
            (#"{"cron": "@daily", "offset": "Asia/Shanghai"}"#, "recur.offset"), (#"{"every": "1h", "zone": "Z"}"#, "recur.zone"),
        ] {
            let problem = #expect(throws: Problem.self) { try Self.read(#"{"command": ["x"], "recur": \#(recur)}"#) }
            #expect(problem?.errors.map(\.field) == [field], "\(recur)")
        }
    }
}
