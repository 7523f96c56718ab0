// How much of what is idle on a node is of no use to the tasks that are expected: the measure of Weng et al., "Beware of
// Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation Gradient Descent", USENIX ATC 2023, section 4.

import ClusterModel

/// The tasks against which fragmentation is measured, on nodes of one kind.
struct FragmentationMeasure: Sendable {
    /// The most frequent shapes that make up this part of all tasks, as in the paper.
    static let share = 0.95

    private struct Item: Sendable {
        var weight: Double
        /// nil: the kind of node never holds it.
        var suitability: Suitability?
        /// Which devices it could use at all, by index, were they free; all of them for a task without devices.
        var reach: [Bool]
    }

    private let items: [Item]

    init(of typical: [(weight: Double, shape: TaskShape, suitability: Suitability?)], on inventory: NodeInventory) {
        items = typical.map { entry in
            let kind = entry.shape.resources.devices?.kind
            let reach = inventory.devices.map { kind == nil || $0.kind == kind }
            return Item(weight: entry.weight, suitability: entry.suitability, reach: reach)
        }
    }

    /// Expected thousandths of devices that are idle in vain.
    func fragments(in room: NodeRoom) -> Double {
        var sum = 0.0
        for item in items {
            guard let suitability = item.suitability, suitability.misfit(in: room) == nil else {
                for index in room.devices.indices where item.reach[index] {
                    sum += item.weight * Double(room.devices[index].shareMilliFree)
                }
                continue
            }
            guard suitability.devices != nil else { continue }
            for index in room.devices.indices where item.reach[index] && !suitability.holds(index, room) {
                sum += item.weight * Double(room.devices[index].shareMilliFree)
            }
        }
        return sum
    }
}
