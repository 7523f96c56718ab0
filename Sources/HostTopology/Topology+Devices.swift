import CHwloc

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
                pci: pci, pciInfos: object.infos, views: views[pci.address] ?? [], numaNode: nearestNode(to: object))
        }
        return onBus + offBus
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
