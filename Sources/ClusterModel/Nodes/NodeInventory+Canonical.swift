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
        writer.write(name)
        writer.write(address)
        writer.write(cpuMilli)
        writer.write(memoryBytes)
        writer.write(devices)
        writer.write(topology)
        writer.write(bytes: topologyDigest)
        writer.write(labels)
        writer.write(isSimulated)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(
            name: try reader.readString(), address: try reader.readString(), cpuMilli: try reader.readInt64(),
            memoryBytes: try reader.readInt64(), devices: try reader.readList(), topology: try reader.read(),
            topologyDigest: try reader.readBytes(), labels: try reader.readList(), isSimulated: try reader.readBool())
    }
}
