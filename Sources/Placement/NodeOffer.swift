// What a node has, and what of it is free. Placement, commit, explain and simulation judge the same value.

public import ClusterModel

/// Why a node takes no new work, as the first of them that holds.
public enum Outage: Hashable, Sendable {
    /// Silent, or not registered since the coordinator began to lead.
    case notConnected
    /// Two machines speak with its identity.
    case quarantined
    case cordoned
    /// What it has been told to end may still hold whatever there is.
    case leftovers
    case diskFull
}

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
    /// Why nothing is placed here at the moment; nil: it may.
    public var outage: Outage?

    public init(inventory: NodeInventory, outage: Outage? = nil) {
        self.inventory = inventory
        cpuMilliFree = inventory.cpuMilli
        memoryBytesFree = inventory.memoryBytes
        devices = inventory.devices.map(DeviceRoom.init)
        self.outage = outage
    }

    /// The same node with nothing granted and in service: what it could ever hold.
    public var emptied: NodeOffer { NodeOffer(inventory: inventory) }

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
