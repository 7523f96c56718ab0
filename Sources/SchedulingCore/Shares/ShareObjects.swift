// What administrators say of who shares the cluster, as facts in the state: Protocols/lifecycle.md, "Shares" and "Quotas".

public import ClusterModel

/// Of two siblings with work to do, one of twice the weight has twice the room.
public enum ShareWeight {
    public static let usual: UInt32 = 1
    static let range: ClosedRange<UInt32> = 1...1000
}

public struct TenantRecord: Hashable, Sendable {
    public var name: String
    public var weight: UInt32

    public init(name: String, weight: UInt32 = ShareWeight.usual) {
        self.name = name
        self.weight = weight
    }
}

public struct ProjectRecord: Hashable, Sendable {
    public var tenant: String
    public var name: String
    /// Beside the tenant's other projects.
    public var weight: UInt32

    public init(tenant: String, name: String, weight: UInt32 = ShareWeight.usual) {
        self.tenant = tenant
        self.name = name
        self.weight = weight
    }
}

/// A user, in whatever tenant and project.
public struct UserRecord: Hashable, Sendable {
    public var name: String
    /// What root agents run the user's jobs as; nil: as their own user.
    public var account: UserAccount?
    /// Beside the other users of each project.
    public var weight: UInt32

    public init(name: String, account: UserAccount? = nil, weight: UInt32 = ShareWeight.usual) {
        self.name = name
        self.account = account
        self.weight = weight
    }
}

/// A set of nodes. Which they are, join tokens and administrators say of the nodes; this is what is said of all of them.
public struct PoolRecord: Hashable, Sendable {
    public var name: String
    /// Only jobs of these tenants run there, and only those that name the pool; empty: it is open to all. Sorted.
    public var tenants: [String]

    public init(name: String, tenants: [String] = []) {
        self.name = name
        self.tenants = tenants.sorted()
    }

    public static let tenantsMax = 1000

    public func isOpen(to tenant: String) -> Bool { tenants.isEmpty || tenants.contains(tenant) }
    /// What keeps jobs off its nodes that do not name it; nil: nothing.
    var taint: String? { tenants.isEmpty ? nil : NodeMembership.taint(ofPool: name) }
}

/// A queue: a part of the cluster by amount, wherever in it.
public struct QueueRecord: Hashable, Sendable {
    public var name: String
    /// The queue that it is a part of; empty for the root.
    public var parent: String
    public var weight: UInt32
    /// Its own whenever it has work for it.
    public var guarantee: RoomBounds
    /// It never holds more.
    public var ceiling: RoomBounds
    /// Most that it holds beyond its guarantee.
    public var borrow: RoomBounds
    /// Most of its guarantee that others may use while it has no work for it; nil amounts: all.
    public var lend: RoomBounds
    /// Of the root only: after so long, use counts half.
    public var halfLife: Span?

    /// The queue above all others.
    public static let rootName = "root"
    /// Where jobs go that name none.
    public static let usualName = "default"
    /// As Slurm's default does, for the same reason: a week's work is remembered next week.
    public static let usualHalfLife = Span.seconds(7 * 24 * 3600)

    public init(
        name: String, parent: String = QueueRecord.rootName, weight: UInt32 = ShareWeight.usual, guarantee: RoomBounds = RoomBounds(),
        ceiling: RoomBounds = RoomBounds(), borrow: RoomBounds = RoomBounds(), lend: RoomBounds = RoomBounds(), halfLife: Span? = nil
    ) {
        self.name = name
        self.parent = name == QueueRecord.rootName ? "" : parent
        self.weight = weight
        self.guarantee = guarantee
        self.ceiling = ceiling
        self.borrow = borrow
        self.lend = lend
        self.halfLife = halfLife
    }
}

/// Most that some jobs may have together: those of all that it names.
public struct QuotaRecord: Hashable, Sendable {
    /// Devices whose model is like a pattern.
    public struct Models: Hashable, Sendable {
        /// A `GlobPattern`.
        public var pattern: String
        public var deviceMilli: Int64

        public init(pattern: String, deviceMilli: Int64) {
            self.pattern = pattern
            self.deviceMilli = deviceMilli
        }
    }

    public var name: String
    /// nil: of any tenant.
    public var tenant: String?
    public var project: String?
    /// nil: of any user, all together.
    public var user: String?
    public var queue: String?
    /// Each user has so much for himself.
    public var isForEachUser: Bool
    public var room: RoomBounds
    public var models: [Models]
    public var runningTasks: UInt32?
    /// Jobs of which nothing has ever started.
    public var queuedJobs: UInt32?

    public init(
        name: String, tenant: String? = nil, project: String? = nil, user: String? = nil, queue: String? = nil,
        isForEachUser: Bool = false, room: RoomBounds = RoomBounds(), models: [Models] = [], runningTasks: UInt32? = nil,
        queuedJobs: UInt32? = nil
    ) {
        self.name = name
        self.tenant = tenant
        self.project = project
        self.user = user
        self.queue = queue
        self.isForEachUser = isForEachUser
        self.room = room
        self.models = models
        self.runningTasks = runningTasks
        self.queuedJobs = queuedJobs
    }
}

/// What administrators describe, by name.
public enum ShareObject: Hashable, Sendable {
    case tenant(TenantRecord)
    case project(ProjectRecord)
    case queue(QueueRecord)
    case quota(QuotaRecord)
    case user(UserRecord)
    case pool(PoolRecord)

    public enum Kind: UInt8, NamedTag {
        case tenant = 1
        case project = 2
        case queue = 3
        case quota = 4
        case user = 5
        case pool = 6

        public static let names = TagNames<Self>()
    }

    public var id: ShareObjectID {
        switch self {
        case .tenant(let tenant): ShareObjectID(.tenant, tenant.name)
        case .project(let project): ShareObjectID(.project, "\(project.tenant)/\(project.name)")
        case .queue(let queue): ShareObjectID(.queue, queue.name)
        case .quota(let quota): ShareObjectID(.quota, quota.name)
        case .user(let user): ShareObjectID(.user, user.name)
        case .pool(let pool): ShareObjectID(.pool, pool.name)
        }
    }
}

public struct ShareObjectID: Hashable, Comparable, Sendable {
    public var kind: ShareObject.Kind
    /// Of a project: `tenant/project`.
    public var name: String

    public init(_ kind: ShareObject.Kind, _ name: String) {
        self.kind = kind
        self.name = name
    }

    public static func < (left: Self, right: Self) -> Bool {
        (left.kind.rawValue, left.name) < (right.kind.rawValue, right.name)
    }
}

// MARK: - Canonical bytes

extension TenantRecord: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(name)
        writer.write(weight)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(name: try reader.readString(), weight: try reader.readUInt32())
    }
}

extension ProjectRecord: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(tenant)
        writer.write(name)
        writer.write(weight)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(tenant: try reader.readString(), name: try reader.readString(), weight: try reader.readUInt32())
    }
}

extension UserRecord: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(name)
        writer.write(account)
        writer.write(weight)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self = try Self.withoutWeight(&reader)
        weight = try reader.readUInt32()
    }

    /// The form of `userSet`, and of snapshots up to level 8.
    static func withoutWeight(_ reader: inout CanonicalReader) throws(CanonicalError) -> UserRecord {
        UserRecord(name: try reader.readString(), account: try reader.readOptional())
    }
}

extension PoolRecord: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(name)
        writer.write(tenants)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(name: try reader.readString(), tenants: try reader.readList())
    }
}

extension QueueRecord: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(name)
        writer.write(parent)
        writer.write(weight)
        for bounds in [guarantee, ceiling, borrow, lend] { writer.write(bounds) }
        writer.write(halfLife)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(
            name: try reader.readString(), parent: try reader.readString(), weight: try reader.readUInt32(), guarantee: try reader.read(),
            ceiling: try reader.read(), borrow: try reader.read(), lend: try reader.read(), halfLife: try reader.readOptional())
    }
}

extension QuotaRecord.Models: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(pattern)
        writer.write(deviceMilli)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(pattern: try reader.readString(), deviceMilli: try reader.readInt64())
    }
}

extension QuotaRecord: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(name)
        for selector in [tenant, project, user, queue] { writer.write(selector) }
        writer.write(isForEachUser)
        writer.write(room)
        writer.write(models)
        writer.write(runningTasks)
        writer.write(queuedJobs)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(
            name: try reader.readString(), tenant: try reader.readOptional(), project: try reader.readOptional(),
            user: try reader.readOptional(), queue: try reader.readOptional(), isForEachUser: try reader.readBool(),
            room: try reader.read(), models: try reader.readList(), runningTasks: try reader.readOptional(),
            queuedJobs: try reader.readOptional())
    }
}

extension ShareObject: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(id.kind)
        switch self {
        case .tenant(let tenant): writer.write(tenant)
        case .project(let project): writer.write(project)
        case .queue(let queue): writer.write(queue)
        case .quota(let quota): writer.write(quota)
        case .user(let user): writer.write(user)
        case .pool(let pool): writer.write(pool)
        }
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        let kind: Kind = try reader.read()
        switch kind {
        case .tenant: self = .tenant(try reader.read())
        case .project: self = .project(try reader.read())
        case .queue: self = .queue(try reader.read())
        case .quota: self = .quota(try reader.read())
        case .user: self = .user(try reader.read())
        case .pool: self = .pool(try reader.read())
        }
    }
}

extension ShareObjectID: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(kind)
        writer.write(name)
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        self.init(try reader.read(), try reader.readString())
    }
}
