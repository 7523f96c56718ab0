/// When a disk counts as full: below the reserve, until twice as much is free. Nothing new is taken then; what has been accepted goes on.
public struct DiskMark: Hashable, Sendable {
    /// Bytes.
    public static let reserveDefault: Int64 = 256 << 20

    public let reserve: Int64
    public private(set) var isLow = false

    public init(reserve: Int64) { self.reserve = reserve }

    /// - Parameter free: bytes; nil when it cannot be told, and then only appends tell.
    public mutating func judge(free: Int64?) {
        guard let free else { return }
        isLow = free < (isLow ? 2 * reserve : reserve)
    }

    /// An append found no room, whatever the system says is free.
    public mutating func appendFailed() { isLow = true }

    public mutating func appended(knowingFree: Bool) {
        if !knowingFree { isLow = false }
    }
}
