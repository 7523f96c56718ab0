import ArgumentParser

struct ClusterCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "cluster", abstract: "Show the cluster's totals.",
        discussion: """
            1 compute unit (CU) is 1 TFLOPS of dense FP16, as the maker states it; --models shows the table, with its sources, and the \
            partitions that models offer. Figures that are not confirmed are marked with ? and count for nothing.

            EXAMPLE: suanpan cluster
            EXAMPLE: suanpan cluster --models
            """)

    @Flag(help: "Show what each model of device is worth, and its partitions.")
    var models = false

    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func perform(in context: CommandContext) async throws {
        let client = try context.client(connection)
        let object = try await client.get(models ? "/v1/compute-units" : "/v1/cluster")
        let hasColour = context.console.hasColour
        let human = { (object: JSONValue) in
            models ? ClusterText.models(object, hasColour: hasColour) : ClusterText.totals(object, hasColour: hasColour)
        }
        context.console.write(Detail(object: object, human: human).text(as: output.format))
    }
}

/// Totals and models for people.
enum ClusterText {
    static func totals(_ cluster: JSONValue, hasColour: Bool) -> String {
        let number = { (name: String) in cluster[name]?.integer ?? 0 }
        var output = Facts.text([
            ("Cluster", cluster["id"]?.text), ("Release", cluster["version"]?.text), ("Time", cluster["time"]?.text),
            ("Outdated", cluster["outdated"]?.flag == true ? "nodes know of a later time than this state: nothing is accepted" : nil),
            ("Nodes", "\(number("nodesReady")) ready of \(number("nodesRegistered"))"),
            ("CPUs", used(number("cpuMilliAllocated"), number("cpuMilliTotal"), Humanized.cores(milli:))),
            ("Memory", used(number("memoryBytesAllocated"), number("memoryBytesTotal"), Humanized.bytes)),
            ("Compute units", used(number("computeUnitsMilliAllocated"), number("computeUnitsMilliTotal"), Humanized.milli)),
            ("Jobs", "\(number("jobsLive")) live, \(number("tasksLive")) tasks running, \(number("tasksQueued")) waiting"),
        ])
        let devices = cluster["devices"]?.items ?? []
        if !devices.isEmpty { output += "\n" + table(of: devices).text(isWide: false, hasColour: hasColour) }
        for total in cluster["queue"]?.items ?? [] {
            output += "\n\(total["tasks"]?.scalarText ?? "0") tasks wait for \(total["reason"]?.text?.replacing("_", with: " ") ?? "?")"
        }
        return cluster["queue"]?.items?.isEmpty == false ? output + "\n" : output
    }

    private static func used(_ part: Int64, _ all: Int64, _ text: (Int64) -> String) -> String { "\(text(part)) of \(text(all)) in use" }

    private static func table(of devices: [JSONValue]) -> Table {
        var table = Table([
            .init("KIND"), .init("MODEL"), .init("IN USE", isRightAligned: true), .init("CU EACH", isRightAligned: true), .init("NODES"),
        ])
        for device in devices {
            table.append([
                .init(device["kind"]?.text ?? "-"), .init(device["model"]?.text.flatMap { $0.isEmpty ? nil : $0 } ?? "unknown"),
                .init("\(Humanized.milli(device["shareMilliAllocated"]?.integer ?? 0))/\(device["count"]?.scalarText ?? "0")"),
                .init(worth(device["computeUnitsMilliEach"], isConfirmed: device["computeUnitsConfirmed"]?.flag)),
                .init(device["simulated"]?.flag == true ? "simulated" : "real"),
            ])
        }
        return table
    }

    /// `989.5`, `280 ?`, `-`.
    static func worth(_ milli: JSONValue?, isConfirmed: Bool?) -> String {
        milli?.integer.map { Humanized.milli($0) + (isConfirmed == true ? "" : " ?") } ?? "-"
    }

    static func models(_ units: JSONValue, hasColour: Bool) -> String {
        var table = Table([
            .init("MODEL"), .init("KIND"), .init("CU", isRightAligned: true), .init("MEMORY", isRightAligned: true), .init("PARTITIONS"),
            .init("SOURCE"),
        ])
        for model in units["models"]?.items ?? [] {
            let templates = (model["templates"]?.items ?? []).compactMap { $0["name"]?.text }
            table.append([
                .init(model["name"]?.text ?? "-"), .init(model["kind"]?.text ?? "-"),
                .init(worth(model["computeUnitsMilli"], isConfirmed: model["confirmed"]?.flag)),
                .init(Humanized.bytes(model["memoryBytes"]?.integer ?? 0)),
                .init(templates.isEmpty ? "-" : templates.joined(separator: " ")),
                .init(model["source"]?.text ?? "-"),
            ])
        }
        return "Table \(units["version"]?.scalarText ?? "?")\n\n" + table.text(isWide: false, hasColour: hasColour)
    }
}
