internal import ClusterModel
internal import FoundationEssentials

extension WireNodeInventory {
    init(_ inventory: NodeInventory) {
        self.init()
        name = inventory.name
        address = inventory.address
        cpuMilli = UInt64(amount: inventory.cpuMilli)
        memoryBytes = UInt64(amount: inventory.memoryBytes)
        devices = inventory.devices.map(WireDevice.init)
        topology = WireTopologySummary(inventory.topology)
        topologyDigest = Data(inventory.topologyDigest)
        labels = inventory.labels.map(WireLabel.init)
        isSimulated = inventory.isSimulated
        numaNodes = inventory.numaNodes.map { node in
            var wire = WireNumaNode()
            wire.osIndex = node.osIndex
            wire.processors = node.processors
            wire.threadsPerCore = node.threadsPerCore
            return wire
        }
        taints = inventory.taints
    }

    func checked() throws(WireError) -> NodeInventory {
        try WireProtocol.checked(count: devices.count, max: WireLimits.devicesMax, "devices")
        try WireProtocol.checked(count: labels.count, max: WireLimits.labelsMax, "labels")
        try WireProtocol.checked(count: numaNodes.count, max: WireLimits.numaNodesMax, "numa_nodes")
        try WireProtocol.checked(
            count: numaNodes.reduce(0) { $0 + $1.processors.count }, max: WireLimits.processorsMax, "numa_nodes.processors")
        try WireProtocol.checked(count: taints.count, max: WireLimits.labelsMax, "taints")
        let digestBytes = topologyDigest.isEmpty ? 0 : WireLimits.digestBytes
        return NodeInventory(
            name: try WireProtocol.checked(name, max: WireLimits.nameBytesMax, "name"),
            address: try WireProtocol.checked(address, max: WireLimits.nameBytesMax, "address"),
            cpuMilli: try WireProtocol.checked(cpuMilli, "cpu_milli"),
            memoryBytes: try WireProtocol.checked(memoryBytes, "memory_bytes"),
            devices: try devices.mapped { (device) throws(WireError) in try device.checked() },
            numaNodes: numaNodes.map {
                NUMANode(osIndex: $0.osIndex, processors: $0.processors, threadsPerCore: max(1, $0.threadsPerCore))
            },
            topology: try topology.checked(),
            topologyDigest: try WireProtocol.checked(topologyDigest, count: digestBytes, "topology_digest"),
            labels: try labels.mapped { (label) throws(WireError) in try label.checked() },
            taints: try taints.mapped { (taint) throws(WireError) in
                try WireProtocol.checked(taint, max: WireLimits.nameBytesMax, "taints")
            },
            isSimulated: isSimulated)
    }
}

extension WireLabel {
    init(_ label: NamedText) {
        self.init()
        name = label.name
        text = label.text
    }

    func checked() throws(WireError) -> NamedText {
        NamedText(
            try WireProtocol.checked(name, max: WireLimits.nameBytesMax, "labels.name"),
            try WireProtocol.checked(text, max: WireLimits.textBytesMax, "labels.text"))
    }
}

extension WireDevice {
    init(_ device: Device) {
        self.init()
        index = device.index
        kind = WireDeviceKind(device.kind)
        vendor = device.vendor
        model = device.model
        uuid = device.uuid
        pciAddress = device.pciAddress
        memoryBytes = UInt64(amount: device.memoryBytes)
        if let node = device.numaNode { numaNode = node }
        if let number = device.pcieSwitch { pcieSwitch = number }
        if let group = device.linkGroup { linkGroup = group }
        isPartitionable = device.isPartitionable
    }

    func checked() throws(WireError) -> Device {
        Device(
            index: index,
            kind: try WireProtocol.checked(kind.rawValue, "kind"),
            vendor: try WireProtocol.checked(vendor, max: WireLimits.nameBytesMax, "vendor"),
            model: try WireProtocol.checked(model, max: WireLimits.nameBytesMax, "model"),
            uuid: try WireProtocol.checked(uuid, max: WireLimits.nameBytesMax, "uuid"),
            pciAddress: try WireProtocol.checked(pciAddress, max: WireLimits.nameBytesMax, "pci_address"),
            memoryBytes: try WireProtocol.checked(memoryBytes, "memory_bytes"),
            numaNode: hasNumaNode ? numaNode : nil, pcieSwitch: hasPcieSwitch ? pcieSwitch : nil,
            linkGroup: hasLinkGroup ? linkGroup : nil, isPartitionable: isPartitionable)
    }
}

extension WireTopologySummary {
    init(_ summary: TopologySummary) {
        self.init()
        architecture = summary.architecture
        cpuModel = summary.cpuModel
        packages = summary.packages
        numaNodes = summary.numaNodes
        level3Caches = summary.level3Caches
        level2Caches = summary.level2Caches
        cores = summary.cores
        processingUnits = summary.processingUnits
        pciDevices = summary.pciDevices
        osDevices = summary.osDevices
    }

    func checked() throws(WireError) -> TopologySummary {
        TopologySummary(
            architecture: try WireProtocol.checked(architecture, max: WireLimits.nameBytesMax, "architecture"),
            cpuModel: try WireProtocol.checked(cpuModel, max: WireLimits.nameBytesMax, "cpu_model"),
            packages: packages, numaNodes: numaNodes, level3Caches: level3Caches, level2Caches: level2Caches, cores: cores,
            processingUnits: processingUnits, pciDevices: pciDevices, osDevices: osDevices)
    }
}

extension WireDeviceKind {
    /// nil is spelled `unspecified`.
    init(_ kind: DeviceKind?) {
        self = kind.flatMap { WireDeviceKind(rawValue: Int($0.rawValue)) } ?? .unspecified
    }
}
