import CHwloc
import ClusterModel

extension Topology {
    /// Every PCI function and every compute device off the bus, each with its OS devices and its nearest node.
    borrowing func attachedDevices() -> [AttachedDevice] {
        var views: [PCIAddress: [AttachedDevice.View]] = [:]
        var offBus: [AttachedDevice] = []
        for object in objects(HWLOC_OBJ_OS_DEVICE) {
            let view = AttachedDevice.View(
                backend: AttachedDevice.Backend(subtype: object.subtype, name: object.name), name: object.name, infos: object.infos)
            if let address = object.pciParent?.pciIdentity?.address {
                views[address, default: []].append(view)
            } else if view.backend != .other {
                offBus.append(AttachedDevice(pci: nil, views: [view], numaNode: nearestNode(to: object)))
            }
        }
        let onBus = objects(HWLOC_OBJ_PCI_DEVICE).compactMap { object -> AttachedDevice? in
            guard let pci = object.pciIdentity else { return nil }
            return AttachedDevice(
                pci: pci, pciInfos: object.infos, views: views[pci.address] ?? [], numaNode: nearestNode(to: object),
                bridges: object.pciBridges)
        }
        return onBus + offBus
    }

    /// Devices that reach each other over links of their own, as pairs: hwloc knows of NVLink and xGMI where it was built with
    /// the makers' libraries, and from exports of machines where it was.
    borrowing func deviceLinks() -> [DeviceLink] {
        ["NVLinkBandwidth", "XGMIBandwidth"].flatMap { bandwidths(named: $0) }
    }

    private borrowing func bandwidths(named name: String) -> [DeviceLink] {
        var links: [DeviceLink] = []
        forEachDistance(named: name) { from, to, bandwidth in
            guard bandwidth > 0, let from = Self.endpoint(from), let to = Self.endpoint(to), from != to else { return }
            links.append(DeviceLink(from: from, to: to))
        }
        return links
    }

    /// The PCI function of an accelerator, or of a switch of its maker. What else has links is a processor, and through it
    /// devices reach each other as they do over any bus.
    private static func endpoint(_ object: TopologyObject) -> PCIAddress? {
        let function = object.pciIdentity ?? object.pciParent?.pciIdentity
        return function.flatMap { [0x10de, 0x1002].contains($0.vendorID) ? $0.address : nil }
    }

    /// Processing units that jobs may use, by NUMA node, those of one core side by side. Empty where there are too many for a
    /// node to offer one by one.
    borrowing func processorsByNode(usable: [UInt32]) -> [NUMANode] {
        var left = Set(usable)
        let threads = threadsPerCore(left)
        let logical = objects(HWLOC_OBJ_PU).map(\.osIndex)
        guard usable.allSatisfy({ $0 <= ProcessorBits.indexMax }) else { return [] }
        // Of nodes that share processors (DRAM beside high-bandwidth memory) the first has them.
        return objects(HWLOC_OBJ_NUMANODE).sorted { $0.osIndex < $1.osIndex }.compactMap { object in
            let own = left.intersection(object.processors)
            left.subtract(own)
            guard !own.isEmpty else { return nil }
            let processors = logical.filter(own.contains)
            return NUMANode(osIndex: object.osIndex, processors: processors, threadsPerCore: threads)
        }
    }

    /// How many processing units a core has, of those that may be used; 1 where cores differ in it.
    private borrowing func threadsPerCore(_ usable: Set<UInt32>) -> UInt32 {
        let counts = Set(objects(HWLOC_OBJ_CORE).map { core in core.processors.count(where: usable.contains) }.filter { $0 > 0 })
        return counts.count == 1 ? UInt32(counts.first ?? 1) : 1
    }

    /// The operating system's index of the one node an I/O object is near; nil when it is equally near several.
    ///
    /// Several nodes may have the same processors: DRAM beside high-bandwidth memory, or beside the memory of a
    /// GPU. That is one place, and its DRAM, which hwloc orders first, is the answer.
    private borrowing func nearestNode(to object: TopologyObject) -> UInt32? {
        guard let near = object.locality else { return nil }
        let indexes = Set(near.nodes)
        let nodes = objects(HWLOC_OBJ_NUMANODE).filter { indexes.contains($0.osIndex) && $0.subtype != "GPUMemory" }
        guard let first = nodes.first else { return nil }
        let processors = first.processors
        return nodes.dropFirst().allSatisfy { $0.processors == processors } ? first.osIndex : nil
    }
}
