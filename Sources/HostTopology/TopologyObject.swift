import CHwloc

/// A view of one hwloc object, valid while its `Topology` lives.
struct TopologyObject {
    private let object: hwloc_obj_t

    init(_ object: hwloc_obj_t) { self.object = object }

    var type: hwloc_obj_type_t { object.pointee.type }
    var name: String { text(object.pointee.name) }
    var subtype: String { text(object.pointee.subtype) }
    var osIndex: UInt32 { object.pointee.os_index }
    /// Of the object and all below, in bytes.
    var totalMemoryBytes: UInt64 { object.pointee.total_memory }
    var processors: [UInt32] { indexes(of: object.pointee.cpuset) }
    var nodes: [UInt32] { indexes(of: object.pointee.nodeset) }
    var parent: TopologyObject? { object.pointee.parent.map(TopologyObject.init) }

    /// The object's name-value pairs; on a repeated name the first counts.
    var infos: [String: String] {
        var pairs: [String: String] = [:]
        for position in 0..<Int(object.pointee.infos_count) {
            let info = object.pointee.infos[position]
            let name = text(info.name)
            if pairs[name] == nil { pairs[name] = text(info.value) }
        }
        return pairs
    }

    /// What a PCI device's configuration space says; nil for other objects.
    var pciIdentity: PCIIdentity? {
        guard type == HWLOC_OBJ_PCI_DEVICE, let attributes = object.pointee.attr?.pointee.pcidev else { return nil }
        return PCIIdentity(
            address: PCIAddress(
                domain: UInt32(attributes.domain), bus: attributes.bus, device: attributes.dev, function: attributes.func),
            vendorID: attributes.vendor_id, deviceID: attributes.device_id, classID: attributes.class_id)
    }

    /// The PCI function above an OS device; nil when it hangs elsewhere (an SoC's graphics, a CPU seen by OpenCL).
    var pciParent: TopologyObject? {
        var candidate = parent
        while let object = candidate, hwloc_obj_type_is_io(object.type) != 0 {
            if object.type == HWLOC_OBJ_PCI_DEVICE { return object }
            candidate = object.parent
        }
        return nil
    }

    /// The bridges above an I/O object that stand between two PCI buses, the nearest first, by numbers that are unique in the
    /// topology. Bridges of the processor itself are none: what hangs on two of its ports meets in the processor.
    var pciBridges: [UInt64] {
        var bridges: [UInt64] = []
        var candidate = parent
        while let object = candidate, hwloc_obj_type_is_io(object.type) != 0 {
            if object.type == HWLOC_OBJ_BRIDGE, object.object.pointee.attr?.pointee.bridge.upstream_type == HWLOC_OBJ_BRIDGE_PCI {
                bridges.append(object.object.pointee.gp_index)
            }
            candidate = object.parent
        }
        return bridges
    }

    /// The closest object above an I/O object that has processors and memory.
    var locality: TopologyObject? {
        var candidate: TopologyObject? = self
        while let object = candidate, hwloc_obj_type_is_io(object.type) != 0 { candidate = object.parent }
        return candidate
    }

    private func text(_ pointer: UnsafePointer<CChar>?) -> String { pointer.map { String(cString: $0) } ?? "" }
}
