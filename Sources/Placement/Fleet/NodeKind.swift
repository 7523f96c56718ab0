// Nodes that differ only in name and place are of one kind: what a request means on them is worked out once.

import ClusterModel

/// Interned inventories.
struct NodeKindTable: Sendable {
    private(set) var inventories: [NodeInventory] = []
    private var numbers: [NodeInventory: Int] = [:]

    mutating func intern(_ inventory: NodeInventory) -> Int {
        let key = Self.anonymous(inventory)
        if let known = numbers[key] { return known }
        inventories.append(key)
        numbers[key] = inventories.count - 1
        return inventories.count - 1
    }

    private static func anonymous(_ inventory: NodeInventory) -> NodeInventory {
        var key = inventory
        key.name = ""
        key.address = ""
        key.topologyDigest = []
        key.labels.removeAll { Constraint.keysOfPlaces.contains($0.name) }
        for index in key.devices.indices {
            key.devices[index].uuid = ""
            key.devices[index].pciAddress = ""
        }
        return key
    }
}
