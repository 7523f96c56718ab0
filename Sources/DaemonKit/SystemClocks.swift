public import ClusterPorts
import Glibc

/// The clocks of this machine.
public struct SystemClocks: TimeSource {
    public init() {}

    public func wall() -> Int64 { Self.read(CLOCK_REALTIME) }
    public func boot() -> Int64 { Self.read(CLOCK_BOOTTIME) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
