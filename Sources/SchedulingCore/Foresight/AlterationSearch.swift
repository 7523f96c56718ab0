// What about a job could be otherwise so that it starts now: each change alone, the least that is enough.

import ClusterModel
import Placement

/// Tries changes of one job. What `fits` says is taken to hold for every smaller amount as well.
struct AlterationSearch {
    /// Most that anybody reads.
    private static let found = 12
    /// Other queues and models that are tried, at most.
    private static let choices = 16

    let specification: JobSpecification
    /// Queues that jobs may be in, and all models of devices.
    let queues: [String]
    let models: [String]
    /// How long room that is set aside is free at least, longest first.
    let idleSpans: [Span]
    private(set) var alterations: [Alteration] = []
    /// Jobs that were judged so far.
    private var trials = 0
    private static let trialsMax = 256

    init(of specification: JobSpecification, queues: [String], models: [String], idleSpans: [Span]) {
        self.specification = specification
        self.queues = queues
        self.models = models
        self.idleSpans = idleSpans
    }

    /// - Parameter fits: whether a job starts now.
    mutating func run(_ fits: (JobSpecification) -> Bool) {
        // What costs nothing first, then what makes it smaller.
        tryWishes(fits)
        for group in specification.groups.indices { tryDevices(of: group, fits) }
        for group in specification.groups.indices { tryAmounts(of: group, fits) }
        for group in specification.groups.indices where specification.groups[group].count > 1 {
            let count = Int64(specification.groups[group].count)
            largest(below: count, step: 1, fits) { .tasks(group: group, UInt32($0)) }
        }
    }

    private mutating func attempt(_ alteration: Alteration, _ fits: (JobSpecification) -> Bool) {
        if isEnough(alteration, fits) { alterations.append(alteration) }
    }

    /// False, whatever would be, once enough has been found or tried.
    private mutating func isEnough(_ alteration: Alteration, _ fits: (JobSpecification) -> Bool) -> Bool {
        guard alterations.count < Self.found, trials < Self.trialsMax else { return false }
        trials += 1
        let altered = alteration.applied(to: specification)
        return altered.validate().isEmpty && fits(altered)
    }

    private mutating func tryWishes(_ fits: (JobSpecification) -> Bool) {
        if specification.isHeld { attempt(.released, fits) }
        if !specification.dependencies.isEmpty { attempt(.withoutDependencies, fits) }
        if specification.beginAt != nil { attempt(.beginNow, fits) }
        if !specification.isPreemptible { attempt(.preemptible, fits) }
        for queue in queues.prefix(Self.choices) where queue != specification.queue { attempt(.queue(queue), fits) }
        tryTimeLimit(fits)
        for (index, group) in specification.groups.enumerated() {
            for constraint in group.constraints where constraint.key != simulatedLabel {
                attempt(.withoutConstraint(group: index, constraint), fits)
            }
        }
        if !specification.centers.isEmpty { attempt(.anyCenter, fits) }
        if !specification.pool.isEmpty { attempt(.anyPool, fits) }
        if specification.needsInternet { attempt(.withoutInternet, fits) }
        for level in TopologyRequest.levels
        where specification.groups.contains(where: { $0.resources.topology.wish(for: level) == .require }) {
            // Gangs of one task have no centers to be in; nobody asked for one.
            if level != .center || specification.gangSize > 1 { attempt(.preferred(level), fits) }
        }
    }

    /// The longest that is gone before room set aside is needed, in whole minutes where it is that long.
    private mutating func tryTimeLimit(_ fits: (JobSpecification) -> Bool) {
        for span in idleSpans {
            let seconds = span.wholeSeconds
            // What is submitted next comes a little later.
            let limit = seconds >= 120 ? (seconds - 30) / 60 * 60 : (seconds - 5) / 10 * 10
            guard limit >= 10, specification.timeLimit.map({ $0 > .seconds(limit) }) ?? true else { continue }
            let known = alterations.count
            attempt(.timeLimit(.seconds(limit)), fits)
            if alterations.count > known { return }
        }
    }

    private mutating func tryDevices(of group: Int, _ fits: (JobSpecification) -> Bool) {
        let resources = specification.groups[group].resources
        guard let devices = resources.devices, resources.alternatives.isEmpty else { return }
        if !devices.modelPattern.isEmpty {
            let pattern = GlobPattern(devices.modelPattern)
            for model in models.prefix(Self.choices) where !pattern.matches(model) { attempt(.model(group: group, model), fits) }
        }
        if devices.count > 1 { largest(below: Int64(devices.count), step: 1, fits) { .devices(group: group, UInt32($0)) } }
        if devices.shareMilli > 0, devices.count == 1, devices.template.isEmpty {
            largest(below: devices.shareMilli, step: 50, fits) { .share(group: group, milli: $0) }
        }
        if devices.memoryBytes > 0, devices.shareMilli == 0 {
            largest(below: devices.memoryBytes, step: 512 << 20, fits) { .deviceMemory(group: group, $0) }
        }
        if devices.computeUnitsMilli > 0 {
            largest(below: devices.computeUnitsMilli, step: 1000, fits) { .computeUnits(group: group, milli: $0) }
        }
    }

    private mutating func tryAmounts(of group: Int, _ fits: (JobSpecification) -> Bool) {
        let resources = specification.groups[group].resources
        if resources.hasWholeCores { attempt(.sharedCores(group: group), fits) }
        let isLarge = resources.cpuMilli > 1000 || resources.hasWholeCores
        largest(below: resources.cpuMilli, step: isLarge ? 1000 : 100, fits) { .cpu(group: group, milli: $0) }
        largest(below: resources.memoryBytes, step: resources.memoryBytes > 8 << 30 ? 1 << 30 : 256 << 20, fits) {
            .memory(group: group, $0)
        }
    }

    /// The largest multiple of `step` below an amount with which it fits.
    private mutating func largest(
        below amount: Int64, step: Int64, _ fits: (JobSpecification) -> Bool, _ alteration: (Int64) -> Alteration
    ) {
        var (few, many) = (Int64(0), (amount - 1) / step)
        guard many > 0 else { return }
        // Most changes help nothing: the smallest tells.
        guard isEnough(alteration(step), fits) else { return }
        few = 1
        while few < many {
            let half = (few + many + 1) / 2
            if isEnough(alteration(half * step), fits) { few = half } else { many = half - 1 }
        }
        alterations.append(alteration(few * step))
    }
}
