// Many nodes that fall silent together have one cause, and it is seldom that they all died.

public import ClusterModel

/// Lets leases end one by one; when many would end at once it holds them back, and lets pass a few a minute until all have
/// been heard again or have passed. What runs on silent nodes runs on meanwhile, or its agents have stopped it; waiting costs
/// time, replacing everything costs the cluster. (Kubernetes' node controller does the same by zone.)
public struct ExpiryBreaker: Hashable, Sendable {
    /// Fewer never trip it: a small cluster has no statistics.
    public static let overdueMin = 5
    /// Hundredths of the nodes that must be overdue together.
    public static let overduePercent = 10
    /// Hundredths of the nodes that pass in a minute while it is open, at least one.
    public static let passPercentPerMinute = 1

    /// Since when leases are held back; nil while they end as they should.
    public private(set) var openSince: LogicalTime?
    /// Overdue and held back, at the last look.
    public private(set) var heldBack = 0
    private var passed: Int64 = 0

    public init() {}

    /// How many of the overdue may end now.
    mutating func allowance(overdue: Int, of living: Int, at now: LogicalTime) -> Int {
        if overdue == 0 {
            self = ExpiryBreaker()
            return 0
        }
        if openSince == nil, overdue >= Self.overdueMin, overdue * 100 > living * Self.overduePercent { openSince = now }
        guard let openSince else { return overdue }
        let perMinute = max(1, Int64(living * Self.passPercentPerMinute / 100))
        let minute: Int64 = 60_000_000_000
        let due = (now - openSince).nanoseconds / (minute / perMinute)
        let allowed = min(overdue, Int(max(0, due - passed)))
        passed += Int64(allowed)
        heldBack = overdue - allowed
        return allowed
    }
}
