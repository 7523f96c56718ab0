// Where memory is, as the kernel lays it out: which nodes this process may allocate on and how far they are
// from each other. hwloc says what the machine is made of; libnuma adds the kernel's distances and this
// process's memory policy, and both are asked which node a processor is on, since firmware tables do lie.

import CHwloc
import CNUMA

/// The NUMA nodes of this machine, for binding a task's memory near its processors and devices.
public struct NUMAPlacement: Equatable, Sendable {
    public struct Node: Equatable, Sendable {
        /// The operating system's index, as in `cpuset.mems`.
        public var osIndex: UInt32
        /// Processors of the node by operating-system index, ascending; empty for a node of memory only.
        public var processors: [UInt32]
        /// What the kernel counts on the node now. Compare nodes by it; a machine's capacity it is not.
        public var memoryBytes: Int64
        /// Whether this process may allocate there (`cpuset.mems` of its control group).
        public var isAllowed: Bool
        /// The kernel's distance to each node, in the order of `nodes`; 10 is local. 0 where it is not known.
        public var distances: [Int32]

        public init(osIndex: UInt32, processors: [UInt32], memoryBytes: Int64, isAllowed: Bool, distances: [Int32]) {
            self.osIndex = osIndex
            self.processors = processors
            self.memoryBytes = memoryBytes
            self.isAllowed = isAllowed
            self.distances = distances
        }
    }

    /// Ascending by operating-system index; empty where the kernel has no NUMA support.
    public var nodes: [Node]

    public init(nodes: [Node]) { self.nodes = nodes }

    /// Nodes with memory that this process may use, the nearest to `osIndex` first; ties by index. The order in
    /// which memory for work on that node should be taken. Empty when the node is not known.
    public func memoryOrder(from osIndex: UInt32) -> [UInt32] {
        guard let origin = nodes.first(where: { $0.osIndex == osIndex }) else { return [] }
        func distance(_ position: Int) -> Int32 {
            let stated = position < origin.distances.count ? origin.distances[position] : 0
            // An unknown distance is remote unless it is the node itself (ACPI, SLIT: 10 local, 20 by default).
            return stated > 0 ? stated : (nodes[position].osIndex == osIndex ? 10 : 20)
        }
        return nodes.indices.filter { nodes[$0].isAllowed && nodes[$0].memoryBytes > 0 }
            .sorted { (distance($0), nodes[$0].osIndex) < (distance($1), nodes[$1].osIndex) }
            .map { nodes[$0].osIndex }
    }

    /// A node's part of the machine's memory in thousandths.
    public func memoryShareMilli(of osIndex: UInt32) -> Int64 {
        let total = nodes.reduce(Int64(0)) { $0 + $1.memoryBytes }
        guard total > 0, let node = nodes.first(where: { $0.osIndex == osIndex }) else { return 0 }
        return Int64(Double(node.memoryBytes) / Double(total) * 1000)
    }
}

extension Topology {
    /// The placement, and one warning if hwloc and the kernel disagree about a processor's node.
    borrowing func numaPlacement() -> (placement: NUMAPlacement, warnings: [String]) {
        // Every other call of libnuma is undefined before this one says yes.
        guard isThisSystem, numa_available() >= 0 else { return (NUMAPlacement(nodes: []), []) }
        let objects = objects(HWLOC_OBJ_NUMANODE).sorted { $0.osIndex < $1.osIndex }
        let allowed = numa_get_mems_allowed()
        defer { numa_bitmask_free(allowed) }
        let nodes = objects.map { object in
            NUMAPlacement.Node(
                osIndex: object.osIndex,
                processors: object.processors,
                memoryBytes: max(0, Int64(numa_node_size64(Int32(object.osIndex), nil))),
                isAllowed: numa_bitmask_isbitset(allowed, object.osIndex) == 1,
                distances: objects.map { numa_distance(Int32(object.osIndex), Int32($0.osIndex)) })
        }
        let placement = NUMAPlacement(nodes: nodes)
        return (placement, Self.disagreements(placement, kernelNode: { numa_node_of_cpu(Int32($0)) }))
    }

    /// Processors that hwloc and the kernel put on different nodes. Nodes that share processors (DRAM beside
    /// high-bandwidth memory) agree when one of them matches; a negative answer is none.
    static func disagreements(_ placement: NUMAPlacement, kernelNode: (UInt32) -> Int32) -> [String] {
        var owners: [UInt32: [UInt32]] = [:]
        for node in placement.nodes {
            for processor in node.processors { owners[processor, default: []].append(node.osIndex) }
        }
        let wrong = owners.keys.sorted().filter { processor in
            guard let stated = UInt32(exactly: kernelNode(processor)) else { return false }
            return owners[processor]?.contains(stated) == false
        }
        guard let first = wrong.first, let owner = owners[first]?.first else { return [] }
        return [
            "hwloc puts processor \(first) on NUMA node \(owner), the kernel on node \(kernelNode(first))"
                + (wrong.count > 1 ? " (and \(wrong.count - 1) more)" : "") + "; memory binding follows the kernel"
        ]
    }
}
