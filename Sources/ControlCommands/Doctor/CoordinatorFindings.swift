/// What `doctor` learnt of a coordinator.
struct CoordinatorDescription: Hashable, Sendable {
    var url: String
    /// The coordinator's answers; nil when it gave none.
    var cluster: JSONValue?
    var failure: CommandFailure?
    var isReady = true
    var isAdministrator = false
    var nodes: [JSONValue] = []
    var now = Timestamp(seconds: 0)
}

enum CoordinatorFindings {
    private static let clockGapMax: Int64 = 5

    static func all(of coordinator: CoordinatorDescription, version: String) -> [Check] {
        guard let cluster = coordinator.cluster else {
            let failure = coordinator.failure
            return [Check("coordinator", .problem, failure?.message ?? "no answer from \(coordinator.url)", remedy: failure?.remedy)]
        }
        let epoch = cluster["epoch"]?.scalarText.map { ", epoch \($0)" } ?? ""
        var checks = [Check("coordinator", .ok, "coordinator at \(coordinator.url)\(epoch)")]
        if !coordinator.isReady {
            checks.append(Check("coordinator", .problem, "it is starting or stopping, and takes no jobs", remedy: "its log says why"))
        }
        let key = coordinator.isAdministrator ? "the API key is an administrator's" : "the API key is valid, and no administrator's"
        checks.append(Check("key", .ok, key))
        checks.append(self.version(cluster["version"]?.text, version))
        if let time = cluster["time"]?.text.flatMap(Timestamp.init(rfc3339:)) {
            checks.append(clock(coordinator.now.seconds - time.seconds))
        }
        checks.append(nodes(coordinator.nodes))
        return checks
    }

    private static func version(_ theirs: String?, _ ours: String) -> Check {
        guard theirs == ours else {
            return Check(
                "version", .warning, "the coordinator is release \(theirs ?? "unknown"), this program \(ours)",
                remedy: "upgrade the older of the two")
        }
        return Check("version", .ok, "release \(ours), as the coordinator")
    }

    private static func clock(_ gap: Int64) -> Check {
        guard abs(gap) > clockGapMax else { return Check("clock", .ok, "this machine's clock agrees with the coordinator's") }
        let size = Humanized.duration(seconds: abs(gap))
        return Check(
            "clock", .warning, "this machine's clock is \(size) \(gap > 0 ? "ahead of" : "behind") the coordinator's",
            remedy: "synchronise both with NTP")
    }

    private static func nodes(_ nodes: [JSONValue]) -> Check {
        let silent = nodes.filter { $0["state"]?.text != "ready" && $0["state"]?.text != "cordoned" }
        guard !nodes.isEmpty else {
            return Check("nodes", .warning, "no node has joined", remedy: "make a token with `suanpan node token`")
        }
        guard silent.isEmpty else {
            let names = silent.prefix(5).map { "\($0["name"]?.text ?? "?") (\($0["state"]?.text ?? "?"))" }.joined(separator: ", ")
            return Check(
                "nodes", .warning, "\(silent.count) of \(Humanized.count(nodes.count, "node")) not ready: \(names)",
                remedy: "look at their agents: systemctl status suanpan-agent")
        }
        return Check("nodes", .ok, "\(Humanized.count(nodes.count, "node")), all well")
    }
}
