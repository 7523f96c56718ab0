// What the kernel tells in /proc and /sys. Every reader takes the root of the tree, so that recorded trees and
// tests go the same way as the real machine.

public import ClusterPorts
import Glibc

public struct KernelFiles: Sendable {
    /// `/` on a real machine, without a slash at the end otherwise.
    private let root: String

    public init(root: String = "") { self.root = root == "/" ? "" : root }

    /// The text of a file, given from the root without a leading slash; nil when it cannot be read.
    func text(_ path: String) -> String? {
        let descriptor = open("\(root)/\(path)", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var content: [UInt8] = []
        // Kernel files have no size to ask for. A MiB is more than any file read here.
        while content.count < 1 << 20 {
            let chunk = [UInt8](unsafeUninitializedCapacity: 16 << 10) { buffer, count in
                count = max(0, read(descriptor, buffer.baseAddress, buffer.count))
            }
            if chunk.isEmpty { break }
            content += chunk
        }
        return String(decoding: content, as: UTF8.self)
    }

    /// Names in a directory, sorted; empty when there is none.
    func names(in directory: String) -> [String] {
        guard let stream = opendir("\(root)/\(directory)") else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            // `dirent` imports its name as a tuple; the C string starts where the field does.
            let field = UnsafeRawPointer(entry).advanced(by: MemoryLayout<dirent>.offset(of: \dirent.d_name) ?? 0)
            let name = String(cString: field.assumingMemoryBound(to: CChar.self))
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}

// MARK: - Memory

extension KernelFiles {
    /// The machine's memory as its scheduler may share it out: the kernel's total, or the limit of the control
    /// group this process is in when that is lower. NUMA figures are not used: where memory comes online
    /// lazily they drift by gigabytes within minutes.
    public func memoryBytes() throws(DiscoveryError) -> Int64 {
        let total = try totalMemoryBytes()
        return min(total, cgroupMemoryLimit() ?? total)
    }

    func totalMemoryBytes() throws(DiscoveryError) -> Int64 {
        for line in (text("proc/meminfo") ?? "").split(separator: "\n") where line.hasPrefix("MemTotal:") {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            if words.count >= 2, let kibibytes = Int64(words[1]), (1...(1 << 40)).contains(kibibytes) { return kibibytes << 10 }
        }
        throw DiscoveryError("\(root)/proc/meminfo does not state MemTotal; is /proc mounted?")
    }

    /// The lowest memory limit on the way from this process's group to the root of its hierarchy (v2 `memory.max`,
    /// v1 `memory.limit_in_bytes`); nil when there is none. Parents bind too, so the own group's file is not enough.
    func cgroupMemoryLimit() -> Int64? {
        var lowest: Int64?
        for hierarchy in memoryHierarchies() {
            var directory = hierarchy.directory
            while true {
                if let limit = limit("\(directory)/\(hierarchy.file)") { lowest = min(lowest ?? limit, limit) }
                guard directory.utf8.count > hierarchy.mountPoint.utf8.count, let slash = directory.lastIndex(of: "/") else { break }
                directory = String(directory[..<slash])
            }
        }
        return lowest
    }

    private func limit(_ path: String) -> Int64? {
        // "max" is no limit, and v1 spells it as nearly 2^63.
        guard let content = text(String(path.drop { $0 == "/" })), let bytes = Int64(trimmed(content)) else { return nil }
        return bytes > 0 && bytes < 1 << 60 ? bytes : nil
    }

    private struct Hierarchy {
        var mountPoint: String
        /// The process's own group, an absolute path within the mount.
        var directory: String
        var file: String
    }

    /// The mounted hierarchies that can limit memory: the unified one, and v1's memory controller (proc(5),
    /// mountinfo: `id parent major:minor root mount-point options [tags] - type source super-options`).
    private func memoryHierarchies() -> [Hierarchy] {
        let groups = ownGroups()
        return (text("proc/self/mountinfo") ?? "").split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard let dash = words.firstIndex(of: "-"), dash >= 6, words.count > dash + 3 else { return nil }
            let isUnified = words[dash + 1] == "cgroup2"
            let isMemory = words[dash + 1] == "cgroup" && words[dash + 3].split(separator: ",").contains("memory")
            guard isUnified || isMemory, let group = isUnified ? groups.unified : groups.memory else { return nil }
            let mountRoot = String(words[3])
            let mountPoint = String(words[4])
            return Hierarchy(
                mountPoint: mountPoint, directory: mountPoint + Self.path(of: group, below: mountRoot),
                file: isUnified ? "memory.max" : "memory.limit_in_bytes")
        }
    }

    /// A container may mount only its own part of a hierarchy: then the group's path starts with the mount's root.
    private static func path(of group: String, below mountRoot: String) -> String {
        if mountRoot == "/" { return group == "/" ? "" : group }
        guard group == mountRoot || group.hasPrefix(mountRoot + "/") else { return "" }
        return String(group.dropFirst(mountRoot.count))
    }

    /// Lines of `/proc/self/cgroup` are `number:controllers:path`; the unified hierarchy is number 0.
    private func ownGroups() -> (unified: String?, memory: String?) {
        var groups: (unified: String?, memory: String?)
        for line in (text("proc/self/cgroup") ?? "").split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            if fields[0] == "0", fields[1].isEmpty { groups.unified = String(fields[2]) }
            if fields[1].split(separator: ",").contains("memory") { groups.memory = String(fields[2]) }
        }
        return groups
    }
}

// MARK: - NVIDIA's kernel driver

/// What the driver's own files say about a device; fields are nil where it says nothing.
struct NVIDIADriverEntry: Equatable {
    var model: String?
    var uuid: String?
}

extension KernelFiles {
    /// The functions that NVIDIA's driver holds (`/proc/driver/nvidia/gpus/ADDRESS/information`): names devices
    /// where the management library is not installed, as in a container without it.
    func nvidiaDriverDevices() -> [PCIAddress: NVIDIADriverEntry] {
        let directory = "proc/driver/nvidia/gpus"
        var devices: [PCIAddress: NVIDIADriverEntry] = [:]
        for name in names(in: directory) {
            guard let address = PCIAddress(name) else { continue }
            var entry = NVIDIADriverEntry()
            for line in (text("\(directory)/\(name)/information") ?? "").split(separator: "\n") {
                let parts = line.split(separator: ":", maxSplits: 1)
                guard parts.count == 2 else { continue }
                let value = trimmed(parts[1])
                // Question marks stand for an identifier not read yet.
                if parts[0] == "Model" { entry.model = value }
                if parts[0] == "GPU UUID", !value.contains("?") { entry.uuid = value }
            }
            devices[address] = entry
        }
        return devices
    }
}
