/// What `top` shows at one instant, as the API gives it.
struct TopPicture: Sendable {
    /// Most running jobs that are looked at.
    static let jobsMax = 20

    var cluster: JSONValue
    var nodes: [JSONValue]
    /// Running jobs with their groups, newest first.
    var jobs: [JSONValue]

    /// - Parameter known: the groups of jobs seen before; they never change.
    static func take(from client: CoordinatorClient, known: [String: JSONValue] = [:]) async throws(CommandFailure) -> TopPicture {
        let cluster = try await client.get("/v1/cluster")
        let nodes = try await client.list("/v1/nodes", limit: nil)["items"]?.items ?? []
        let running = try await client.list("/v1/jobs", query: [("state", "running")], limit: jobsMax)["items"]?.items ?? []
        var jobs: [JSONValue] = []
        for job in running {
            guard case .object(var object) = job, let id = job["id"]?.text else { continue }
            if let groups = known[id] {
                object["groups"] = groups
            } else if let groups = try await client.get("/v1/jobs/\(CoordinatorClient.escape(id))")["groups"] {
                object["groups"] = groups
            }
            jobs.append(.object(object))
        }
        return TopPicture(cluster: cluster, nodes: nodes, jobs: jobs)
    }

    var groupsByJob: [String: JSONValue] {
        jobs.reduce(into: [:]) { known, job in
            if let id = job["id"]?.text, let groups = job["groups"] { known[id] = groups }
        }
    }

    var json: JSONValue {
        var object = JSONObject()
        object["cluster"] = cluster
        object["nodes"] = .array(nodes)
        object["jobs"] = .array(jobs)
        return .object(object)
    }

    // MARK: For people

    /// - Parameter rows: of the terminal; nil shows ten nodes and all running jobs.
    func text(now: Timestamp, rows: Int?, hasColour: Bool) -> String {
        let head = summary(now: now)
        guard let rows else { return head + "\n" + nodeTable(10, hasColour) + "\n" + jobTable(Self.jobsMax, now: now, hasColour) }
        // Both tables have a title and an empty line above; nodes get half of what is left, or more when jobs need less.
        let room = max(2, rows - head.count { $0 == "\n" } - 4)
        let nodeRows = max(1, max(room / 2, room - jobs.count))
        return head + "\n" + nodeTable(nodeRows, hasColour) + "\n"
            + jobTable(max(1, room - min(nodeRows, nodes.count)), now: now, hasColour)
    }

    private func number(_ name: String) -> Int64 { cluster[name]?.integer ?? 0 }

    private func summary(now: Timestamp) -> String {
        var lines: [(name: String, value: String?)] = [
            ("Nodes", "\(number("nodesReady")) of \(number("nodesRegistered")) ready"),
            ("Tasks", "\(number("tasksLive")) live, \(number("tasksQueued")) waiting, of \(Humanized.count(number("jobsLive"), "job"))"),
            (
                "CPUs in use",
                "\(Humanized.cores(milli: number("cpuMilliAllocated"))) of \(Humanized.cores(milli: number("cpuMilliTotal"))) granted"
                    + measured("cpuMilliUsed") { Humanized.cores(milli: $0 / 100 * 100) }
            ),
            (
                "Memory in use",
                "\(Humanized.bytes(number("memoryBytesAllocated"))) of \(Humanized.bytes(number("memoryBytesTotal"))) granted"
                    + measured("memoryBytesUsed", Humanized.bytes)
            ),
        ]
        for device in cluster["devices"]?.items ?? [] {
            let share = Humanized.milli(device["shareMilliAllocated"]?.integer ?? 0)
            let mark = device["simulated"]?.flag == true ? ", simulated" : ""
            lines.append((device["model"]?.text ?? "-", "\(share) of \(device["count"]?.integer ?? 0) granted\(mark)"))
        }
        let waiting = (cluster["queue"]?.items ?? []).compactMap { item -> String? in
            guard let tasks = item["tasks"]?.integer, tasks > 0 else { return nil }
            let reason = (item["reason"]?.text ?? "").replacing("_", with: " ")
            return "\(tasks) for \(reason) (oldest \(Instants.age(item["oldestAt"], now: now)))"
        }
        lines.append(("Waiting", waiting.isEmpty ? "nothing" : waiting.joined(separator: ", ")))
        return Facts.text(lines)
    }

    /// What nodes measured, when any did.
    private func measured(_ member: String, _ text: (Int64) -> String) -> String {
        let values = nodes.compactMap { $0[member]?.integer }
        return values.isEmpty ? "" : ", \(text(values.reduce(0, &+))) busy"
    }

    /// By how much of their cores is granted or busy, whichever is more.
    private func nodeTable(_ count: Int, _ hasColour: Bool) -> String {
        var table = Table([
            .init("NODE"), .init("STATE"), .init("CPUS", isRightAligned: true), .init("BUSY", isRightAligned: true),
            .init("MEMORY", isRightAligned: true), .init("USED", isRightAligned: true), .init("DEVICES", isRightAligned: true),
            .init("TASKS", isRightAligned: true),
        ])
        func load(_ node: JSONValue) -> Double {
            let busy = max(node["cpuMilliAllocated"]?.integer ?? 0, node["cpuMilliUsed"]?.integer ?? 0)
            return Double(busy) / Double(max(node["cpuMilli"]?.integer ?? 1, 1))
        }
        let busiest = nodes.map { (node: $0, load: load($0)) }.sorted {
            ($0.load, $1.node["name"]?.text ?? "") > ($1.load, $0.node["name"]?.text ?? "")
        }
        for (node, _) in busiest.prefix(count) {
            let state = node["state"]?.text ?? "-"
            table.append([
                .init(node["name"]?.text ?? "-"), .init(state, tint: Tint(state: state)), .init(NodeTable.cpus(node)),
                .init(node["cpuMilliUsed"]?.integer.map { Humanized.cores(milli: $0 / 100 * 100) } ?? "-"), .init(NodeTable.memory(node)),
                .init(node["memoryBytesUsed"]?.integer.map(Humanized.bytes) ?? "-"), .init(NodeTable.devices(node)),
                .init(node["liveAttemptCount"]?.scalarText ?? "-"),
            ])
        }
        return table.text(isWide: false, hasColour: hasColour)
    }

    private func jobTable(_ count: Int, now: Timestamp, _ hasColour: Bool) -> String {
        var table = Table([
            .init("JOB", isRightAligned: true), .init("NAME"), .init("USER"), .init("TASKS", isRightAligned: true),
            .init("CPUS", isRightAligned: true), .init("MEMORY", isRightAligned: true), .init("DEVICES", isRightAligned: true),
            .init("RUNNING", isRightAligned: true),
        ])
        for job in jobs.prefix(count) {
            let held = held(by: job)
            table.append([
                .init(job["id"]?.text ?? "-"), .init(job["name"]?.text ?? "-"), .init(job["user"]?.text ?? "-"),
                .init(JobsCommand.tasks(job["tasks"])), .init(Humanized.cores(milli: held.cpuMilli)),
                .init(Humanized.bytes(held.memoryBytes)),
                .init(held.shareMilli > 0 ? Humanized.milli(held.shareMilli) : "-"),
                .init(Instants.elapsed(job["startedAt"], nil, now: now)),
            ])
        }
        return table.text(isWide: false, hasColour: hasColour)
    }

    /// What the live tasks of a job hold: its gangs are all alike.
    private func held(by job: JSONValue) -> (cpuMilli: Int64, memoryBytes: Int64, shareMilli: Int64) {
        var gang: (tasks: Int64, cpuMilli: Int64, memoryBytes: Int64, shareMilli: Int64) = (0, 0, 0, 0)
        for group in job["groups"]?.items ?? [] {
            let (count, resources) = (group["count"]?.integer ?? 1, group["resources"])
            gang.tasks += count
            gang.cpuMilli += count * (resources?["cpuMilli"]?.integer ?? 0)
            gang.memoryBytes += count * (resources?["memoryBytes"]?.integer ?? 0)
            let devices = resources?["devices"]
            gang.shareMilli += count * (devices?["count"]?.integer ?? 0) * (devices?["shareMilli"]?.integer ?? 0)
        }
        let live = ["starting", "running", "stopping"].reduce(0) { $0 + (job["tasks"]?[$1]?.integer ?? 0) }
        guard gang.tasks > 0 else { return (0, 0, 0) }
        func part(_ amount: Int64) -> Int64 { amount / gang.tasks * live + amount % gang.tasks * live / gang.tasks }
        return (part(gang.cpuMilli), part(gang.memoryBytes), part(gang.shareMilli))
    }
}
