// What a node has, and what of it is free. Placement, commit, explain and simulation judge the same value.

public import ClusterModel

/// A node as placement sees it.
public struct NodeOffer: Hashable, Sendable {
    public struct DeviceRoom: Hashable, Sendable {
        public var device: Device
        /// Thousandths not granted.
        public var shareMilliFree: Int64
        public var memoryBytesFree: Int64

        public init(device: Device) {
            self.device = device
            shareMilliFree = 1000
            memoryBytesFree = device.memoryBytes
        }
    }

    public private(set) var inventory: NodeInventory
    public private(set) var cpuMilliFree: Int64
    public private(set) var memoryBytesFree: Int64
    public private(set) var devices: [DeviceRoom]
    /// False while the node is suspect, silent, cordoned or not registered.
    public var acceptsWork: Bool

    public init(inventory: NodeInventory, acceptsWork: Bool) {
        self.inventory = inventory
        cpuMilliFree = inventory.cpuMilli
        memoryBytesFree = inventory.memoryBytes
        devices = inventory.devices.map(DeviceRoom.init)
        self.acceptsWork = acceptsWork
    }

    /// The same node with nothing granted and in service: what it could ever hold.
    public var emptied: NodeOffer { NodeOffer(inventory: inventory, acceptsWork: true) }

    public mutating func take(_ allocation: Allocation) { shift(allocation, by: -1) }
    public mutating func give(_ allocation: Allocation) { shift(allocation, by: 1) }

    /// Amounts may fall below zero only when an inventory shrank under running work.
    private mutating func shift(_ allocation: Allocation, by sign: Int64) {
        cpuMilliFree += sign * allocation.cpuMilli
        memoryBytesFree += sign * allocation.memoryBytes
        for grant in allocation.devices where Int(grant.index) < devices.count {
            devices[Int(grant.index)].shareMilliFree += sign * grant.shareMilli
            devices[Int(grant.index)].memoryBytesFree += sign * grant.memoryBytes
        }
    }
}
