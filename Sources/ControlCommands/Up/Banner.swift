/// What `up` says when everything serves.
enum Banner {
    static func text(url: String, dataDirectory: String, isDefaultDirectory: Bool, nodes: [JSONValue]) -> String {
        let real = nodes.filter { $0["simulated"]?.flag != true }
        let simulated = nodes.filter { $0["simulated"]?.flag == true }
        // Those of an earlier `up`: their places are kept until they are removed.
        let absent = simulated.filter { $0["state"]?.text == "unregistered" || $0["state"]?.text == "unreachable" }
        let present = simulated.count - absent.count
        var lines = ["Suanpan is up at \(url)", "  state  \(dataDirectory)", "  nodes  \(summary(of: real))"]
        if present > 0 { lines.append("         \(present) simulated (\(totals(of: simulated.filter { !absent.contains($0) })))") }
        if !absent.isEmpty { lines.append("         \(absent.count) simulated of an earlier start, not running (--agents N starts N)") }
        lines.append("Try, in another terminal:")
        if !isDefaultDirectory { lines.append("  export SUANPAN_DATA_DIR=\(dataDirectory)") }
        lines.append("  suanpan run -- echo hello")
        lines.append(present > 0 ? "  suanpan submit --constraint simulated --label sim.seconds=60 -- true" : "  suanpan node ls")
        lines.append("Ctrl-C stops the jobs, then the cluster.")
        return lines.map { Printable.line($0) + "\n" }.joined()
    }

    private static func summary(of nodes: [JSONValue]) -> String {
        nodes.count == 1 ? "\(nodes[0]["name"]?.text ?? "1") (\(totals(of: nodes)))" : "\(nodes.count) (\(totals(of: nodes)))"
    }

    private static func totals(of nodes: [JSONValue]) -> String {
        let sum = { (name: String) in nodes.reduce(Int64(0)) { $0 + ($1[name]?.integer ?? 0) } }
        let milli = sum("cpuMilli")
        let devices = sum("deviceCount")
        return "\(Humanized.cores(milli: milli)) \(milli == 1000 ? "CPU" : "CPUs"), \(Humanized.bytes(sum("memoryBytes")))"
            + (devices == 0 ? "" : ", \(Humanized.count(devices, "device"))")
    }
}

/// The end of a daemon's log.
enum LogTail {
    static func lines(of file: String, from offset: Int64, count: Int) -> [String] {
        guard let content = FileContent.read(path: file, limit: 64 << 20) else { return [] }
        let fresh = content.dropFirst(Int(clamping: offset))
        return fresh.split(separator: UInt8(ascii: "\n")).suffix(count).map { String(decoding: $0, as: UTF8.self) }
    }
}
