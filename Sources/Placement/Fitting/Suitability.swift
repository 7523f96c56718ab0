// The one predicate, in two steps: what a request means on a kind of node, and whether a room has that free. Nothing
// else in the project decides whether a task fits a node.

public import ClusterModel

/// Why a task does not fit a node, with the numbers that a person wants to see.
public enum Misfit: Error, Hashable, Sendable {
    case outOfService(Outage)
    /// Only jobs that ask for `simulated` go to simulated nodes.
    case simulated
    case constraint(String)
    case cpu(requested: Int64, free: Int64)
    case memory(requested: Int64, free: Int64)
    /// Devices of the kind and model that have enough free, against the number asked for.
    case devices(kind: DeviceKind, requested: UInt32, free: UInt32)
    /// No device of the kind and model is there at all, or none is large enough.
    case noSuchDevice(kind: DeviceKind, model: String)
}

/// The label that jobs name to run on stand-ins, and the taint of simulated nodes.
public let simulatedLabel = "simulated"

/// What one task asks for, and where.
public struct TaskShape: Hashable, Sendable {
    public var resources: ResourceRequest
    public var constraints: [Constraint]

    public init(_ resources: ResourceRequest, _ constraints: [Constraint] = []) {
        self.resources = resources
        self.constraints = constraints
    }

    /// It names nodes, so that equal nodes are not equal to it.
    var namesNodes: Bool { constraints.contains { $0.key == Constraint.nodeKey } }
}

/// What a task would be granted on nodes of one inventory, whatever is free there.
public struct Suitability: Hashable, Sendable {
    let cpuMilli: Int64
    let memoryBytes: Int64
    let devices: DeviceRequest?
    /// By device index; nil: not of the kind or model, or too small. Empty without devices.
    let grants: [DeviceGrant?]

    /// Throws when no amount of free room would do.
    init(of shape: TaskShape, on inventory: NodeInventory) throws(Misfit) {
        if inventory.isSimulated, !shape.constraints.contains(where: { $0.key == simulatedLabel }) { throw .simulated }
        for constraint in shape.constraints where !constraint.isMet(by: inventory) { throw .constraint(constraint.text) }
        cpuMilli = shape.resources.cpuMilli
        memoryBytes = shape.resources.memoryBytes
        devices = shape.resources.devices
        guard let devices else {
            grants = []
            return
        }
        let pattern = GlobPattern(devices.modelPattern)
        grants = inventory.devices.map { device in
            guard device.kind == devices.kind, devices.modelPattern.isEmpty || pattern.matches(device.model) else { return nil }
            return Self.grant(of: device, for: devices)
        }
        guard grants.contains(where: { $0 != nil }) else { throw .noSuchDevice(kind: devices.kind, model: devices.modelPattern) }
    }

    /// What the request means on this device; nil when the device is too small for ever. Share and memory follow from
    /// each other where only one is given: a slice is charged for what it keeps others from using.
    private static func grant(of device: Device, for request: DeviceRequest) -> DeviceGrant? {
        guard request.memoryBytes <= device.memoryBytes else { return nil }
        if request.isWhole { return DeviceGrant(index: device.index, shareMilli: 1000, memoryBytes: device.memoryBytes) }
        var share = request.shareMilli
        if share == 0 {
            let (product, overflow) = request.memoryBytes.multipliedReportingOverflow(by: 1000)
            guard !overflow, device.memoryBytes > 0 else { return nil }
            share = min(1000, (product + device.memoryBytes - 1) / device.memoryBytes)
        }
        let memory = request.memoryBytes > 0 ? request.memoryBytes : device.memoryBytes / 1000 * share
        return DeviceGrant(index: device.index, shareMilli: share, memoryBytes: memory)
    }

    // MARK: Against what is free

    /// nil: it fits. Monotone: more free room never turns a fit into a misfit.
    func misfit(in room: NodeRoom) -> Misfit? {
        guard cpuMilli <= room.cpuMilliFree else { return .cpu(requested: cpuMilli, free: max(room.cpuMilliFree, 0)) }
        guard memoryBytes <= room.memoryBytesFree else { return .memory(requested: memoryBytes, free: max(room.memoryBytesFree, 0)) }
        guard let devices else { return nil }
        var free: UInt32 = 0
        for index in grants.indices where holds(index, room) { free += 1 }
        return free >= devices.count ? nil : .devices(kind: devices.kind, requested: devices.count, free: free)
    }

    /// Whether the device has free what would be granted of it.
    func holds(_ index: Int, _ room: NodeRoom) -> Bool {
        guard let grant = grants[index] else { return false }
        let device = room.devices[index]
        return grant.shareMilli <= device.shareMilliFree && grant.memoryBytes <= device.memoryBytesFree
    }

    /// The devices that a task alone on a slice may go to, of those that are alike only the first; nothing where there is no
    /// choice to make.
    func choices(in room: NodeRoom) -> [Int] {
        guard let devices, devices.count == 1, !devices.isWhole else { return [] }
        var choices: [Int] = []
        for index in grants.indices where holds(index, room) {
            let isNew = !choices.contains {
                room.devices[$0] == room.devices[index] && grants[$0]?.shareMilli == grants[index]?.shareMilli
            }
            if isNew { choices.append(index) }
        }
        return choices
    }

    /// What the task would hold. It must fit.
    ///
    /// Whole devices in index order; slices on the fullest devices that still have room, so that whole ones stay whole.
    /// - Parameter choice: one of `choices`, where there are any.
    func allocation(in room: NodeRoom, choosing choice: Int? = nil) -> Allocation {
        var allocation = Allocation(cpuMilli: cpuMilli, memoryBytes: memoryBytes)
        guard let devices else { return allocation }
        if let choice, let grant = grants[choice] {
            allocation.devices = [grant]
            return allocation
        }
        var candidates = grants.indices.filter { holds($0, room) }
        candidates.sort { (room.devices[$0].shareMilliFree, $0) < (room.devices[$1].shareMilliFree, $1) }
        allocation.devices = candidates.prefix(Int(devices.count)).sorted().compactMap { grants[$0] }
        return allocation
    }
}

extension Constraint {
    static let nodeKey = "node"

    func isMet(by inventory: NodeInventory) -> Bool {
        let value: String?
        switch key {
        case Self.nodeKey: value = inventory.name
        case simulatedLabel: value = inventory.isSimulated ? "true" : nil
        default: value = inventory.labels.first { $0.name == key }?.text
        }
        switch comparison {
        case .present: return value != nil
        case .equals: return value == self.value
        case .differs: return value != self.value
        }
    }
}
