import ClusterModel
import JournalSQLite

/// The jobs of a coordinator's tables as a trace that `suanpan simulate` takes: a line for each gang that ran and ended.
struct RunTrace {
    /// What a simulated node has so many of.
    enum Unit: String, CaseIterable {
        case devices
        case cores
    }

    private(set) var text = "job_id,submit_s,duration_s,num_gpus,vc\n"
    private(set) var lines = 0
    /// Gangs that ran and hold none of the unit.
    private(set) var left = 0
    private var first: LogicalTime?
    private let unit: Unit

    init(_ unit: Unit) { self.unit = unit }

    mutating func add(_ job: JobID, _ specification: JobSpecification, submitted: LogicalTime, _ runs: [RecordedRun]) {
        let size = max(specification.gangSize, 1)
        let gangs = Dictionary(grouping: runs) { $0.attempt.task.index / size }
        for ordinal in gangs.keys.sorted() {
            let tries = Dictionary(grouping: gangs[ordinal] ?? [], by: \.attempt.number)
            guard let last = tries.keys.max(), let final = tries[last] else { continue }
            let amount = final.reduce(Int64(0)) { $0 + self.amount(of: $1.allocation) }
            // A gang runs for as long as its longest task, in each of its tries.
            let ran = tries.values.reduce(Int64(0)) { $0 + ($1.map { ($0.ended - $0.started).nanoseconds }.max() ?? 0) }
            guard amount > 0, ran > 0 else {
                left += 1
                continue
            }
            let ready = max(submitted, specification.beginAt ?? submitted)
            let start = first ?? ready
            first = start
            let name = specification.array == nil ? "\(job)" : "\(job).\(ordinal)"
            text += "\(name),\(Self.seconds(max(0, (ready - start).nanoseconds))),\(Self.seconds(ran)),\(amount),\(specification.tenant)\n"
            lines += 1
        }
    }

    /// Whole ones: what is held in part counts as one.
    private func amount(of allocation: Allocation) -> Int64 {
        switch unit {
        case .devices: Int64(allocation.devices.count)
        case .cores: (allocation.cpuMilli + 999) / 1000
        }
    }

    private static func seconds(_ nanoseconds: Int64) -> String {
        let milliseconds = nanoseconds / 1_000_000
        let fraction = "\(1000 + milliseconds % 1000)".dropFirst()
        return "\(milliseconds / 1000).\(fraction)"
    }
}
