import ClusterModel
import Testing

@testable import HostTopology

/// What is near what on a machine.
@Suite struct NeighbourTests {
    private static func devices(_ file: String) throws -> [Device] {
        try HwlocDiscovery(.xml(try Recording.xml(file)), digest: length).inventory().devices
    }

    /// Eight on each of two boards, linked through the NVSwitches of their board; the trunk between these is not in the export.
    @Test(.recordedMachines)
    func aDGX2IsTwoLinkedGroupsBelowManySwitches() throws {
        let devices = try Self.devices("dgx2-16v100.xml.gz")
        #expect(devices.map(\.linkGroup) == Array(repeating: 0, count: 8) + Array(repeating: 1, count: 8))
        let switches = Dictionary(grouping: devices, by: \.pcieSwitch)
        #expect(!switches.keys.contains(nil))
        for members in switches.values { #expect(Set(members.map(\.numaNode)).count == 1 && members.count >= 2) }
    }

    /// Two pairs, each linked within itself and to its processor: through that, nothing is linked.
    @Test(.recordedMachines)
    func linksToProcessorsDoNotLinkDevices() throws {
        #expect(try Self.devices("power8gpudistances.xml.gz").map(\.linkGroup) == [0, 0, 1, 1])
    }

    @Test(.recordedMachines)
    func xGMILinksAllOfATioga() throws {
        #expect(Set(try Self.devices("tioga-8mi250x.xml.gz").map(\.linkGroup)) == [0])
    }

    @Test(.recordedMachines)
    func devicesOnRootPortsOfTheirOwnShareNoSwitch() throws {
        #expect(try Self.devices("power8gpudistances.xml.gz").allSatisfy { $0.pcieSwitch == nil })
    }

    @Test func theNearestSharedBridgeCounts() {
        #expect(DeviceNeighbours.switches([[1, 9], [2, 9], [3, 8, 9], [4, 8, 9], [5], []]) == [0, 0, 1, 1, nil, nil])
    }

    @Test func linksReachThroughSwitches() {
        func address(_ bus: UInt8) -> PCIAddress { PCIAddress(domain: 0, bus: bus, device: 0, function: 0) }
        let links = [DeviceLink(from: address(1), to: address(9)), DeviceLink(from: address(2), to: address(9))]
        #expect(DeviceNeighbours.linkGroups([address(1), address(2), address(3), nil], links) == [0, 0, nil, nil])
    }

    // MARK: Processors

    @Test func processorsOfOneCoreStandSideBySide() throws {
        let inventory = try HwlocDiscovery(.synthetic("pack:2 [numa(memory=1GB)] core:2 pu:2(indexes=0,4,1,5,2,6,3,7)"), digest: length)
            .inventory()
        #expect(inventory.numaNodes.map(\.processors) == [[0, 4, 1, 5], [2, 6, 3, 7]])
        #expect(inventory.numaNodes.map(\.threadsPerCore) == [2, 2])
        #expect(inventory.validate().isEmpty)
    }

    @Test(.recordedMachines, arguments: Recording.exports)
    func everyProcessorIsOfOneNode(_ recording: Recording) throws {
        let inventory = try HwlocDiscovery(.xml(try recording.xml()), digest: length).inventory()
        let all = inventory.numaNodes.flatMap(\.processors)
        #expect(all.count == Int(inventory.cpuMilli / 1000) && Set(all).count == all.count)
    }
}
