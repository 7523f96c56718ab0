// The agent's view of its own machine: hwloc for the shape, the kernel's files for memory, NVML for what
// hwloc cannot know about NVIDIA devices.

import CHwloc
public import ClusterModel
public import ClusterPorts

public enum TopologyLimits {
    /// The largest XML export that is read or sent. A machine with 384 processing units needs 0.3 MB.
    public static let xmlBytes = 16 << 20
}

/// Everything one look at the machine brought.
public struct MachineSurvey: Sendable {
    public var machine: DiscoveredMachine
    public var placement: NUMAPlacement
    /// Sentences for the operator; nothing here kept the survey from succeeding.
    public var warnings: [String]
}

/// Discovery through hwloc.
public struct HwlocDiscovery: MachineDiscovery {
    private let source: TopologySource
    /// nil where there is no kernel behind the topology.
    private let files: KernelFiles?
    private let nvml: NVMLProbe?
    private let digest: @Sendable ([UInt8]) -> [UInt8]

    /// - Parameters:
    ///   - source: this machine, unless a recorded one is to be played.
    ///   - digest: SHA-256. Given from outside, since this target links no cryptography.
    public init(_ source: TopologySource = .thisMachine, digest: @escaping @Sendable ([UInt8]) -> [UInt8]) {
        switch source {
        case .thisMachine: self.init(source, files: KernelFiles(), nvml: NVMLProbe(), digest: digest)
        case .fileSystemRoot(let root): self.init(source, files: KernelFiles(root: root), nvml: nil, digest: digest)
        case .xml, .synthetic: self.init(source, files: nil, nvml: nil, digest: digest)
        }
    }

    init(_ source: TopologySource, files: KernelFiles?, nvml: NVMLProbe?, digest: @escaping @Sendable ([UInt8]) -> [UInt8]) {
        self.source = source
        self.files = files
        self.nvml = nvml
        self.digest = digest
    }

    public func discover(name: String, address: String, labels: [NamedText]) throws(DiscoveryError) -> DiscoveredMachine {
        try survey(name: name, address: address, labels: labels).machine
    }

    /// `discover` with what else was learnt: NUMA placement and warnings.
    public func survey(name: String, address: String, labels: [NamedText]) throws(DiscoveryError) -> MachineSurvey {
        let topology = try Topology(source)
        let xml = try topology.exportXML()
        let processors = topology.usableProcessors()
        guard !processors.isEmpty else {
            throw DiscoveryError("this process may use no processor of the machine; look at its cpuset and affinity")
        }
        let scan = DeviceScan(
            topology.attachedDevices(), nvml: nvml?.report() ?? NVMLReport(), nvidiaDriver: files?.nvidiaDriverDevices() ?? [:],
            links: topology.deviceLinks())
        let numa = topology.numaPlacement()
        let inventory = NodeInventory(
            name: name,
            address: address,
            cpuMilli: Int64(processors.count) * 1000,
            memoryBytes: try memoryBytes(topology),
            devices: scan.devices,
            numaNodes: topology.processorsByNode(usable: processors),
            topology: topology.summary(),
            topologyDigest: digest(xml),
            labels: labels)
        return MachineSurvey(
            machine: DiscoveredMachine(inventory: inventory, compressedTopology: try Compression.compress(xml)),
            placement: numa.placement, warnings: scan.warnings + numa.warnings)
    }

    /// The kernel's total where there is a kernel to ask. An export has only its NUMA nodes.
    private func memoryBytes(_ topology: borrowing Topology) throws(DiscoveryError) -> Int64 {
        if let files { return try files.memoryBytes() }
        return Int64(clamping: topology.root.totalMemoryBytes)
    }
}

extension Topology {
    borrowing func summary() -> TopologySummary {
        let packages = objects(HWLOC_OBJ_PACKAGE)
        // Machines with several models of processor are rare; the first package speaks for all.
        let model = packages.lazy.compactMap { $0.infos["CPUModel"] }.first ?? root.infos["CPUModel"] ?? ""
        return TopologySummary(
            architecture: root.infos["Architecture"] ?? "",
            cpuModel: trimmed(model),
            packages: UInt32(packages.count),
            numaNodes: count(HWLOC_OBJ_NUMANODE),
            level3Caches: count(HWLOC_OBJ_L3CACHE),
            level2Caches: count(HWLOC_OBJ_L2CACHE),
            cores: count(HWLOC_OBJ_CORE),
            processingUnits: count(HWLOC_OBJ_PU),
            pciDevices: count(HWLOC_OBJ_PCI_DEVICE),
            osDevices: count(HWLOC_OBJ_OS_DEVICE))
    }
}
