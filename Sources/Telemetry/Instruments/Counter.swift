import Synchronization

/// Something that happened so many times since the process began. Adding costs one atomic instruction: no lock, no allocation.
public final class Counter: Sendable {
    private let value = Atomic<UInt64>(0)

    public init() {}

    public func add(_ count: UInt64 = 1) { value.wrappingAdd(count, ordering: .relaxed) }
    public var total: UInt64 { value.load(ordering: .relaxed) }

    public static func array(count: Int) -> [Counter] { (0..<count).map { _ in Counter() } }
}

/// A value that rises and falls, as its one owner last set it.
public final class Gauge: Sendable {
    private let stored = Atomic<Int64>(0)

    public init() {}

    public func set(_ value: Int64) { stored.store(value, ordering: .relaxed) }
    public var value: Int64 { stored.load(ordering: .relaxed) }
}
