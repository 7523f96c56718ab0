import ClusterModel
import ClusterPorts
import Telemetry

/// Nodes as metrics show them: sums for real and simulated ones apart, and a few figures of each.
struct NodeFigures {
    private struct Room {
        var cpuMilli: Int64 = 0
        var cpuMilliAllocated: Int64 = 0
        var memoryBytes: Int64 = 0
        var memoryBytesAllocated: Int64 = 0
    }

    fileprivate struct DeviceType: Hashable, Comparable {
        var kind: String
        var model: String
        var isSimulated: Bool

        static func < (left: Self, right: Self) -> Bool {
            (left.kind, left.model, left.isSimulated ? 1 : 0) < (right.kind, right.model, right.isSimulated ? 1 : 0)
        }
    }

    private struct Node {
        var name: String
        var state: NodeView.State
        var liveAttempts: Int
        var load: NodeLoad?
    }

    private var nodes: [Node] = []
    private var states: [NodeView.State: Int] = [:]
    private var real = Room()
    private var simulated = Room()
    private var devices: [DeviceType: (count: Int, shareMilli: Int64)] = [:]

    mutating func add(_ view: NodeView, _ load: NodeLoad?) {
        nodes.append(Node(name: view.name, state: view.state, liveAttempts: view.liveAttempts.count, load: load))
        states[view.state, default: 0] += 1
        guard let inventory = view.inventory else { return }
        var room = inventory.isSimulated ? simulated : real
        room.cpuMilli += inventory.cpuMilli
        room.cpuMilliAllocated += view.cpuMilliAllocated
        room.memoryBytes += inventory.memoryBytes
        room.memoryBytesAllocated += view.memoryBytesAllocated
        if inventory.isSimulated { simulated = room } else { real = room }
        for device in view.devices {
            let type = DeviceType(kind: device.device.kind.name, model: device.device.model, isSimulated: inventory.isSimulated)
            let sum = devices[type] ?? (0, 0)
            devices[type] = (sum.count + 1, sum.shareMilli + device.shareMilliAllocated)
        }
    }

    func write(to text: inout MetricsText) {
        text.family(EngineMetrics.nodes) { samples in
            for state in NodeView.State.allCases { samples.add(states[state] ?? 0, ("state", state.rawValue)) }
        }
        writeRoom(to: &text)
        let types = devices.keys.sorted()
        text.family(EngineMetrics.devices) { samples in
            for type in types { samples.add(devices[type]?.count ?? 0, type.labels[0], type.labels[1], type.labels[2]) }
        }
        text.family(EngineMetrics.devicesAllocated) { samples in
            for type in types {
                samples.add(Double(devices[type]?.shareMilli ?? 0) / 1000, type.labels[0], type.labels[1], type.labels[2])
            }
        }
        text.family(EngineMetrics.nodeState) { samples in
            for node in nodes { samples.add(1, ("node", node.name), ("state", node.state.rawValue)) }
        }
        text.family(EngineMetrics.nodeLiveAttempts) { samples in
            for node in nodes { samples.add(node.liveAttempts, ("node", node.name)) }
        }
        text.family(EngineMetrics.nodeCPU) { samples in
            for node in nodes { if let load = node.load { samples.add(Double(load.cpuMilliUsed) / 1000, ("node", node.name)) } }
        }
        text.family(EngineMetrics.nodeMemory) { samples in
            for node in nodes { if let load = node.load { samples.add(load.memoryBytesUsed, ("node", node.name)) } }
        }
        text.family(EngineMetrics.nodeWorkFree) { samples in
            for node in nodes { if let load = node.load { samples.add(load.workBytesFree, ("node", node.name)) } }
        }
    }

    private func writeRoom(to text: inout MetricsText) {
        let rooms = [("false", real), ("true", simulated)]
        text.family(EngineMetrics.cpu) { samples in
            for (mark, room) in rooms { samples.add(Double(room.cpuMilli) / 1000, ("simulated", mark)) }
        }
        text.family(EngineMetrics.cpuAllocated) { samples in
            for (mark, room) in rooms { samples.add(Double(room.cpuMilliAllocated) / 1000, ("simulated", mark)) }
        }
        text.family(EngineMetrics.memory) { samples in
            for (mark, room) in rooms { samples.add(room.memoryBytes, ("simulated", mark)) }
        }
        text.family(EngineMetrics.memoryAllocated) { samples in
            for (mark, room) in rooms { samples.add(room.memoryBytesAllocated, ("simulated", mark)) }
        }
    }
}

extension NodeFigures.DeviceType {
    fileprivate var labels: [MetricsText.Label] { [("kind", kind), ("model", model), ("simulated", isSimulated ? "true" : "false")] }
}
