import ClusterModel
import Glibc
import Placement
import SimulationKit

/// Tasks of a trace are placed one by one, under one policy after the other.
struct PlacementRun {
    var nodes: String
    var trace: String
    var workload: String?
    var policies: [PlacementPolicy]
    var seed: UInt64
    var churn: Double?
    var placements: String?
    var report: String?
    var chart: String?

    func perform(_ console: Console) throws {
        let nodes = try TraceFile.nodes(nodes)
        let tasks = try TraceFile.tasks(trace)
        if let churn { return try comeAndGo(nodes, tasks, load: churn, console) }
        let workload = try workload.map { try TraceFile.tasks($0).map(\.shape) } ?? []
        var outcomes: [PlacementSimulation.Outcome] = []
        for policy in policies {
            var simulation = PlacementSimulation(nodes: nodes, policy: policy, seed: seed, workload: workload)
            var lines = placements == nil ? nil : PlacementLines()
            let progress = SimulationProgress(name: policy.rawValue, console: console)
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
        console.write(result.table)
    }

    /// Tasks come and go.
    private func comeAndGo(
        _ nodes: [NodeInventory], _ tasks: [PlacementSimulation.Arrival], load: Double, _ console: Console
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
