// Which nodes are near each other: racks, blocks, centers, by the labels that say so.

import ClusterModel

/// What the groups of a gang say, taken together, of how near its tasks are to be to each other.
struct GangTopology: Hashable, Sendable {
    private var wishes = TopologyWishes()
    private(set) var sharing = NodeSharing.pack

    /// The gang has what any group requires, and else looks at no level that a group will not have looked at.
    init(_ requests: [TopologyRequest]) {
        for request in requests {
            if request.sharing == .spread { sharing = .spread }
            for (level, wish) in request.stated where !level.isInsideNode {
                guard let other = wishes[level] else {
                    wishes[level] = wish
                    continue
                }
                if wish == .require || other == .prefer { wishes[level] = wish }
            }
        }
    }

    func wish(for level: TopologyLevel) -> TopologyWish { wishes[level] ?? TopologyRequest.indifferent.wish(for: level) }
    func isStated(_ level: TopologyLevel) -> Bool { wishes[level] != nil }
}

/// Parts of the cluster at each level above nodes.
struct DomainTable: Sendable {
    /// Ascending.
    static let levels: [TopologyLevel] = [.rack, .block, .center]

    private struct Level: Sendable {
        /// By what all its nodes have in common.
        var numbers: [[String]: Int] = [:]
        var members: [IntervalSet] = []
        /// By node number; -1: in none.
        var domainOf: [Int32] = []

        mutating func intern(_ path: [String]) -> Int {
            if let known = numbers[path] { return known }
            members.append(IntervalSet())
            numbers[path] = members.count - 1
            return members.count - 1
        }

        mutating func note(_ domain: Int?, of number: UInt64) {
            while domainOf.count <= number { domainOf.append(-1) }
            domainOf[Int(number)] = domain.map { Int32($0) } ?? -1
        }
    }

    private var table = Array(repeating: Level(), count: levels.count)

    /// - Parameter inventory: nil: the node is gone.
    mutating func set(_ number: UInt64, _ inventory: NodeInventory?) {
        for (index, level) in Self.levels.enumerated() {
            let old = domain(of: number, at: level)
            let path = inventory.flatMap { Self.path(of: $0, at: level) }
            let new = path.map { table[index].intern($0) }
            guard old != new else { continue }
            if let old { table[index].members[old].remove(number) }
            if let new { table[index].members[new].insert(number) }
            table[index].note(new, of: number)
        }
    }

    /// A rack of one block is not the rack of the same name in another, nor is a block of one center.
    private static func path(of inventory: NodeInventory, at level: TopologyLevel) -> [String]? {
        let text = { (label: String) in inventory.labels.first { $0.name == label }?.text }
        let center = text(NodeMembership.centerLabel) ?? ""
        switch level {
        case .rack: return text(NodeMembership.rackLabel).map { [center, text(NodeMembership.blockLabel) ?? "", $0] }
        case .block: return text(NodeMembership.blockLabel).map { [center, $0] }
        // Nodes that are in no center are together in none: without centers, the cluster is one place.
        default: return [center]
        }
    }

    func count(at level: TopologyLevel) -> Int { Self.levels.firstIndex(of: level).map { table[$0].members.count } ?? 0 }

    func domain(of number: UInt64, at level: TopologyLevel) -> Int? {
        guard let index = Self.levels.firstIndex(of: level), number < table[index].domainOf.count else { return nil }
        let domain = table[index].domainOf[Int(number)]
        return domain >= 0 ? Int(domain) : nil
    }

    func members(of domain: Int, at level: TopologyLevel) -> [UInt64] {
        guard let index = Self.levels.firstIndex(of: level) else { return [] }
        return table[index].members[domain].intervals.flatMap { Array($0.first...$0.last) }
    }

    /// The tightest level that holds all the nodes.
    func level(of numbers: [UInt64]) -> TopologyLevel {
        guard let first = numbers.first, numbers.contains(where: { $0 != first }) else { return .node }
        return Self.levels.first { level in
            guard let domain = domain(of: first, at: level) else { return false }
            return numbers.allSatisfy { self.domain(of: $0, at: level) == domain }
        } ?? .cluster
    }
}
