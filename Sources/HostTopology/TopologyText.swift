// A machine as an indented tree, for people.
//
//     Machine: NVIDIA DGX-2H, x86_64
//       Package 0: Intel(R) Xeon(R) Platinum 8174 CPU @ 3.10GHz
//         NUMA node 0: 755.2 GiB
//           L3 0 (33 MiB), L2 0-1 (1 MiB each), L1d 0-1 (32 KiB each)
//           Core 0-1 (1 PU each)
//           GPU 0: Tesla V100-SXM3-32GB-H, 0000:34:00.0
//
// Objects are numbered as hwloc does, from 0 in the order of the tree, NUMA nodes by the operating system.
// Device numbers are those of the node's inventory, worked out from the same facts.

import ClusterModel
public import ClusterPorts

public enum TopologyText {
    /// No machine comes near; an export made to be large is cut here.
    static let linesMax = 5_000

    /// The tree in a zlib-compressed export. The export may come from anyone: it is bounded, and no C code sees it.
    public static func render(compressedXML: [UInt8]) throws(DiscoveryError) -> String {
        let xml = try Compression.decompress(compressedXML, limit: TopologyLimits.xmlBytes)
        var renderer = TopologyRenderer(try TopologyDocument(xml: xml))
        return renderer.render()
    }

    /// Text fit for one line of a terminal: no control characters, which could move its cursor or change its
    /// title, and cut where it is overlong.
    static func printable(_ text: String) -> String {
        let safe = text.unicodeScalars.prefix(200).map { scalar -> Unicode.Scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: "?"
            default: scalar
            }
        }
        var view = String.UnicodeScalarView()
        view.append(contentsOf: safe)
        return trimmed(String(view)) + (text.unicodeScalars.count > 200 ? "…" : "")
    }
}

private struct TopologyRenderer {
    /// Objects of one type, cores of one width or caches of one size, that follow each other.
    private struct Run {
        var label: String
        var detail: String
        var indexes: ClosedRange<Int>
    }

    /// What hangs below a place in the tree and is not a place of its own.
    private struct Content {
        var caches: [Run] = []
        var cores: [Run] = []
        /// PCI functions and OS devices off the bus.
        var attached: [Int] = []
        /// Packages, dies and whatever has memory.
        var places: [Int] = []
    }

    private let document: TopologyDocument
    /// hwloc's logical numbers, by object.
    private var logical: [Int] = []
    /// Numbers of accelerators in the inventory, by object.
    private var accelerators: [Int: Device] = [:]
    private var lines: [String] = []

    init(_ document: TopologyDocument) {
        self.document = document
        self.logical = Self.logicalNumbers(document)
        self.accelerators = Self.accelerators(document)
    }

    mutating func render() -> String {
        let machine = document.objects[0]
        let name = machine.infos["DMIProductName"] ?? machine.infos["PlatformModel"] ?? machine.infos["HostName"]
        // No total: the nodes' figures are what the kernel counts now, not the machine's capacity.
        let details = [name, machine.infos["Architecture"]].compactMap(\.self)
        put("Machine" + (details.isEmpty ? "" : ": " + details.joined(separator: ", ")), 0)
        renderContent(of: 0, indent: 1)
        if lines.count >= TopologyText.linesMax { lines.append("… cut after \(TopologyText.linesMax) lines") }
        return lines.joined(separator: "\n") + "\n"
    }

    private mutating func put(_ text: String, _ indent: Int) {
        guard lines.count < TopologyText.linesMax else { return }
        lines.append(String(repeating: "  ", count: indent) + TopologyText.printable(text))
    }

    // MARK: - Places

    private mutating func renderPlace(_ index: Int, indent: Int) {
        let object = document.objects[index]
        // A group without a name of its own exists only to carry its memory.
        if object.type == "Group", object.attributes["subtype"] == nil { return renderContent(of: index, indent: indent) }
        var label = "\(object.attributes["subtype"] ?? object.type) \(logical[index])"
        if let model = object.infos["CPUModel"] { label += ": " + trimmed(model) }
        put(label, indent)
        renderContent(of: index, indent: indent + 1)
    }

    /// Memory first; what else is there belongs to the last of the nodes, which share its processors.
    private mutating func renderContent(of index: Int, indent: Int) {
        var inner = indent
        for node in memoryNodes(of: index) {
            let object = document.objects[node]
            let kind = object.attributes["subtype"].map { " \($0)" } ?? ""
            let memory = Self.number(object.attributes["local_memory"])
            put("NUMA node \(object.attributes["os_index"] ?? "?")\(kind): \(Self.bytes(memory))", indent)
            inner = indent + 1
        }
        var content = Content()
        gather(index, into: &content)
        if !content.caches.isEmpty { put(content.caches.map(Self.text).joined(separator: ", "), inner) }
        for run in content.cores { put(Self.text(run), inner) }
        for device in content.attached { renderDevice(device, indent: inner) }
        for place in content.places { renderPlace(place, indent: inner) }
    }

    /// NUMA nodes attached to an object, also those behind a memory-side cache.
    private func memoryNodes(of index: Int) -> [Int] {
        document.objects[index].children.flatMap { child -> [Int] in
            switch document.objects[child].type {
            case "NUMANode": [child]
            case "MemCache": memoryNodes(of: child)
            default: []
            }
        }
    }

    private func gather(_ index: Int, into content: inout Content) {
        for child in document.objects[index].children {
            let object = document.objects[child]
            switch object.type {
            case "NUMANode", "MemCache", "Misc": continue
            case "Package", "Die": content.places.append(child)
            case "L3Cache", "L2Cache", "L1Cache", "L4Cache", "L5Cache":
                if hasMemory(child) {
                    content.places.append(child)
                } else {
                    let size = Self.bytes(Self.number(object.attributes["cache_size"]))
                    Self.extend(&content.caches, Self.cacheLabel(object.type), size, logical[child])
                    gather(child, into: &content)
                }
            case "Core":
                let threads = countThreads(child)
                Self.extend(&content.cores, "Core", "\(threads) PU", logical[child])
            case "PU": Self.extend(&content.cores, "PU", "", logical[child])
            case "PCIDev":
                content.attached.append(child)
                gather(child, into: &content)
            case "OSDev":
                if document.objects[index].type != "PCIDev" { content.attached.append(child) }
            default:
                // Groups, bridges, instruction caches and what later formats bring.
                if hasMemory(child) { content.places.append(child) } else { gather(child, into: &content) }
            }
        }
    }

    private func hasMemory(_ index: Int) -> Bool { !memoryNodes(of: index).isEmpty }

    private func countThreads(_ index: Int) -> Int {
        document.objects[index].children.reduce(0) { total, child in
            total + (document.objects[child].type == "PU" ? 1 : countThreads(child))
        }
    }

    // MARK: - Devices

    private mutating func renderDevice(_ index: Int, indent: Int) {
        let object = document.objects[index]
        let address = object.attributes["pci_busid"]
        if let device = accelerators[index] {
            var text = "\(device.kind == .other ? "Accelerator" : device.kind.name.uppercased()) \(device.index): "
            text += device.model.isEmpty ? device.vendor : device.model
            if let address { text += ", \(address)" }
            if device.memoryBytes > 0 { text += ", \(Self.bytes(device.memoryBytes))" }
            return put(text, indent)
        }
        // Functions without a name in the operating system (switches, audio, management) say nothing to people.
        let names = object.type == "OSDev" ? [object.attributes["name"] ?? "?"] : osDeviceNames(index)
        guard !names.isEmpty else { return }
        put("\(Self.role(of: object)): \(names.joined(separator: ", "))" + (address.map { ", \($0)" } ?? ""), indent)
    }

    private func osDeviceNames(_ index: Int) -> [String] {
        document.objects[index].children.compactMap { child in
            document.objects[child].type == "OSDev" ? document.objects[child].attributes["name"] : nil
        }
    }

    /// From the base class of a PCI function, or from hwloc's type of an OS device off the bus.
    private static func role(of object: TopologyDocument.Object) -> String {
        switch (object.attributes["pci_type"]?.prefix(2), object.attributes["osdev_type"]) {
        case ("01", _), (nil, "0"): "Storage"
        case ("02", _), (nil, "2"), (nil, "3"): "Network"
        case ("03", _), (nil, "1"): "Display"
        default: "Device"
        }
    }

    /// The devices the inventory has, by the function (or OS device) they come from.
    private static func accelerators(_ document: TopologyDocument) -> [Int: Device] {
        var attached: [AttachedDevice] = []
        var origins: [String: Int] = [:]
        var onBus: Set<Int> = []
        for (index, object) in document.objects.enumerated() where object.type == "PCIDev" {
            guard let pci = pciIdentity(of: object) else { continue }
            let views = object.children.filter { document.objects[$0].type == "OSDev" }
            onBus.formUnion(views)
            attached.append(
                AttachedDevice(pci: pci, pciInfos: object.infos, views: views.map { view(of: document.objects[$0]) }))
            origins[String(describing: pci.address)] = index
        }
        for (index, object) in document.objects.enumerated() where object.type == "OSDev" && !onBus.contains(index) {
            var view = view(of: object)
            // The name is unique in a machine; the device is found again by it.
            view.infos = view.infos.filter { !$0.key.hasSuffix("UUID") && !$0.key.hasSuffix("SerialNumber") }
            attached.append(AttachedDevice(pci: nil, views: [view]))
            origins[view.name] = index
        }
        var found: [Int: Device] = [:]
        for device in DeviceScan(attached).devices {
            if let index = origins[device.pciAddress.isEmpty ? device.uuid : device.pciAddress] { found[index] = device }
        }
        return found
    }

    private static func view(of object: TopologyDocument.Object) -> AttachedDevice.View {
        let name = object.attributes["name"] ?? ""
        return AttachedDevice.View(
            backend: AttachedDevice.Backend(subtype: object.attributes["subtype"] ?? "", name: name), name: name, infos: object.infos)
    }

    /// `pci_busid="0004:04:00.0" pci_type="0302 [10de:1db1] [10de:1212] a1"`.
    private static func pciIdentity(of object: TopologyDocument.Object) -> PCIIdentity? {
        let words = object.attributes["pci_type"]?.split(separator: " ") ?? []
        guard let address = object.attributes["pci_busid"].flatMap({ PCIAddress($0) }), words.count >= 2,
            let classID = UInt16(words[0], radix: 16)
        else { return nil }
        let ids = words[1].dropFirst().dropLast().split(separator: ":").compactMap { UInt16($0, radix: 16) }
        guard ids.count == 2 else { return nil }
        return PCIIdentity(address: address, vendorID: ids[0], deviceID: ids[1], classID: classID)
    }

    // MARK: - Numbers and text

    /// An export does not carry logical numbers: they count the objects of a type in the order of the tree.
    private static func logicalNumbers(_ document: TopologyDocument) -> [Int] {
        var next: [String: Int] = [:]
        return document.objects.map { object in
            defer { next[object.type, default: 0] += 1 }
            return next[object.type, default: 0]
        }
    }

    /// Extends the last run of the same label and detail, or begins another.
    private static func extend(_ runs: inout [Run], _ label: String, _ detail: String, _ index: Int) {
        if let last = runs.lastIndex(where: { $0.label == label }), runs[last].detail == detail,
            runs[last].indexes.upperBound + 1 == index
        {
            runs[last].indexes = runs[last].indexes.lowerBound...index
        } else {
            runs.append(Run(label: label, detail: detail, indexes: index...index))
        }
    }

    private static func text(_ run: Run) -> String {
        let single = run.indexes.count == 1
        let range = single ? "\(run.indexes.lowerBound)" : "\(run.indexes.lowerBound)-\(run.indexes.upperBound)"
        let detail = run.detail.isEmpty ? "" : " (\(run.detail)\(single ? "" : " each"))"
        return "\(run.label) \(range)\(detail)"
    }

    private static func cacheLabel(_ type: String) -> String {
        type == "L1Cache" ? "L1d" : String(type.prefix(2))
    }

    private static func number(_ text: String?) -> Int64 { max(0, text.flatMap { Int64($0) } ?? 0) }

    /// With one decimal where it is not zero: `755.2 GiB`, `32 KiB`.
    static func bytes(_ count: Int64) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        var unit = 0
        var divisor: Int64 = 1
        while unit < units.count - 1, count / divisor >= 1024 {
            divisor <<= 10
            unit += 1
        }
        let whole = count / divisor
        let tenths = min(9, (count % divisor) / max(1, divisor / 10))
        return tenths == 0 ? "\(whole) \(units[unit])" : "\(whole).\(tenths) \(units[unit])"
    }
}
