import ClusterModel
import ClusterPorts
import Testing

@testable import HostTopology

struct SyntheticMachineTests {
    @Test func countsAndCapacityFollowTheDescription() throws {
        let source = TopologySource.synthetic("pack:2 [numa(memory=64GB)] l3:2 l2:4 core:1 pu:2")
        let machine = try HwlocDiscovery(source, digest: length)
            .discover(name: "n1", address: "192.0.2.1", labels: [NamedText("rack", "a")])
        let inventory = machine.inventory
        #expect(inventory.topology.packages == 2)
        #expect(inventory.topology.numaNodes == 2)
        #expect(inventory.topology.level3Caches == 4)
        #expect(inventory.topology.level2Caches == 16)
        #expect(inventory.topology.cores == 16)
        #expect(inventory.topology.processingUnits == 32)
        #expect(inventory.cpuMilli == 32_000)
        #expect(inventory.memoryBytes == 128_000_000_000)
        #expect(inventory.devices.isEmpty)
        #expect(inventory.labels == [NamedText("rack", "a")])
        #expect(inventory.validate().isEmpty)
    }

    @Test func digestIsTakenOfTheUncompressedExport() throws {
        let machine = try HwlocDiscovery(.synthetic("core:2 pu:1"), digest: length)
            .discover(name: "n1", address: "192.0.2.1", labels: [])
        let xml = try Compression.decompress(machine.compressedTopology, limit: TopologyLimits.xmlBytes)
        #expect(machine.inventory.topologyDigest == length(xml))
        #expect(String(decoding: xml, as: UTF8.self).hasSuffix("</topology>\n"))
        #expect(machine.compressedTopology.count < xml.count)
    }

    @Test func exportLoadsAgainAsTheSameMachine() throws {
        let first = try Topology(.synthetic("pack:2 [numa] l3:1 core:3 pu:4"))
        let second = try Topology(.xml(try first.exportXML()))
        #expect(second.summary() == first.summary())
        #expect(second.usableProcessors() == Array(0..<24))
    }

    @Test func textCollapsesCoresAndCaches() throws {
        let machine = try HwlocDiscovery(.synthetic("pack:2 [numa(memory=64GiB)] l3:1 l2:12 core:1 pu:2"), digest: length)
            .discover(name: "n1", address: "192.0.2.1", labels: [])
        let lines = try TopologyText.render(compressedXML: machine.compressedTopology).split(separator: "\n").map(String.init)
        #expect(
            lines == [
                "Machine",
                "  Package 0",
                "    NUMA node 0: 64 GiB",
                "      L3 0 (16 MiB), L2 0-11 (4 MiB each)",
                "      Core 0-11 (2 PU each)",
                "  Package 1",
                "    NUMA node 1: 64 GiB",
                "      L3 1 (16 MiB), L2 12-23 (4 MiB each)",
                "      Core 12-23 (2 PU each)",
            ])
    }

    @Test(arguments: ["", "pack:0", "nonsense:3", "core:2 pu"])
    func badDescriptionIsRefusedWithItsText(_ description: String) {
        #expect {
            _ = try HwlocDiscovery(.synthetic(description), digest: length).inventory()
        } throws: { error in
            (error as? DiscoveryError)?.message.contains("'\(description)'") == true
        }
    }

    @Test func placementIsOnlyGivenForThisMachine() throws {
        let survey = try HwlocDiscovery(.synthetic("numa:2 core:2 pu:1"), digest: length).survey(name: "n", address: "a", labels: [])
        #expect(survey.placement.nodes.isEmpty)
        #expect(survey.warnings.isEmpty)
    }
}

struct ThisMachineTests {
    @Test func thisMachineIsDescribedSanely() throws {
        let survey = try HwlocDiscovery(digest: length).survey(name: "here", address: "192.0.2.1", labels: [])
        let inventory = survey.machine.inventory
        #expect(inventory.validate().isEmpty)
        #expect(inventory.topology.processingUnits >= 1)
        #expect(inventory.cpuMilli >= 1000)
        #expect(inventory.cpuMilli <= Int64(inventory.topology.processingUnits) * 1000)
        #expect(inventory.cpuMilli % 1000 == 0)
        #expect(inventory.memoryBytes > 64 << 20)
        #expect(inventory.memoryBytes <= (try KernelFiles().totalMemoryBytes()))
        #expect(!inventory.topology.architecture.isEmpty)
        #expect(try TopologyText.render(compressedXML: survey.machine.compressedTopology).hasPrefix("Machine"))
    }

    @Test func everyNodeOfThisMachineIsLocalToItself() throws {
        let placement = try HwlocDiscovery(digest: length).survey(name: "here", address: "192.0.2.1", labels: []).placement
        for (position, node) in placement.nodes.enumerated() {
            #expect(node.distances.count == placement.nodes.count)
            #expect(node.distances[position] == 10 || node.distances[position] == 0)
            if node.isAllowed, node.memoryBytes > 0 { #expect(placement.memoryOrder(from: node.osIndex).first == node.osIndex) }
        }
    }

    @Test func twoLooksFindTheSameShape() throws {
        let first = try HwlocDiscovery(digest: length).inventory()
        let second = try HwlocDiscovery(digest: length).inventory()
        #expect(first.topology == second.topology)
        #expect(first.devices == second.devices)
        #expect(first.cpuMilli == second.cpuMilli)
    }
}
