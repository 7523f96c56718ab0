import ClusterModel
import JournalSQLite

/// The jobs of a coordinator's tables as a trace that `suanpan simulate` takes: a line for each gang that ran and ended.
struct RunTrace {
    /// What a simulated node has so many of.
    enum Unit: String, CaseIterable {
        case devices
        case cores
    }

    private struct Line {
        var name: String
        var ready: LogicalTime
        var ran: Int64
        var amount: Int64
        var tenant: String
    }

    private var found: [Line] = []
    /// Gangs that ran and hold none of the unit, or have not ended by themselves.
    private(set) var left = 0
    private let unit: Unit

    init(_ unit: Unit) { self.unit = unit }

    var lines: Int { found.count }

    /// In order of time; the first begins it.
    var text: String {
        var text = "job_id,submit_s,duration_s,num_gpus,vc\n"
        let first = found.map(\.ready).min() ?? .zero
        for line in found.enumerated().sorted(by: { ($0.element.ready, $0.offset) < ($1.element.ready, $1.offset) }).map(\.element) {
            let submitted = Self.seconds((line.ready - first).nanoseconds)
            text += "\(line.name),\(submitted),\(Self.seconds(line.ran)),\(line.amount),\(line.tenant)\n"
        }
        return text
    }

    mutating func add(_ job: JobID, _ specification: JobSpecification, submitted: LogicalTime, _ runs: [RecordedRun]) {
        let size = max(specification.gangSize, 1)
        let gangs = Dictionary(grouping: runs) { $0.attempt.task.index / size }
        for ordinal in gangs.keys.sorted() {
            let tries = Dictionary(grouping: gangs[ordinal] ?? [], by: \.attempt.number)
            guard let last = tries.keys.max(), let final = tries[last] else { continue }
            let amount = final.reduce(Int64(0)) { $0 + self.amount(of: $1.allocation) }
            // A gang runs for as long as its longest task, in each of its tries.
            let ran = tries.values.reduce(Int64(0)) { $0 + ($1.map { ($0.ended - $0.started).nanoseconds }.max() ?? 0) }
            guard amount > 0, ran > 0, final.allSatisfy({ $0.state != .cancelled }) else {
                left += 1
                continue
            }
            found.append(
                Line(
                    name: specification.array == nil ? "\(job)" : "\(job).\(ordinal)",
                    ready: max(submitted, specification.beginAt ?? submitted), ran: ran, amount: amount, tenant: specification.tenant))
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
