/// Accelerators of one task: whole devices, slices of them, or partitions that their model offers.
public struct DeviceRequest: Hashable, Sendable {
    /// nil: of any kind; only where compute units say how much.
    public var kind: DeviceKind?
    /// Number of devices, all on one node; at least 1, or 0 where compute units say how much.
    public var count: UInt32
    /// Thousandths of each device, 1 … 1000; 1000 is whole and exclusive; 0 when something else says how much: memory alone (the
    /// share charged is then memory over the device's memory, rounded up), a template, or compute units.
    public var shareMilli: Int64
    /// Bytes of device memory of each device; 0 when only `shareMilli` says how much.
    public var memoryBytes: Int64
    /// A `GlobPattern` over device models, such as `*A100*|*H100*`; empty for any.
    public var modelPattern: String
    /// A partition by the name that its model gives it, such as `1g.10gb` or `vir05_1c_8g`; empty for none.
    public var template: String
    /// So much in all, in milli-CU: a slice of one device that has more, whole devices of one strength otherwise. 0: not asked for.
    public var computeUnitsMilli: Int64

    public init(
        kind: DeviceKind?, count: UInt32, shareMilli: Int64 = 1000, memoryBytes: Int64 = 0, modelPattern: String = "",
        template: String = "", computeUnitsMilli: Int64 = 0
    ) {
        self.kind = kind
        self.count = count
        self.shareMilli = shareMilli
        self.memoryBytes = memoryBytes
        self.modelPattern = modelPattern
        self.template = template
        self.computeUnitsMilli = computeUnitsMilli
    }

    /// A partition of each of so many devices.
    public static func partitions(_ template: String, kind: DeviceKind, count: UInt32 = 1, modelPattern: String = "") -> DeviceRequest {
        DeviceRequest(kind: kind, count: count, shareMilli: 0, modelPattern: modelPattern, template: template)
    }

    /// So much strength, on whatever has it.
    public static func computeUnits(milli: Int64, kind: DeviceKind? = nil, modelPattern: String = "") -> DeviceRequest {
        DeviceRequest(kind: kind, count: 0, shareMilli: 0, modelPattern: modelPattern, computeUnitsMilli: milli)
    }

    /// What its kind is called, in fields and sentences.
    public var kindName: String { kind?.name ?? Self.anyKindName }
    /// Of compute units, which devices of any kind have.
    public static let anyKindName = "device"
}

/// What one task needs on one node, and how near to what.
public struct ResourceRequest: Hashable, Sendable {
    public var cpuMilli: Int64
    public var memoryBytes: Int64
    /// The cores are its own: no other task that asks for whole cores gets them, and tasks that start later keep off them.
    public var hasWholeCores: Bool
    /// nil: no devices. Otherwise what is liked best.
    public var devices: DeviceRequest?
    /// What will do instead of `devices`, in the order in which it is liked.
    public var alternatives: [DeviceRequest]
    public var topology: TopologyRequest

    /// Most ways of having devices that one task may name.
    public static let choicesMax = 8

    /// The defaults of the interface: 1 core, 1 GiB, no device.
    public init(
        cpuMilli: Int64 = 1000, memoryBytes: Int64 = 1 << 30, hasWholeCores: Bool = false, devices: DeviceRequest? = nil,
        alternatives: [DeviceRequest] = [], topology: TopologyRequest = .indifferent
    ) {
        self.cpuMilli = cpuMilli
        self.memoryBytes = memoryBytes
        self.hasWholeCores = hasWholeCores
        self.devices = devices
        self.alternatives = alternatives
        self.topology = topology
    }

    /// The same with one way of having devices each, the best liked first: what is tried in turn, and charged as given.
    public var choices: [ResourceRequest] {
        guard !alternatives.isEmpty else { return [self] }
        return ([devices].compactMap(\.self) + alternatives).map { devices in
            ResourceRequest(
                cpuMilli: cpuMilli, memoryBytes: memoryBytes, hasWholeCores: hasWholeCores, devices: devices, topology: topology)
        }
    }
}

/// What an attempt holds of one device.
public struct DeviceGrant: Hashable, Sendable {
    public var index: UInt32
    public var shareMilli: Int64
    public var memoryBytes: Int64
    /// nil: a share of the device, or all of it.
    public var partition: Partition?

    /// A partition of a device, by its template, and where on the device it lies.
    public struct Partition: Hashable, Sendable {
        public var template: String
        /// A bit for each slot of the device that it takes.
        public var slots: UInt64

        public init(template: String, slots: UInt64) {
            self.template = template
            self.slots = slots
        }
    }

    public init(index: UInt32, shareMilli: Int64, memoryBytes: Int64, partition: Partition? = nil) {
        self.index = index
        self.shareMilli = shareMilli
        self.memoryBytes = memoryBytes
        self.partition = partition
    }
}

/// What an attempt holds of one node.
public struct Allocation: Hashable, Sendable {
    public var cpuMilli: Int64
    public var memoryBytes: Int64
    /// Ascending device index.
    public var devices: [DeviceGrant]
    public var locality: Locality
    /// Processing units that are its own, by the operating system's index, ascending; empty unless it asked for whole cores.
    public var processors: [UInt32]
    /// The NUMA node whose processors it is bound to; nil for any.
    public var numaNode: UInt32?

    public init(
        cpuMilli: Int64, memoryBytes: Int64, devices: [DeviceGrant] = [], locality: Locality = .unknown, processors: [UInt32] = [],
        numaNode: UInt32? = nil
    ) {
        self.cpuMilli = cpuMilli
        self.memoryBytes = memoryBytes
        self.devices = devices
        self.locality = locality
        self.processors = processors
        self.numaNode = numaNode
    }
}

/// A condition on a node: `gpu-model=H100`, `zone!=b`, `node=worker-1`, or a bare label that must be there.
public struct Constraint: Hashable, Sendable {
    public enum Operator: UInt8, CanonicalTag, Hashable {
        case present = 1
        case equals = 2
        case differs = 3
        /// One of several values, written `a|b`: what a list of candidate centers becomes.
        case isOneOf = 4
    }

    /// What the candidate centers and the pool of a job, and its need of the internet, ask of each node.
    static func own(of specification: JobSpecification) -> [Constraint] {
        var own: [Constraint] = []
        if !specification.centers.isEmpty {
            let centers = specification.centers.joined(separator: "|")
            own.append(Constraint(key: NodeMembership.centerLabel, comparison: .isOneOf, value: centers))
        }
        if !specification.pool.isEmpty {
            own.append(Constraint(key: NodeMembership.poolLabel, comparison: .equals, value: specification.pool))
        }
        if specification.needsInternet { own.append(Constraint(key: NodeMembership.internetLabel, comparison: .present)) }
        return own
    }

    public static let forms = "LABEL, LABEL=VALUE, LABEL!=VALUE or node=NAME"

    public var key: String
    public var comparison: Operator
    public var value: String

    public init(key: String, comparison: Operator, value: String = "") {
        self.key = key
        self.comparison = comparison
        self.value = value
    }

    public init(parsing text: String) throws(QuantityError) {
        let comparison: Operator = text.contains("!=") ? .differs : text.contains("=") ? .equals : .present
        var key = Substring(text)
        var value = Substring()
        if comparison != .present, let sign = text.firstIndex(where: { $0 == "=" || $0 == "!" }) {
            key = text[..<sign]
            value = text[text.index(sign, offsetBy: comparison == .differs ? 2 : 1)...]
        }
        guard ObjectName.isValid(String(key)), comparison == .present || !value.isEmpty, value.utf8.count <= 253 else {
            throw QuantityError(text: text, expected: Self.forms)
        }
        self.init(key: String(key), comparison: comparison, value: String(value))
    }

    public var text: String {
        switch comparison {
        case .present: key
        case .equals: "\(key)=\(value)"
        case .differs: "\(key)!=\(value)"
        case .isOneOf: "\(key) one of \(value.split(separator: "|").joined(separator: ", "))"
        }
    }
}
