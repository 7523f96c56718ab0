// The one predicate, in two steps: what a request means on a kind of node, and whether a room has that free. Nothing
// else in the project decides whether a task fits a node.

public import ClusterModel

/// Why a task does not fit a node, with the numbers that a person wants to see.
public enum Misfit: Error, Hashable, Sendable {
    case outOfService(Outage)
    /// Only jobs that ask for `simulated` go to simulated nodes.
    case simulated
    /// Only jobs whose constraints name the label go there.
    case tainted(String)
    case constraint(String)
    case cpu(requested: Int64, free: Int64)
    case memory(requested: Int64, free: Int64)
    /// Devices of the kind and model that have enough free, against the number asked for.
    case devices(kind: String, requested: UInt32, free: UInt32)
    /// No device of the kind and model is there at all, or none is large enough.
    case noSuchDevice(kind: String, model: String)
    /// No device of the kind and model is divided into such partitions.
    case noSuchTemplate(String)
    /// No devices of one confirmed strength reach so much together.
    case computeUnits(requestedMilli: Int64, mostMilli: Int64)
    /// Cores that nobody has for himself.
    case wholeCores(requested: Int64, free: Int64)
    /// Enough devices, or cores, have room, but not so near to each other.
    case topology(TopologyLevel)
}

/// The label that jobs name to run on stand-ins, and the taint of simulated nodes.
public let simulatedLabel = "simulated"

/// What one task asks for, and where. It has its devices in one way: alternatives are shapes of their own.
public struct TaskShape: Hashable, Sendable {
    public var resources: ResourceRequest
    public var constraints: [Constraint]

    public init(_ resources: ResourceRequest, _ constraints: [Constraint] = []) {
        self.resources = resources
        self.constraints = constraints
    }

    /// It tells nodes apart that are equal otherwise, so that equal nodes are not equal to it.
    var namesNodes: Bool { !placeConstraints.isEmpty }
    var placeConstraints: [Constraint] { constraints.filter { Constraint.keysOfPlaces.contains($0.key) } }
    var withoutPlaces: TaskShape { TaskShape(resources, constraints.filter { !Constraint.keysOfPlaces.contains($0.key) }) }
}

/// What a task would be granted on nodes of one inventory, whatever is free there.
public struct Suitability: Sendable {
    let cpuMilli: Int64
    let memoryBytes: Int64
    let devices: DeviceChoice?
    /// nil: any time on any core will do.
    let cores: CoreChoice?

    /// Throws when no amount of free room would do.
    init(of shape: TaskShape, on inventory: NodeInventory) throws(Misfit) {
        try inventory.admit(shape.constraints)
        memoryBytes = shape.resources.memoryBytes
        cpuMilli = CoreChoice.granted(shape.resources, on: inventory)
        guard let request = shape.resources.devices else {
            devices = nil
            cores = try CoreChoice(for: shape.resources, on: inventory)
            return
        }
        // Bound to a NUMA node, the request means something on each of them: here only whether it could mean anything.
        let isBound = CoreChoice.isBound(shape.resources)
        let choice = try DeviceChoice(of: request, isBound ? .indifferent : shape.resources.topology, on: inventory)
        cores = try CoreChoice(for: shape.resources, on: inventory)
        devices = isBound ? nil : choice
    }

    /// nil: it fits. Monotone: more free room never turns a fit into a misfit.
    func misfit(in room: NodeRoom) -> Misfit? {
        guard cpuMilli <= room.cpuMilliFree else { return .cpu(requested: cpuMilli, free: max(room.cpuMilliFree, 0)) }
        guard memoryBytes <= room.memoryBytesFree else { return .memory(requested: memoryBytes, free: max(room.memoryBytesFree, 0)) }
        if let cores, let misfit = cores.misfit(in: room) { return misfit }
        return devices?.misfit(in: room)
    }

    /// More tasks than this do not fit, whatever the order in which they come: a bound, and cheap.
    func mostTasks(in room: NodeRoom) -> Int64 {
        guard misfit(in: room) == nil else { return 0 }
        let amounts = min(room.cpuMilliFree / max(cpuMilli, 1), room.memoryBytesFree / max(memoryBytes, 1))
        return min(amounts, devices?.mostTasks(in: room) ?? .max)
    }

    /// The devices that a task alone on a slice may go to, of those that are alike only the first; nothing where there is no
    /// choice to make.
    func choices(in room: NodeRoom) -> [Int] { cores?.isBound ?? false ? [] : devices?.choices(in: room) ?? [] }

    /// What the task would hold. It must fit.
    ///
    /// - Parameter choice: one of `choices`, where there are any.
    func allocation(in room: NodeRoom, choosing choice: Int? = nil) -> Allocation {
        var allocation = Allocation(cpuMilli: cpuMilli, memoryBytes: memoryBytes)
        if let cores, cores.isBound {
            cores.bind(&allocation, in: room)
            return allocation
        }
        if let devices { (allocation.devices, allocation.locality.devices) = devices.grants(in: room, choosing: choice) }
        if let cores { cores.reserve(&allocation, near: devices?.numaNode(of: allocation.devices), in: room) }
        return allocation
    }
}

extension NodeInventory {
    /// Throws where taints or constraints keep a task out, whatever it asks for.
    func admit(_ constraints: [Constraint]) throws(Misfit) {
        if isSimulated, !constraints.contains(where: { $0.key == simulatedLabel }) { throw .simulated }
        for taint in taints where !constraints.contains(where: { $0.names(taint) }) { throw .tainted(taint) }
        for constraint in constraints where !constraint.isMet(by: self) { throw .constraint(constraint.text) }
    }

    /// Whether tasks of the group may be on the node, as far as taints and constraints go.
    public func admits(_ group: RequestClass.Group) -> Bool {
        do throws(Misfit) { try admit(group.constraints) } catch { return false }
        return true
    }
}

extension Constraint {
    static let nodeKey = "node"
    /// What differs between nodes that are equal otherwise.
    static let keysOfPlaces: Set<String> = [nodeKey, NodeMembership.rackLabel, NodeMembership.blockLabel]

    /// A taint is the key of a label, or a whole `KEY=VALUE`.
    func names(_ taint: String) -> Bool {
        comparison != .differs && (key == taint || comparison == .equals && taint == "\(key)=\(value)")
    }

    /// The constraint of whoever may go where the taint is.
    init(naming taint: String) {
        let parts = taint.split(separator: "=", maxSplits: 1).map(String.init)
        self =
            parts.count == 2
            ? Constraint(key: parts[0], comparison: .equals, value: parts[1]) : Constraint(key: taint, comparison: .present)
    }

    func isMet(by inventory: NodeInventory) -> Bool {
        let value: String?
        switch key {
        case Self.nodeKey: value = inventory.name
        case simulatedLabel: value = inventory.isSimulated ? "true" : nil
        default: value = inventory.labels.first { $0.name == key }?.text ?? (inventory.taints.contains(key) ? "true" : nil)
        }
        switch comparison {
        case .present: return value != nil
        case .equals: return value == self.value
        case .differs: return value != self.value
        case .isOneOf: return value.map { value in self.value.split(separator: "|").contains { $0 == value } } ?? false
        }
    }
}
