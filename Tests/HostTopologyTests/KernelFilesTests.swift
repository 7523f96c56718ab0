import ClusterPorts
import Foundation
import Testing

@testable import HostTopology

struct KernelFilesTests {
    /// A tree with the given files, removed afterwards.
    private func withTree(_ files: [String: String], _ body: (KernelFiles) throws -> Void) throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("suanpan-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: root) }
        for (path, content) in files {
            let file = root.appendingPathComponent(path)
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(content.utf8).write(to: file)
        }
        try body(KernelFiles(root: root.path))
    }

    private let meminfo = "MemTotal:       16777216 kB\nMemFree:        1 kB\n"

    @Test func totalIsTheKernelsWithoutControlGroups() throws {
        try withTree(["proc/meminfo": meminfo]) { files in
            let bytes = try files.memoryBytes()
            #expect(bytes == 16 << 30)
        }
    }

    @Test(arguments: ["", "MemFree: 1 kB\n", "MemTotal:\n", "MemTotal: -4 kB\n", "MemTotal: 99999999999999999999 kB\n"])
    func missingTotalIsAnError(_ content: String) throws {
        try withTree(["proc/meminfo": content]) { files in
            #expect(throws: DiscoveryError.self) { try files.memoryBytes() }
        }
    }

    @Test func lowestLimitOnTheWayUpBinds() throws {
        try withTree([
            "proc/meminfo": meminfo,
            "proc/self/cgroup": "0::/system.slice/agent.service\n",
            "proc/self/mountinfo": "24 1 0:22 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n",
            "sys/fs/cgroup/system.slice/agent.service/memory.max": "max\n",
            "sys/fs/cgroup/system.slice/memory.max": "4294967296\n",
        ]) { files in
            #expect(files.cgroupMemoryLimit() == 4 << 30)
            let bytes = try files.memoryBytes()
            #expect(bytes == 4 << 30)
        }
    }

    @Test func versionOneLimitBindsAndItsUnlimitedDoesNot() throws {
        let mounts = "35 31 0:31 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
        try withTree([
            "proc/meminfo": meminfo, "proc/self/mountinfo": mounts, "proc/self/cgroup": "4:memory:/jobs\n0::/\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            "sys/fs/cgroup/memory/jobs/memory.limit_in_bytes": "1073741824\n",
        ]) { files in
            let bytes = try files.memoryBytes()
            #expect(bytes == 1 << 30)
        }
        try withTree([
            "proc/meminfo": meminfo, "proc/self/mountinfo": mounts, "proc/self/cgroup": "4:memory:/\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        ]) { files in
            let bytes = try files.memoryBytes()
            #expect(bytes == 16 << 30)
        }
    }

    /// A container sees its own part of the hierarchy as the whole.
    @Test func mountOfAPartIsWalkedFromItsOwnRoot() throws {
        try withTree([
            "proc/meminfo": meminfo,
            "proc/self/cgroup": "0::/docker/abc/worker\n",
            "proc/self/mountinfo": "24 1 0:22 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n",
            "sys/fs/cgroup/worker/memory.max": "2147483648\n",
            "sys/fs/cgroup/memory.max": "3221225472\n",
        ]) { files in #expect(files.cgroupMemoryLimit() == 2 << 30) }
    }

    @Test func limitAboveTheTotalChangesNothing() throws {
        try withTree([
            "proc/meminfo": meminfo, "proc/self/cgroup": "0::/a\n",
            "proc/self/mountinfo": "24 1 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
            "sys/fs/cgroup/a/memory.max": "1099511627776\n",
        ]) { files in
            let bytes = try files.memoryBytes()
            #expect(bytes == 16 << 30)
        }
    }

    @Test func driverFilesNameDevices() throws {
        let information = """
            Model: \t\t NVIDIA H200
            IRQ:   \t\t 0
            GPU UUID: \t GPU-12345678-1234-1234-1234-123456789012
            Bus Location: \t 0000:3b:00.0
            """
        try withTree([
            "proc/driver/nvidia/gpus/0000:3b:00.0/information": information,
            "proc/driver/nvidia/gpus/0000:5e:00.0/information": "GPU UUID: \t GPU-????????-????\n",
            "proc/driver/nvidia/gpus/junk/information": information,
        ]) { files in
            let devices = files.nvidiaDriverDevices()
            #expect(devices.count == 2)
            #expect(
                devices[PCIAddress(domain: 0, bus: 0x3b, device: 0, function: 0)]
                    == NVIDIADriverEntry(model: "NVIDIA H200", uuid: "GPU-12345678-1234-1234-1234-123456789012"))
            #expect(devices[PCIAddress(domain: 0, bus: 0x5e, device: 0, function: 0)] == NVIDIADriverEntry())
        }
    }
}

struct NUMAPlacementTests {
    /// Two sockets, each with memory, and a node of memory only behind the second.
    private let placement = NUMAPlacement(nodes: [
        .init(osIndex: 0, processors: [0, 1], memoryBytes: 1 << 30, isAllowed: true, distances: [10, 21, 31]),
        .init(osIndex: 1, processors: [2, 3], memoryBytes: 2 << 30, isAllowed: true, distances: [21, 10, 14]),
        .init(osIndex: 4, processors: [], memoryBytes: 1 << 30, isAllowed: true, distances: [31, 14, 10]),
    ])

    @Test func memoryIsTakenFromTheNearestNodeFirst() {
        #expect(placement.memoryOrder(from: 0) == [0, 1, 4])
        #expect(placement.memoryOrder(from: 1) == [1, 4, 0])
        #expect(placement.memoryOrder(from: 9) == [])
    }

    @Test func forbiddenAndEmptyNodesGiveNoMemory() {
        var restricted = placement
        restricted.nodes[1].isAllowed = false
        restricted.nodes[0].memoryBytes = 0
        #expect(restricted.memoryOrder(from: 0) == [4])
    }

    @Test func unknownDistanceIsRemote() {
        var unknown = placement
        unknown.nodes[1].distances = [0, 0, 0]
        #expect(unknown.memoryOrder(from: 1) == [1, 0, 4])
    }

    @Test func sharesAreThousandthsOfTheSum() {
        #expect(placement.memoryShareMilli(of: 0) == 250)
        #expect(placement.memoryShareMilli(of: 1) == 500)
        #expect(placement.memoryShareMilli(of: 7) == 0)
    }

    @Test func disagreementWithTheKernelIsSaidOnce() {
        #expect(Topology.disagreements(placement, kernelNode: { $0 < 2 ? 0 : 1 }).isEmpty)
        #expect(Topology.disagreements(placement, kernelNode: { _ in -1 }).isEmpty)
        let warnings = Topology.disagreements(placement, kernelNode: { _ in 0 })
        #expect(warnings == ["hwloc puts processor 2 on NUMA node 1, the kernel on node 0 (and 1 more); memory binding follows the kernel"])
    }
}
