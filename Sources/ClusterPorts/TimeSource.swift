/// The machine's clocks, in nanoseconds.
public protocol TimeSource: Sendable {
    /// CLOCK_REALTIME: since 1970, may step.
    func wall() -> Int64
    /// CLOCK_BOOTTIME: monotonic, counts suspended time too.
    func boot() -> Int64
}
