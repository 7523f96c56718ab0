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

/// What is free on a node. Amounts may fall below zero only when an inventory shrank under running work.
public struct NodeRoom: Hashable, Sendable {
    public struct DeviceRoom: Hashable, Sendable {
        /// Thousandths not granted.
        public var shareMilliFree: Int64
        public var memoryBytesFree: Int64
        /// A bit for each slot that a partition takes; 0 on a device that is not divided into partitions now.
        public var slotsTaken: UInt64 = 0

        /// A partition may go there: nothing but partitions is on it.
        var isWholeOrPartitioned: Bool { slotsTaken != 0 || shareMilliFree == 1000 }
    }

    public var cpuMilliFree: Int64
    public var memoryBytesFree: Int64
    /// By device index.
    public var devices: [DeviceRoom]
    /// Processing units that somebody has for himself; ascending.
    public private(set) var processorsTaken: [UInt32] = []
    /// What is bound to NUMA nodes without having processing units of its own; ascending, none without any.
    public private(set) var bound: [BoundCores] = []

    public struct BoundCores: Hashable, Sendable {
        public var numaNode: UInt32
        public var cpuMilli: Int64
    }

    /// All of it.
    public init(of inventory: NodeInventory) {
        cpuMilliFree = inventory.cpuMilli
        memoryBytesFree = inventory.memoryBytes
        devices = inventory.devices.map { DeviceRoom(shareMilliFree: 1000, memoryBytesFree: $0.memoryBytes) }
    }

    public mutating func take(_ allocation: Allocation) { shift(allocation, by: -1) }
    public mutating func give(_ allocation: Allocation) { shift(allocation, by: 1) }

    private mutating func shift(_ allocation: Allocation, by sign: Int64) {
        cpuMilliFree += sign * allocation.cpuMilli
        memoryBytesFree += sign * allocation.memoryBytes
        for grant in allocation.devices where Int(grant.index) < devices.count {
            devices[Int(grant.index)].shareMilliFree += sign * grant.shareMilli
            devices[Int(grant.index)].memoryBytesFree += sign * grant.memoryBytes
            guard let partition = grant.partition else { continue }
            if sign < 0 {
                devices[Int(grant.index)].slotsTaken |= partition.slots
            } else {
                devices[Int(grant.index)].slotsTaken &= ~partition.slots
            }
        }
        if !allocation.processors.isEmpty {
            if sign < 0 {
                processorsTaken = (processorsTaken + allocation.processors).sorted()
            } else {
                processorsTaken.removeAll(where: allocation.processors.contains)
            }
        } else if let node = allocation.numaNode {
            bind(-sign * allocation.cpuMilli, to: node)
        }
    }
}

extension NodeRoom {
    private mutating func bind(_ milli: Int64, to node: UInt32) {
        let place = bound.firstIndex { $0.numaNode >= node } ?? bound.count
        if place == bound.count || bound[place].numaNode != node {
            bound.insert(BoundCores(numaNode: node, cpuMilli: 0), at: place)
        }
        bound[place].cpuMilli += milli
        if bound[place].cpuMilli == 0 { bound.remove(at: place) }
    }
}

/// A node as placement sees it.
public struct NodeOffer: Hashable, Sendable {
    public private(set) var inventory: NodeInventory
    public private(set) var room: NodeRoom
    /// Why nothing is placed here at the moment; nil: it may.
    public var outage: Outage?

    public init(inventory: NodeInventory, outage: Outage? = nil) {
        self.inventory = inventory
        room = NodeRoom(of: inventory)
        self.outage = outage
    }

    /// The same node with nothing granted and in service: what it could ever hold.
    public var emptied: NodeOffer { NodeOffer(inventory: inventory) }

    public mutating func take(_ allocation: Allocation) { room.take(allocation) }
    public mutating func give(_ allocation: Allocation) { room.give(allocation) }

    /// What the task would hold here, having its devices in the first way that can be had, or why it cannot in the way that
    /// it likes best.
    public func fit(_ request: ResourceRequest, _ constraints: [Constraint]) -> Result<Allocation, Misfit> {
        if let outage { return .failure(.outOfService(outage)) }
        var first: Result<Allocation, Misfit>?
        for choice in request.choices {
            let result = fit(one: choice, constraints)
            if case .success = result { return result }
            if first == nil { first = result }
        }
        return first ?? fit(one: request, constraints)
    }

    private func fit(one request: ResourceRequest, _ constraints: [Constraint]) -> Result<Allocation, Misfit> {
        do throws(Misfit) {
            let suitability = try Suitability(of: TaskShape(request, constraints), on: inventory)
            if let misfit = suitability.misfit(in: room) { return .failure(misfit) }
            return .success(suitability.allocation(in: room))
        } catch {
            return .failure(error)
        }
    }
}
