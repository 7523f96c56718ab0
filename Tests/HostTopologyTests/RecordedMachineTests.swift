import ClusterModel
import ClusterPorts
import Foundation
import Testing

@testable import HostTopology

@Suite(.serialized)
struct RecordedMachineTests {
    @Test(.recordedMachines, arguments: Recording.exports)
    func recordedMachineHasItsProcessorsAndDevices(_ recording: Recording) throws {
        let xml = try recording.xml()
        let inventory = try HwlocDiscovery(.xml(xml), digest: length).inventory()
        let devices = inventory.devices
        let expected = recording.devices
        #expect(inventory.topology == recording.summary)
        #expect(inventory.cpuMilli == Int64(recording.summary.processingUnits) * 1000)
        #expect(inventory.memoryBytes > 60 << 30)
        #expect(devices.map(\.pciAddress) == expected.addresses)
        #expect(devices.map(\.vendor) == expected.vendor)
        #expect(devices.map(\.model) == expected.models)
        #expect(devices.map(\.memoryBytes) == expected.memoryKiB.map { $0 << 10 })
        #expect(devices.map(\.numaNode) == expected.nodes)
        #expect(devices.allSatisfy { $0.kind == expected.kind })
        #expect(Set(devices.map(\.uuid)).count == devices.count)
        #expect(inventory.validate().isEmpty)
    }

    @Test(.recordedMachines, arguments: Recording.exports)
    func textNamesEveryDeviceOnceUnderItsNode(_ recording: Recording) throws {
        let machine = try HwlocDiscovery(.xml(try recording.xml()), digest: length)
            .discover(name: "node", address: "192.0.2.1", labels: [])
        let lines = try TopologyText.render(compressedXML: machine.compressedTopology).split(separator: "\n")
        for device in machine.inventory.devices {
            let label = "GPU \(device.index): \(device.model.isEmpty ? device.vendor : device.model)"
            let position = try #require(lines.firstIndex { $0.contains(label) })
            #expect(lines[position].hasSuffix(device.memoryBytes > 0 ? " GiB" : device.pciAddress))
            let node = lines[..<position].last { $0.contains("NUMA node") }
            #expect(node?.contains("NUMA node \(device.numaNode ?? 99):") == true)
        }
        #expect(lines.count { $0.contains("GPU ") } == machine.inventory.devices.count)
        #expect(lines.count { $0.contains("Package ") } == Int(recording.summary.packages))
        #expect(lines.count { $0.contains("NUMA node ") } == Int(recording.summary.numaNodes))
    }

    @Test(.recordedMachines)
    func identifiersComeFromTheMaker() throws {
        let volta = try HwlocDiscovery(.xml(try Recording.xml("dgx2-16v100.xml.gz")), digest: length).inventory()
        #expect(volta.devices[0].uuid == "GPU-d3977428-7a30-086b-2e20-5c1eeed647c6")
        let instinct = try HwlocDiscovery(.xml(try Recording.xml("tioga-8mi250x.xml.gz")), digest: length).inventory()
        #expect(instinct.devices[0].uuid == "4a7c19da329a2b8c")
        let unnamed = try HwlocDiscovery(.xml(try Recording.xml("ulna-arm64.v1.xml.gz")), digest: length).inventory()
        #expect(unnamed.devices[1].uuid == "0000:82:00.0")
    }

    @Test(.recordedMachines)
    func consoleGraphicsIsNoAccelerator() throws {
        for file in ["corona-8mi60.xml.gz", "lassen-4v100-power9.xml.gz", "192em64t-24n8c2t.xml.gz", "ulna-arm64.v1.xml.gz"] {
            let topology = try Topology(.xml(try Recording.xml(file)))
            let consoles = topology.attachedDevices().filter { [0x1a03, 0x102b].contains($0.pci?.vendorID) }
            #expect(consoles.count == 1)
            #expect(DeviceScan(consoles).devices.isEmpty)
        }
    }

    // MARK: - Recorded trees of /proc and /sys

    @Test(.recordedMachines)
    func vectorEnginesAreFoundInARecordedTree() throws {
        try Recording.withTree("32intel64-2p8co2t+8ve") { root in
            let topology = try Topology(.fileSystemRoot(root))
            let devices = DeviceScan(topology.attachedDevices()).devices
            #expect(devices.count == 8)
            #expect(devices.allSatisfy { $0.kind == .other && $0.vendor == "nec" && $0.numaNode == 0 })
            let buses = ["1b", "1c", "1d", "1e", "3d", "3f", "40", "41"]
            #expect(devices.map(\.pciAddress) == buses.map { "0000:\($0):00.0" })
            #expect(devices[0].memoryBytes == 48 << 30)
            #expect(devices[0].uuid == "32424a32333030343900000000000000")
            let summary = topology.summary()
            #expect(summary.processingUnits == 32)
            #expect(summary.cpuModel == "Intel(R) Xeon(R) Silver 4108 CPU @ 1.80GHz")
        }
    }

    /// The recording holds no vendor identifiers; NVIDIA's driver names the functions it holds.
    @Test(.recordedMachines)
    func driverNamesDevicesWhoseIdentifiersAreUnreadable() throws {
        try Recording.withTree("nvidiagpunumanodes") { root in
            let survey = try HwlocDiscovery(.fileSystemRoot(root), digest: length).survey(name: "n", address: "a", labels: [])
            let inventory = survey.machine.inventory
            let addresses = ["0004:05:00.0", "0004:06:00.0", "0006:00:00.0", "0007:00:00.0", "0035:04:00.0", "0035:05:00.0"]
            #expect(inventory.devices.map(\.pciAddress) == addresses)
            #expect(inventory.devices.map(\.numaNode) == [0, 0, 0, 8, 8, 8])
            #expect(inventory.devices.allSatisfy { $0.vendor == "nvidia" && $0.kind == .gpu })
            #expect(inventory.memoryBytes == 358_162_944 << 10)
            #expect(inventory.cpuMilli == 32_000)
            #expect(inventory.topology.cpuModel == "POWER9, altivec supported")
            #expect(survey.placement.nodes.isEmpty)
        }
        #expect(getenv("HWLOC_FSROOT") == nil)
    }
}
