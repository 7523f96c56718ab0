import ClusterModel
import ClusterPorts
import Metering

/// Sums over usage segments: amounts times nanoseconds in 128 bits, divided once at the end. A 64-bit sum, such as
/// SQLite's own, would overflow after an hour of 2.5 TiB.
struct UsageTotals {
    /// What is summed apart; jobs in order of their numbers, everything else by name. Simulated nodes use nothing, so their
    /// share is never mixed with what real ones did.
    struct Group: Hashable, Comparable {
        var number: UInt64 = 0
        var name: String
        var isSimulated: Bool

        init(of segment: UsageSegment, by grouping: UsageGrouping) {
            isSimulated = segment.isSimulated
            switch grouping {
            case .tenant: name = segment.tenant
            case .project: name = segment.project
            case .user: name = segment.user
            case .node: name = segment.nodeName
            case .job:
                number = segment.attempt.task.job.value
                name = segment.attempt.task.job.description
            }
        }

        static func < (left: Group, right: Group) -> Bool {
            (left.number, left.name, left.isSimulated ? 1 : 0) < (right.number, right.name, right.isSimulated ? 1 : 0)
        }
    }

    private var records: UInt64 = 0
    private var cpuMilliNanoseconds: Int128 = 0
    private var memoryByteNanoseconds: Int128 = 0
    private var deviceMilliNanoseconds: Int128 = 0
    private var measuredCPUNanoseconds: Int128 = 0

    mutating func add(_ segment: UsageSegment) {
        let nanoseconds = Int128((segment.end - segment.start).nanoseconds)
        records += 1
        cpuMilliNanoseconds += Int128(segment.allocated.cpuMilli) * nanoseconds
        memoryByteNanoseconds += Int128(segment.allocated.memoryBytes) * nanoseconds
        for device in segment.allocated.devices { deviceMilliNanoseconds += Int128(device.shareMilli) * nanoseconds }
        measuredCPUNanoseconds += Int128(segment.measured?.cpuTime.nanoseconds ?? 0)
    }

    func row(for group: Group) -> UsageSummaryRow {
        let second: Int128 = 1_000_000_000
        return UsageSummaryRow(
            group: group.name, isSimulated: group.isSimulated, records: records,
            cpuMilliSeconds: Int64(clamping: cpuMilliNanoseconds / second),
            memoryMiBSeconds: Int64(clamping: memoryByteNanoseconds / (second << 20)),
            deviceMilliSeconds: Int64(clamping: deviceMilliNanoseconds / second),
            measuredCPUSeconds: Int64(clamping: measuredCPUNanoseconds / second))
    }
}
