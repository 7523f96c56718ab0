/// What is asked for and what is held, for people.
enum ResourceText {
    /// `worker ×4: 2 cores, 4 GiB, 1 GPU (*H100*) or 2 GPU (*A100*), rack require: python3 train.py`.
    static func group(_ group: JSONValue) -> String {
        var parts = group["resources"].map(request) ?? []
        if group["resources"]?["spread"]?.flag == true { parts.append("spread") }
        let count = group["count"]?.integer ?? 1
        let command = (group["command"]?.items ?? []).compactMap(\.text).joined(separator: " ")
        let head = (group["name"]?.text ?? "group") + (count > 1 ? " ×\(count)" : "")
        return ([head, parts.joined(separator: ", "), command].filter { !$0.isEmpty }).joined(separator: ": ")
    }

    private static func request(_ resources: JSONValue) -> [String] {
        var parts: [String] = []
        if let milli = resources["cpuMilli"]?.integer { parts.append(cores(milli, whole: resources["wholeCores"]?.flag == true)) }
        if let bytes = resources["memoryBytes"]?.integer { parts.append(Humanized.bytes(bytes)) }
        if let first = resources["devices"] {
            parts.append(([first] + (resources["alternatives"]?.items ?? [])).map(devices).joined(separator: " or "))
        }
        for level in resources["topology"]?.members ?? [] { parts.append("\(level.name) \(level.value.text ?? "")") }
        return parts
    }

    private static func cores(_ milli: Int64, whole: Bool) -> String {
        Humanized.cores(milli: milli) + (whole ? " whole" : "") + (milli == 1000 ? " core" : " cores")
    }

    /// `2 GPU × 0.25 × 7 GiB (*A100*)`, `1 GPU 1g.10gb`, `200 CU`.
    private static func devices(_ devices: JSONValue) -> String {
        let kind = devices["kind"]?.text?.uppercased()
        let units = devices["computeUnitsMilli"]?.integer ?? 0
        var text = units > 0 ? "\(Humanized.milli(units)) CU" : "\(devices["count"]?.scalarText ?? "1") \(kind ?? "device")"
        if units > 0, let kind { text += " of \(kind)" }
        if let template = devices["template"]?.text { text += " \(template)" }
        if let share = devices["shareMilli"]?.integer, share > 0, share < 1000 { text += " × \(Humanized.milli(share))" }
        if let bytes = devices["memoryBytes"]?.integer, bytes > 0 { text += " × \(Humanized.bytes(bytes))" }
        if let model = devices["model"]?.text, !model.isEmpty { text += " (\(model))" }
        return text
    }

    /// `2 cores, 4 GiB, devices 0,1 (pcie), gang in rack`.
    static func allocation(_ allocation: JSONValue?) -> String {
        guard let allocation else { return "-" }
        let processors = (allocation["processors"]?.items ?? []).compactMap(\.integer)
        var parts = [
            cores(allocation["cpuMilli"]?.integer ?? 0, whole: !processors.isEmpty)
                + (processors.isEmpty ? "" : " \(ranges(of: processors))"),
            Humanized.bytes(allocation["memoryBytes"]?.integer ?? 0),
        ]
        let devices = (allocation["devices"]?.items ?? []).map { device in
            let share = device["shareMilli"]?.integer ?? 1000
            let part = device["template"]?.text ?? (share < 1000 ? Humanized.milli(share) : nil)
            return (device["index"]?.scalarText ?? "?") + (part.map { "(\($0))" } ?? "")
        }
        let locality = allocation["locality"]
        if !devices.isEmpty {
            let level = locality?["devices"]?.text.map { " (\($0))" } ?? ""
            parts.append("\(devices.count == 1 ? "device" : "devices") \(devices.joined(separator: ","))\(level)")
        }
        if let level = locality?["gang"]?.text { parts.append(level == "cluster" ? "gang anywhere" : "gang in one \(level)") }
        return parts.joined(separator: ", ")
    }

    /// `0-3,8`: ascending.
    static func ranges(of numbers: [Int64]) -> String {
        var ranges: [(first: Int64, last: Int64)] = []
        for number in numbers {
            if let last = ranges.last, last.last + 1 == number {
                ranges[ranges.count - 1].last = number
            } else {
                ranges.append((number, number))
            }
        }
        return ranges.map { $0.first == $0.last ? "\($0.first)" : "\($0.first)-\($0.last)" }.joined(separator: ",")
    }
}
