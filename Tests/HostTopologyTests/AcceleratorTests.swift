// Machines of which there is no recording, written from public descriptions: an H100 server, an Ascend server,
// and the odd functions that must not be taken for accelerators.

import ClusterModel
import Testing

@testable import HostTopology

struct AcceleratorTests {
    /// A PCI function with a made-up place on the bus.
    private func function(
        _ vendor: UInt16, _ device: UInt16, _ classID: UInt16, bus: UInt8 = 1, name: String? = nil, node: UInt32? = nil,
        views: [AttachedDevice.View] = []
    ) -> AttachedDevice {
        let address = PCIAddress(domain: 0, bus: bus, device: 0, function: 0)
        return AttachedDevice(
            pci: PCIIdentity(address: address, vendorID: vendor, deviceID: device, classID: classID),
            pciInfos: name.map { ["PCIDevice": $0] } ?? [:], views: views, numaNode: node)
    }

    private func identity(_ vendor: UInt16, _ device: UInt16, _ classID: UInt16) -> AcceleratorIdentity? {
        function(vendor, device, classID).pci.flatMap(AcceleratorTable.identity)
    }

    @Test(
        arguments: [
            (0x10de, 0x2330, 0x0302, "nvidia", DeviceKind.gpu), (0x10de, 0x2204, 0x0300, "nvidia", .gpu),
            (0x1002, 0x74a1, 0x1200, "amd", .gpu), (0x1002, 0x738c, 0x0380, "amd", .gpu),
            (0x19e5, 0xd802, 0x1200, "huawei", .npu), (0x19e5, 0xd500, 0x1200, "huawei", .npu), (0x19e5, 0xd100, 0xff00, "huawei", .npu),
            (0x8086, 0x0bd5, 0x0380, "intel", .gpu), (0x8086, 0x56c0, 0x0380, "intel", .gpu), (0x8086, 0x225c, 0x0b40, "intel", .other),
            (0xcabc, 0x0370, 0x1200, "cambricon", .npu), (0x1d0f, 0x7164, 0x0880, "aws", .npu), (0x1bcf, 0x001c, 0x0b40, "nec", .other),
            (0x1ae0, 0x0063, 0x0880, "google", .npu), (0x1d94, 0x62b7, 0x0b40, "hygon", .gpu),
        ] as [(UInt16, UInt16, UInt16, String, DeviceKind)])
    func acceleratorIsKnown(_ vendor: UInt16, _ device: UInt16, _ classID: UInt16, _ name: String, _ kind: DeviceKind) {
        #expect(identity(vendor, device, classID) == AcceleratorIdentity(vendor: name, kind: kind))
    }

    @Test(
        arguments: [
            (0x1a03, 0x2000, 0x0300, "ASPEED console"), (0x102b, 0x0534, 0x0300, "Matrox console"),
            (0x19e5, 0x1711, 0x0300, "iBMC console"), (0x1002, 0x515e, 0x0300, "ES1000 console"),
            (0x1002, 0x164e, 0x0300, "graphics inside a Ryzen"), (0x8086, 0x3e98, 0x0300, "graphics inside a Core"),
            (0x10de, 0x10f1, 0x0403, "a card's audio"), (0x10de, 0x1ac2, 0x0680, "NVSwitch"), (0x1002, 0xab38, 0x0403, "HDMI audio"),
            (0x8086, 0x37c8, 0x0b40, "QuickAssist"), (0x1d0f, 0xec20, 0x0200, "ENA"), (0x1d94, 0x1453, 0x0604, "Hygon PCI bridge"),
            (0x19e5, 0xa258, 0x1000, "Kunpeng crypto"), (0x15b3, 0x1017, 0x0207, "InfiniBand"),
        ] as [(UInt16, UInt16, UInt16, String)])
    func otherFunctionIsNoAccelerator(_ vendor: UInt16, _ device: UInt16, _ classID: UInt16, _ what: String) {
        #expect(identity(vendor, device, classID) == nil, "\(what)")
    }

    /// Debian's hwloc on an H100 server: PCI functions and names from pci.ids, no OS devices.
    @Test func functionsWithoutOSDevicesBecomeDevicesInAddressOrder() {
        let attached = [0x9a, 0x18, 0xdb, 0x2a].map { bus in
            function(0x10de, 0x2330, 0x0302, bus: bus, name: "GH100 [H100 SXM5 80GB]", node: bus < 0x80 ? 0 : 1)
        }
        let devices = DeviceScan(attached).devices
        #expect(devices.map(\.index) == [0, 1, 2, 3])
        #expect(devices.map(\.pciAddress) == ["0000:18:00.0", "0000:2a:00.0", "0000:9a:00.0", "0000:db:00.0"])
        #expect(devices.map(\.numaNode) == [0, 0, 1, 1])
        #expect(devices.allSatisfy { $0.model == "H100 SXM5 80GB" && $0.memoryBytes == 0 && $0.uuid == $0.pciAddress })
    }

    @Test func managementLibraryFillsInWhatTheBusDoesNotTell() {
        let report = NVMLReport(
            devices: [
                PCIAddress(domain: 0, bus: 0x18, device: 0, function: 0): NVMLDevice(
                    model: "NVIDIA H100 80GB HBM3", uuid: "GPU-1", memoryBytes: 85_520_809_984),
                // Granted to a container that cannot see the bus.
                PCIAddress(domain: 0, bus: 0x99, device: 0, function: 0): NVMLDevice(
                    model: "NVIDIA L4", uuid: "GPU-2", memoryBytes: 1 << 34),
            ], isAuthoritative: true)
        let scan = DeviceScan(
            [function(0x10de, 0x2330, 0x0302, bus: 0x18, node: 1), function(0x10de, 0x2330, 0x0302, bus: 0x2a)], nvml: report)
        #expect(scan.devices.map(\.model) == ["NVIDIA H100 80GB HBM3", "NVIDIA L4"])
        #expect(scan.devices.map(\.memoryBytes) == [85_520_809_984, 1 << 34])
        #expect(scan.devices.map(\.uuid) == ["GPU-1", "GPU-2"])
        #expect(scan.devices.map(\.numaNode) == [1, nil])
        #expect(scan.warnings.count == 1)
        #expect(scan.warnings.first?.contains("0000:2a:00.0") == true)
    }

    /// When one device cannot be opened, absence from the report proves nothing about another.
    @Test func incompleteReportDropsNoDevice() {
        let report = NVMLReport(warnings: ["NVML cannot open device 0: GPU is lost"])
        let scan = DeviceScan([function(0x10de, 0x2330, 0x0302)], nvml: report)
        #expect(scan.devices.count == 1)
        #expect(scan.warnings == ["NVML cannot open device 0: GPU is lost"])
    }

    @Test func openCLProcessorIsNoDevice() {
        let view = AttachedDevice.View(backend: .openCL, name: "opencl0d0", infos: ["GPUModel": "cpu-haswell"])
        #expect(DeviceScan([AttachedDevice(pci: nil, views: [view])]).devices.isEmpty)
    }

    @Test func deviceOffTheBusFollowsThoseOnIt() {
        let view = AttachedDevice.View(backend: .cuda, name: "cuda0", infos: ["GPUModel": "Orin", "CUDAGlobalMemorySize": "1024"])
        let devices = DeviceScan([AttachedDevice(pci: nil, views: [view], numaNode: 0), function(0x1002, 0x74a1, 0x1200)]).devices
        #expect(devices.map(\.vendor) == ["amd", "nvidia"])
        #expect(devices[1].pciAddress.isEmpty)
        #expect(devices[1].uuid == "cuda0")
        #expect(devices[1].memoryBytes == 1 << 20)
    }

    @Test func prefixTellsTheBackendWhereThereIsNoSubtype() {
        #expect(AttachedDevice.Backend(subtype: "", name: "nvml12") == .nvml)
        #expect(AttachedDevice.Backend(subtype: "", name: "ve0") == .vectorEngine)
        #expect(AttachedDevice.Backend(subtype: "", name: "veth0") == .other)
        #expect(AttachedDevice.Backend(subtype: "RSMI", name: "rsmi0") == .rsmi)
        #expect(AttachedDevice.Backend(subtype: "Disk", name: "nvml0") == .other)
    }

    /// A server with four Ascend 910B and the console of its iBMC, as hwloc would export it.
    @Test func ascendServerIsReadFromItsExport() throws {
        let text = AscendServer.xml
        let topology = try Topology(.xml(Array(text.utf8)))
        let devices = DeviceScan(topology.attachedDevices()).devices
        #expect(devices.count == 4)
        #expect(devices.allSatisfy { $0.vendor == "huawei" && $0.kind == .npu })
        #expect(devices.map(\.numaNode) == [0, 0, 1, 1])
        #expect(devices.map(\.pciAddress) == ["0000:c1:00.0", "0000:c2:00.0", "0000:81:00.0", "0000:82:00.0"].sorted())
        let drawing = try TopologyText.render(compressedXML: try Compression.compress(Array(text.utf8)))
        #expect(drawing.contains("NPU 3: huawei, 0000:c2:00.0"))
        #expect(!drawing.contains("1711"))
    }

    @Test func addressesOfBothFormsAreTheSamePlace() {
        #expect(PCIAddress("00000000:3B:00.0") == PCIAddress("0000:3b:00.0"))
        #expect(PCIAddress("0004:04:00.0")?.description == "0004:04:00.0")
        #expect(PCIAddress("10000:e1:1f.7")?.description == "10000:e1:1f.7")
        for bad in ["", "3b:00.0", "0000:3b:20.0", "0000:3b:00.8", "0000:3b:00", "0000:xx:00.0", "0:0:0:0.0"] {
            #expect(PCIAddress(bad) == nil)
        }
    }
}

/// An export written by hand after the public description of a two-socket Arm server with four Ascend 910B.
enum AscendServer {
    static var xml: String {
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <!DOCTYPE topology SYSTEM "hwloc2.dtd">
        <topology version="2.0">
          <object type="Machine" os_index="0" \(sets(cpus: "0x0000000f", nodes: "0x00000003")) gp_index="1">
            <info name="Architecture" value="aarch64"/>
        \(package(0, bus: "81", console: false))
        \(package(1, bus: "c1", console: true))
          </object>
        </topology>

        """
    }

    private static func sets(cpus: String, nodes: String) -> String {
        ["cpuset", "complete_cpuset"].map { "\($0)=\"\(cpus)\"" }.joined(separator: " ")
            + " " + ["nodeset", "complete_nodeset"].map { "\($0)=\"\(nodes)\"" }.joined(separator: " ")
    }

    private static func package(_ index: Int, bus: String, console: Bool) -> String {
        let cpus = [index * 2, index * 2 + 1]
        let base = 10 + index * 20
        let first = UInt8(bus, radix: 16) ?? 0
        let nodes = "0x0000000\(index + 1)"
        let sets = sets(cpus: index == 0 ? "0x00000003" : "0x0000000c", nodes: nodes)
        let memory = "gp_index=\"\(base + 1)\" local_memory=\"68719476736\""
        let npus = [first, first + 1].map { bus in
            pci(hexadecimal(bus, digits: 2), "1200 [19e5:d802] [19e5:4000] 20", Int(bus))
        }
        let display = console ? [pci("c3", "0300 [19e5:1711] [19e5:1711] 01", 500)] : []
        return """
                <object type="Package" os_index="\(index)" \(sets) gp_index="\(base)">
                  <object type="NUMANode" os_index="\(index)" \(sets) \(memory)/>
            \(cpus.map { core($0, nodes: nodes, gp: base + 2 + 2 * $0) }.joined(separator: "\n"))
                  <object type="Bridge" gp_index="\(base + 12)" bridge_type="0-1" depth="0" bridge_pci="0000:[\(bus)-c3]">
            \((npus + display).joined(separator: "\n"))
                  </object>
                </object>
            """
    }

    private static func core(_ index: Int, nodes: String, gp: Int) -> String {
        let sets = sets(cpus: "0x0000000\(1 << index)", nodes: nodes)
        return """
                  <object type="Core" os_index="\(index)" \(sets) gp_index="\(gp)">
                    <object type="PU" os_index="\(index)" \(sets) gp_index="\(gp + 1)"/>
                  </object>
            """
    }

    private static func pci(_ bus: String, _ type: String, _ gp: Int) -> String {
        """
                    <object type="PCIDev" gp_index="\(1000 + gp)" pci_busid="0000:\(bus):00.0" pci_type="\(type)" pci_link_speed="31.5"/>
        """
    }
}
