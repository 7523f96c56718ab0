// Which devices of a node a task could have, and which of them it takes.

import ClusterModel

/// What a request for devices means on nodes of one inventory. Never changes; a reference, for the search passes it around a lot.
final class DeviceChoice: Sendable {
    /// Devices that a task takes.
    let count: Int
    /// By device index; nil: not of the kind or model, or too small. Partitions are without their place.
    let grants: [DeviceGrant?]
    /// By device index, where a partition is asked for.
    let templates: [Templated?]
    private let request: DeviceRequest
    /// Sets of devices that are near to each other, those of the tightest level first; all of the node last.
    private let islands: [Island]
    private let numaNodes: [UInt32?]

    /// A partition on a device with so many slots.
    struct Templated: Hashable, Sendable {
        var template: DeviceTemplate
        var slots: UInt32

        func place(beside taken: UInt64) -> UInt64? { template.place(beside: taken, of: slots) }
    }

    /// Devices that have something in common.
    private struct Island: Hashable, Sendable {
        var level: TopologyLevel
        /// Ascending.
        var devices: [Int]
    }

    /// Throws when no amount of free room would do.
    ///
    /// - Parameter near: the NUMA node that they must be near; nil: any.
    init(of request: DeviceRequest, _ topology: TopologyRequest, on inventory: NodeInventory, near node: UInt32? = nil) throws(Misfit) {
        self.request = request
        numaNodes = inventory.devices.map(\.numaNode)
        let pattern = GlobPattern(request.modelPattern)
        let matching = inventory.devices.map { device in
            (node == nil || device.numaNode == node) && (request.kind == nil || device.kind == request.kind)
                && (request.modelPattern.isEmpty || pattern.matches(device.model))
        }
        var templates: [Templated?] = []
        if request.computeUnitsMilli > 0 {
            (count, grants) = try Self.strength(of: request.computeUnitsMilli, inventory.devices, matching)
        } else if !request.template.isEmpty {
            templates = zip(inventory.devices, matching).map { $1 ? Self.templated($0, by: request.template) : nil }
            count = Int(request.count)
            grants = zip(inventory.devices, templates).map { device, found in found.map { Self.grant(of: device, $0) } }
            guard grants.contains(where: { $0 != nil }) else { throw .noSuchTemplate(request.template) }
        } else {
            count = Int(request.count)
            grants = zip(inventory.devices, matching).map { $1 ? Self.grant(of: $0, for: request) : nil }
        }
        self.templates = templates
        islands = count > 1 ? try Self.islands(of: inventory.devices, grants, count, topology) : []
        guard grants.contains(where: { $0 != nil }) else { throw .noSuchDevice(kind: request.kindName, model: request.modelPattern) }
    }

    /// It takes parts of devices.
    var isSliced: Bool { grants.contains { $0.map { $0.shareMilli < 1000 || $0.partition != nil } ?? false } }

    // MARK: What is asked of a device

    /// What the request means on this device; nil when the device is too small for ever. Share and memory follow from
    /// each other where only one is given: a slice is charged for what it keeps others from using.
    private static func grant(of device: Device, for request: DeviceRequest) -> DeviceGrant? {
        guard request.memoryBytes <= device.memoryBytes else { return nil }
        if request.shareMilli == 1000 { return DeviceGrant(index: device.index, shareMilli: 1000, memoryBytes: device.memoryBytes) }
        var share = request.shareMilli
        if share == 0 {
            let (product, overflow) = request.memoryBytes.multipliedReportingOverflow(by: 1000)
            guard !overflow, device.memoryBytes > 0 else { return nil }
            share = min(1000, (product + device.memoryBytes - 1) / device.memoryBytes)
        }
        let memory = request.memoryBytes > 0 ? request.memoryBytes : device.memoryBytes / 1000 * share
        return DeviceGrant(index: device.index, shareMilli: share, memoryBytes: memory)
    }

    private static func templated(_ device: Device, by name: String) -> Templated? {
        guard device.isPartitionable, let partitioning = DeviceModelTable.nominal.lookup(device: device)?.partitioning,
            let template = partitioning.templates.first(where: { $0.name == name })
        else { return nil }
        return Templated(template: template, slots: partitioning.slots)
    }

    private static func grant(of device: Device, _ found: Templated) -> DeviceGrant {
        DeviceGrant(
            index: device.index, shareMilli: found.template.shareMilli,
            memoryBytes: device.memoryBytes / Int64(found.slots) * Int64(found.template.slots),
            partition: DeviceGrant.Partition(template: found.template.name, slots: 0))
    }

    /// A slice of any device that alone has so much; where none does, whole devices of the model that wastes least. Models whose
    /// strength is not confirmed have none.
    private static func strength(
        of milli: Int64, _ devices: [Device], _ matching: [Bool]
    ) throws(Misfit) -> (count: Int, grants: [DeviceGrant?]) {
        let strengths = zip(devices, matching).map { $1 ? DeviceModelTable.nominal.pricedComputeUnitsMilli(of: $0) ?? 0 : 0 }
        if strengths.contains(where: { $0 >= milli }) {
            return (
                1,
                zip(devices, strengths).map { device, strength in
                    guard strength >= milli else { return nil }
                    // Rounded up: what is granted is never less than what was asked for.
                    let share = (milli * 1000 + strength - 1) / strength
                    let memory = share == 1000 ? device.memoryBytes : device.memoryBytes / 1000 * share
                    return DeviceGrant(index: device.index, shareMilli: share, memoryBytes: memory)
                }
            )
        }
        var best: (strength: Int64, count: Int)?
        for strength in Set(strengths).subtracting([0]).sorted(by: >) {
            let count = Int((milli + strength - 1) / strength)
            guard strengths.count(where: { $0 == strength }) >= count else { continue }
            if best.map({ Int64(count) * strength < Int64($0.count) * $0.strength }) ?? true { best = (strength, count) }
        }
        guard let best else {
            let most = Set(strengths).map { strength in strength * Int64(strengths.count { $0 == strength }) }.max() ?? 0
            throw .computeUnits(requestedMilli: milli, mostMilli: most)
        }
        return (
            best.count,
            zip(devices, strengths).map { device, strength in
                strength == best.strength ? DeviceGrant(index: device.index, shareMilli: 1000, memoryBytes: device.memoryBytes) : nil
            }
        )
    }

    // MARK: What is near

    private static func islands(
        of devices: [Device], _ grants: [DeviceGrant?], _ count: Int, _ topology: TopologyRequest
    ) throws(Misfit) -> [Island] {
        let loosest = topology.requiredInsideNode ?? .node
        let levels = TopologyLevel.allCases.filter { $0 <= loosest && (topology.wish(for: $0) != .none || $0 == .node) }
        let islands = levels.flatMap { level in
            let members = devices.filter { grants[Int($0.index)] != nil }
            let domains = Set(members.compactMap { $0.domain(at: level) }).sorted()
            return domains.map { domain in
                Island(level: level, devices: members.filter { $0.domain(at: level) == domain }.map { Int($0.index) })
            }
        }
        .filter { $0.devices.count >= count }
        if islands.isEmpty, loosest < .node, grants.count(where: { $0 != nil }) >= count { throw .topology(loosest) }
        return islands
    }

    /// The tightest level that holds them all.
    private func level(of chosen: [Int]) -> TopologyLevel {
        islands.filter { island in chosen.allSatisfy(island.devices.contains) }.map(\.level).min() ?? .node
    }

    /// The NUMA node that all of them are near, where there is one.
    func numaNode(of grants: [DeviceGrant]) -> UInt32? {
        let nodes = Set(grants.map { numaNodes[Int($0.index)] })
        return nodes.count == 1 ? nodes.first ?? nil : nil
    }

    // MARK: Against what is free

    func misfit(in room: NodeRoom) -> Misfit? {
        var free = 0
        for index in grants.indices where holds(index, room) { free += 1 }
        guard free >= count else { return .devices(kind: request.kindName, requested: UInt32(count), free: UInt32(free)) }
        guard count > 1, let last = islands.last, last.level < .node else { return nil }
        let isNear = islands.contains { island in island.devices.count(where: { holds($0, room) }) >= count }
        return isNear ? nil : .topology(last.level)
    }

    /// More tasks than this do not find devices, whatever the order in which they come.
    func mostTasks(in room: NodeRoom) -> Int64 {
        var shares: Int64 = 0
        for (index, grant) in grants.enumerated() {
            guard let grant, grant.shareMilli > 0, holds(index, room) else { continue }
            shares += room.devices[index].shareMilliFree / grant.shareMilli
        }
        return shares / Int64(max(count, 1))
    }

    /// Whether the device has free what would be granted of it. A device is divided either into partitions or into shares.
    func holds(_ index: Int, _ room: NodeRoom) -> Bool {
        guard let grant = grants[index] else { return false }
        let device = room.devices[index]
        guard grant.shareMilli <= device.shareMilliFree, grant.memoryBytes <= device.memoryBytesFree else { return false }
        guard grant.partition != nil else { return device.slotsTaken == 0 }
        return device.isWholeOrPartitioned && templates[index]?.place(beside: device.slotsTaken) != nil
    }

    func choices(in room: NodeRoom) -> [Int] {
        guard count == 1, isSliced else { return [] }
        var choices: [Int] = []
        for index in grants.indices where holds(index, room) {
            let isNew = !choices.contains {
                room.devices[$0] == room.devices[index] && grants[$0]?.shareMilli == grants[index]?.shareMilli
            }
            if isNew { choices.append(index) }
        }
        return choices
    }

    /// What the task takes, which must be there. Devices that are near to each other, and leave large islands whole; slices on
    /// the fullest devices that still have room, so that whole ones stay whole; else in index order.
    func grants(in room: NodeRoom, choosing choice: Int?) -> (grants: [DeviceGrant], level: TopologyLevel?) {
        if let choice { return ([placedGrant(choice, room)].compactMap(\.self), nil) }
        var candidates = grants.indices.filter { holds($0, room) }
        if count > 1, let island = tightest(among: candidates) { candidates = island }
        candidates.sort { (room.devices[$0].shareMilliFree, $0) < (room.devices[$1].shareMilliFree, $1) }
        let chosen = candidates.prefix(count).sorted()
        return (chosen.compactMap { placedGrant($0, room) }, count > 1 ? level(of: chosen) : nil)
    }

    /// The candidates of the smallest island that has enough of them; of equal islands, of the one with the fewest left.
    private func tightest(among candidates: [Int]) -> [Int]? {
        var best: (size: Int, members: [Int])?
        for island in islands {
            let members = island.devices.count == grants.count ? candidates : island.devices.filter(candidates.contains)
            guard members.count >= count else { continue }
            if best.map({ (island.devices.count, members.count) < ($0.size, $0.members.count) }) ?? true {
                best = (island.devices.count, members)
            }
        }
        return best?.members
    }

    private func placedGrant(_ index: Int, _ room: NodeRoom) -> DeviceGrant? {
        guard var grant = grants[index], grant.partition != nil else { return grants[index] }
        grant.partition?.slots = templates[index]?.place(beside: room.devices[index].slotsTaken) ?? 0
        return grant
    }
}
