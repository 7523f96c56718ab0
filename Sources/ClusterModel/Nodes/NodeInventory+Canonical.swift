/// What the first form can say is written in it. Form 2 begins with an empty text, which no name is, and its number; it adds
/// what is near the devices, their partitions, processors by NUMA node, and taints.
private let secondForm: UInt8 = 2

extension Device {
    fileprivate var isFirstForm: Bool { pcieSwitch == nil && linkGroup == nil && !isPartitionable }
}

/// What form 2 adds to a device.
private struct DeviceAddition: CanonicalValue {
    var pcieSwitch: UInt32?
    var linkGroup: UInt32?
    var isPartitionable: Bool

    init(of device: Device) {
        pcieSwitch = device.pcieSwitch
        linkGroup = device.linkGroup
        isPartitionable = device.isPartitionable
    }

    func write(to writer: inout CanonicalWriter) {
        writer.write(pcieSwitch)
        writer.write(linkGroup)
        writer.write(isPartitionable)
    }

    init(from reader: inout CanonicalReader) throws(CanonicalError) {
        pcieSwitch = try reader.readOptional()
        linkGroup = try reader.readOptional()
        isPartitionable = try reader.readBool()
    }
}

extension Device: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(index)
        writer.write(kind)
        writer.write(vendor)
        writer.write(model)
        writer.write(uuid)
        writer.write(pciAddress)
        writer.write(memoryBytes)
        writer.write(numaNode)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(
            index: try reader.readUInt32(), kind: try reader.read(), vendor: try reader.readString(), model: try reader.readString(),
            uuid: try reader.readString(), pciAddress: try reader.readString(), memoryBytes: try reader.readInt64(),
            numaNode: try reader.readOptional())
    }
}

extension NUMANode: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(osIndex)
        writer.write(processors)
        writer.write(threadsPerCore)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(osIndex: try reader.readUInt32(), processors: try reader.readList(), threadsPerCore: try reader.readUInt32())
        // What divides by it must not find nought.
        guard threadsPerCore > 0 else { throw .malformed("a core without a processor") }
    }
}

extension TopologySummary: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(architecture)
        writer.write(cpuModel)
        for count in [packages, numaNodes, level3Caches, level2Caches, cores, processingUnits, pciDevices, osDevices] {
            writer.write(count)
        }
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(
            architecture: try reader.readString(), cpuModel: try reader.readString(), packages: try reader.readUInt32(),
            numaNodes: try reader.readUInt32(), level3Caches: try reader.readUInt32(), level2Caches: try reader.readUInt32(),
            cores: try reader.readUInt32(), processingUnits: try reader.readUInt32(), pciDevices: try reader.readUInt32(),
            osDevices: try reader.readUInt32())
    }
}

extension NodeInventory: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        if !isFirstForm {
            writer.write("")
            writer.write(secondForm)
        }
        writer.write(name)
        writer.write(address)
        writer.write(cpuMilli)
        writer.write(memoryBytes)
        writer.write(devices)
        writer.write(topology)
        writer.write(bytes: topologyDigest)
        writer.write(labels)
        writer.write(isSimulated)
        guard !isFirstForm else { return }
        writer.write(devices.map(DeviceAddition.init))
        writer.write(numaNodes)
        writer.write(taints)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        var name = try reader.readString()
        let isFirstForm = !name.isEmpty
        if !isFirstForm {
            let form = try reader.readUInt8()
            guard form == secondForm else { throw .malformed("unknown form \(form) of an inventory") }
            name = try reader.readString()
        }
        self.init(
            name: name, address: try reader.readString(), cpuMilli: try reader.readInt64(),
            memoryBytes: try reader.readInt64(), devices: try reader.readList(), topology: try reader.read(),
            topologyDigest: try reader.readBytes(), labels: try reader.readList(), isSimulated: try reader.readBool())
        guard !isFirstForm else { return }
        let additions: [DeviceAddition] = try reader.readList()
        guard additions.count == devices.count else { throw .malformed("additions of \(additions.count) to \(devices.count) devices") }
        for (index, addition) in additions.enumerated() {
            devices[index].pcieSwitch = addition.pcieSwitch
            devices[index].linkGroup = addition.linkGroup
            devices[index].isPartitionable = addition.isPartitionable
        }
        numaNodes = try reader.readList()
        taints = try reader.readList()
        guard !name.isEmpty, !self.isFirstForm, taints == taints.sorted() else {
            throw .malformed("an inventory in a form that is not its own")
        }
    }

    private var isFirstForm: Bool { taints.isEmpty && numaNodes.isEmpty && devices.allSatisfy(\.isFirstForm) }
}
