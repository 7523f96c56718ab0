// Whose turn it is between accounts: Protocols/lifecycle.md, "Order".

import ClusterModel

/// Turns by the tree of accounts. Between siblings that which has least is first; within a tenant priority goes before that, so
/// that below each tenant there is a band for each priority, and its projects and users below that. Every change costs the logarithm of
/// how many siblings there are.
struct TurnTree: Sendable {
    /// Least first.
    private struct Rank: Comparable, Sendable {
        /// 0 for a queue below its guarantee.
        var tier: UInt8 = 1
        var value = 0.0
        /// Among equals, who came first.
        var job = JobID(.max)

        static func < (left: Rank, right: Rank) -> Bool {
            (left.tier, left.value, left.job) < (right.tier, right.value, right.job)
        }
    }

    private struct Key: Hashable, Sendable {
        var account: AccountID
        /// nil above the bands.
        var priority: Int32?
    }

    private struct Node: Sendable {
        let key: Key
        let parent: Int
        var rank = Rank()
        /// A heap by rank.
        var children: [Int] = []
        /// In the parent's heap.
        var position = 0
        /// Of users.
        var turns = BinaryHeap<Turn>()
    }

    private static let root = 0
    private var nodes = [Node(key: Key(account: .root, priority: nil), parent: 0)]
    private var places: [Key: Int] = [Key(account: .root, priority: nil): 0]
    private var free: [Int] = []
    /// Bands and what is below them, by account.
    private var banded: [AccountID: [Int]] = [:]
    /// Ranks change as use is forgotten, each at another pace.
    private var rankedAt = LogicalTime.zero
    private static let rankLifetime = Span.seconds(1)

    init() {}

    // MARK: Turns

    mutating func insert(_ turn: Turn, _ core: borrowing SchedulerCore, at now: LogicalTime) {
        let place = place(of: Key(account: turn.lane.account, priority: turn.lane.priority), turn.job, core, now)
        nodes[place].turns.insert(turn)
    }

    mutating func first(_ core: borrowing SchedulerCore, at now: LogicalTime) -> Turn? {
        if now >= rankedAt + Self.rankLifetime { rankAll(core, now) }
        return nodes[firstUser].turns.first
    }

    /// The turn that `first` gives.
    mutating func removeFirst() {
        let place = firstUser
        nodes[place].turns.removeFirst()
        if nodes[place].turns.first == nil { prune(place) }
    }

    /// Where there is no turn at all, the root.
    private var firstUser: Int {
        var place = Self.root
        while let next = nodes[place].children.first { place = next }
        return place
    }

    // MARK: Ranks

    /// The account holds more or less than before; so do those above it.
    mutating func rerank(_ account: AccountID, _ core: borrowing SchedulerCore, at now: LogicalTime) {
        var next: AccountID? = account
        while let id = next {
            next = core.accounts[id].parent
            for place in banded[id] ?? [] { rerank(place, core, now) }
            if let place = places[Key(account: id, priority: nil)] { rerank(place, core, now) }
        }
    }

    private mutating func rerank(_ place: Int, _ core: borrowing SchedulerCore, _ now: LogicalTime) {
        // An only child is first whatever its rank is; it is ranked when it gets a sibling.
        guard place != Self.root, nodes[nodes[place].parent].children.count > 1 else { return }
        nodes[place].rank = rank(of: place, core, now)
        settle(place)
    }

    private mutating func rankAll(_ core: borrowing SchedulerCore, _ now: LogicalTime) {
        rankedAt = now
        for place in places.values { rerank(place, core, now) }
    }

    private func rank(of place: Int, _ core: borrowing SchedulerCore, _ now: LogicalTime) -> Rank {
        let key = nodes[place].key
        var rank = Rank(job: nodes[place].rank.job)
        // Bands: accounts below a tenant have the band's priority too, and are ranked as accounts.
        if let priority = key.priority, core.accounts[key.account].level == .tenant {
            rank.value = -Double(priority)
            return rank
        }
        (rank.tier, rank.value) = core.rank(of: key.account, at: now)
        return rank
    }

    // MARK: Places

    private mutating func place(of key: Key, _ job: JobID, _ core: borrowing SchedulerCore, _ now: LogicalTime) -> Int {
        if let known = places[key] {
            if job < nodes[known].rank.job { noteFirst(job, at: known) }
            return known
        }
        let parent = place(of: Self.parent(of: key, core), job, core, now)
        let place = free.popLast() ?? nodes.count
        var node = Node(key: key, parent: parent)
        node.rank.job = job
        node.position = nodes[parent].children.count
        if place == nodes.count { nodes.append(node) } else { nodes[place] = node }
        places[key] = place
        if key.priority != nil { banded[key.account, default: []].append(place) }
        nodes[parent].children.append(place)
        if nodes[parent].children.count == 2 { rerank(nodes[parent].children[0], core, now) }
        rerank(place, core, now)
        return place
    }

    private mutating func noteFirst(_ job: JobID, at place: Int) {
        nodes[place].rank.job = job
        if place != Self.root { settle(place) }
    }

    private static func parent(of key: Key, _ core: borrowing SchedulerCore) -> Key {
        let account = core.accounts[key.account]
        guard account.level != .tenant || key.priority == nil else { return Key(account: key.account, priority: nil) }
        return Key(account: account.parent ?? .root, priority: key.priority)
    }

    /// Nothing is left at the place: it goes, and those above it that have nothing else.
    private mutating func prune(_ place: Int) {
        guard place != Self.root, nodes[place].children.isEmpty, nodes[place].turns.first == nil else { return }
        let (key, parent) = (nodes[place].key, nodes[place].parent)
        let position = nodes[place].position
        let last = nodes[parent].children.removeLast()
        if last != place {
            nodes[parent].children[position] = last
            nodes[last].position = position
            settle(last)
        }
        places[key] = nil
        if key.priority != nil {
            banded[key.account]?.removeAll { $0 == place }
            if banded[key.account]?.isEmpty == true { banded[key.account] = nil }
        }
        free.append(place)
        prune(parent)
    }

    // MARK: The heap of siblings

    private mutating func settle(_ place: Int) {
        let parent = nodes[place].parent
        var position = nodes[place].position
        while position > 0, rank(parent, position) < rank(parent, (position - 1) / 2) {
            swap(parent, position, (position - 1) / 2)
            position = (position - 1) / 2
        }
        let count = nodes[parent].children.count
        while 2 * position + 1 < count {
            let left = 2 * position + 1
            let child = left + 1 < count && rank(parent, left + 1) < rank(parent, left) ? left + 1 : left
            guard rank(parent, child) < rank(parent, position) else { return }
            swap(parent, position, child)
            position = child
        }
    }

    private func rank(_ parent: Int, _ position: Int) -> Rank { nodes[nodes[parent].children[position]].rank }

    private mutating func swap(_ parent: Int, _ left: Int, _ right: Int) {
        nodes[parent].children.swapAt(left, right)
        nodes[nodes[parent].children[left]].position = left
        nodes[nodes[parent].children[right]].position = right
    }
}

extension SchedulerCore {
    /// How an account stands beside its siblings; the least is first.
    borrowing func rank(of account: AccountID, at now: LogicalTime) -> (tier: UInt8, value: Double) {
        if let part = accounts[account].partOfGuarantee, part < 1 { return (0, part) }
        return (1, accounts.score(of: account, at: now, capacity: roomTotal))
    }

    /// How a lane stands beside all others: the ranks of its account and of those above it, from above, priority between tenant and project.
    borrowing func standing(of lane: LaneID, at now: LogicalTime) -> [Double] {
        var standing: [Double] = []
        for account in accounts.path(from: lane.account).reversed() where account != .root {
            let rank = rank(of: account, at: now)
            standing += [Double(rank.tier), rank.value]
            if accounts[account].level == .tenant { standing.append(-Double(lane.priority)) }
        }
        return standing
    }
}

extension Account {
    var isBelowGuarantee: Bool { (partOfGuarantee ?? 1) < 1 }

    /// How much of its guarantee a queue holds, of the kind of which it holds most; nil without a guarantee.
    var partOfGuarantee: Double? {
        guard let record = bounds.record, !record.guarantee.isEmpty else { return nil }
        var part: Double?
        for kind in RoomKind.allCases {
            guard let guaranteed = record.guarantee[kind], guaranteed > 0 else { continue }
            part = max(part ?? 0, Double(held[kind]) / Double(guaranteed))
        }
        return part
    }
}
