// hwloc's handle, owned. Nothing outside this folder sees a hwloc type.
//
// Invariants: a `Topology` is always loaded; its objects live exactly as long as it does, so pointers to them
// never leave a borrowing call.

import CHwloc
import ClusterPorts
import Glibc
import Synchronization

/// Where a topology comes from.
public enum TopologySource: Sendable {
    /// The machine this process runs on, as a whole, including processors that a cpuset withholds.
    case thisMachine
    /// An export of hwloc, of any machine. hwloc's parser is C and trusts its input (mutated exports crash
    /// it), so this is for the operator's own files; what an agent sent goes to `TopologyText`.
    case xml([UInt8])
    /// hwloc's synthetic description, such as `pack:2 [numa(memory=64GB)] l3:1 core:8 pu:2`.
    case synthetic(String)
    /// A recorded tree of `/proc` and `/sys`. hwloc takes it only from the environment (`HWLOC_FSROOT`), so
    /// loading changes the environment for a moment: for tests and simulated nodes, not for a running agent.
    case fileSystemRoot(String)
}

struct Topology: ~Copyable {
    private let handle: hwloc_topology_t

    /// Loads a topology with all I/O objects; hwloc's default would drop PCI and OS devices.
    init(_ source: TopologySource) throws(DiscoveryError) {
        self.handle = try Self.load(source)
    }

    deinit { hwloc_topology_destroy(handle) }

    /// A machine other than this one says nothing about what this process may use.
    var isThisSystem: Bool { hwloc_topology_is_thissystem(handle) == 1 }

    // MARK: - Loading

    /// hwloc reads its environment whenever it loads; with a recorded tree we write it. One load at a time.
    private static let environmentLock = Mutex(())

    /// Works on the raw handle: a noncopyable value with a deinitialiser cannot throw half-initialised.
    private static func load(_ source: TopologySource) throws(DiscoveryError) -> hwloc_topology_t {
        var created: hwloc_topology_t?
        guard hwloc_topology_init(&created) == 0, let topology = created else {
            throw DiscoveryError("hwloc could not be initialised: \(errnoText())")
        }
        do throws(DiscoveryError) {
            try environmentLock.withLock { _ throws(DiscoveryError) in try configure(topology, source) }
            return topology
        } catch {
            hwloc_topology_destroy(topology)
            throw error
        }
    }

    private static func configure(_ topology: hwloc_topology_t, _ source: TopologySource) throws(DiscoveryError) {
        guard hwloc_topology_set_io_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_ALL) == 0,
            hwloc_topology_set_flags(topology, UInt(HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED.rawValue)) == 0
        else { throw DiscoveryError("hwloc refuses its configuration: \(errnoText())") }
        switch source {
        case .thisMachine:
            try finish(topology, "this machine")
            guard hwloc_topology_is_thissystem(topology) == 1 else {
                throw DiscoveryError(
                    "the environment makes hwloc describe another machine; unset HWLOC_XMLFILE, HWLOC_SYNTHETIC and HWLOC_FSROOT")
            }
        case .xml(let bytes):
            try set(topology, xml: bytes)
            try finish(topology, "the XML export")
        case .synthetic(let description):
            guard hwloc_topology_set_synthetic(topology, description) == 0 else {
                throw DiscoveryError("hwloc refuses the synthetic description '\(description)': \(errnoText())")
            }
            try finish(topology, "the synthetic description")
        case .fileSystemRoot(let root):
            try load(topology, fileSystemRoot: root)
        }
    }

    private static func finish(_ topology: hwloc_topology_t, _ what: String) throws(DiscoveryError) {
        guard hwloc_topology_load(topology) == 0 else {
            throw DiscoveryError("hwloc \(HWLOC_API_VERSION >> 16).x cannot load \(what): \(errnoText())")
        }
    }

    private static func set(_ topology: hwloc_topology_t, xml: [UInt8]) throws(DiscoveryError) {
        guard xml.count <= TopologyLimits.xmlBytes else {
            throw DiscoveryError("the topology's XML has \(xml.count) bytes, the limit is \(TopologyLimits.xmlBytes)")
        }
        // hwloc wants the terminator, and wants it counted.
        var text = xml.map { CChar(bitPattern: $0) }
        if text.last != 0 { text.append(0) }
        let status = text.withUnsafeBufferPointer { hwloc_topology_set_xmlbuffer(topology, $0.baseAddress, Int32($0.count)) }
        guard status == 0 else { throw DiscoveryError("hwloc refuses the XML export: \(errnoText())") }
    }

    private static func load(_ topology: hwloc_topology_t, fileSystemRoot root: String) throws(DiscoveryError) {
        // The x86 component asks the processor it runs on, which has nothing to do with the recorded machine:
        // without this a recorded POWER9 shows this machine's CPU model.
        let leaveOut = UInt(HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST.rawValue)
        guard hwloc_topology_set_components(topology, leaveOut, "x86") == 0 else {
            throw DiscoveryError("hwloc cannot leave out its x86 component: \(errnoText())")
        }
        let previous = getenv("HWLOC_FSROOT").map { String(cString: $0) }
        setenv("HWLOC_FSROOT", root, 1)
        defer {
            if let previous { setenv("HWLOC_FSROOT", previous, 1) } else { unsetenv("HWLOC_FSROOT") }
        }
        try finish(topology, "the recorded tree \(root)")
    }

    // MARK: - Export

    /// hwloc's XML without the terminating NUL.
    borrowing func exportXML() throws(DiscoveryError) -> [UInt8] {
        var buffer: UnsafeMutablePointer<CChar>?
        var length: Int32 = 0
        guard hwloc_topology_export_xmlbuffer(handle, &buffer, &length, 0) == 0, let buffer else {
            throw DiscoveryError("hwloc cannot export the topology: \(errnoText())")
        }
        defer { hwloc_free_xmlbuffer(handle, buffer) }
        return UnsafeRawBufferPointer(start: buffer, count: max(0, Int(length) - 1)).map { $0 }
    }

    // MARK: - Objects

    var root: TopologyObject { TopologyObject(hwloc_get_root_obj(handle)) }

    /// The number of objects of a type over all depths, which `hwloc_get_nbobjs_by_type` refuses to add up.
    borrowing func count(_ type: hwloc_obj_type_t) -> UInt32 {
        let depth = hwloc_get_type_depth(handle, type)
        guard depth == Int32(HWLOC_TYPE_DEPTH_MULTIPLE.rawValue) else {
            return depth == Int32(HWLOC_TYPE_DEPTH_UNKNOWN.rawValue) ? 0 : hwloc_get_nbobjs_by_depth(handle, depth)
        }
        return (0..<hwloc_topology_get_depth(handle)).reduce(0) { total, depth in
            hwloc_get_depth_type(handle, depth) == type ? total + hwloc_get_nbobjs_by_depth(handle, depth) : total
        }
    }

    /// All objects of a type that has one depth: every type used here (only groups have several).
    borrowing func objects(_ type: hwloc_obj_type_t) -> [TopologyObject] {
        var found: [TopologyObject] = []
        var previous: hwloc_obj_t?
        while let next = hwloc_get_next_obj_by_type(handle, type, previous) {
            found.append(TopologyObject(next))
            previous = next
        }
        return found
    }

    /// Every pair of different objects in matrices of that name, with what stands there.
    borrowing func forEachDistance(named name: String, _ body: (TopologyObject, TopologyObject, UInt64) -> Void) {
        var count: UInt32 = 4
        withUnsafeTemporaryAllocation(of: UnsafeMutablePointer<hwloc_distances_s>?.self, capacity: Int(count)) { matrices in
            guard hwloc_distances_get_by_name(handle, name, &count, matrices.baseAddress, 0) == 0 else { return }
            for matrix in matrices.prefix(Int(min(count, 4))).compactMap(\.self) {
                defer { hwloc_distances_release(handle, matrix) }
                let size = Int(matrix.pointee.nbobjs)
                for place in 0..<size * size where place / size != place % size {
                    guard let from = matrix.pointee.objs[place / size], let to = matrix.pointee.objs[place % size] else { continue }
                    body(TopologyObject(from), TopologyObject(to), matrix.pointee.values[place])
                }
            }
        }
    }

    /// The processors this process may use: in the topology, allowed by the cpuset, and in the affinity mask.
    /// hwloc reads the mask with `sched_getaffinity(2)`, growing past the 1024 processors of `cpu_set_t`.
    borrowing func usableProcessors() -> [UInt32] {
        guard let set = hwloc_bitmap_dup(hwloc_topology_get_topology_cpuset(handle)) else { return [] }
        defer { hwloc_bitmap_free(set) }
        hwloc_bitmap_and(set, set, hwloc_topology_get_allowed_cpuset(handle))
        if isThisSystem, let mask = hwloc_bitmap_alloc() {
            defer { hwloc_bitmap_free(mask) }
            if hwloc_get_proc_cpubind(handle, getpid(), mask, Int32(HWLOC_CPUBIND_PROCESS.rawValue)) == 0 {
                hwloc_bitmap_and(set, set, mask)
            }
        }
        return indexes(of: set)
    }
}

/// The members of a bitmap, ascending; `hwloc_bitmap_foreach` is a macro that Swift cannot see. An infinite
/// set has no last member and reads as empty.
func indexes(of set: hwloc_const_bitmap_t?) -> [UInt32] {
    guard let set, hwloc_bitmap_weight(set) > 0 else { return [] }
    var members: [UInt32] = []
    var index = hwloc_bitmap_first(set)
    while index >= 0 {
        members.append(UInt32(index))
        index = hwloc_bitmap_next(set, index)
    }
    return members
}

func errnoText() -> String { String(cString: strerror(errno)) }
