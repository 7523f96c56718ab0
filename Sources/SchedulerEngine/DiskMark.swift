/// When a disk counts as full for submissions: below the reserve, until twice as much is free. What has been accepted goes on.
struct DiskMark: Hashable, Sendable {
    static let reserveDefault: Int64 = 256 << 20

    let reserve: Int64
    private(set) var isLow = false

    init(reserve: Int64) { self.reserve = reserve }

    /// - Parameter free: nil when it cannot be told; then only appends tell.
    mutating func judge(free: Int64?) {
        guard let free else { return }
        isLow = free < (isLow ? 2 * reserve : reserve)
    }

    /// An append found no room, whatever the system says is free.
    mutating func appendFailed() { isLow = true }

    mutating func appended(knowingFree: Bool) {
        if !knowingFree { isLow = false }
    }
}
