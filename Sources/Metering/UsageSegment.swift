// Usage: one immutable row for each allocation segment, computed from journalled events, never from agents' claims.
// A segment is the longest interval in which attempt, node and allocation do not change, cut at each UTC hour.

public import ClusterModel

/// What billing reads: an interval in which one attempt held something.
public struct UsageSegment: Hashable, Sendable {
    /// What ended it.
    public enum EndReason: UInt8, CanonicalTag, Hashable {
        /// The hour: the allocation goes on in the next segment.
        case cut = 1
        case completed = 2
        case failed = 3
        case cancelled = 4
        case timeLimit = 5
        case outOfMemory = 6
        case infrastructure = 7
        case nodeLost = 8
        /// The operator took the place for something else, and the task runs elsewhere.
        case preempted = 9

        public var name: String {
            switch self {
            case .timeLimit: "timeout"
            case .outOfMemory: "oom"
            case .nodeLost: "node_lost"
            case .preempted: "preempted"
            case .cut: "cut"
            case .completed: "completed"
            case .failed: "failed"
            case .cancelled: "cancelled"
            case .infrastructure: "infrastructure"
            }
        }
    }

    public var attempt: AttemptID
    /// 0 for the first segment of an attempt.
    public var number: UInt32
    public var tenant: String
    public var project: String
    public var user: String
    public var node: NodeID
    public var nodeName: String
    public var isSimulated: Bool
    public var fence: Fence
    public var requested: ResourceRequest
    public var allocated: Allocation
    /// Device models in the order of `allocated.devices`.
    public var deviceModels: [String]
    /// Cluster time, half-open: [start, end).
    public var start: LogicalTime
    public var end: LogicalTime
    public var endReason: EndReason
    /// Whether the operator charges for it: work that a fault of the platform ended is not charged.
    public var isBillable: Bool
    /// Version of the rule that decided `isBillable`.
    public var billingRule: UInt32
    /// Measured on the node, only on an attempt's last segment and for the whole attempt; never the base of a charge.
    public var measured: Measured?

    public struct Measured: Hashable, Sendable {
        public var elapsed: Span
        public var cpuTime: Span
        public var memoryPeakBytes: Int64

        public init(elapsed: Span, cpuTime: Span, memoryPeakBytes: Int64) {
            self.elapsed = elapsed
            self.cpuTime = cpuTime
            self.memoryPeakBytes = memoryPeakBytes
        }
    }

    public init(
        attempt: AttemptID, number: UInt32, tenant: String, project: String, user: String, node: NodeID, nodeName: String,
        isSimulated: Bool, fence: Fence, requested: ResourceRequest, allocated: Allocation, deviceModels: [String], start: LogicalTime,
        end: LogicalTime, endReason: EndReason, isBillable: Bool, billingRule: UInt32, measured: Measured?
    ) {
        self.attempt = attempt
        self.number = number
        self.tenant = tenant
        self.project = project
        self.user = user
        self.node = node
        self.nodeName = nodeName
        self.isSimulated = isSimulated
        self.fence = fence
        self.requested = requested
        self.allocated = allocated
        self.deviceModels = deviceModels
        self.start = start
        self.end = end
        self.endReason = endReason
        self.isBillable = isBillable
        self.billingRule = billingRule
        self.measured = measured
    }
}

extension UsageSegment {
    /// The rule of this build: what the platform broke or broke off is not charged; simulated work never is.
    public static let currentBillingRule: UInt32 = 1

    public static func isBillable(endReason: EndReason, isSimulated: Bool) -> Bool {
        guard !isSimulated else { return false }
        switch endReason {
        case .infrastructure, .nodeLost, .preempted: return false
        case .cut, .completed, .failed, .cancelled, .timeLimit, .outOfMemory: return true
        }
    }
}
