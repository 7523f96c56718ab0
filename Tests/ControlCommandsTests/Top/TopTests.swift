import Testing

@testable import ControlCommands

@Suite("suanpan top")
struct TopTests {
    private static let cluster = #"""
        {"nodesRegistered": 3, "nodesReady": 2, "jobsLive": 2, "tasksLive": 3, "tasksQueued": 7, "cpuMilliTotal": 12000,
         "cpuMilliAllocated": 3500, "memoryBytesTotal": 17179869184, "memoryBytesAllocated": 1073741824,
         "devices": [{"kind": "gpu", "model": "H200", "simulated": false, "count": 8, "shareMilliAllocated": 2500}],
         "queue": [{"reason": "capacity", "tasks": 7, "oldestAt": "2026-01-01T00:00:00Z"}]}
        """#
    private static let nodes = #"""
        {"items": [
          {"name": "idle", "state": "ready", "cpuMilli": 4000, "cpuMilliAllocated": 0, "cpuMilliUsed": 0, "memoryBytes": 1024,
           "memoryBytesUsed": 512, "deviceCount": 0, "liveAttemptCount": 0},
          {"name": "busy", "state": "ready", "cpuMilli": 4000, "cpuMilliAllocated": 3500, "cpuMilliUsed": 3950, "memoryBytes": 1024,
           "memoryBytesUsed": 512, "deviceCount": 8, "deviceShareMilliAllocated": 2500, "liveAttemptCount": 3},
          {"name": "old", "state": "suspect", "cpuMilli": 4000, "cpuMilliAllocated": 1000, "memoryBytes": 1024, "liveAttemptCount": 1}
        ], "nextCursor": null}
        """#
    private static let jobs = #"""
        {"items": [{"id": "9", "name": "train", "user": "ada", "state": "running", "startedAt": "2026-01-01T00:04:00Z",
                    "tasks": {"total": 10, "queued": 7, "running": 3, "succeeded": 0}}], "nextCursor": null}
        """#
    private static let job = #"""
        {"id": "9", "groups": [{"count": 2, "resources": {"cpuMilli": 1000, "memoryBytes": 1024,
          "devices": {"count": 1, "shareMilli": 500}}}]}
        """#

    private static func coordinator() -> StubCoordinator {
        StubCoordinator { request, _ in
            switch request.path {
            case "/v1/cluster": .json(cluster)
            case "/v1/nodes": .json(nodes)
            case "/v1/jobs": .json(request.query["state"] == "running" ? jobs : "{}")
            case "/v1/jobs/9": .json(job)
            default: .json("{}", status: 404)
            }
        }
    }

    @Test("elsewhere than on a terminal it is one plain picture")
    func plain() async {
        let console = MemoryConsole()
        #expect(await CommandLineEntry.run(["top"], on: Self.coordinator(), console) == 0)
        let text = console.output.text
        #expect(!text.contains("\u{1B}"))
        for part in [
            "2 of 3 ready", "3 live, 7 waiting, of 2 jobs", "3.5 of 12 granted, 3.9 busy", "2.5 of 8 granted", "7 for capacity (oldest ",
        ] { #expect(text.contains(part), "\(part)") }
        // Three running tasks of one core and half a device each.
        let job = text.split(separator: "\n").last?.split(separator: " ").map(String.init)
        #expect(job?.prefix(5) == ["9", "train", "ada", "0/10", "(3"] && job?.contains("1.5") == true)
    }

    @Test("the busiest nodes come first, and as many as the terminal has room for")
    func nodesByLoad() throws {
        let picture = TopPicture(
            cluster: try JSONValue(parsing: Array(Self.cluster.utf8)),
            nodes: try JSONValue(parsing: Array(Self.nodes.utf8))["items"]?.items ?? [],
            jobs: try JSONValue(parsing: Array(Self.jobs.utf8))["items"]?.items ?? [])
        let now = try #require(Timestamp(rfc3339: "2026-01-01T00:05:00Z"))
        func names(_ text: String) -> [String] {
            text.split(separator: "\n").compactMap { line in ["idle", "busy", "old"].first { line.hasPrefix($0 + " ") } }
        }
        #expect(names(picture.text(now: now, rows: nil, hasColour: false)) == ["busy", "old", "idle"])
        #expect(names(picture.text(now: now, rows: 13, hasColour: false)) == ["busy", "old"])
        #expect(picture.text(now: now, rows: nil, hasColour: false).contains("(oldest 5m)"))
    }

    @Test("-o json is the API's objects, whole")
    func json() async throws {
        let console = MemoryConsole()
        #expect(await CommandLineEntry.run(["top", "-o", "json"], on: Self.coordinator(), console) == 0)
        let value = try JSONValue(parsing: Array(console.output.text.utf8))
        #expect(value["cluster"]?["tasksQueued"]?.integer == 7 && value["nodes"]?.items?.count == 3)
        #expect(value["jobs"]?.items?.first?["groups"]?.items?.count == 1)
    }

    @Test("a line is clipped at the edge and keeps its colours")
    func clipping() {
        #expect(TerminalScreen.clipped("abcdef", to: 3) == "abc")
        #expect(TerminalScreen.clipped("a\u{1B}[31mbcd\u{1B}[0m", to: 2) == "a\u{1B}[31mb\u{1B}[0m")
    }
}
