import Placement
import SimulationKit

/// What runs of one trace came to, side by side.
struct PlacementReport {
    var outcomes: [PlacementSimulation.Outcome]

    var table: String {
        var table = Table([
            .init("POLICY"), .init("PLACED", isRightAligned: true), .init("NOT PLACED", isRightAligned: true),
            .init("IDLE AT 100 %", isRightAligned: true), .init("DEVICES", isRightAligned: true), .init("CPU", isRightAligned: true),
            .init("MEMORY", isRightAligned: true),
        ])
        for outcome in outcomes {
            table.append([
                .init(outcome.policy.rawValue), .init("\(outcome.placed)"), .init("\(outcome.tasks - outcome.placed)"),
                .init(outcome.unallocatedPercentAtFull.map { Decimals.text($0, 2) + " %" } ?? "-"),
                .init(Decimals.text(outcome.allocatedPercent, 2) + " %"), .init(Decimals.text(outcome.cpuAllocatedPercent, 2) + " %"),
                .init(Decimals.text(outcome.memoryAllocatedPercent, 2) + " %"),
            ])
        }
        return table.text(isWide: false, hasColour: false)
    }

    var json: JSONValue {
        .object(
            JSONObject([
                .init(name: "schema", value: "suanpan.placement-simulation.v1"),
                .init(name: "runs", value: .array(outcomes.map(Self.json))),
            ]))
    }

    private static func json(_ outcome: PlacementSimulation.Outcome) -> JSONValue {
        .object(
            JSONObject([
                .init(name: "policy", value: .string(outcome.policy.rawValue)),
                .init(name: "seed", value: .integer(outcome.seed)),
                .init(name: "nodes", value: .integer(outcome.nodes)),
                .init(name: "devices", value: .integer(outcome.devices)),
                .init(name: "tasks", value: .integer(outcome.tasks)),
                .init(name: "placed", value: .integer(outcome.placed)),
                .init(
                    name: "unallocatedPercentAtFull", value: outcome.unallocatedPercentAtFull.map { .number(Decimals.text($0, 4)) } ?? .null
                ),
                .init(name: "allocatedPercent", value: .number(Decimals.text(outcome.allocatedPercent, 4))),
                .init(name: "cpuAllocatedPercent", value: .number(Decimals.text(outcome.cpuAllocatedPercent, 4))),
                .init(name: "memoryAllocatedPercent", value: .number(Decimals.text(outcome.memoryAllocatedPercent, 4))),
                .init(name: "candidatesExamined", value: .integer(outcome.candidatesExamined)),
                .init(
                    name: "curve",
                    value: .array(
                        outcome.curve.map { sample in
                            .object(
                                JSONObject([
                                    .init(name: "arrivedPercent", value: .number(Decimals.text(sample.arrivedPercent, 3))),
                                    .init(name: "unallocatedPercent", value: .number(Decimals.text(sample.unallocatedPercent, 3))),
                                    .init(name: "fragmentedPercent", value: .number(Decimals.text(sample.fragmentedPercent, 3))),
                                ]))
                        })),
            ]))
    }
}

/// The same of runs in which tasks come and go.
struct ChurnReport {
    var outcomes: [ChurnSimulation.Outcome]

    var table: String {
        var table = Table([
            .init("POLICY"), .init("TASKS", isRightAligned: true), .init("REFUSED", isRightAligned: true),
            .init("DEVICES HELD", isRightAligned: true),
        ])
        for outcome in outcomes {
            table.append([
                .init(outcome.policy.rawValue), .init("\(outcome.tasks)"), .init("\(outcome.refused)"),
                .init(Decimals.text(outcome.allocatedPercent, 2) + " %"),
            ])
        }
        return table.text(isWide: false, hasColour: false)
    }

    var json: JSONValue {
        let runs = outcomes.map { outcome in
            JSONValue.object(
                JSONObject([
                    .init(name: "policy", value: .string(outcome.policy.rawValue)),
                    .init(name: "seed", value: .integer(outcome.seed)),
                    .init(name: "load", value: .number(Decimals.text(outcome.load, 4))),
                    .init(name: "tasks", value: .integer(outcome.tasks)),
                    .init(name: "refused", value: .integer(outcome.refused)),
                    .init(name: "allocatedPercent", value: .number(Decimals.text(outcome.allocatedPercent, 4))),
                ]))
        }
        return .object(JSONObject([.init(name: "schema", value: "suanpan.churn-simulation.v1"), .init(name: "runs", value: .array(runs))]))
    }
}

/// Numbers with a fixed count of decimals.
enum Decimals {
    static func text(_ value: Double, _ places: Int) -> String {
        let scale = (0..<places).reduce(1) { scale, _ in scale * 10 }
        let scaled = Int64((abs(value) * Double(scale)).rounded())
        let digits = String(scaled % Int64(scale))
        let fraction = places > 0 ? "." + String(repeating: "0", count: places - digits.count) + digits : ""
        return (value < 0 && scaled > 0 ? "-" : "") + "\(scaled / Int64(scale))" + fraction
    }
}
