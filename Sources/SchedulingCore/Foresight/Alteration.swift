// What about a job could be otherwise.

public import ClusterModel
import Placement

/// One change of a job that is not what it was submitted as.
public enum Alteration: Hashable, Sendable {
    /// Of each task of a group, by its place among the groups.
    case devices(group: Int, UInt32)
    case share(group: Int, milli: Int64)
    case deviceMemory(group: Int, Int64)
    case computeUnits(group: Int, milli: Int64)
    case model(group: Int, String)
    case cpu(group: Int, milli: Int64)
    case memory(group: Int, Int64)
    case sharedCores(group: Int)
    /// Tasks of a group in each gang.
    case tasks(group: Int, UInt32)
    case withoutConstraint(group: Int, Constraint)
    /// What was required is preferred, in all groups.
    case preferred(TopologyLevel)
    case anyCenter
    case anyPool
    case withoutInternet
    case preemptible
    case timeLimit(Span)
    case queue(String)
    case released
    case withoutDependencies
    case beginNow

    public func applied(to specification: JobSpecification) -> JobSpecification {
        var altered = specification
        switch self {
        case .devices(let group, let count): altered.groups[group].resources.devices?.count = count
        case .share(let group, let milli):
            altered.groups[group].resources.devices?.shareMilli = milli
        case .deviceMemory(let group, let bytes): altered.groups[group].resources.devices?.memoryBytes = bytes
        case .computeUnits(let group, let milli): altered.groups[group].resources.devices?.computeUnitsMilli = milli
        case .model(let group, let pattern): altered.groups[group].resources.devices?.modelPattern = pattern
        case .cpu(let group, let milli): altered.groups[group].resources.cpuMilli = milli
        case .memory(let group, let bytes): altered.groups[group].resources.memoryBytes = bytes
        case .sharedCores(let group): altered.groups[group].resources.hasWholeCores = false
        case .tasks(let group, let count): altered.groups[group].count = count
        case .withoutConstraint(let group, let constraint): altered.groups[group].constraints.removeAll { $0 == constraint }
        case .preferred(let level): for group in altered.groups.indices { altered.groups[group].resources.topology.prefer(level) }
        case .anyCenter: altered.centers = []
        case .anyPool: altered.pool = ""
        case .withoutInternet: altered.needsInternet = false
        case .preemptible: altered.isPreemptible = true
        case .timeLimit(let span): altered.timeLimit = span
        case .queue(let name): altered.queue = name
        case .released: altered.isHeld = false
        case .withoutDependencies: altered.dependencies = []
        case .beginNow: altered.beginAt = nil
        }
        return altered
    }

    /// Completes "starts now …".
    public func sentence(for specification: JobSpecification) -> String {
        func each(_ group: Int) -> String {
            let isOne = specification.groups.count == 1
            if specification.gangSize == 1 { return "" }
            return isOne ? " for each task" : " for each task of '\(specification.groups[group].name)'"
        }
        func kind(_ group: Int) -> String { specification.groups[group].resources.devices?.kindName ?? "device" }
        switch self {
        case .devices(let group, let count):
            return "with \(count) \(kind(group))\(count == 1 ? "" : "s")\(each(group)) instead of "
                + "\(specification.groups[group].resources.devices?.count ?? 0)"
        case .share(let group, let milli): return "with \(milli)m of a \(kind(group))\(each(group))"
        case .deviceMemory(let group, let bytes): return "with \(AmountText.memory(bytes)) of \(kind(group)) memory\(each(group))"
        case .computeUnits(let group, let milli): return "with \(AmountText.computeUnits(milli)) compute units\(each(group))"
        case .model(let group, let model): return "with a \(kind(group)) like '\(model)'\(each(group))"
        case .cpu(let group, let milli): return "with \(AmountText.cores(milli))\(each(group))"
        case .memory(let group, let bytes): return "with \(AmountText.memory(bytes)) of memory\(each(group))"
        case .sharedCores(let group): return "with cores that it shares\(each(group))"
        case .tasks(let group, let count):
            let name = specification.groups.count == 1 ? "" : " of '\(specification.groups[group].name)'"
            return "with \(count) task\(count == 1 ? "" : "s")\(name) instead of \(specification.groups[group].count)"
        case .withoutConstraint(_, let constraint): return "without the constraint '\(constraint.text)'"
        case .preferred(let level): return "if the topology level '\(level.name)' is preferred, not required"
        case .anyCenter: return "in any center"
        case .anyPool: return "outside the pool '\(specification.pool)' too"
        case .withoutInternet: return "without the need of the internet"
        case .preemptible: return "if it is preemptible"
        case .timeLimit(let span): return "with a time limit of \(AmountText.exactly(span))"
        case .queue(let name): return "in the queue '\(name)'"
        case .released: return "when it is released"
        case .withoutDependencies: return "if it waits for no other job"
        case .beginNow: return "without a begin time"
        }
    }
}
