// How much of what is idle on a node is of no use to the tasks that are expected: the measure of Weng et al., "Beware of
// Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation Gradient Descent", USENIX ATC 2023, section 4.

import ClusterModel

/// The tasks against which fragmentation is measured, on nodes of one kind.
struct FragmentationMeasure: Sendable {
    /// The most frequent shapes that make up this part of all tasks, as in the paper.
    static let share = 0.95

    /// Shapes judged, at most: of more, those at equal steps of the sorted whole stand for all.
    static let shapesMax = 100

    /// What a suitability asks, as plain numbers: this is the innermost loop of all, and whatever is counted costs more there
    /// than what it does. On amounts and devices it must agree with `Suitability.misfit`, and a test compares them; whole cores
    /// and nearness it does not see: it weighs nodes against each other, and never says whether a task fits.
    private struct Item: Sendable {
        var weight: Double
        var cpuMilli: Int64
        var memoryBytes: Int64
        /// Devices asked for; 0: a task without devices.
        var devices: Int
    }

    /// What an item asks of one device.
    private struct Ask: Sendable {
        /// Beyond any device where none would be granted.
        var shareMilli: Int64
        var memoryBytes: Int64
        /// Whether the item could use the device at all, were it free.
        var isReached: Bool
        /// The partition that it asks for, if any.
        var partition: DeviceChoice.Templated?

        /// What partitions have to do with it, looked at only where there are any.
        func suits(_ device: NodeRoom.DeviceRoom) -> Bool {
            guard let partition else { return device.slotsTaken == 0 }
            return device.isWholeOrPartitioned && partition.place(beside: device.slotsTaken) != nil
        }
    }

    private let items: [Item]
    /// By item, then by device.
    private let asks: [Ask]
    private let deviceCount: Int
    /// There are devices that may be divided into partitions.
    private let isPartitioned: Bool

    init(of typical: [(weight: Double, shape: TaskShape, suitability: Suitability?)], on inventory: NodeInventory) {
        deviceCount = inventory.devices.count
        isPartitioned = inventory.devices.contains(where: \.isPartitionable)
        items = typical.map { entry in
            Item(
                weight: entry.weight, cpuMilli: entry.suitability?.cpuMilli ?? .max, memoryBytes: entry.shape.resources.memoryBytes,
                devices: entry.suitability?.devices?.count ?? (entry.shape.resources.devices == nil ? 0 : 1))
        }
        asks = typical.flatMap { entry in
            inventory.devices.map { device in
                let kind = entry.shape.resources.devices?.kind
                let choice = entry.suitability?.devices
                let grant = choice?.grants[Int(device.index)]
                return Ask(
                    shareMilli: grant?.shareMilli ?? .max, memoryBytes: grant?.memoryBytes ?? 0,
                    isReached: kind == nil || device.kind == kind,
                    partition: grant?.partition == nil ? nil : choice?.templates[Int(device.index)])
            }
        }
    }

    /// Expected thousandths of devices that are idle in vain.
    func fragments(in room: NodeRoom) -> Double {
        items.withUnsafeBufferPointer { items in
            asks.withUnsafeBufferPointer { asks in
                room.devices.withUnsafeBufferPointer { devices in
                    var sum = 0.0
                    for index in items.indices {
                        let item = items[index]
                        var (idle, useless, held) = (Int64(0), Int64(0), 0)
                        for device in 0..<deviceCount {
                            let ask = asks[index * deviceCount + device]
                            let free = ask.isReached ? devices[device].shareMilliFree : 0
                            let isEnough =
                                ask.shareMilli <= devices[device].shareMilliFree && ask.memoryBytes <= devices[device].memoryBytesFree
                            let holds = isEnough && (!isPartitioned || ask.suits(devices[device]))
                            idle += free
                            if holds { held += 1 } else { useless += free }
                        }
                        let fits = item.cpuMilli <= room.cpuMilliFree && item.memoryBytes <= room.memoryBytesFree && held >= item.devices
                        sum += item.weight * Double(!fits ? idle : item.devices > 0 ? useless : 0)
                    }
                    return sum
                }
            }
        }
    }
}
