// The one predicate. Nothing else in the project decides whether a task fits a node.

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

extension NodeOffer {
    /// What the task would hold here, or why it cannot.
    ///
    /// Monotone: more free room never turns a fit into a misfit.
    public func fit(_ request: ResourceRequest, _ constraints: [Constraint]) -> Result<Allocation, Misfit> {
        if let outage { return .failure(.outOfService(outage)) }
        if inventory.isSimulated, !constraints.contains(where: { $0.key == simulatedLabel }) { return .failure(.simulated) }
        for constraint in constraints where !satisfies(constraint) { return .failure(.constraint(constraint.text)) }
        guard request.cpuMilli <= cpuMilliFree else {
            return .failure(.cpu(requested: request.cpuMilli, free: max(cpuMilliFree, 0)))
        }
        guard request.memoryBytes <= memoryBytesFree else {
            return .failure(.memory(requested: request.memoryBytes, free: max(memoryBytesFree, 0)))
        }
        var allocation = Allocation(cpuMilli: request.cpuMilli, memoryBytes: request.memoryBytes)
        if let devices = request.devices {
            switch grants(for: devices) {
            case .success(let grants): allocation.devices = grants
            case .failure(let misfit): return .failure(misfit)
            }
        }
        return .success(allocation)
    }

    private func satisfies(_ constraint: Constraint) -> Bool {
        let value: String?
        switch constraint.key {
        case "node": value = inventory.name
        case simulatedLabel: value = inventory.isSimulated ? "true" : nil
        default: value = inventory.labels.first { $0.name == constraint.key }?.text
        }
        switch constraint.comparison {
        case .present: return value != nil
        case .equals: return value == constraint.value
        case .differs: return value != constraint.value
        }
    }

    /// Whole devices in index order; slices on the fullest device that still has room, so that whole ones stay whole.
    private func grants(for request: DeviceRequest) -> Result<[DeviceGrant], Misfit> {
        let pattern = GlobPattern(request.modelPattern)
        var candidates: [(room: DeviceRoom, grant: DeviceGrant)] = []
        var couldEver = 0
        for room in devices where room.device.kind == request.kind && (request.modelPattern.isEmpty || pattern.matches(room.device.model)) {
            guard let grant = Self.grant(of: room.device, for: request) else { continue }
            couldEver += 1
            if grant.shareMilli <= room.shareMilliFree, grant.memoryBytes <= room.memoryBytesFree { candidates.append((room, grant)) }
        }
        guard couldEver > 0 else { return .failure(.noSuchDevice(kind: request.kind, model: request.modelPattern)) }
        guard candidates.count >= Int(request.count) else {
            return .failure(.devices(kind: request.kind, requested: request.count, free: UInt32(candidates.count)))
        }
        candidates.sort { ($0.room.shareMilliFree, $0.room.device.index) < ($1.room.shareMilliFree, $1.room.device.index) }
        let chosen = candidates.prefix(Int(request.count)).map(\.grant)
        return .success(chosen.sorted { $0.index < $1.index })
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
}
