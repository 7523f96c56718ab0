/// How near two things are to each other, the nearest first. Levels up to `numa` lie inside a node and are about the devices
/// of one task; the others are about the nodes of a gang.
public enum TopologyLevel: UInt8, NamedTag, Comparable {
    /// Devices that reach each other without the processor's bus: NVLink, xGMI, HCCS.
    case link = 1
    /// Below one PCIe switch.
    case pcie = 2
    case numa = 3
    case node = 4
    /// By the label `rack` of nodes; a rack is of one block and one center.
    case rack = 5
    /// By the label `block` of nodes; a block is of one center.
    case block = 6
    case center = 7
    /// Anywhere.
    case cluster = 8

    public static let names = TagNames<Self>()
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// About the devices of one task.
    public var isInsideNode: Bool { self < .node }
}

/// How much a job cares for a level.
public enum TopologyWish: UInt8, NamedTag {
    /// The level is not looked at.
    case none = 0
    /// Where it can be had. What holds where a job says nothing, but for centers.
    case prefer = 1
    /// Nothing starts without it.
    case require = 2

    public static let names = TagNames<Self>()
}

/// Whether the tasks of a gang, or those of one job that wait alone, share nodes.
public enum NodeSharing: UInt8, NamedTag {
    /// As few nodes as will do.
    case pack = 0
    /// As many as there are tasks, where they can be had.
    case spread = 1

    public static let names = TagNames<Self>()
}

/// What is said of levels. Small and flat: it is compared wherever requests are.
public struct TopologyWishes: Hashable, Sendable {
    /// Two bits a level: 0 where nothing is said, else the wish and one.
    private var bits: UInt32 = 0

    public init() {}

    public subscript(level: TopologyLevel) -> TopologyWish? {
        get {
            let value = UInt8(bits >> (UInt32(level.rawValue) * 2) & 3)
            return value == 0 ? nil : TopologyWish(rawValue: value - 1)
        }
        set {
            let shift = UInt32(level.rawValue) * 2
            bits = bits & ~(3 << shift) | UInt32(newValue.map { $0.rawValue + 1 } ?? 0) << shift
        }
    }

    /// Ascending by level.
    public var stated: [(level: TopologyLevel, wish: TopologyWish)] {
        TopologyLevel.allCases.compactMap { level in self[level].map { (level, $0) } }
    }
}

/// How near to each other the devices of a task, and the tasks of a gang, are to be.
public struct TopologyRequest: Hashable, Sendable {
    private var wishes = TopologyWishes()
    public var sharing = NodeSharing.pack

    public static let indifferent = TopologyRequest()

    /// Levels that a job may name.
    public static let levels = TopologyLevel.allCases.filter { $0 != .cluster }

    public init(_ wishes: [TopologyLevel: TopologyWish] = [:], sharing: NodeSharing = .pack) {
        for (level, wish) in wishes { self.wishes[level] = wish }
        self.sharing = sharing
    }

    public var isIndifferent: Bool { self == .indifferent }

    /// What was said, ascending by level.
    public var stated: [(level: TopologyLevel, wish: TopologyWish)] { wishes.stated }

    /// Gangs stay within one center unless they ask for more: what lies between centers is slow, and may cost.
    public func wish(for level: TopologyLevel) -> TopologyWish { wishes[level] ?? (level == .center ? .require : .prefer) }

    /// What was required will do without.
    public mutating func prefer(_ level: TopologyLevel) { wishes[level] = .prefer }

    /// The loosest level that will do for the devices of one task; nil: any devices of a node will.
    public var requiredInsideNode: TopologyLevel? { stated.first { $0.level.isInsideNode && $0.wish == .require }?.level }
}

extension TopologyRequest: CanonicalValue {
    public func write(to writer: inout CanonicalWriter) {
        writer.write(sharing)
        writer.write(UInt64(stated.count))
        for (level, wish) in stated {
            writer.write(level)
            writer.write(wish)
        }
    }

    public init(from reader: inout CanonicalReader) throws(CanonicalError) {
        sharing = try reader.read()
        var last: TopologyLevel?
        for _ in 0..<(try reader.readCount()) {
            let level: TopologyLevel = try reader.read()
            if let last, last >= level { throw .malformed("levels out of order") }
            wishes[level] = try reader.read()
            last = level
        }
    }
}

/// How near an attempt got what it holds.
public struct Locality: Hashable, Sendable {
    /// The tightest level that holds all devices of the task; nil for fewer than two.
    public var devices: TopologyLevel?
    /// The tightest level that holds all tasks of the gang; nil for a task alone.
    public var gang: TopologyLevel?

    public static let unknown = Locality()

    public init(devices: TopologyLevel? = nil, gang: TopologyLevel? = nil) {
        self.devices = devices
        self.gang = gang
    }
}
