// Which processors of a node a task could have for itself, or be bound to.

import ClusterModel

/// What whole cores, and cores near the devices, mean on nodes of one inventory. Never changes.
final class CoreChoice: Sendable {
    /// A NUMA node, and the devices that the task could have there.
    private struct Domain: Sendable {
        var node: NUMANode
        /// nil: the task has none.
        var devices: DeviceChoice?
    }

    private let cpuMilli: Int64
    private let isWhole: Bool
    /// Cores and devices are of one NUMA node.
    let isBound: Bool
    private let domains: [Domain]

    /// nil: any time on any core will do. Throws when no amount of free room would do.
    init?(for resources: ResourceRequest, on inventory: NodeInventory) throws(Misfit) {
        isBound = Self.isBound(resources)
        isWhole = resources.hasWholeCores
        guard isWhole || isBound else { return nil }
        cpuMilli = Self.granted(resources, on: inventory)
        var domains: [Domain] = []
        for node in inventory.numaNodes {
            guard isBound, let request = resources.devices else {
                domains.append(Domain(node: node, devices: nil))
                continue
            }
            let devices = try? DeviceChoice(of: request, resources.topology, on: inventory, near: node.osIndex)
            if let devices { domains.append(Domain(node: node, devices: devices)) }
        }
        self.domains = domains
        let most = domains.map { Int64($0.node.processors.count) * 1000 }
        if isBound, !most.contains(where: { cpuMilli <= $0 }) { throw .topology(.numa) }
        let all = most.reduce(0, +)
        if isWhole, all < cpuMilli { throw .wholeCores(requested: cpuMilli / 1000, free: all / 1000) }
    }

    static func isBound(_ resources: ResourceRequest) -> Bool { resources.topology.wish(for: .numa) == .require }

    /// Whole cores are whole: a core whose threads two tasks share is nobody's own, so what is asked for is rounded up to it.
    static func granted(_ resources: ResourceRequest, on inventory: NodeInventory) -> Int64 {
        guard resources.hasWholeCores, let threads = inventory.numaNodes.map(\.threadsPerCore).max() else { return resources.cpuMilli }
        let core = Int64(threads) * 1000
        return (resources.cpuMilli + core - 1) / core * core
    }

    // MARK: Against what is free

    func misfit(in room: NodeRoom) -> Misfit? {
        if isBound { return domains.contains { holds($0, room) } ? nil : .topology(.numa) }
        let free = domains.reduce(Int64(0)) { $0 + Int64(wholeCoresFree($1.node, room)) }
        return free * 1000 >= cpuMilli ? nil : .wholeCores(requested: cpuMilli / 1000, free: free)
    }

    private func holds(_ domain: Domain, _ room: NodeRoom) -> Bool {
        let free = isWhole ? Int64(wholeCoresFree(domain.node, room)) * 1000 : Self.milliFree(domain.node, room)
        return cpuMilli <= free && domain.devices?.misfit(in: room) == nil
    }

    /// What is not taken of the node's cores. What is bound to no node can always be elsewhere, as long as all together fit.
    private static func milliFree(_ node: NUMANode, _ room: NodeRoom) -> Int64 {
        let taken = room.processorsTaken.isEmpty ? 0 : node.processors.count(where: room.processorsTaken.contains)
        let bound = room.bound.first { $0.numaNode == node.osIndex }?.cpuMilli ?? 0
        return Int64(node.processors.count - taken) * 1000 - bound
    }

    /// Processing units, as many as whole cores have. Cores are taken whole, so those that are free are whole as well.
    private func wholeCoresFree(_ node: NUMANode, _ room: NodeRoom) -> Int {
        let threads = Int(node.threadsPerCore)
        return Int(max(0, Self.milliFree(node, room)) / 1000) / threads * threads
    }

    // MARK: What is granted

    /// Where it fits, on the NUMA node with the least left.
    func bind(_ allocation: inout Allocation, in room: NodeRoom) {
        let fitting = domains.filter { holds($0, room) }
        guard let domain = fitting.min(by: { Self.milliFree($0.node, room) < Self.milliFree($1.node, room) }) else { return }
        allocation.numaNode = domain.node.osIndex
        if let devices = domain.devices { (allocation.devices, allocation.locality.devices) = devices.grants(in: room, choosing: nil) }
        if isWhole { allocation.processors = Self.free(of: domain.node, room).prefix(Int(cpuMilli / 1000)).sorted() }
    }

    /// Whole cores: of one NUMA node where one has enough, that of the devices or else the fullest; of as few as will do otherwise.
    func reserve(_ allocation: inout Allocation, near node: UInt32?, in room: NodeRoom) {
        let count = Int(cpuMilli / 1000)
        let free = domains.map { (node: $0.node, count: wholeCoresFree($0.node, room)) }
        let enough = free.filter { $0.count >= count }
        if let best = enough.first(where: { $0.node.osIndex == node }) ?? enough.min(by: { $0.count < $1.count }) {
            allocation.numaNode = best.node.osIndex
            allocation.processors = Self.free(of: best.node, room).prefix(count).sorted()
            return
        }
        for part in free.sorted(by: { $0.count > $1.count }) {
            allocation.processors += Self.free(of: part.node, room).prefix(min(part.count, count - allocation.processors.count))
        }
        allocation.processors.sort()
    }

    private static func free(of node: NUMANode, _ room: NodeRoom) -> [UInt32] {
        room.processorsTaken.isEmpty ? node.processors : node.processors.filter { !room.processorsTaken.contains($0) }
    }
}
