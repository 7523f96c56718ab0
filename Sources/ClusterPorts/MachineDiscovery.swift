public import ClusterModel

/// A machine as discovered: its inventory and the whole topology tree.
public struct DiscoveredMachine: Sendable {
    public var inventory: NodeInventory
    /// hwloc's XML export, zlib-compressed (RFC 1950).
    public var compressedTopology: [UInt8]

    public init(inventory: NodeInventory, compressedTopology: [UInt8]) {
        self.inventory = inventory
        self.compressedTopology = compressedTopology
    }
}

/// Finds out what this machine is.
public protocol MachineDiscovery: Sendable {
    /// `name` and `address` are the administrator's choice or the host's own; labels are added as they are.
    func discover(name: String, address: String, labels: [NamedText]) throws(DiscoveryError) -> DiscoveredMachine
}

/// Why a machine could not be described; the message says what to mend.
public struct DiscoveryError: Error, CustomStringConvertible {
    public let message: String
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}
