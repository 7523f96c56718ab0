import ClusterModel
import DaemonKit
import Foundation
import Yams

/// A kind of simulated node and how large its part of the cluster is.
struct NodeProfile {
    var prefix: String
    var weight: UInt32
    var inventory: NodeInventory
    /// Nodes that share a rack, whose label then counts up; nil: the profile's labels say all.
    var nodesPerRack: UInt32?

    static let plain = NodeProfile(
        prefix: "simulated", weight: 1,
        inventory: NodeInventory(name: "simulated", address: "192.0.2.1", cpuMilli: 16_000, memoryBytes: 64 << 30, isSimulated: true))

    private static let keys: Set<String> = ["prefix", "weight", "cpus", "memory", "numa", "devices", "labels", "taints", "rack"]
    private static let deviceKeys: Set<String> = [
        "kind", "vendor", "model", "count", "memory", "perSwitch", "perLink", "partitionable",
    ]

    static func load(_ path: String) throws -> [NodeProfile] {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { throw StartError("the profile \(path) cannot be read") }
        let root: Node?
        do { root = try Yams.compose(yaml: text) } catch { throw StartError("the profile \(path) is not YAML: \(error)") }
        guard let nodes = root?["nodes"]?.sequence, !nodes.isEmpty else { throw StartError("\(path): expected a list `nodes:`") }
        return try nodes.enumerated().map { index, node in try parse(node, at: "\(path): nodes[\(index)]") }
    }

    private static func parse(_ node: Node, at field: String) throws -> NodeProfile {
        try refuseUnknown(node, keys, at: field)
        let prefix = node["prefix"]?.string ?? "simulated"
        guard ObjectName.isValid(prefix) else { throw StartError("\(field).prefix: must match \(ObjectName.grammar)") }
        let labels = (node["labels"]?.mapping ?? [:]).map { NamedText($0.key.string ?? "", $0.value.string ?? "") }
        let cpuMilli = try amount(node["cpus"], "16", "\(field).cpus", Quantity.cpuMilli)
        let numaCount = try count(node["numa"], 1, "\(field).numa")
        return NodeProfile(
            prefix: prefix, weight: UInt32(clamping: node["weight"]?.int ?? 1),
            inventory: NodeInventory(
                name: prefix, address: "192.0.2.1", cpuMilli: cpuMilli,
                memoryBytes: try amount(node["memory"], "64GiB", "\(field).memory", Quantity.bytes),
                devices: try node["devices"].map { try devices($0, numaCount, at: "\(field).devices") } ?? [],
                numaNodes: numaNodes(numaCount, cores: UInt32(clamping: cpuMilli / 1000)), labels: labels,
                taints: (node["taints"]?.sequence ?? []).compactMap(\.string), isSimulated: true),
            nodesPerRack: try node["rack"].map { try count($0, 1, "\(field).rack") })
    }

    private static func count(_ node: Node?, _ fallback: UInt32, _ field: String) throws -> UInt32 {
        guard let node else { return fallback }
        guard let count = node.int, (1...1024).contains(count) else { throw StartError("\(field): expected a number 1 … 1024") }
        return UInt32(count)
    }

    /// Cores side by side, as evenly as they divide.
    private static func numaNodes(_ count: UInt32, cores: UInt32) -> [NUMANode] {
        guard cores <= ProcessorBits.indexMax else { return [] }
        return (0..<count).compactMap { node in
            let processors = (cores * node / count)..<(cores * (node + 1) / count)
            return processors.isEmpty ? nil : NUMANode(osIndex: node, processors: Array(processors))
        }
    }

    private static func devices(_ node: Node, _ numaCount: UInt32, at field: String) throws -> [Device] {
        try refuseUnknown(node, deviceKeys, at: field)
        guard let kind = DeviceKind(name: node["kind"]?.string ?? "gpu") else {
            throw StartError("\(field).kind: expected gpu, npu or other")
        }
        let memory = try amount(node["memory"], "80GiB", "\(field).memory", Quantity.bytes)
        let model = node["model"]?.string ?? ""
        let number = try count(node["count"], 1, "\(field).count")
        let perSwitch = try node["perSwitch"].map { try count($0, 1, "\(field).perSwitch") }
        let perLink = try node["perLink"].map { try count($0, 1, "\(field).perLink") }
        return (0..<number).map { index in
            Device(
                index: index, kind: kind, vendor: node["vendor"]?.string ?? "", model: model, uuid: "simulated-\(index)",
                pciAddress: "", memoryBytes: memory, numaNode: index * numaCount / number, pcieSwitch: perSwitch.map { index / $0 },
                linkGroup: perLink.map { index / $0 }, isPartitionable: node["partitionable"]?.bool ?? false)
        }
    }

    private static func amount(
        _ node: Node?, _ fallback: String, _ field: String, _ parse: (String) throws(QuantityError) -> Int64
    ) throws -> Int64 {
        do throws(QuantityError) { return try parse(node?.string ?? fallback) } catch {
            throw StartError("\(field): '\(error.text)'; expected \(error.expected)")
        }
    }

    private static func refuseUnknown(_ node: Node, _ valid: Set<String>, at field: String) throws {
        guard let mapping = node.mapping else { throw StartError("\(field): expected `key: value`") }
        for key in mapping.keys where !valid.contains(key.string ?? "") {
            throw StartError("\(field): unknown key '\(key.string ?? "")'; valid: \(valid.sorted().joined(separator: ", "))")
        }
    }

    /// `count` nodes shared out by weight, largest remainder first; named `<prefix>-<number>` from 1.
    static func share(_ profiles: [NodeProfile], among count: UInt32) -> [NodeInventory] {
        let total = max(1, profiles.reduce(0) { $0 + UInt64($1.weight) })
        var parts = profiles.map { UInt64(count) * UInt64($0.weight) / total }
        let byRemainder = profiles.indices.sorted {
            let left = UInt64(count) * UInt64(profiles[$0].weight) % total
            let right = UInt64(count) * UInt64(profiles[$1].weight) % total
            return left == right ? $0 < $1 : left > right
        }
        var rest = UInt64(count) - parts.reduce(0, +)
        for index in byRemainder where rest > 0 {
            parts[index] += 1
            rest -= 1
        }
        return zip(profiles, parts).flatMap { profile, part in
            (0..<part).map { number in
                var inventory = profile.inventory
                inventory.name = "\(profile.prefix)-\(number + 1)"
                if let size = profile.nodesPerRack {
                    inventory.labels.removeAll { $0.name == NodeMembership.rackLabel }
                    inventory.labels.append(NamedText(NodeMembership.rackLabel, "r\(number / UInt64(size) + 1)"))
                    inventory.labels.sort { $0.name < $1.name }
                }
                return inventory
            }
        }
    }
}
