/// Nodes for people.
enum NodeTable {
    static func table(of nodes: [JSONValue]) -> Table {
        var table = Table([
            .init("NAME"), .init("STATE"), .init("CPUS", isRightAligned: true), .init("MEMORY", isRightAligned: true),
            .init("DEVICES", isRightAligned: true),
            .init("JOBS", isRightAligned: true), .init("ADDRESS", isWide: true), .init("CENTER", isWide: true),
            .init("POOL", isWide: true), .init("SIMULATED", isWide: true),
            .init("LABELS", isWide: true),
        ])
        for node in nodes {
            let state = node["state"]?.text ?? "-"
            let labels = (node["labels"]?.members ?? []).map { "\($0.name)=\($0.value.scalarText ?? "")" }.joined(separator: ",")
            table.append([
                .init(node["name"]?.text ?? "-"), .init(state, tint: Tint(state: state)), .init(cpus(node)), .init(memory(node)),
                .init(devices(node)),
                .init(node["liveAttemptCount"]?.scalarText ?? "-"),
                .init(node["address"]?.text ?? "-"), .init(node["center"]?.text ?? "-"), .init(node["pool"]?.text ?? "-"),
                .init(node["simulated"]?.flag == true ? "yes" : "no"), .init(labels.isEmpty ? "-" : labels),
            ])
        }
        return table
    }

    /// `3.5/16`: in use of all.
    static func cpus(_ node: JSONValue) -> String {
        guard let total = node["cpuMilli"]?.integer else { return "-" }
        return Humanized.cores(milli: node["cpuMilliAllocated"]?.integer ?? 0) + "/" + Humanized.cores(milli: total)
    }

    /// `2.5/8`: in use of all.
    static func devices(_ node: JSONValue) -> String {
        guard let count = node["deviceCount"]?.integer, count > 0 else { return "-" }
        return Humanized.milli(node["deviceShareMilliAllocated"]?.integer ?? 0) + "/\(count)"
    }

    private static func drain(_ node: JSONValue) -> String? {
        guard let drain = node["drain"], drain.members != nil else { return nil }
        if drain["done"]?.flag == true { return "nothing is left there" }
        return drain["deadline"]?.text.map { "what still runs is stopped at \($0)" } ?? "what still runs is waited for"
    }

    /// What may still be held there by attempts that have ended for the cluster.
    private static func leftBehind(_ node: JSONValue) -> String? {
        guard let count = node["dirtyAttemptCount"]?.integer, count > 0 else { return nil }
        let names = (node["dirtyAttempts"]?.items ?? []).compactMap(\.text)
        return "what \(names.isEmpty ? "\(count) attempts" : names.joined(separator: ", ")) held is not free before the node says so"
    }

    static func memory(_ node: JSONValue) -> String {
        guard let total = node["memoryBytes"]?.integer else { return "-" }
        return Humanized.bytes(node["memoryBytesAllocated"]?.integer ?? 0) + " / " + Humanized.bytes(total)
    }

    static func description(of node: JSONValue, devices: [JSONValue], hasColour: Bool) -> String {
        let field = { (name: String) in node[name]?.scalarText }
        let labels = (node["labels"]?.members ?? []).map { "\($0.name)=\($0.value.scalarText ?? "")" }.joined(separator: ", ")
        // A simulated node has no tree: nothing is said rather than noughts.
        let topology = (node["topology"]?.members ?? []).compactMap { member in
            member.value.integer.map { $0 > 0 ? "\($0) \(member.name)" : "" } ?? member.value.text
        }.filter { !$0.isEmpty }.joined(separator: ", ")
        let taints = (node["taints"]?.items ?? []).compactMap(\.text)
        var output = Facts.text([
            ("Node", field("name")), ("Id", field("id")), ("State", field("state")), ("Address", field("address")),
            ("Drain", drain(node)), ("Center", field("center")), ("Pool", field("pool")), ("CPUs in use", cpus(node)),
            ("Memory in use", memory(node)),
            ("Topology", topology.isEmpty ? nil : topology), ("Labels", labels.isEmpty ? nil : labels),
            ("Taints", taints.isEmpty ? nil : taints.joined(separator: ", ")),
            ("Condition", field("condition").flatMap { $0 == "good" ? nil : $0 + ": no new work" }), ("Left behind", leftBehind(node)),
            ("Simulated", node["simulated"]?.flag == true ? "yes" : nil),
        ])
        guard !devices.isEmpty else { return output }
        var table = Table([
            .init("DEVICE", isRightAligned: true), .init("KIND"), .init("MODEL"), .init("MEMORY", isRightAligned: true),
            .init("SHARE IN USE", isRightAligned: true), .init("MEMORY IN USE", isRightAligned: true), .init("NUMA", isRightAligned: true),
            .init("SWITCH", isRightAligned: true), .init("LINKED", isRightAligned: true), .init("CU", isRightAligned: true),
            .init("PCI"),
        ])
        for device in devices {
            table.append([
                .init(device["index"]?.scalarText ?? "-"), .init(device["kind"]?.text ?? "-"), .init(device["model"]?.text ?? "-"),
                .init(device["memoryBytes"]?.integer.map(Humanized.bytes) ?? "-"),
                .init(Humanized.milli(device["shareMilliAllocated"]?.integer ?? 0)),
                .init(Humanized.bytes(device["memoryBytesAllocated"]?.integer ?? 0)),
                .init(device["numaNode"]?.scalarText ?? "-"), .init(device["pcieSwitch"]?.scalarText ?? "-"),
                .init(device["linkGroup"]?.scalarText ?? "-"),
                .init(ClusterText.worth(device["computeUnitsMilli"], isConfirmed: device["computeUnitsConfirmed"]?.flag)),
                .init(device["pciAddress"]?.text ?? "-"),
            ])
        }
        output += "\n" + table.text(isWide: false, hasColour: hasColour)
        return output
    }
}
