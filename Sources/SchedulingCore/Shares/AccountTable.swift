// Who shares the cluster: a tree of queues, in each its tenants, their projects, their users. Held amounts are sums over the live
// tasks below; only averages are more than that. Protocols/lifecycle.md, "Shares".

import ClusterModel

/// On whose behalf a job runs.
struct AccountName: Hashable, Sendable {
    var queue: String
    var tenant: String
    var project: String
    var user: String

    init(queue: String, tenant: String, project: String, user: String) {
        (self.queue, self.tenant, self.project, self.user) = (queue, tenant, project, user)
    }

    init(of specification: JobSpecification, user: String) {
        self.init(queue: specification.queue, tenant: specification.tenant, project: specification.project, user: user)
    }
}

/// Stands for an account in this process only: numbers are given anew when a state is read.
struct AccountID: Hashable, Comparable, Sendable {
    fileprivate(set) var value: UInt32

    /// Of a row that has just been read and has not entered the table.
    static let none = AccountID(value: .max)
    static let root = AccountID(value: 0)

    static func < (left: AccountID, right: AccountID) -> Bool { left.value < right.value }
}

/// An account of a user that holds more than before, or less.
struct AccountChange: Sendable {
    var account: AccountID
    var isEased: Bool
}

/// A node of the tree.
struct Account: Sendable {
    enum Level: UInt8, Sendable { case queue, tenant, project, user }

    let parent: AccountID?
    let level: Level
    let name: String
    var weight = ShareWeight.usual
    /// Accounts directly below.
    var children: [AccountID] = []
    /// Live jobs at or below it.
    var jobs: UInt32 = 0
    /// Lanes below it in which something waits.
    var lanesWaiting: UInt32 = 0
    /// Of tenants: those lanes by their priority.
    var priorities: [Int32: UInt32] = [:]
    var held = RoomAmounts.zero
    /// The part of it that nobody takes away.
    var firm = RoomAmounts.zero
    var tasks: UInt32 = 0
    var average = DecayingAverage()
    /// Of queues.
    var bounds = QueueBounds()
    /// Of users: where what they hold is counted.
    var quotas: [QuotaCount] = []
}

/// What a queue may hold, and what is kept for it.
struct QueueBounds: Sendable {
    var record: QueueRecord?
    /// Guaranteed and not held by what is firm, in the queue or those below it together: what firm work of others must leave.
    var owed = RoomAmounts.zero
    /// Guaranteed, not to be lent and not held: what all work of others must leave.
    var kept = RoomAmounts.zero
    /// Sums over the queues directly below.
    var owedBelow = RoomAmounts.zero
    var keptBelow = RoomAmounts.zero

    func owed(holding firm: RoomAmounts) -> RoomAmounts {
        guard let record else { return owedBelow }
        return (record.guarantee.leastAmounts - firm).maximum(owedBelow)
    }

    func kept(holding held: RoomAmounts) -> RoomAmounts {
        guard let record else { return keptBelow }
        var own = RoomAmounts.zero
        for kind in RoomKind.allCases {
            // What is not said is lent.
            let guaranteed = record.guarantee[kind] ?? 0
            own.values[kind.rawValue] = max(0, guaranteed - (record.lend[kind] ?? guaranteed))
        }
        return (own - held).maximum(keptBelow)
    }
}

/// Accounts with live jobs, or whose use has not been forgotten.
struct AccountTable: Sendable {
    private struct Key: Hashable {
        var parent: AccountID
        var level: Account.Level
        var name: String
    }

    /// Forgotten ones are nil.
    private var rows: [Account?] = [Account(parent: nil, level: .queue, name: QueueRecord.rootName)]
    private var ids: [Key: AccountID] = [:]
    private var queues: [String: AccountID] = [QueueRecord.rootName: .root]
    private var free: [AccountID] = []
    /// Accounts that hold more or less than before, for whoever follows that; empty unless somebody asked.
    private var changed: [AccountChange] = []
    private var isFollowed = false
    /// After so long, use counts half.
    private(set) var halfLife = QueueRecord.usualHalfLife
    /// No queue bounds anything.
    private(set) var isUnbounded = true

    init() {}

    subscript(id: AccountID) -> Account {
        get { rows[Int(id.value)]! }
        set { rows[Int(id.value)] = newValue }
    }

    /// From the account up to the root.
    func path(from id: AccountID) -> [AccountID] {
        var path = [id]
        while let parent = self[path[path.count - 1]].parent { path.append(parent) }
        return path
    }

    /// The account above or at this one that has the level: its tenant, or the queue it is in.
    func ancestor(of id: AccountID, at level: Account.Level) -> AccountID {
        var id = id
        while rows[Int(id.value)]!.level.rawValue > level.rawValue, let parent = rows[Int(id.value)]!.parent { id = parent }
        return id
    }

    func name(of id: AccountID) -> AccountName {
        let user = self[id]
        let project = self[user.parent ?? .root]
        let tenant = self[project.parent ?? .root]
        return AccountName(queue: self[tenant.parent ?? .root].name, tenant: tenant.name, project: project.name, user: user.name)
    }

    /// In the order of their numbers.
    var all: [AccountID] { rows.indices.filter { rows[$0] != nil }.map { AccountID(value: UInt32($0)) } }
    /// Those that jobs belong to, in the order of their names.
    var users: [AccountID] {
        let users = all.filter { self[$0].level == .user }.map { ($0, name(of: $0)) }
        return users.sorted { $0.1 < $1.1 }.map(\.0)
    }

    // MARK: Coming and going

    /// - Parameter weight: asked for an account that is new.
    mutating func find(_ name: AccountName, weight: (ShareObjectID) -> UInt32) -> AccountID {
        let queue = queue(name.queue)
        let tenant = child(of: queue, .tenant, name.tenant) { weight(ShareObjectID(.tenant, name.tenant)) }
        let project = child(of: tenant, .project, name.project) { weight(ShareObjectID(.project, "\(name.tenant)/\(name.project)")) }
        return child(of: project, .user, name.user) { weight(ShareObjectID(.user, name.user)) }
    }

    /// One that nobody has described lies below the root.
    mutating func queue(_ name: String, under parent: AccountID = .root) -> AccountID {
        if let known = queues[name] { return known }
        let id = child(of: parent, .queue, name) { ShareWeight.usual }
        queues[name] = id
        return id
    }

    func known(queue name: String) -> AccountID? { queues[name] }

    /// The account of that name, or the lowest above it that there is, with the levels that are missing below that.
    func known(_ name: AccountName) -> (id: AccountID, missing: [Account.Level]) {
        guard var id = queues[name.queue] else { return (.root, [.queue, .tenant, .project, .user]) }
        let below: [(level: Account.Level, name: String)] = [(.tenant, name.tenant), (.project, name.project), (.user, name.user)]
        for (index, step) in below.enumerated() {
            guard let child = ids[Key(parent: id, level: step.level, name: step.name)] else { return (id, below[index...].map(\.level)) }
            id = child
        }
        return (id, [])
    }

    private mutating func child(of parent: AccountID, _ level: Account.Level, _ name: String, weight: () -> UInt32) -> AccountID {
        let key = Key(parent: parent, level: level, name: name)
        if let known = ids[key] { return known }
        var row = Account(parent: parent, level: level, name: name)
        row.weight = weight()
        let id = free.popLast() ?? AccountID(value: UInt32(rows.count))
        if Int(id.value) == rows.count { rows.append(row) } else { self[id] = row }
        ids[key] = id
        self[parent].children.append(id)
        return id
    }

    /// A job came, or went.
    mutating func countJob(_ sign: Int, of id: AccountID) {
        for id in path(from: id) { self[id].jobs = UInt32(Int(self[id].jobs) + sign) }
    }

    /// A lane has something that waits, or no longer.
    mutating func countLane(_ sign: Int, priority: Int32, of id: AccountID) {
        var next: AccountID? = id
        while let id = next {
            let place = Int(id.value)
            next = rows[place]!.parent
            rows[place]!.lanesWaiting = UInt32(Int(rows[place]!.lanesWaiting) + sign)
            guard rows[place]!.level == .tenant else { continue }
            let count = Int(rows[place]!.priorities[priority] ?? 0) + sign
            rows[place]!.priorities[priority] = count == 0 ? nil : UInt32(count)
        }
    }

    /// Accounts without a job whose use is next to nothing are forgotten; queues that are described stay.
    mutating func forgetUnused(at now: LogicalTime, capacity: RoomAmounts) {
        // From below: what has no child any more may go too.
        for level in [Account.Level.user, .project, .tenant, .queue] {
            var parents: Set<AccountID> = []
            for id in all where self[id].level == level && id != .root {
                let row = self[id]
                guard row.jobs == 0, row.children.isEmpty, row.bounds.record == nil,
                    row.average.value(at: now, holding: row.held, halfLife: halfLife).dominantShare(of: capacity) < 1e-6
                else { continue }
                remove(id)
                if let parent = row.parent { parents.insert(parent) }
            }
            for parent in parents {
                let kept = self[parent].children.filter { rows[Int($0.value)] != nil }
                self[parent].children = kept
            }
        }
    }

    private mutating func remove(_ id: AccountID) {
        let row = self[id]
        guard let parent = row.parent else { return }
        ids[Key(parent: parent, level: row.level, name: row.name)] = nil
        if row.level == .queue { queues[row.name] = nil }
        rows[Int(id.value)] = nil
        free.append(id)
    }

    // MARK: What is held

    /// - Parameters:
    ///   - amounts: more than nothing.
    ///   - sign: 1 where it is held from now on, -1 where it no longer is.
    mutating func charge(_ sign: Int64, _ amounts: RoomAmounts, tasks: Int, isFirm: Bool, to id: AccountID, at now: LogicalTime?) {
        let change = amounts * sign
        var next: AccountID? = id
        while let id = next {
            next = rows[Int(id.value)]!.parent
            if let now { rows[Int(id.value)]!.average.settle(at: now, holding: rows[Int(id.value)]!.held, halfLife: halfLife) }
            rows[Int(id.value)]!.held += change
            if isFirm { rows[Int(id.value)]!.firm += change }
            rows[Int(id.value)]!.tasks = UInt32(Int(rows[Int(id.value)]!.tasks) + Int(sign) * tasks)
        }
        if !isUnbounded { settleBounds(from: ancestor(of: id, at: .queue)) }
        if isFollowed { changed.append(AccountChange(account: id, isEased: sign < 0)) }
    }

    /// Accounts of users that hold more or less than at the last call, some of them more than once.
    mutating func takeChanges() -> [AccountChange] {
        isFollowed = true
        guard !changed.isEmpty else { return [] }
        defer { changed.removeAll(keepingCapacity: true) }
        return changed
    }

    /// The largest part of the cluster that it holds, now and on average, by its weight: who has least is first.
    func score(of id: AccountID, at now: LogicalTime, capacity: RoomAmounts) -> Double {
        let row = rows[Int(id.value)]!
        let average = row.average.value(at: now, holding: row.held, halfLife: halfLife)
        return (SIMD4<Double>(row.held.values) + average).dominantShare(of: capacity) / Double(row.weight)
    }

    // MARK: What waits

    /// Lanes in which something waits.
    var lanesWaiting: UInt32 { rows[0]!.lanesWaiting }

    func highestPriority(waitingIn tenant: AccountID) -> Int32? { rows[Int(tenant.value)]!.priorities.keys.max() }

    // MARK: Whose slot it is

    /// Most siblings that are compared before a slot is passed on: with more of them waiting it is nobody's for long.
    private static let siblingsComparedMax = 64

    /// Whether a slot may stay with an account when the task in it ends: unless some sibling of it or of those above waits, and
    /// would still have less with the slot than the account's side without it, or has less than is guaranteed to it.
    func keepsSlot(_ id: AccountID, of amounts: RoomAmounts, at now: LogicalTime, capacity: RoomAmounts) -> Bool {
        let part = amounts.dominantShare(of: capacity)
        var next = id
        while let parent = self[next].parent {
            defer { next = parent }
            guard self[parent].lanesWaiting > self[next].lanesWaiting else { continue }
            let siblings = self[parent].children
            guard siblings.count <= Self.siblingsComparedMax else { return false }
            let own = score(of: next, at: now, capacity: capacity) - part / Double(self[next].weight)
            let isBelow = self[next].isBelowGuarantee
            for sibling in siblings where sibling != next && self[sibling].lanesWaiting > 0 {
                if isBelow != self[sibling].isBelowGuarantee {
                    if isBelow { continue }
                    return false
                }
                let others = score(of: sibling, at: now, capacity: capacity) + part / Double(self[sibling].weight)
                if others <= own { return false }
            }
        }
        return true
    }

    // MARK: State

    /// All accounts with their averages; what they hold follows from the jobs.
    var remembered: [RememberedAccount] {
        let remembered = all.map {
            RememberedAccount(path: path(from: $0).reversed().map { self[$0].name }, level: self[$0].level, row: self[$0])
        }
        return remembered.sorted { left, right in
            left.level == right.level ? left.path.lexicographicallyPrecedes(right.path) : left.level.rawValue < right.level.rawValue
        }
    }

    mutating func remember(_ accounts: [RememberedAccount]) {
        for account in accounts {
            var id = AccountID.root
            for (depth, name) in account.path.enumerated().dropFirst() {
                let below = account.path.count - 1 - depth
                let level = Account.Level(rawValue: UInt8(max(0, Int(account.level.rawValue) - below))) ?? .queue
                id = level == .queue ? queue(name, under: id) : child(of: id, level, name) { ShareWeight.usual }
            }
            self[id].average = account.average
        }
    }

    // MARK: Queues

    mutating func describe(_ record: QueueRecord, at now: LogicalTime?) {
        let isRoot = record.name == QueueRecord.rootName
        let id = isRoot ? .root : queue(record.name, under: queue(record.parent.isEmpty ? QueueRecord.rootName : record.parent))
        self[id].bounds.record = record
        self[id].weight = record.weight
        if isRoot { set(halfLife: record.halfLife ?? QueueRecord.usualHalfLife, at: now) }
        if now != nil { noteBounds() }
    }

    private mutating func set(halfLife new: Span, at now: LogicalTime?) {
        guard new != halfLife else { return }
        // What was used until now was forgotten at the old pace.
        if let now { for id in all { self[id].average.settle(at: now, holding: self[id].held, halfLife: halfLife) } }
        halfLife = new
    }

    mutating func forgetDescription(of name: String, at now: LogicalTime) {
        guard let id = queues[name] else { return }
        if id == .root { set(halfLife: QueueRecord.usualHalfLife, at: now) }
        self[id].bounds.record = nil
        self[id].weight = ShareWeight.usual
        noteBounds()
    }

    /// After a queue was described, or several while a state was read.
    mutating func noteBounds() {
        let described = all.compactMap { self[$0].bounds.record }
        isUnbounded = described.allSatisfy { $0.guarantee.isEmpty && $0.ceiling.isEmpty && $0.borrow.isEmpty }
        // From the leaves up, whatever their numbers are.
        for id in all where self[id].level == .queue {
            (self[id].bounds.owedBelow, self[id].bounds.keptBelow, self[id].bounds.owed, self[id].bounds.kept) = (
                .zero, .zero, .zero, .zero
            )
        }
        guard !isUnbounded else { return }
        for id in all where self[id].level == .queue { settleBounds(from: id) }
    }

    /// What is kept for a queue follows what it holds; what is kept for those above follows that.
    private mutating func settleBounds(from id: AccountID) {
        var next: AccountID? = id
        while let id = next {
            var bounds = self[id].bounds
            let before = (owed: bounds.owed, kept: bounds.kept)
            bounds.owed = bounds.owed(holding: self[id].firm)
            bounds.kept = bounds.kept(holding: self[id].held)
            self[id].bounds = bounds
            next = self[id].parent
            if let next {
                self[next].bounds.owedBelow += bounds.owed - before.owed
                self[next].bounds.keptBelow += bounds.kept - before.kept
            }
        }
    }
}

extension AccountName: Comparable {
    static func < (left: Self, right: Self) -> Bool {
        (left.queue, left.tenant, left.project, left.user) < (right.queue, right.tenant, right.project, right.user)
    }
}

/// An account as snapshots have it.
struct RememberedAccount: Sendable {
    /// From the root down.
    var path: [String]
    var level: Account.Level
    var average: DecayingAverage

    init(path: [String], level: Account.Level, row: Account) {
        self.path = path
        self.level = level
        average = row.average
    }
}

extension RememberedAccount: CanonicalValue {
    func write(to writer: inout CanonicalWriter) {
        writer.write(path)
        writer.write(level.rawValue)
        writer.write(average)
    }

    init(from reader: inout CanonicalReader) throws(CanonicalError) {
        path = try reader.readList()
        let raw = try reader.readUInt8()
        // A path has a name for each of tenant, project and user, and at least the root before them.
        guard let level = Account.Level(rawValue: raw), path.count > Int(raw) else { throw .malformed("account \(path) of level \(raw)") }
        self.level = level
        average = try reader.read()
    }
}
