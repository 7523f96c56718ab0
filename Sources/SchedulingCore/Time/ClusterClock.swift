public import ClusterModel

/// Cluster time from two clocks: it advances with CLOCK_BOOTTIME, drifts toward the wall clock by at most 500 parts per
/// million (the bound of adjtime and NTP), starts at the wall but never below what the journal has seen, and never goes
/// back. No step of a wall clock reaches the core.
public struct ClusterClock: Sendable {
    /// Parts per million by which cluster time may run fast or slow to meet the wall.
    public static let slewMax: Int64 = 500

    private var time: LogicalTime
    private var lastBoot: Int64

    /// - Parameters:
    ///   - wall: nanoseconds since 1970 by CLOCK_REALTIME.
    ///   - boot: nanoseconds by CLOCK_BOOTTIME.
    ///   - floor: the latest instant in the journal.
    public init(wall: Int64, boot: Int64, floor: LogicalTime) {
        time = LogicalTime(nanoseconds: max(wall, floor.nanoseconds + 1))
        lastBoot = boot
    }

    /// Strictly later than any earlier answer.
    public mutating func now(wall: Int64, boot: Int64) -> LogicalTime {
        let elapsed = max(0, boot - lastBoot)
        lastBoot = max(boot, lastBoot)
        let free = time.nanoseconds + max(elapsed, 1)
        // Rounded up to one nanosecond, so that many short steps still meet the wall in the end.
        let reach = elapsed / 1_000_000 * Self.slewMax + (elapsed % 1_000_000 * Self.slewMax) / 1_000_000
        let error = wall - free
        time = LogicalTime(nanoseconds: max(time.nanoseconds + 1, free + min(max(error, -reach), reach)))
        return time
    }
}
