// Nodes that people take to be alike.

public import ClusterModel

/// What a machine has, as one would order it. Nodes of one class may be of several kinds: kernels tell a few MiB more or less.
public struct NodeClass: Hashable, Sendable {
    public struct Devices: Hashable, Sendable {
        public var kind: DeviceKind
        public var model: String
        public var count: UInt32
    }

    /// By model.
    public var devices: [Devices]
    public var cpuMilli: Int64
    public var memoryGibibytes: Int64
    public var isSimulated: Bool

    public init(of inventory: NodeInventory) {
        var counts: [Devices] = []
        for device in inventory.devices {
            if let index = counts.firstIndex(where: { $0.kind == device.kind && $0.model == device.model }) {
                counts[index].count += 1
            } else {
                counts.append(Devices(kind: device.kind, model: device.model, count: 1))
            }
        }
        devices = counts.sorted { ($0.model, $0.kind.rawValue) < ($1.model, $1.kind.rawValue) }
        cpuMilli = inventory.cpuMilli
        memoryGibibytes = (inventory.memoryBytes + 1 << 29) >> 30
        isSimulated = inventory.isSimulated
    }

    /// Such as "8 × NVIDIA H200, 128 cores, 1024 GiB".
    public var text: String {
        let devices = devices.map { "\($0.count) × \($0.model.isEmpty ? $0.kind.name : $0.model)" }
        let amounts = [AmountText.cores(cpuMilli), "\(memoryGibibytes) GiB"]
        return (devices + amounts + (isSimulated ? ["simulated"] : [])).joined(separator: ", ")
    }
}

/// Why the nodes of a class do not hold a task.
public struct NodeClassExplanation: Hashable, Sendable {
    public struct Cause: Hashable, Sendable {
        public var nodes: Int
        public var sentence: String
    }

    public var nodeClass: NodeClass
    public var nodes: Int
    /// Would hold a task.
    public var nodesThatFit: Int
    /// Those that would, were their room not set aside for others.
    public var nodesKeptForOthers: Int
    /// Most nodes first.
    public var causes: [Cause]
}
