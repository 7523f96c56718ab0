import ArgumentParser
import ClusterModel
import Glibc
import Placement
import SimulationKit

extension SimulateCommand {
    struct Placing: Verb {
        static let configuration = CommandConfiguration(
            commandName: "placement", abstract: "Place the tasks of a trace on nodes, one by one, and say how much is left idle.",
            discussion: """
                Files are CSV, gzip or not. Nodes: sn,cpu_milli,memory_mib,gpu,model. Tasks, in the order of their arrival: \
                name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec, where gpu_milli is the share of each device and gpu_spec the \
                models accepted, as A|B. No task leaves, moves or is tried again. The nodes are shuffled under the seed.

                EXAMPLE: suanpan simulate --nodes nodes.csv --trace tasks.csv --policy suanpan --policy firstfit
                """)

        @Option(help: ArgumentHelp("The nodes.", valueName: "file"))
        var nodes: String
        @Option(help: ArgumentHelp("The tasks.", valueName: "file"))
        var trace: String
        @Option(
            help: ArgumentHelp("Tasks that are expected as often as they are there. Default: learned as tasks come.", valueName: "file"))
        var workload: String?
        @Option(
            help: ArgumentHelp(
                "One of \(PlacementPolicy.allCases.map(\.rawValue).joined(separator: ", ")), or all; may be given again.", valueName: "name"
            ))
        var policy: [String] = ["suanpan"]
        @Option(help: ArgumentHelp("What the nodes' order and every draw follow from.", valueName: "n"))
        var seed: UInt64 = 1
        @Option(
            help: ArgumentHelp(
                "Let tasks come and go for ever instead, asking for this part of all devices at once, such as 0.95.", valueName: "load"))
        var churn: Double?
        @Option(help: ArgumentHelp("Write where each task went, as CSV pod,node,gpus.", valueName: "file"))
        var placements: String?
        @Option(help: ArgumentHelp("Write figures and curves, as JSON.", valueName: "file"))
        var report: String?
        @Option(help: ArgumentHelp("Write a picture of the curves, as SVG.", valueName: "file"))
        var chart: String?

        func perform(in context: CommandContext) async throws {
            let policies = try chosen()
            guard placements == nil || policies.count == 1 else {
                throw CommandFailure(.usage, "--placements is of one policy", remedy: "give --policy once")
            }
            let nodes = try TraceFile.nodes(nodes)
            let tasks = try TraceFile.tasks(trace)
            if let churn { return try comeAndGo(nodes, tasks, policies, load: churn, context.console) }
            let workload = try workload.map { try TraceFile.tasks($0).map(\.shape) } ?? []
            var outcomes: [PlacementSimulation.Outcome] = []
            for policy in policies {
                var simulation = PlacementSimulation(nodes: nodes, policy: policy, seed: seed, workload: workload)
                var lines = placements == nil ? nil : PlacementLines()
                let progress = SimulationProgress(name: policy.rawValue, console: context.console)
                for (index, task) in tasks.enumerated() {
                    let place = simulation.step(task)
                    lines?.append(task.name, place)
                    if index % 256 == 0 { progress.show(Double(index) / Double(tasks.count)) }
                }
                progress.finish()
                outcomes.append(simulation.finish())
                if let placements, let lines { try OutputFile.write(lines.text, to: placements) }
            }
            let result = PlacementReport(outcomes: outcomes)
            if let report { try OutputFile.write(result.json.prettyText + "\n", to: report) }
            if let chart { try OutputFile.write(CurveChart(outcomes: outcomes).svg, to: chart) }
            context.console.write(result.table)
        }

        /// Tasks come and go.
        private func comeAndGo(
            _ nodes: [NodeInventory], _ tasks: [PlacementSimulation.Arrival], _ policies: [PlacementPolicy], load: Double,
            _ console: Console
        ) throws {
            guard (0.01...10).contains(load) else {
                throw CommandFailure(.usage, "--churn \(load): expected a part of all devices from 0.01 to 10")
            }
            guard placements == nil, chart == nil, workload == nil else {
                throw CommandFailure(.usage, "--churn goes with --policy, --seed and --report only")
            }
            let outcomes = policies.map { policy in
                let progress = SimulationProgress(name: policy.rawValue, console: console)
                defer { progress.finish() }
                var simulation = ChurnSimulation(nodes: nodes, tasks: tasks, policy: policy, seed: seed, load: load)
                return simulation.run { progress.show($0) }
            }
            let result = ChurnReport(outcomes: outcomes)
            if let report { try OutputFile.write(result.json.prettyText + "\n", to: report) }
            console.write(result.table)
        }

        private func chosen() throws -> [PlacementPolicy] {
            var policies: [PlacementPolicy] = []
            for name in policy {
                guard name != "all" else { return PlacementPolicy.allCases }
                guard let policy = PlacementPolicy(rawValue: name) else {
                    throw CommandFailure(
                        .usage, "--policy '\(name)' is not known",
                        remedy: "expected \(PlacementPolicy.allCases.map(\.rawValue).joined(separator: ", ")) or all")
                }
                if !policies.contains(policy) { policies.append(policy) }
            }
            return policies
        }
    }
}

/// Where each task went: node `-` if nowhere; devices as `index:milli`, joined by `|`, or `-`.
struct PlacementLines {
    private(set) var text = "pod,node,gpus\n"

    mutating func append(_ name: String, _ place: (node: String, allocation: Allocation)?) {
        let devices = place?.allocation.devices.map { "\($0.index):\($0.shareMilli)" }.joined(separator: "|") ?? ""
        text += "\(name),\(place?.node ?? "-"),\(devices.isEmpty ? "-" : devices)\n"
    }
}

/// A line that is written over while a run lasts; nothing where standard error is no terminal.
struct SimulationProgress {
    private static let width = 30
    var name: String
    var console: Console

    func show(_ part: Double) {
        guard console.errorsIsTerminal else { return }
        let filled = Int(part * Double(Self.width))
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: Self.width - filled)
        console.clearLine()
        console.errors.write(Array("\(name) \(bar) \(Int(part * 100)) %".utf8))
    }

    func finish() { if console.errorsIsTerminal { console.clearLine() } }
}

/// A file that a run writes whole.
enum OutputFile {
    static func write(_ text: String, to path: String) throws {
        guard let file = fopen(path, "w") else { throw CommandFailure(.failed, "\(path): \(String(cString: strerror(errno)))") }
        let isWritten = fputs(text, file) >= 0
        guard fclose(file) == 0, isWritten else { throw CommandFailure(.failed, "\(path): it cannot be written") }
    }
}
