// From what hwloc and the drivers see to the devices a node offers.
//
// One physical accelerator appears up to four times: as a PCI function and as OS devices of CUDA, NVML, OpenCL
// or the kernel's graphics driver. The PCI function is the device; OS devices only describe it. A card that
// shows several functions (the two dies of an MI250X) is several devices, as its runtime sees it.

import ClusterModel

/// A PCI function, or an accelerator off the PCI bus, with everything that is said about it.
struct AttachedDevice {
    /// What an OS device says: CUDA's, NVML's, … view of the function above it.
    struct View: Equatable {
        var backend: Backend
        var name: String
        var infos: [String: String]
    }

    /// Who describes an OS device, the best-informed first: model names are taken in this order.
    enum Backend: Int, Comparable {
        case nvml, rsmi, cuda, vectorEngine, levelZero, xeonPhi, openCL, other

        static func < (left: Backend, right: Backend) -> Bool { left.rawValue < right.rawValue }

        /// From hwloc's subtype; exports of older releases have none, then the name's prefix tells.
        init(subtype: String, name: String) {
            let known: [(subtype: String, prefix: String, backend: Backend)] = [
                ("NVML", "nvml", .nvml), ("RSMI", "rsmi", .rsmi), ("CUDA", "cuda", .cuda), ("VectorEngine", "ve", .vectorEngine),
                ("LevelZero", "ze", .levelZero), ("MIC", "mic", .xeonPhi), ("OpenCL", "opencl", .openCL),
            ]
            let match = known.first { entry in
                if !subtype.isEmpty { return entry.subtype == subtype }
                // `ve0` is a vector engine, `veth0` is a network interface.
                return name.hasPrefix(entry.prefix) && name.dropFirst(entry.prefix.count).first?.isNumber == true
            }
            self = match?.backend ?? .other
        }
    }

    var pci: PCIIdentity?
    /// Names from the PCI ID repository where hwloc could read it.
    var pciInfos: [String: String] = [:]
    var views: [View] = []
    var numaNode: UInt32?
    /// Those between two PCI buses above it, the nearest first.
    var bridges: [UInt64] = []
}

struct DeviceScan {
    private struct Found {
        var address: PCIAddress?
        var bridges: [UInt64]
        var device: Device
    }

    var devices: [Device]
    var warnings: [String]

    /// - Parameters:
    ///   - attached: every PCI function of the machine and every OS device off the bus.
    ///   - nvml: what NVIDIA's library reports; it knows models and memory that Debian's hwloc does not.
    ///   - nvidiaDriver: functions that NVIDIA's kernel driver holds, by address.
    ///   - links: what is known of links between functions, beside what NVIDIA's library says.
    init(
        _ attached: [AttachedDevice], nvml: NVMLReport = NVMLReport(), nvidiaDriver: [PCIAddress: NVIDIADriverEntry] = [:],
        links: [DeviceLink] = []
    ) {
        var found: [Found] = []
        var warnings = nvml.warnings
        var joined: Set<PCIAddress> = []
        for candidate in attached {
            let address = candidate.pci?.address
            let driver = address.flatMap { nvidiaDriver[$0] }
            guard let identity = Self.identity(of: candidate, heldByNVIDIA: driver != nil) else { continue }
            let details = address.flatMap { nvml.devices[$0] }
            if let address, details != nil { joined.insert(address) }
            if identity.vendor == "nvidia", nvml.isAuthoritative, let address, details == nil {
                warnings.append("NVIDIA's library does not list the device at PCI \(address): it is not offered")
                continue
            }
            found.append(
                Found(address: address, bridges: candidate.bridges, device: Self.device(candidate, identity, details, driver)))
        }
        // A container or a virtual machine may hide the PCI bus and still grant the device.
        for (address, details) in nvml.devices where !joined.contains(address) {
            let identity = AcceleratorIdentity(vendor: "nvidia", kind: .gpu)
            let bare = AttachedDevice(
                pci: PCIIdentity(address: address, vendorID: 0x10de, deviceID: 0, classID: PCIClass.display))
            found.append(Found(address: address, bridges: [], device: Self.device(bare, identity, details, nvidiaDriver[address])))
        }
        found.sort(by: Self.precedes)
        let switches = DeviceNeighbours.switches(found.map(\.bridges))
        let linkGroups = DeviceNeighbours.linkGroups(found.map(\.address), links + nvml.links)
        self.devices = found.enumerated().map { position, entry in
            var device = entry.device
            device.index = UInt32(position)
            device.pcieSwitch = switches[position]
            device.linkGroup = linkGroups[position]
            return device
        }
        self.warnings = warnings
    }

    /// By PCI address; what is off the bus follows, by identifier.
    private static func precedes(_ left: Found, _ right: Found) -> Bool {
        switch (left.address, right.address) {
        case (let left?, let right?): left < right
        case (_?, nil): true
        case (nil, _?): false
        case (nil, nil): left.device.uuid < right.device.uuid
        }
    }

    private static func identity(of candidate: AttachedDevice, heldByNVIDIA: Bool) -> AcceleratorIdentity? {
        guard let pci = candidate.pci else {
            // Off the bus only a compute runtime's word counts. OpenCL also lists processors there: not counted.
            guard let backend = candidate.views.map(\.backend).min() else { return nil }
            switch backend {
            case .nvml, .cuda: return AcceleratorIdentity(vendor: "nvidia", kind: .gpu)
            case .rsmi: return AcceleratorIdentity(vendor: "amd", kind: .gpu)
            case .vectorEngine: return AcceleratorIdentity(vendor: "nec", kind: .other)
            case .levelZero, .xeonPhi, .openCL, .other: return nil
            }
        }
        if let identity = AcceleratorTable.identity(of: pci) { return identity }
        // Where the configuration space cannot be read the vendor is 0; a driver bound to the function still tells.
        let isUnreadable = pci.vendorID == 0 && pci.classID & PCIClass.base == PCIClass.display
        return isUnreadable && heldByNVIDIA ? AcceleratorIdentity(vendor: "nvidia", kind: .gpu) : nil
    }

    private static func device(
        _ candidate: AttachedDevice, _ identity: AcceleratorIdentity, _ nvml: NVMLDevice?, _ driver: NVIDIADriverEntry?
    ) -> Device {
        let views = candidate.views.sorted { ($0.backend, $0.name) < ($1.backend, $1.name) }
        let address = candidate.pci.map { String(describing: $0.address) } ?? ""
        return Device(
            index: 0,
            kind: identity.kind,
            vendor: identity.vendor,
            model: firstFilled(nvml?.model, driver?.model, model(of: views), marketingName(candidate.pciInfos["PCIDevice"])),
            uuid: firstFilled(nvml?.uuid, driver?.uuid, uuid(of: views), address, views.first?.name),
            pciAddress: address,
            memoryBytes: nvml.map(\.memoryBytes).flatMap { $0 > 0 ? $0 : nil } ?? memoryBytes(of: views),
            numaNode: candidate.numaNode)
    }

    private static func model(of views: [AttachedDevice.View]) -> String? {
        for view in views {
            if let model = view.infos["GPUModel"] ?? view.infos["MICSKU"] { return trimmed(model) }
        }
        return nil
    }

    private static func uuid(of views: [AttachedDevice.View]) -> String? {
        for view in views {
            for name in ["NVIDIAUUID", "AMDUUID", "LevelZeroUUID", "VectorEngineSerialNumber", "MICSerialNumber"] {
                if let uuid = view.infos[name] { return trimmed(uuid) }
            }
        }
        return nil
    }

    /// hwloc states these sizes in KiB; zero when none of them is there or it is out of range.
    private static func memoryBytes(of views: [AttachedDevice.View]) -> Int64 {
        let names = [
            "RSMIVRAMSize", "CUDAGlobalMemorySize", "VectorEngineMemorySize", "LevelZeroHBMSize", "LevelZeroDDRSize",
            "LevelZeroMemorySize", "MICMemorySize", "OpenCLGlobalMemorySize",
        ]
        for name in names {
            for view in views {
                guard let text = view.infos[name], let kibibytes = Int64(text), (1...(1 << 40)).contains(kibibytes) else { continue }
                return kibibytes << 10
            }
        }
        return 0
    }

    /// `GV100GL [Tesla V100 SXM2 16GB]` names the chip first; people and price lists use the name in brackets.
    static func marketingName(_ name: String?) -> String? {
        guard let name else { return nil }
        guard name.hasSuffix("]"), let open = name.lastIndex(of: "[") else { return trimmed(name) }
        return trimmed(name[name.index(after: open)...].dropLast())
    }
}

private func firstFilled(_ candidates: String?...) -> String {
    candidates.lazy.compactMap(\.self).first { !$0.isEmpty } ?? ""
}

/// Without blanks at either end; firmware pads names.
func trimmed(_ text: some StringProtocol) -> String {
    var body = Substring(text)
    while let first = body.first, first.isWhitespace { body.removeFirst() }
    while let last = body.last, last.isWhitespace { body.removeLast() }
    return String(body)
}
