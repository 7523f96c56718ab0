// What a node offers, as its agent found it.

/// The kind of an accelerator; the raw value is its tag in canonical bytes.
public enum DeviceKind: UInt8, NamedTag {
    case gpu = 1
    case npu = 2
    /// FPGAs, vector engines and whatever else computes.
    case other = 3

    public static let names = TagNames<Self>()
}

/// One accelerator of a node.
public struct Device: Hashable, Sendable {
    /// Position on the node, from 0, stable across restarts of the agent: devices are sorted by PCI address.
    public var index: UInt32
    public var kind: DeviceKind
    /// `nvidia`, `amd`, `huawei`, `intel`, `cambricon`, …
    public var vendor: String
    /// The maker's name of the model, such as `NVIDIA H200`; empty when nothing tells.
    public var model: String
    /// The maker's own identifier where there is one, otherwise the PCI address.
    public var uuid: String
    /// `domain:bus:device.function` in lower-case hexadecimal; empty for what is not on a PCI bus.
    public var pciAddress: String
    /// Zero when nothing tells.
    public var memoryBytes: Int64
    /// Operating-system index of the nearest NUMA node; nil when it is near none in particular.
    public var numaNode: UInt32?
    /// Devices of a node with the same number are below one PCIe switch; nil: below none that another is below.
    public var pcieSwitch: UInt32?
    /// Devices of a node with the same number reach each other over links of their own; nil: linked to no other.
    public var linkGroup: UInt32?
    /// Its agent makes the partitions that the templates of its model describe.
    public var isPartitionable: Bool

    public init(
        index: UInt32, kind: DeviceKind, vendor: String, model: String, uuid: String, pciAddress: String, memoryBytes: Int64,
        numaNode: UInt32?, pcieSwitch: UInt32? = nil, linkGroup: UInt32? = nil, isPartitionable: Bool = false
    ) {
        self.index = index
        self.kind = kind
        self.vendor = vendor
        self.model = model
        self.uuid = uuid
        self.pciAddress = pciAddress
        self.memoryBytes = memoryBytes
        self.numaNode = numaNode
        self.pcieSwitch = pcieSwitch
        self.linkGroup = linkGroup
        self.isPartitionable = isPartitionable
    }

    /// Which of the level's parts of the node it is in; nil: in none that another could be in.
    public func domain(at level: TopologyLevel) -> UInt32? {
        switch level {
        case .link: linkGroup
        case .pcie: pcieSwitch
        case .numa: numaNode
        case .node, .rack, .block, .center, .cluster: 0
        }
    }
}

/// The shape of a machine in counts; the whole tree travels as hwloc XML beside it.
public struct TopologySummary: Hashable, Sendable {
    public var architecture: String
    public var cpuModel: String
    public var packages: UInt32
    public var numaNodes: UInt32
    public var level3Caches: UInt32
    public var level2Caches: UInt32
    public var cores: UInt32
    public var processingUnits: UInt32
    public var pciDevices: UInt32
    public var osDevices: UInt32

    public init(
        architecture: String = "", cpuModel: String = "", packages: UInt32 = 0, numaNodes: UInt32 = 0, level3Caches: UInt32 = 0,
        level2Caches: UInt32 = 0, cores: UInt32 = 0, processingUnits: UInt32 = 0, pciDevices: UInt32 = 0, osDevices: UInt32 = 0
    ) {
        self.architecture = architecture
        self.cpuModel = cpuModel
        self.packages = packages
        self.numaNodes = numaNodes
        self.level3Caches = level3Caches
        self.level2Caches = level2Caches
        self.cores = cores
        self.processingUnits = processingUnits
        self.pciDevices = pciDevices
        self.osDevices = osDevices
    }
}

/// Processors that share memory of their own.
public struct NUMANode: Hashable, Sendable {
    /// The operating system's index.
    public var osIndex: UInt32
    /// Processing units that jobs may use, by the operating system's index; those of one core stand side by side.
    public var processors: [UInt32]
    /// How many of them stand for one core, from the first on; 1 also where cores differ in it.
    public var threadsPerCore: UInt32

    public init(osIndex: UInt32, processors: [UInt32], threadsPerCore: UInt32 = 1) {
        self.osIndex = osIndex
        self.processors = processors
        self.threadsPerCore = threadsPerCore
    }
}

/// What a node offers to the cluster.
public struct NodeInventory: Hashable, Sendable {
    /// Unique in the cluster; grammar of `ObjectName`.
    public var name: String
    /// Where other nodes of a gang reach this one (`MASTER_ADDR`).
    public var address: String
    /// Thousandths of a processing unit.
    public var cpuMilli: Int64
    /// The kernel's total, not the sum of the NUMA figures (those are ratios).
    public var memoryBytes: Int64
    /// Ascending `index`, from 0 without gaps.
    public var devices: [Device]
    /// Ascending `osIndex`, no processing unit in two of them; empty where its agent does not tell.
    public var numaNodes: [NUMANode]
    public var topology: TopologySummary
    /// SHA-256 of the uncompressed hwloc XML; empty for a simulated node. The XML is sent when this changes.
    public var topologyDigest: [UInt8]
    /// Sorted by name.
    public var labels: [NamedText]
    /// Labels that keep off all jobs whose constraints do not name them; sorted.
    public var taints: [String]
    /// A stand-in: only jobs with `--constraint simulated` go there, its usage never prices.
    public var isSimulated: Bool

    public init(
        name: String, address: String, cpuMilli: Int64, memoryBytes: Int64, devices: [Device] = [],
        numaNodes: [NUMANode] = [], topology: TopologySummary = TopologySummary(), topologyDigest: [UInt8] = [], labels: [NamedText] = [],
        taints: [String] = [], isSimulated: Bool = false
    ) {
        self.name = name
        self.address = address
        self.cpuMilli = cpuMilli
        self.memoryBytes = memoryBytes
        self.devices = devices
        self.numaNodes = numaNodes
        self.topology = topology
        self.topologyDigest = topologyDigest
        self.labels = labels.sorted { $0.name < $1.name }
        self.taints = taints.sorted()
        self.isSimulated = isSimulated
    }
}

extension NodeInventory {
    /// What is wrong with an inventory that an agent claims; empty when it is acceptable.
    public func validate() -> [FieldError] {
        var errors: [FieldError] = []
        if !ObjectName.isValid(name) { errors.append(FieldError("name", "must match \(ObjectName.grammar)")) }
        if !(1...100_000_000).contains(cpuMilli) { errors.append(FieldError("cpuMilli", "must be 1 … 100000000")) }
        if !(1...(1 << 50)).contains(memoryBytes) { errors.append(FieldError("memoryBytes", "must be 1 … 2^50")) }
        if devices.count > 1024 { errors.append(FieldError("devices", "must be at most 1024")) }
        for (position, device) in devices.enumerated() {
            if Int(device.index) != position { errors.append(FieldError("devices[\(position)].index", "must be \(position)")) }
            if !(0...(1 << 50)).contains(device.memoryBytes) {
                errors.append(FieldError("devices[\(position)].memoryBytes", "must be 0 … 2^50"))
            }
        }
        errors += validateProcessors()
        // Its own, and those of its token.
        if taints.count > 2 * NodeMembership.taintCountMax {
            errors.append(FieldError("taints", "must be at most \(2 * NodeMembership.taintCountMax)"))
        }
        for taint in taints where !ObjectName.isValid(taint) { errors.append(FieldError("taints", "must match \(ObjectName.grammar)")) }
        if labels.count > 256 { errors.append(FieldError("labels", "must be at most 256")) }
        return errors
    }
}

extension NodeInventory {
    /// Both lists come from the network: an agent must not sell a processing unit twice.
    private func validateProcessors() -> [FieldError] {
        let all = numaNodes.flatMap(\.processors)
        var errors: [FieldError] = []
        if numaNodes.count > 1024 { errors.append(FieldError("numaNodes", "must be at most 1024")) }
        if all.contains(where: { $0 > ProcessorBits.indexMax }) {
            errors.append(FieldError("numaNodes", "must hold processors 0 … \(ProcessorBits.indexMax)"))
        }
        if numaNodes.contains(where: { !(1...64).contains($0.threadsPerCore) || $0.processors.count % Int($0.threadsPerCore) != 0 }) {
            errors.append(FieldError("numaNodes.threadsPerCore", "must be 1 … 64 and divide the processors"))
        }
        if Set(all).count != all.count { errors.append(FieldError("numaNodes", "must not hold a processor twice")) }
        if zip(numaNodes, numaNodes.dropFirst()).contains(where: { $0.osIndex >= $1.osIndex }) {
            errors.append(FieldError("numaNodes", "must be in ascending order"))
        }
        return errors
    }
}

/// A field of a request and what is wrong with it: the sentence names what would be valid.
public struct FieldError: Error, Hashable, Sendable, CustomStringConvertible {
    public var field: String
    public var message: String

    public init(_ field: String, _ message: String) {
        self.field = field
        self.message = message
    }

    public var description: String { "\(field): \(message)" }
}
