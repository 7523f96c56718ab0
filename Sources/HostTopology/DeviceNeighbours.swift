// Which devices of a machine are near each other.

import ClusterModel

/// Two PCI functions with a link of their own between them.
struct DeviceLink: Hashable {
    var from: PCIAddress
    var to: PCIAddress
}

enum DeviceNeighbours {
    /// For each device the number of the PCIe switch that it shares with another, counted in their order; nil for none.
    ///
    /// - Parameter bridges: of each device those above it, the nearest first.
    static func switches(_ bridges: [[UInt64]]) -> [UInt32?] {
        var below: [UInt64: Int] = [:]
        for bridge in bridges.joined() { below[bridge, default: 0] += 1 }
        return numbered(bridges.map { above in above.first { below[$0, default: 0] > 1 } })
    }

    /// For each device the number of the group in which all reach each other over links, be it by way of others or of
    /// switches; nil for one that is linked to no other.
    static func linkGroups(_ addresses: [PCIAddress?], _ links: [DeviceLink]) -> [UInt32?] {
        var groups: [PCIAddress: PCIAddress] = [:]
        func head(_ address: PCIAddress) -> PCIAddress {
            var head = address
            while let next = groups[head], next != head { head = next }
            return head
        }
        for link in links { groups[head(link.from)] = head(link.to) }
        let heads = addresses.map { $0.map(head) }
        return numbered(heads.map { own in heads.count { $0 == own } > 1 ? own : nil })
    }

    private static func numbered<Key: Hashable>(_ keys: [Key?]) -> [UInt32?] {
        var numbers: [Key: UInt32] = [:]
        return keys.map { key in
            guard let key else { return nil }
            if numbers[key] == nil { numbers[key] = UInt32(numbers.count) }
            return numbers[key]
        }
    }
}
